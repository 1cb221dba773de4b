#include "edgetrust/base/until.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>
#include <charconv>

namespace edgetrust {

Result<TimePoint> parse_until(const std::string& text, TimePoint now) {
  constexpr std::chrono::days kFurthest{3650};
  std::optional<TimePoint> until;
  int days = 0;
  const char* const end_of_text = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), end_of_text, days);
  if (error == std::errc{} && std::string_view(end, end_of_text) == "d") {
    until = now + std::chrono::days{std::clamp<int>(days, 0, kFurthest.count() + 1)};
  } else if (const auto duration = parse_duration(text)) {
    until = now + *duration;
  } else if (const auto moment = parse_rfc3339(text)) {
    until = *moment;
  }
  if (until && *until > now && *until <= now + kFurthest) return *until;
  return fail(
      ErrorKind::kInvalid,
      "\"" + printable(text, 64) +
          "\" is no time to come: write 30d, 36h, or a moment like 2027-01-03T00:00:00Z, at most 3650 days ahead");
}

}  // namespace edgetrust
