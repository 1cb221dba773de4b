#include "edgetrust/kube/budget_slots.hpp"

#include "edgetrust/json/value.hpp"
#include "lease_time.hpp"
#include "meta.hpp"

#include <charconv>

namespace edgetrust::kube {
namespace {

constexpr std::string_view kSlotLabel = "edgetrust.io/slot";
constexpr std::string_view kHolderAnnotation = "edgetrust.io/holder";

std::optional<ports::SlotHolder> parse_holder(std::string_view identity, std::string_view name) {
  const auto slash = identity.find('/');
  if (slash == std::string_view::npos || slash == 0 || name.empty()) return std::nullopt;
  const std::string_view digits = identity.substr(slash + 1);
  ports::SlotHolder holder{.uid = std::string(identity.substr(0, slash)), .name = std::string(name)};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), holder.revision);
  const bool whole = !digits.empty() && error == std::errc{} && end == digits.data() + digits.size();
  return whole ? std::optional(holder) : std::nullopt;
}

// A time that differs with each claim, so that each is a change and makes a resourceVersion.
json::Value spec_of(const std::optional<ports::SlotHolder>& holder, TimePoint now, int transitions) {
  if (!holder) return {{"holderIdentity", ""}, {"acquireTime", nullptr}, {"renewTime", nullptr}};
  return {{"holderIdentity", holder->uid + "/" + std::to_string(holder->revision)},
          {"acquireTime", micro_time(now)},
          {"renewTime", micro_time(now)},
          {"leaseTransitions", transitions}};
}

}  // namespace

Selection slot_leases(std::string ns) {
  return {.resource = leases(), .ns = std::move(ns), .labels = std::string(kSlotLabel)};
}

ports::BudgetSlot decode_slot(const api::ObjectMeta& meta, const Result<json::View>& lease) {
  ports::BudgetSlot slot{.meta = meta, .holder = {}};
  if (lease) {
    slot.holder =
        parse_holder((*lease)["spec"]["holderIdentity"].string_or(""), meta.annotation(kHolderAnnotation).value_or(""));
    slot.transitions = static_cast<int>((*lease)["spec"]["leaseTransitions"].integer().value_or(0));
  }
  return slot;
}

Result<ports::BudgetSlot> SlotClient::read(const api::ObjectKey& key, const Call& call) {
  EDGETRUST_TRY_ASSIGN(const json::Document lease, client_.get(leases(), key.ns, key.name, call));
  return decode_slot(read_meta(lease.root()), lease.root());
}

Status SlotClient::create(const api::ObjectKey& key, const ports::SlotHolder& holder, const Call& call) {
  const json::Value lease{{"apiVersion", leases().api_version()},
                          {"kind", leases().kind},
                          {"metadata",
                           {{"name", key.name},
                            {"namespace", key.ns},
                            {"labels", {{kSlotLabel, "true"}}},
                            {"annotations", {{kHolderAnnotation, holder.name}}}}},
                          {"spec", spec_of(holder, clock_.now(), 1)}};
  const auto stored = client_.create(leases(), key.ns, json::dump(lease), call);
  return stored ? Status{} : tl::unexpected(stored.error());
}

Status SlotClient::update(const ports::BudgetSlot& slot, const std::optional<ports::SlotHolder>& holder,
                          const Call& call) {
  if (slot.meta.resource_version.empty())
    return fail(ErrorKind::kInternal, "an update without a resourceVersion would overwrite another's claim");
  const json::Value patch{
      {"metadata",
       {{"resourceVersion", slot.meta.resource_version},
        {"annotations", {{kHolderAnnotation, holder ? json::Value(holder->name) : json::Value(nullptr)}}}}},
      {"spec", spec_of(holder, clock_.now(), slot.transitions + 1)}};
  const auto stored = client_.patch(leases(), slot.meta.ns, slot.meta.name,
                                    {.type = PatchType::kMerge, .body = json::dump(patch)}, call);
  return stored ? Status{} : tl::unexpected(stored.error());
}

}  // namespace edgetrust::kube
