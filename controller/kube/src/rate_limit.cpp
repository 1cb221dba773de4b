#include "edgetrust/kube/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace edgetrust::kube {

using std::chrono::milliseconds;

RateLimit::RateLimit(double per_second, int burst, const Clock& clock, Pauser& pauser)
    : per_second_(per_second), burst_(burst), clock_(clock), pauser_(pauser), tokens_(burst), filled_(clock.steady()) {}

Status RateLimit::turn(milliseconds longest, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const milliseconds wait, reserve(longest));
  if (wait > milliseconds::zero() && !pauser_.pause(wait, stop)) return fail(ErrorKind::kCancelled, "asked to stop");
  return {};
}

// Tokens go below zero for those who wait: each later caller waits behind them.
Result<milliseconds> RateLimit::reserve(milliseconds longest) {
  const std::lock_guard lock(mutex_);
  const SteadyPoint now = clock_.steady();
  const double passed = std::chrono::duration<double>(now - filled_).count();
  tokens_ = std::min(burst_, tokens_ + passed * per_second_);
  filled_ = now;
  const double missing = 1.0 - tokens_;
  const milliseconds wait{missing <= 0 ? 0 : static_cast<std::int64_t>(std::ceil(missing / per_second_ * 1000))};
  if (wait > longest)
    return fail(ErrorKind::kRateLimited, "our own limit of requests leaves no turn within the deadline");
  tokens_ -= 1.0;
  return wait;
}

}  // namespace edgetrust::kube
