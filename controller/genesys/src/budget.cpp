#include "budget.hpp"

#include <cmath>

namespace edgetrust::genesys {
namespace {

using std::chrono::seconds;

Error later(std::string what, std::chrono::duration<double> wait) {
  Error error;
  error.kind = ErrorKind::kRateLimited;
  error.what = std::move(what);
  error.retry_after = std::max(seconds{1}, std::chrono::ceil<seconds>(wait));
  return error;
}

}  // namespace

Budget::Budget(int requests_per_minute, const Clock& clock)
    : configured_(requests_per_minute), clock_(clock), tokens_(capacity(configured_)), filled_(clock.steady()) {}

double Budget::capacity(double per_minute) { return std::max(1.0, std::floor(per_minute / 4.0)); }

double Budget::per_minute(SteadyPoint now) const {
  const bool told = lowest_allowed_ > 0 && now < lowest_until_;
  return told ? std::min(configured_, kShare * lowest_allowed_) : configured_;
}

void Budget::fill(SteadyPoint now) {
  const std::chrono::duration<double> passed = now - filled_;
  const double rate = per_minute(now);
  filled_ = now;
  tokens_ = std::min(capacity(rate), tokens_ + passed.count() * rate / 60.0);
}

Status Budget::take(const std::string& origin, Urgency urgency) {
  const std::lock_guard lock(mutex_);
  const SteadyPoint now = clock_.steady();
  const bool urgent = urgency == Urgency::kMayOverdraw;
  if (const auto host = hosts_.find(origin); host != hosts_.end()) {
    if (now < host->second.paused_until) {
      return fail(later("the host has asked for a pause (429)", host->second.paused_until - now));
    }
    if (!urgent && now < host->second.full_until) {
      return fail(later("the host's limit of requests per minute is nearly reached", host->second.full_until - now));
    }
  }
  fill(now);
  const double rate = per_minute(now);
  const double floor = urgent ? -capacity(rate) : 0.0;
  constexpr double kRounding = 1e-9;
  if (tokens_ - 1.0 < floor - kRounding) {
    const double missing = floor + 1.0 - tokens_;
    return fail(later("the connection's budget of requests per minute is used up",
                      std::chrono::duration<double>{missing * 60.0 / rate}));
  }
  tokens_ -= 1.0;
  return {};
}

void Budget::pause(const std::string& origin, seconds wanted) {
  const std::lock_guard lock(mutex_);
  const auto bounded = std::clamp<seconds>(wanted, seconds{1}, kLongestPause);
  SteadyPoint& until = hosts_[origin].paused_until;
  until = std::max(until, clock_.steady() + bounded);
}

void Budget::learn(const std::string& origin, const VendorRate& told) {
  const std::lock_guard lock(mutex_);
  const SteadyPoint now = clock_.steady();
  fill(now);  // what has passed was at the old rate
  if (now >= lowest_until_ || told.allowed <= lowest_allowed_) {
    lowest_allowed_ = told.allowed;
    lowest_until_ = now + kLimitIsFresh;
    tokens_ = std::min(tokens_, capacity(per_minute(now)));
  }
  if (told.count < kShare * told.allowed) return;
  const auto bounded = std::clamp<seconds>(told.resets, seconds{1}, kLongestPause);
  SteadyPoint& until = hosts_[origin].full_until;
  until = std::max(until, now + bounded);
}

}  // namespace edgetrust::genesys
