#pragma once
// What the vendor says of its own limit, on every answer: `inin-ratelimit-count`, `-allowed`, `-reset` (seconds). What
// is allowed differs from call to call.
#include "edgetrust/http/message.hpp"

#include <chrono>
#include <optional>

namespace edgetrust::genesys {

struct VendorRate {
  int count = 0;                   // requests of this minute, by whoever shares the limit
  int allowed = 0;                 // in this minute
  std::chrono::seconds resets{0};  // until the next minute begins
};

// Empty unless all three are there and make sense.
std::optional<VendorRate> vendor_rate(const http::Headers& headers);

// inin-ratelimit-reset alone: what older clients wait for after a 429.
std::optional<std::chrono::seconds> rate_reset(const http::Headers& headers);

}  // namespace edgetrust::genesys
