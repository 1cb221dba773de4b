#pragma once
// The time zone of each site, by a listing that is remembered: it hardly changes, and costs requests of the budget.
// Threads: any.
#include "client.hpp"

#include <map>
#include <mutex>
#include <set>

namespace edgetrust::genesys {

class SiteZones {
 public:
  static constexpr std::chrono::hours kFresh{1};
  static constexpr std::chrono::minutes kFreshWithout{5};  // a site that is not listed, or sites that we may not see

  using Zones = std::map<std::string, std::string>;  // by the site's id; empty where it has none

  SiteZones(Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  // The zones of these sites, by one listing at most. A site that is not listed has none, neither has any where sites
  // may not be read. A fault that may pass gives what is known, and is an error only where that is not enough.
  Result<Zones> zones(const std::set<std::string>& sites, const std::stop_token& stop);

 private:
  [[nodiscard]] bool all_known(const std::set<std::string>& sites) const;
  // Empty where sites may not be read.
  Result<std::optional<Zones>> look(const std::stop_token& stop);

  Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  Zones known_;
  bool may_see_ = true;
  SteadyPoint fresh_until_{};    // of what is known
  SteadyPoint without_until_{};  // of what was not found
};

}  // namespace edgetrust::genesys
