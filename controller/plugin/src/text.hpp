#pragma once
// Small things that all of the plugin's texts share.
#include "edgetrust/base/table.hpp"
#include "edgetrust/view/text.hpp"

namespace edgetrust::plugin {

using view::set_time;

inline std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }
inline std::string or_dash(const std::optional<TimePoint>& at) { return at ? format_rfc3339(*at) : "-"; }

// A row of a table, or its head, with the cells that it has besides where the table is wide.
inline Row widened(Row cells, bool wide, const Row& more) {
  if (wide) cells.insert(cells.end(), more.begin(), more.end());
  return cells;
}

}  // namespace edgetrust::plugin
