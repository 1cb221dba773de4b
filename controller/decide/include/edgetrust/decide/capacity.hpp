#pragma once
// Whether a fleet can be renewed in time: so many rotations, each a stretch of a window, against what expires when.
// Said long before, with the number that would do. Called by the engine of RotationPolicies. Pure. Errors: none; a
// window or a zone that cannot be read is left out, for the objects say that themselves.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/decide/order_limits.hpp"

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

// What an EdgeCertificate asks of the budget of its policy; empty when nothing: it is suspended, nothing is known of
// its certificate or its Edge, or it has windows of its own. `edge` and `connection` may be null.
std::optional<Due> due_under_policy(const api::EdgeCertificate& certificate, const api::Edge* edge,
                                    const api::GenesysConnection* connection);

struct Shortage {
  std::string reason;   // Budget or SiteBudget; of the CA: that of its limit
  std::string message;  // by when how many expire, how many rotations fit, and what would do
};

// The budget under which not all of them can be replaced before they expire, whoever goes first; empty: neither of the
// two stands in the way. What it finds is certain; that all goes well it does not promise.
std::optional<Shortage> shortage(std::vector<Due> fleet, const api::EffectiveRotation& rotation, TimePoint now);

// What an EdgeCertificate asks of its CA.
struct Demand {
  OrderKind kind = OrderKind::kNew;
  std::string account;  // account_of()
  std::set<std::string> names;
  std::optional<TimePoint> expires;  // what the Edge serves
  api::Duration every{};             // between two renewals; zero: not known
};
// Empty: none, it is suspended or somebody else renews it.
std::optional<Demand> demand_on_ca(const api::EdgeCertificate& certificate, const api::AcmeIssuer& issuer);

// The limit of the CA under which not all of these can be ordered: more first orders than a week has room for, more
// renewals than can be ordered before what they replace expires or than come to be due in a week. `fleet`: all that is
// ordered of the issuer's server. The reasons are those of order_limits.hpp.
std::optional<Shortage> order_shortage(const std::vector<Demand>& fleet, const api::AcmeIssuer& issuer,
                                       const OrderLog& log, TimePoint now);

}  // namespace edgetrust::decide
