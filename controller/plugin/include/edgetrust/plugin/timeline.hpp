#pragma once
// `status`: a rotation's timeline (view/timeline.hpp) as text. Pure.
#include "edgetrust/json/view.hpp"
#include "edgetrust/plugin/style.hpp"
#include "edgetrust/view/timeline.hpp"

namespace edgetrust::plugin {

// An Event of events.k8s.io/v1.
view::SeenEvent decode_event(json::View object);

// `wide`: with what is known of the certificate that is served.
std::string print(const view::Timeline& timeline, bool wide, TimePoint now, Style style);

}  // namespace edgetrust::plugin
