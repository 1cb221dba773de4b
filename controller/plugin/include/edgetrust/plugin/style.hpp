#pragma once
// What text looks like on a terminal. Pure.
#include "edgetrust/base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::plugin {

enum class Tone { kPlain, kGood, kWarn, kBad, kFaint, kHead };

struct Style {
  bool colour = false;
  // The text in that tone; unchanged without colour, and for kPlain.
  [[nodiscard]] std::string paint(Tone tone, std::string_view text) const;
};

// The time between two moments, roughly: "61 d", "5 h", "12 min", "now"; negative ones as "3 h ago".
std::string describe_span(std::chrono::milliseconds span);

// How much of a certificate's life is left: "[##########..........]", twenty places. Empty marks are time that has
// passed.
std::string life_bar(TimePoint not_before, TimePoint not_after, TimePoint now);
// Bad once it is urgent or over, warn from its renewal on: view::life().
Tone life_tone(TimePoint not_before, TimePoint not_after, std::optional<TimePoint> renewal, TimePoint now);

}  // namespace edgetrust::plugin
