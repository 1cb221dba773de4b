#include "site_zones.hpp"

#include "endpoint.hpp"
#include "published.hpp"

namespace edgetrust::genesys {

Result<std::string> SiteZones::zone(const std::string& site_id, const std::stop_token& stop) {
  std::optional<Known> last;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(site_id); found != known_.end()) last = found->second;
  }
  if (last && clock_.steady() < last->until) return last->zone;
  auto zone = look(site_id, stop);
  if (zone) {
    keep(site_id, *zone);
  } else if (last) {
    return last->zone;
  }
  return zone;
}

Result<std::string> SiteZones::look(const std::string& site_id, const std::stop_token& stop) {
  Outgoing outgoing;
  outgoing.path = with_id(path::kSite, site_id);
  outgoing.max_body = std::size_t{1} << 20;
  const auto answer = client_.call(outgoing, stop);
  if (answer) return published::read_time_zone(answer->body);
  const Error& error = answer.error().error;
  if (error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kForbidden) return std::string{};
  return fail(error);
}

void SiteZones::keep(const std::string& site_id, const std::string& zone) {
  constexpr std::size_t kMaxSites = 10'000;
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMaxSites) known_.clear();
  const std::chrono::milliseconds fresh = zone.empty() ? kFreshWithout : std::chrono::milliseconds{kFresh};
  known_[site_id] = {zone, clock_.steady() + fresh};
}

}  // namespace edgetrust::genesys
