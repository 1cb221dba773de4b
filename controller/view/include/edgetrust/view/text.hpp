#pragma once
// Small things that all views share.
#include "edgetrust/api/edge.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"

#include <optional>
#include <string>

namespace edgetrust::view {

inline std::string to_text(api::Truth truth) {
  return truth == api::Truth::kTrue ? "True" : truth == api::Truth::kFalse ? "False" : "Unknown";
}

inline std::string to_text(api::EdgePinState state) {
  switch (state) {
    case api::EdgePinState::kMatched: return "Matched";
    case api::EdgePinState::kDrifted: return "Drifted";
    case api::EdgePinState::kApplying: return "Applying";
    case api::EdgePinState::kRestarting: return "Restarting";
    case api::EdgePinState::kRolledBack: return "RolledBack";
    case api::EdgePinState::kUnreachable: return "Unreachable";
    case api::EdgePinState::kIntercepted: return "Intercepted";
    case api::EdgePinState::kBlocked: return "Blocked";
    case api::EdgePinState::kNotObserved: return "NotObserved";
  }
  return {};
}

inline void set_time(json::Value& object, const char* name, const std::optional<TimePoint>& at) {
  if (at) object[name] = format_rfc3339(*at);
}

}  // namespace edgetrust::view
