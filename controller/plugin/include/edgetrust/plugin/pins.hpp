#pragma once
// `pins`: what is pinned, what was seen, and which Edges do not match. Pure.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/plugin/style.hpp"

#include <vector>

namespace edgetrust::plugin {

// One policy by name, else a table of all. `wide`: with all that the status says of each pin and of the Edges, and what
// Ready says of each policy.
std::string print(const api::PinPolicy& policy, bool wide, TimePoint now, Style style);
std::string print(const std::vector<api::PinPolicy>& policies, bool wide, Style style);
json::Value as_value(const std::vector<api::PinPolicy>& policies);

}  // namespace edgetrust::plugin
