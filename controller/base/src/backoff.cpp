#include "edgetrust/base/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace edgetrust {

std::chrono::milliseconds Backoff::after(int failures, double share) const {
  const double grown = static_cast<double>(first.count()) * std::pow(factor, std::max(0, failures - 1));
  const double bounded = std::min(grown, static_cast<double>(ceiling.count()));
  return std::chrono::milliseconds{static_cast<std::int64_t>(bounded * (1.0 - jitter * share))};
}

}  // namespace edgetrust
