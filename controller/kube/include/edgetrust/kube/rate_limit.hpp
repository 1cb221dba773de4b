#pragma once
// A token bucket: at most `burst` calls at once, `per_second` in the long run. Called by: ApiClient, EventRecorder.
// Threads: any; callers are served in the order in which they came.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/kube/pause.hpp"

#include <mutex>
#include <stop_token>

namespace edgetrust::kube {

class RateLimit {
 public:
  RateLimit(double per_second, int burst, const Clock& clock, Pauser& pauser);

  // Waits for a turn. Errors: kRateLimited at once, and no turn taken, when that would last longer than `longest`;
  // kCancelled.
  Status turn(std::chrono::milliseconds longest, std::stop_token stop);

 private:
  Result<std::chrono::milliseconds> reserve(std::chrono::milliseconds longest);

  const double per_second_;
  const double burst_;
  const Clock& clock_;
  Pauser& pauser_;
  std::mutex mutex_;
  double tokens_;
  SteadyPoint filled_;
};

}  // namespace edgetrust::kube
