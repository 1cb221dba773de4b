#pragma once
// `list`: the fleet by expiry. Pure: objects and a time in, rows and text out.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/plugin/style.hpp"
#include "edgetrust/view/fleet.hpp"

#include <vector>

namespace edgetrust::plugin {

using view::FleetRow;

// What expires first comes first; before it what has no certificate of ours yet.
std::vector<FleetRow> fleet(const std::vector<api::EdgeCertificate>& certificates, const std::vector<api::Edge>& edges);

struct FleetTable {
  bool wide = false;
  bool with_namespace = false;
};
std::string print(const std::vector<FleetRow>& rows, const FleetTable& table, TimePoint now, Style style);
json::Value as_value(const std::vector<FleetRow>& rows, TimePoint now);

}  // namespace edgetrust::plugin
