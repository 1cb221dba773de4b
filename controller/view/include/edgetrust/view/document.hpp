#pragma once
// The same as JSON, for programs: `kubectl edgetrust -o json` promises it, the fleet page reads it. Pure.
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/view/fleet.hpp"
#include "edgetrust/view/timeline.hpp"

namespace edgetrust::view {

// What does not change with time: how much is left is for the caller to say.
json::Value as_value(const FleetRow& row);
json::Value as_value(const Timeline& timeline);

}  // namespace edgetrust::view
