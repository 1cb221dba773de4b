#pragma once
// Trusted intermediaries: the explicit, dated exception for an inspecting proxy. Until its date its CA is in the trust
// store of each Edge, and its pin is among those that are accepted there; then both go. Nothing is ever learned through
// one. Called by the engines of pins. Pure. Errors: none.
#include "edgetrust/decide/pins/pin_set.hpp"
#include "edgetrust/ports/edge_host.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::decide::pins {

// One CA certificate of spec.trustedIntermediaries[].caRef.
struct IntermediaryCa {
  std::string name;  // of the intermediary
  TimePoint until;
  std::string pem;
  Link link;
};

// Those whose date has not come.
std::vector<IntermediaryCa> trusted_at(const std::vector<IntermediaryCa>& all, TimePoint now);
// When the next of them goes.
std::optional<TimePoint> next_end(const std::vector<IntermediaryCa>& trusted);
// For the trust stores of the Edges.
std::vector<ports::CaCertificate> anchors_of(const std::vector<IntermediaryCa>& trusted);
// `pins`, and those of these CAs, in the policy's type.
std::vector<Pin> with_intermediaries(std::vector<Pin> pins, const std::vector<IntermediaryCa>& trusted,
                                     api::PinType type);
// The one that a chain that validates leads to.
const IntermediaryCa* intermediary_of(const Sight& sight, const std::vector<IntermediaryCa>& trusted);

}  // namespace edgetrust::decide::pins
