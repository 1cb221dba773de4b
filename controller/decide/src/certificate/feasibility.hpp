#pragma once
// Whether the next rotation can still come before what the Edge serves expires. Pure.
#include "edgetrust/decide/certificate/observation.hpp"

#include <optional>
#include <string>

namespace edgetrust::decide::certificate {

// The limit that leaves no start, as a condition's reason, and what would have to change.
struct Obstacle {
  std::string reason;  // Freeze, Window; Budget or SiteBudget of the whole fleet, as its policy says
  std::string message;
};

// Empty when a start is left, or when nothing of ours is served that could expire.
std::optional<Obstacle> obstacle(const Observation& o);

}  // namespace edgetrust::decide::certificate
