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
  bool operator==(const IntermediaryCa&) const = default;
};

// Those whose date has not come.
std::vector<IntermediaryCa> trusted_at(const std::vector<IntermediaryCa>& all, TimePoint now);
// When the next of them goes.
std::optional<TimePoint> next_end(const std::vector<IntermediaryCa>& trusted);
// For the trust stores of the Edges.
std::vector<ports::CaCertificate> anchors_of(const std::vector<IntermediaryCa>& trusted);
// `pins`, and the public keys of these CAs: a hash of a whole certificate is of a leaf, and they make leaves as they
// go.
std::vector<Pin> with_intermediaries(std::vector<Pin> pins, const std::vector<IntermediaryCa>& trusted);
// The one that a chain that validates leads to.
const IntermediaryCa* intermediary_of(const Sight& sight, const std::vector<IntermediaryCa>& trusted);

}  // namespace edgetrust::decide::pins
