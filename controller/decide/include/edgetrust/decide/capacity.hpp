#pragma once
// Whether a fleet can be renewed in time: so many rotations, each a stretch of a window, against what expires when.
// Said long before, with the number that would do. Called by the engine of RotationPolicies. Pure. Errors: none; a
// window or a zone that cannot be read is left out, for the objects say that themselves.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/clock.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::decide {

// A certificate that has to be replaced.
struct Due {
  TimePoint from;     // when its renewal may begin
  TimePoint expires;  // when it has to be over
  std::string zone;   // the Edge's, of which its windows are
  std::string site;   // of a connection: what shares maxConcurrentPerSite
};

// What an EdgeCertificate asks of the budget of its policy; empty when nothing: it is suspended, nothing is known of its
// certificate or its Edge, or it has windows of its own. `edge` and `connection` may be null.
std::optional<Due> due_under_policy(const api::EdgeCertificate& certificate, const api::Edge* edge,
                                    const api::GenesysConnection* connection);

struct Shortage {
  std::string reason;   // Budget or SiteBudget
  std::string message;  // by when how many expire, how many rotations fit, and what would do
};

// The budget under which not all of them can be replaced before they expire, whoever goes first; empty: neither of the
// two stands in the way. What it finds is certain; that all goes well it does not promise.
std::optional<Shortage> shortage(std::vector<Due> fleet, const api::EffectiveRotation& rotation, TimePoint now);

}  // namespace edgetrust::decide
