#pragma once
// The time zone of each site, remembered: it hardly changes, and a look costs a request of the budget. Threads: any.
#include "client.hpp"

#include <map>
#include <mutex>

namespace edgetrust::genesys {

class SiteZones {
 public:
  static constexpr std::chrono::hours kFresh{1};
  static constexpr std::chrono::minutes kFreshWithout{5};  // a site that we may not or cannot see

  SiteZones(Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  // Empty when the site has none, is not there, or may not be read (`telephony:sites:view`). A fault that may pass
  // gives the last known zone, and is an error only where there is none.
  Result<std::string> zone(const std::string& site_id, const std::stop_token& stop);

 private:
  struct Known {
    std::string zone;
    SteadyPoint until;
  };
  Result<std::string> look(const std::string& site_id, const std::stop_token& stop);
  void keep(const std::string& site_id, const std::string& zone);

  Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
};

}  // namespace edgetrust::genesys
