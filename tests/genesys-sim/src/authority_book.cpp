#include "authority_book.hpp"

#include "certificate_details.hpp"
#include "chain.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>
#include <array>

namespace edgetrust::sim {
namespace {

using json::Value;

const std::string kManaged = "managed-ca";

VendorFault bad(const std::string& message) { return {.status = 400, .code = "bad.request", .message = message}; }

bool is_service(const std::string& word) {
  constexpr std::array<std::string_view, 3> kServices = {"SIP", "PROVISION", "PROVISION_PHONE"};
  return std::ranges::find(kServices, word) != kServices.end();
}

}  // namespace

AuthorityBook::AuthorityBook(std::string managed_pem, const Clock& clock)
    : managed_pem_(std::move(managed_pem)), clock_(clock) {
  reset();
}

void AuthorityBook::reset() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  entries_[kManaged] = {.name = "Managed certificate authority",
                        .type = "MANAGED",
                        .services = {"SIP", "PROVISION", "PROVISION_PHONE"},
                        .pem = managed_pem_,
                        .version = 1,
                        .modified = clock_.now()};
}

json::Value AuthorityBook::json_of(const std::string& id, const Entry& entry) const {
  Value body = {{"id", id},
                {"name", entry.name},
                {"version", entry.version},
                {"dateModified", time_text(entry.modified)},
                {"state", "active"},
                {"type", entry.type},
                {"services", entry.services},
                {"certificate", entry.pem},
                {"selfUri", "/api/v2/telephony/providers/edges/certificateauthorities/" + id}};
  if (auto details = certificate_details(entry.pem, clock_.now())) body["certificateDetails"] = std::move(*details);
  return body;
}

std::vector<json::Value> AuthorityBook::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Value> all;
  for (const auto& [id, entry] : entries_) all.push_back(json_of(id, entry));
  return all;
}

std::optional<json::Value> AuthorityBook::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? std::nullopt : std::optional(json_of(id, found->second));
}

tl::expected<AuthorityBook::Entry, VendorFault> AuthorityBook::read(json::View body) const {
  Entry entry{.name = body["name"].string_or(""),
              .services = {},
              .pem = body["certificate"].string_or(""),
              .modified = clock_.now()};
  bool known = true;
  body["services"].for_each_element([&](json::View service) {
    entry.services.push_back(service.string_or(""));
    known = known && is_service(entry.services.back());
    return true;
  });
  if (entry.name.empty()) return tl::unexpected(bad("name is required"));
  if (body["type"].string_or("") != "REMOTE") return tl::unexpected(bad("type must be REMOTE"));
  if (entry.services.empty() || !known)
    return tl::unexpected(bad("services must be of SIP, PROVISION, PROVISION_PHONE"));
  if (!read_leaf(entry.pem)) return tl::unexpected(bad("certificate is not a PEM certificate"));
  return entry;
}

tl::expected<json::Value, VendorFault> AuthorityBook::create(json::View body) {
  const std::lock_guard lock(mutex_);
  auto entry = read(body);
  if (!entry) return tl::unexpected(entry.error());
  const std::string id = "remote-ca-" + std::to_string(++made_);
  return json_of(id, entries_[id] = std::move(*entry));
}

VendorFault AuthorityBook::missing(const std::string& id) {
  return {.status = 404,
          .code = "not.found",
          .message = "The requested certificate authority was not found",
          .entity_id = printable(id, 100)};
}

tl::expected<json::Value, VendorFault> AuthorityBook::change(const std::string& id, json::View body) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return tl::unexpected(missing(id));
  if (id == kManaged) return tl::unexpected(bad("a MANAGED certificate authority cannot be changed"));
  auto entry = read(body);
  if (!entry) return tl::unexpected(entry.error());
  if (body["version"].integer() != found->second.version) {
    return tl::unexpected(VendorFault{
        .status = 409,
        .code = "conflict",
        .message = "The version number of the modified resource must match the version number in the database."});
  }
  entry->version = found->second.version + 1;
  return json_of(id, found->second = std::move(*entry));
}

std::optional<VendorFault> AuthorityBook::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (id == kManaged) return bad("a MANAGED certificate authority cannot be deleted");
  return entries_.erase(id) > 0 ? std::nullopt : std::optional(missing(id));
}

}  // namespace edgetrust::sim
