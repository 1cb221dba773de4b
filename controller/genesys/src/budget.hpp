#pragma once
// How many requests a connection may send: a token bucket for all of it, and a pause for a host that answered 429.
// Never sleeps: without a token the caller is told when to come back. Threads: any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace edgetrust::genesys {

enum class Urgency { kNormal, kMayOverdraw };

class Budget {
 public:
  static constexpr std::chrono::minutes kLongestPause{5};  // a host may ask for more; we ask again then

  Budget(int requests_per_minute, const Clock& clock);

  // Errors: kRateLimited with retry_after (at least a second).
  Status take(const std::string& origin, Urgency urgency);
  // `origin` has answered 429.
  void pause(const std::string& origin, std::chrono::seconds wanted);

 private:
  const double per_second_;
  const double capacity_;
  const Clock& clock_;
  std::mutex mutex_;
  double tokens_;
  SteadyPoint filled_;
  std::map<std::string, SteadyPoint> paused_until_;  // at most one entry per host of the connection
};

}  // namespace edgetrust::genesys
