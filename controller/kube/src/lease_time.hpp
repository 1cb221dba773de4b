#pragma once
// Times of a Lease.
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::kube {

// Kubernetes' MicroTime has six digits behind the second.
inline std::string micro_time(TimePoint at) {
  std::string text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(at));
  std::string micros = std::to_string((at.time_since_epoch() % std::chrono::seconds{1}).count() * 1000);
  text.insert(text.size() - 1, "." + std::string(6 - micros.size(), '0') + micros);
  return text;
}

}  // namespace edgetrust::kube
