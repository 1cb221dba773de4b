#pragma once
// Times and durations as Kubernetes and Go write them. Used wherever text meets chrono.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace edgetrust {

// RFC 3339 section 5.6: "2027-01-03T02:00:00Z", fractions and numeric offsets accepted. Years 1970..9999.
Result<TimePoint> parse_rfc3339(std::string_view text);
// Whole seconds, UTC: what metav1.Time holds.
std::string format_rfc3339(TimePoint time);
// Microseconds, UTC: what metav1.MicroTime (Leases) holds.
std::string format_rfc3339_micro(TimePoint time);
// RFC 9110 section 5.6.7, IMF-fixdate only ("Sun, 06 Nov 1994 08:49:37 GMT").
Result<TimePoint> parse_http_date(std::string_view text);

// Go's time.ParseDuration without signs: "90s", "1h30m", "1.5h", "250ms"; "0" is zero. Units h m s ms.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// The shortest of that form: "1h30m", "90s" becomes "1m30s" as Go prints it.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace edgetrust
