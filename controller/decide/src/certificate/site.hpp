#pragma once
// Whether the whole site is down, so that a failing Edge says nothing about its certificate. Pure.
#include "edgetrust/decide/certificate/observation.hpp"

#include <optional>
#include <string>

namespace edgetrust::decide::certificate {

struct SiteFailure {
  std::string message;  // for people: "2 of 3 other Edges of site ny are down too: edge02, edge03"
};
// While a delivery is under way, unless the policy wants each Edge judged alone (observe.onSiteWideFailure).
std::optional<SiteFailure> site_failure(const Observation& o);

}  // namespace edgetrust::decide::certificate
