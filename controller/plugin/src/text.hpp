#pragma once
// Small things that all views share.
#include "edgetrust/api/object.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"

#include <optional>
#include <string>

namespace edgetrust::plugin {

inline std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

inline std::string to_text(api::Truth truth) {
  return truth == api::Truth::kTrue ? "True" : truth == api::Truth::kFalse ? "False" : "Unknown";
}

inline void set_time(json::Value& object, const char* name, const std::optional<TimePoint>& at) {
  if (at) object[name] = format_rfc3339(*at);
}

}  // namespace edgetrust::plugin
