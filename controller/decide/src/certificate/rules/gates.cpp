// Whether this object may be worked on at all.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using api::Phase;

Decision refuse(const Observation& o, std::string reason, std::string message) {
  return Draft(o)
      .phase(Phase::kFailed, std::move(reason), std::move(message))
      .stalled()
      .next("needs a change")
      .finish();
}

// Something that is missing may be about to be made: its arrival wakes this object.
Decision await_arrival(const Observation& o, std::string reason, std::string message) {
  return Draft(o).phase(Phase::kPending, std::move(reason), std::move(message)).next("").finish();
}

// "<RFC 3339 time> <reason>"; an unreadable time holds until it is mended, for holding is the safe side.
struct Hold {
  std::optional<TimePoint> until;
  std::string reason;
};
std::optional<Hold> hold_of(const Observation& o) {
  const auto text = o.object.meta.annotation(api::kHoldUntil);
  if (!text || trim(*text).empty()) return std::nullopt;
  const std::string_view trimmed = trim(*text);
  const auto space = trimmed.find(' ');
  const std::string reason(space == std::string_view::npos ? std::string_view{} : trim(trimmed.substr(space)));
  const auto until = parse_rfc3339(trimmed.substr(0, space));
  if (!until)
    return Hold{std::nullopt, "the annotation " + std::string(api::kHoldUntil) +
                                  " does not begin with a time such as 2027-01-03T02:00:00Z"};
  return Hold{*until, reason};
}

// A change of the Edge that has begun is brought to its end before the object goes, if it can be, and not for ever.
bool is_brought_to_an_end(const Observation& o) {
  using namespace std::chrono_literals;
  const auto& delivery = o.object.status.delivery;
  if (!delivery || !holds_finalizer(o) || o.object.broken) return false;
  const bool can_end = delivery->rolling_back_since || delivery->verdict.empty();
  // A drain may last until its Edge can be put back: the observation has its time all the same.
  const TimePoint since = delivery->installed_at.value_or(delivery->started_at);
  return can_end && o.now < since + time_needed(rotation_of(o)) + 1h;
}

}  // namespace

Verdict readable(const Observation& o) {
  if (!o.object.broken) return std::nullopt;
  const std::string left =
      o.object.status.drain ? "; its Edge may be out of service, for it was taken out for a push" : "";
  return refuse(o, "Invalid", o.object.broken->message() + left);
}

Verdict deleted(const Observation& o) {
  if (!o.object.meta.deleting()) return std::nullopt;
  if (is_brought_to_an_end(o)) return std::nullopt;
  Draft draft(o);
  draft.phase(o.object.status.phase.value_or(Phase::kPending), "Deleted", "being deleted");
  if (!holds_finalizer(o)) return draft.finish();
  if (o.object.status.drain) {
    const std::string why = cannot_be_put_back(o);
    if (why.empty()) return edge_back_in_service(o);
    const std::string message = "the Edge may be out of service and nobody here can put it back: " + why;
    draft.phase(*draft.status().phase, "LeftOutOfService", "being deleted; " + message);
    if (api::reason_said(o.object.status.conditions) != "LeftOutOfService")
      draft.announce(true, "LeftOutOfService", message);
  }
  const std::vector<api::TxtRecord> none;
  const auto& records = o.object.status.order ? o.object.status.order->records : none;
  // A deletion never hangs: after a few tries the record is left, and said so.
  constexpr int kTries = 5;
  const Failure* failure = failure_of(o, effect::RemoveRecord::kName);
  const bool hopeless = !o.issuer || (failure != nullptr && failure->count >= kTries);
  for (const auto& record : records) {
    if (o.removed.contains(record_id(record))) continue;
    if (hopeless) {
      const std::string message = "could not remove the TXT record " + record.name + "; remove it by hand";
      draft.phase(*draft.status().phase, "RecordLeftBehind", "being deleted; " + message)
          .announce(true, "RecordLeftBehind", message);
      continue;
    }
    if (const auto wait = wait_for(o, {effect::RemoveRecord::kName})) return draft.wake(wait->until).finish();
    return draft.effect(effect::RemoveRecord{record}).finish();
  }
  // A slot that cannot be freed is free all the same once nobody's status names it.
  if (o.object.status.slots && !o.slots_released && failure_of(o, effect::ReleaseSlots::kName) == nullptr)
    return draft.effect(effect::ReleaseSlots{*o.object.status.slots}).finish();
  if (const auto wait = wait_for(o, {effect::SetFinalizer::kName})) return draft.wake(wait->until).finish();
  return draft.effect(effect::SetFinalizer{false}).finish();
}

Verdict not_suspended(const Observation& o) {
  if (o.object.spec.suspend) {
    return Draft(o).phase(Phase::kHeld, "Suspended", "spec.suspend is true").stalled().next("suspended").finish();
  }
  const auto hold = hold_of(o);
  if (!hold || (hold->until && o.now >= *hold->until)) return std::nullopt;
  Draft draft(o);
  draft.phase(Phase::kHeld, "HeldByAnnotation", hold->reason.empty() ? "held by annotation" : hold->reason).stalled();
  if (!hold->until) return draft.next("held").finish();
  return draft.next("held until " + format_rfc3339(*hold->until)).wake(*hold->until).finish();
}

Verdict only_claim_on_edge(const Observation& o) {
  if (o.edge_holder.empty()) return std::nullopt;
  return refuse(o, "Conflict",
                "the EdgeCertificate " + o.edge_holder + " holds Edge " + o.object.spec.edge_ref.name +
                    "; delete one of the two");
}

Verdict references_exist(const Observation& o) {
  const auto& spec = o.object.spec;
  if (!o.edge) return await_arrival(o, "EdgeNotFound", "there is no Edge " + spec.edge_ref.name + " in this namespace");
  if (o.edge->broken)
    return await_arrival(o, "EdgeInvalid", "Edge " + spec.edge_ref.name + ": " + o.edge->broken->message());
  if (const auto* stalled = api::find(o.edge->status.conditions, api::condition::kStalled);
      stalled != nullptr && stalled->reason == "Conflict") {
    return await_arrival(o, "EdgeConflict", "Edge " + spec.edge_ref.name + ": " + stalled->message);
  }
  if (!o.connection)
    return await_arrival(o, "ConnectionNotFound",
                         "there is no GenesysConnection " + o.edge->spec.connection_ref.name + ", which Edge " +
                             o.edge->meta.name + " names");
  if (o.connection->broken)
    return await_arrival(o, "ConnectionInvalid",
                         "GenesysConnection " + o.connection->meta.name + ": " + o.connection->broken->message());
  if (spec.policy_ref && !o.policy)
    return await_arrival(o, "PolicyNotFound",
                         "there is no RotationPolicy " + spec.policy_ref->name + " in this namespace");
  if (o.policy && o.policy->broken)
    return await_arrival(o, "PolicyInvalid",
                         "RotationPolicy " + o.policy->meta.name + ": " + o.policy->broken->message());
  return std::nullopt;
}

}  // namespace edgetrust::decide::certificate::rules
