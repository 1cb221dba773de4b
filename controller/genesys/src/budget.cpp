#include "budget.hpp"

#include <cmath>

namespace edgetrust::genesys {
namespace {

Error later(std::string what, std::chrono::duration<double> wait) {
  Error error;
  error.kind = ErrorKind::kRateLimited;
  error.what = std::move(what);
  error.retry_after = std::max(std::chrono::seconds{1}, std::chrono::ceil<std::chrono::seconds>(wait));
  return error;
}

}  // namespace

Budget::Budget(int requests_per_minute, const Clock& clock)
    : per_second_(requests_per_minute / 60.0),
      capacity_(std::max(1.0, std::floor(requests_per_minute / 4.0))),
      clock_(clock),
      tokens_(capacity_),
      filled_(clock.steady()) {}

Status Budget::take(const std::string& origin, Urgency urgency) {
  const std::lock_guard lock(mutex_);
  const SteadyPoint now = clock_.steady();
  if (const auto pause = paused_until_.find(origin); pause != paused_until_.end() && now < pause->second) {
    return fail(later("the host has asked for a pause (429)", pause->second - now));
  }
  const std::chrono::duration<double> passed = now - filled_;
  filled_ = now;
  tokens_ = std::min(capacity_, tokens_ + passed.count() * per_second_);
  const double floor = urgency == Urgency::kMayOverdraw ? -capacity_ : 0.0;
  constexpr double kRounding = 1e-9;
  if (tokens_ - 1.0 < floor - kRounding) {
    const double missing = floor + 1.0 - tokens_;
    return fail(later("the connection's budget of requests per minute is used up",
                      std::chrono::duration<double>{missing / per_second_}));
  }
  tokens_ -= 1.0;
  return {};
}

void Budget::pause(const std::string& origin, std::chrono::seconds wanted) {
  const std::lock_guard lock(mutex_);
  const auto bounded = std::clamp<std::chrono::seconds>(wanted, std::chrono::seconds{1}, kLongestPause);
  SteadyPoint& until = paused_until_[origin];
  until = std::max(until, clock_.steady() + bounded);
}

}  // namespace edgetrust::genesys
