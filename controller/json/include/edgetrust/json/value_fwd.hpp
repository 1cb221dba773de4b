#pragma once
#include <nlohmann/json_fwd.hpp>

namespace edgetrust::json {
using Value = nlohmann::json;
}  // namespace edgetrust::json
