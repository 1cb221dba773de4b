#pragma once
// Small things that all views share.
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"

#include <optional>
#include <string>

namespace edgetrust::view {

inline void set_time(json::Value& object, const char* name, const std::optional<TimePoint>& at) {
  if (at) object[name] = format_rfc3339(*at);
}

}  // namespace edgetrust::view
