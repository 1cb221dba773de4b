#pragma once
// How long to wait before the next try.
#include <chrono>

namespace edgetrust {

struct Backoff {
  std::chrono::milliseconds first{1000};
  std::chrono::milliseconds ceiling{std::chrono::hours{1}};
  double factor = 2.0;
  double jitter = 0.2;  // up to this share is taken off, so that many failures do not return together

  // The wait after the `failures`-th failure in a row (1 = the first). `share` in [0, 1) places it inside the jitter:
  // drawn or stable, as the caller likes.
  [[nodiscard]] std::chrono::milliseconds after(int failures, double share) const;
};

}  // namespace edgetrust
