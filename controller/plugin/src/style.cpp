#include "edgetrust/plugin/style.hpp"

#include "edgetrust/view/fleet.hpp"

#include <algorithm>

namespace edgetrust::plugin {

using namespace std::chrono_literals;

Cell Style::paint(Tone tone, std::string_view text) const {
  const std::string_view code = tone == Tone::kGood    ? "32"
                                : tone == Tone::kWarn  ? "33"
                                : tone == Tone::kBad   ? "31"
                                : tone == Tone::kFaint ? "2"
                                : tone == Tone::kHead  ? "1"
                                                       : "";
  return {text, colour ? code : std::string_view{}};
}

void append_heading(std::string& out, std::string_view title, Style style) {
  out += '\n';
  append_line(out, {style.paint(Tone::kHead, title)});
}

std::string describe_span(std::chrono::milliseconds span) {
  const auto size = std::chrono::abs(span);
  const auto in = [&](auto unit, const char* name) { return std::to_string(size / unit) + name; };
  if (size < 1s) return "now";
  const std::string text = size >= 48h    ? in(std::chrono::hours{24}, " d")
                           : size >= 2h   ? in(1h, " h")
                           : size >= 2min ? in(1min, " min")
                                          : in(1s, " s");
  return span < 0s ? text + " ago" : text;
}

std::string life_bar(TimePoint not_before, TimePoint not_after, TimePoint now) {
  constexpr int kWidth = 20;
  const auto whole = not_after - not_before;
  const auto left = std::clamp(not_after - now, decltype(whole){0}, std::max(whole, decltype(whole){0}));
  // Rounded up: as long as any time is left, a mark is.
  const auto marks = whole.count() > 0 ? (left.count() * kWidth + whole.count() - 1) / whole.count() : 0;
  return "[" + std::string(static_cast<std::size_t>(marks), '#') +
         std::string(static_cast<std::size_t>(kWidth - marks), '.') + "]";
}

Tone life_tone(TimePoint not_before, TimePoint not_after, std::optional<TimePoint> renewal, TimePoint now) {
  switch (view::life(not_before, not_after, renewal, now)) {
    case view::Life::kGood: return Tone::kGood;
    case view::Life::kDue: return Tone::kWarn;
    case view::Life::kUrgent:
    case view::Life::kExpired: return Tone::kBad;
  }
  return Tone::kPlain;
}

}  // namespace edgetrust::plugin
