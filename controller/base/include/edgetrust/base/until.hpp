#pragma once
// A moment to come, as people write it on a command line.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <string>

namespace edgetrust {

// "30d", a duration as Go writes it ("36h"), or a moment (RFC 3339); at most 3650 days after `now`. Errors: kInvalid,
// with the forms that are understood.
Result<TimePoint> parse_until(const std::string& text, TimePoint now);

}  // namespace edgetrust
