#include "edgetrust/reconcile/retries.hpp"

#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/random.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;

// The least wait is 30 s, the longest 10 min: what Backoff takes off has been put on before.
constexpr Backoff kBackoff{.first = 36s, .ceiling = 12min, .factor = 2, .jitter = 1.0 / 6};
constexpr std::chrono::milliseconds kLongestObeyed = 24h;

}  // namespace

TimePoint Retries::failed(const api::ObjectKey& key, const Error& error, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto wait = kBackoff.after(++failures_[key], stable_fraction(key.to_string()));
  if (!error.retry_after) return now + wait;
  return now + std::clamp<std::chrono::milliseconds>(*error.retry_after, wait, kLongestObeyed);
}

void Retries::succeeded(const api::ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

}  // namespace edgetrust::reconcile
