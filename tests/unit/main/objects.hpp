#pragma once
// Objects of every kind, "voice/edge01", as the tests of this room need them.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

#include <string>
#include <string_view>

namespace edgetrust {

inline const TimePoint kNow = parse_rfc3339("2026-11-22T12:00:00Z").value();

template <class Kind>
Kind object() {
  Kind kind;
  kind.meta.ns = "voice";
  kind.meta.name = "edge01";
  kind.meta.uid = "uid-1";
  kind.meta.resource_version = "7";
  kind.meta.generation = 3;
  kind.meta.annotations = {{"edgetrust.io/hold", "until tomorrow"}};
  return kind;
}

template <class Kind>
void say(Kind& kind, std::string_view type, api::Truth truth, const std::string& reason = "Said",
         const std::string& message = "so") {
  api::set(kind.status.conditions, {.type = std::string(type), .status = truth, .reason = reason, .message = message},
           kNow);
}

}  // namespace edgetrust
