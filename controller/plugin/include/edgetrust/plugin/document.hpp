#pragma once
// JSON and YAML as kubectl prints them: indented, ending with a newline. What a terminal would obey is escaped. Pure.
#include "edgetrust/json/value_fwd.hpp"

#include <string>

namespace edgetrust::plugin {

std::string as_json(const json::Value& value);
// Strings that YAML 1.1 or 1.2 would read as something else are quoted.
std::string as_yaml(const json::Value& value);

}  // namespace edgetrust::plugin
