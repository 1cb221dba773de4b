#pragma once
// Writing JSON: build a Value, dump it. Reading is view.hpp's work; Value::parse is not used (it has no bound on
// depth). Heavy: include it in a .cpp file, and <edgetrust/json/value_fwd.hpp> in a header.
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/json/view.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace edgetrust::json {

// Minified, members sorted by name; broken UTF-8 is replaced, never thrown about.
std::string dump(const Value& value);
// A deep copy of what a View shows.
Value to_value(View view);

}  // namespace edgetrust::json
