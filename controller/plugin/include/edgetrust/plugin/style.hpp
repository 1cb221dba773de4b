#pragma once
// What text looks like on a terminal. Pure.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/table.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::plugin {

enum class Tone { kPlain, kGood, kWarn, kBad, kFaint, kHead };

struct Style {
  bool colour = false;
  // The text in that tone; plain without colour, and for kPlain.
  [[nodiscard]] Cell paint(Tone tone, std::string_view text) const;
};

// An empty line, and the title.
void append_heading(std::string& out, std::string_view title, Style style);

// The time between two moments, roughly: "61 d", "5 h", "12 min", "now"; negative ones as "3 h ago".
std::string describe_span(std::chrono::milliseconds span);

// How much of a certificate's life is left: "[##########..........]", twenty places. Empty marks are time that has
// passed.
std::string life_bar(TimePoint not_before, TimePoint not_after, TimePoint now);
// Bad once it is urgent or over, warn from its renewal on: view::life().
Tone life_tone(TimePoint not_before, TimePoint not_after, std::optional<TimePoint> renewal, TimePoint now);

}  // namespace edgetrust::plugin
