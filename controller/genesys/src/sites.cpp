#include "sites.hpp"

#include "paged.hpp"

#include <algorithm>

namespace edgetrust::genesys {

bool Sites::all_known(const std::set<std::string>& sites) const {
  return std::all_of(sites.begin(), sites.end(), [&](const std::string& site) { return known_.contains(site); });
}

Result<Sites::Known> Sites::about(const std::set<std::string>& sites, const std::stop_token& stop) {
  if (sites.empty()) return Known{};
  {
    const std::lock_guard lock(mutex_);
    const SteadyPoint now = clock_.steady();
    if (now < without_until_ || (now < fresh_until_ && all_known(sites))) return known_;
  }
  auto listed = look(stop);
  const std::lock_guard lock(mutex_);
  if (!listed) {
    if (may_see_ && !all_known(sites)) return fail(std::move(listed).error());
    return known_;
  }
  may_see_ = listed->has_value();
  known_ = std::move(*listed).value_or(Known{});
  without_until_ = clock_.steady() + kFreshWithout;
  fresh_until_ = clock_.steady() + kFresh;
  return known_;
}

Result<std::optional<Sites::Known>> Sites::look(const std::stop_token& stop) {
  Known sites;
  const Status listed = for_each_listed(client_, path::kSites, "", stop, [&](json::View entity) {
    if (auto site = published::read_site(entity)) sites.insert_or_assign(site->id, *site);
  });
  if (listed) return std::optional(std::move(sites));
  const ErrorKind kind = listed.error().kind;
  if (kind == ErrorKind::kNotFound || kind == ErrorKind::kForbidden) return std::optional<Known>{};
  return fail(listed.error());
}

}  // namespace edgetrust::genesys
