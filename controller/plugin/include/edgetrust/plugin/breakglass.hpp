#pragma once
// `breakglass`: what to type on one Edge when the operator cannot help. Pure; nothing is run.
#include "edgetrust/api/kinds.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::plugin {

struct GlassCase {
  api::Edge edge;
  std::optional<api::EdgeCertificate> certificate;  // of that Edge
  std::vector<api::PinPolicy> policies;             // that name that Edge
};

// For a person at a terminal, in the order in which it should be typed. `now` is for times that the commands name.
std::string break_glass(const GlassCase& glass, TimePoint now);

}  // namespace edgetrust::plugin
