#pragma once
// What is known of each site, by a listing that is remembered: it hardly changes, and costs requests of the budget.
// Threads: any.
#include "client.hpp"
#include "published.hpp"

#include <map>
#include <mutex>
#include <set>

namespace edgetrust::genesys {

class Sites {
 public:
  static constexpr std::chrono::hours kFresh{1};
  static constexpr std::chrono::minutes kFreshWithout{5};  // a site that is not listed, or sites that we may not see

  using Known = std::map<std::string, published::ListedSite>;  // by the id

  Sites(Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  // These sites, by one listing at most. A site that is not listed is absent, and so is every one where sites may not
  // be read. A fault that may pass gives what is known, and is an error only where that is not enough.
  Result<Known> about(const std::set<std::string>& sites, const std::stop_token& stop);

 private:
  [[nodiscard]] bool all_known(const std::set<std::string>& sites) const;
  // Empty where sites may not be read.
  Result<std::optional<Known>> look(const std::stop_token& stop);

  Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  Known known_;
  bool may_see_ = true;
  SteadyPoint fresh_until_{};    // of what is known
  SteadyPoint without_until_{};  // of what was not found
};

}  // namespace edgetrust::genesys
