#pragma once
// How many requests a connection may send: a token bucket for all of it, what each host says of its own limit, and a
// pause for a host that answered 429. Never sleeps: without a token the caller is told when to come back. Threads: any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "vendor_rate.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace edgetrust::genesys {

enum class Urgency { kNormal, kMayOverdraw };

class Budget {
 public:
  static constexpr std::chrono::minutes kLongestPause{5};  // a host may ask for more; we ask again then
  static constexpr double kShare = 0.6;  // of what the vendor allows: its limit is shared with others of the client
  static constexpr std::chrono::minutes kLimitIsFresh{10};  // the lowest limit is believed for so long after its answer

  Budget(int requests_per_minute, const Clock& clock);

  // Errors: kRateLimited with retry_after (at least a second).
  Status take(const std::string& origin, Urgency urgency);
  // `origin` has answered 429.
  void pause(const std::string& origin, std::chrono::seconds wanted);
  // What an answer of `origin` said. The bucket fills at `kShare` of the lowest limit seen lately, never faster than
  // configured; a host whose own count has reached that share gets nothing but what is urgent until its minute is over.
  void learn(const std::string& origin, const VendorRate& told);

 private:
  struct HostLimits {
    SteadyPoint paused_until;  // 429
    SteadyPoint full_until;    // by its own count
  };
  void fill(SteadyPoint now);
  [[nodiscard]] double per_minute(SteadyPoint now) const;
  [[nodiscard]] static double capacity(double per_minute);

  const double configured_;  // per minute
  const Clock& clock_;
  std::mutex mutex_;
  double tokens_;
  SteadyPoint filled_;
  int lowest_allowed_ = 0;  // 0: nobody has said
  SteadyPoint lowest_until_;
  std::map<std::string, HostLimits> hosts_;  // at most one entry per host of the connection
};

}  // namespace edgetrust::genesys
