#pragma once
// Small things that all of the plugin's texts share.
#include "edgetrust/view/text.hpp"

namespace edgetrust::plugin {

using view::set_time;

inline std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

}  // namespace edgetrust::plugin
