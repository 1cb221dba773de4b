#pragma once
// The documents of the fleet page. Pure. Members that say nothing are left out. Called by: page.hpp.
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/page/fleet.hpp"

namespace edgetrust::page {

json::Value as_value(const std::vector<Row>& rows);
// One EdgeCertificate: its timeline, the state of its Edge, all conditions and the revisions before.
json::Value rotation(const view::Subject& subject, TimePoint now);

}  // namespace edgetrust::page
