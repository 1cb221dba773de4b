#pragma once
// Which pins are accepted, and how the set follows a change of what the endpoint presents. A pin is never learned from
// one unproven answer, and an old one never goes before a new one has been seen for as long as the overlap. Called by
// the engine of PinPolicies. Pure.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/decide/pins/pin.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::decide::pins {

struct Link {
  std::string certificate;  // SHA-256 of the DER, lower-case hex
  std::string public_key;   // of its SubjectPublicKeyInfo
  bool operator==(const Link&) const = default;
};

// What one vantage was presented: the operator, or an Edge.
struct Sight {
  std::string vantage;
  std::vector<Link> chain;  // as it validates, the leaf first and the root last; never empty when `problem` is
  std::string issuer;
  std::string root;
  std::optional<TimePoint> not_after;
  std::string problem;  // why nothing was seen, or why the chain does not validate; empty: it does
  std::string tls =
      {};  // why a client with tls.minVersion and tls.cipherSuites would get no connection; empty: it would
  [[nodiscard]] bool valid() const { return problem.empty() && !chain.empty(); }
  [[nodiscard]] const Link& leaf() const { return chain.front(); }
};

inline constexpr std::string_view kOperatorVantage = "Operator";

// What the endpoint says of itself (GET /api/v1/security/status), over a connection on which it proved to hold the key
// of the leaf in the operator's sight. Lower-case hex.
struct Announcement {
  std::string certificate;
  std::optional<std::string> next;
};

struct PinSituation {
  const api::PinPolicySpec& spec;
  const std::vector<api::AcceptedPin>& current;  // as the status has them
  const std::vector<api::AcceptedPin>& next;
  std::vector<Sight> sights;  // the operator's first
  std::optional<Announcement> announced;
  TimePoint now;
};

// How what is seen stands to what is accepted.
enum class Stand {
  kMatched,
  kUnconfirmed,  // too few vantages agree on the leaf
  kNotFollowed,  // the policy wants no such change followed
  kUnknown       // nobody has seen a chain that validates
};

struct PinOutcome {
  // What was learned, and what is declared and seen now, for the status; a pin of the spec that nobody sees is not in
  // here. At most 20 and 8.
  std::vector<api::AcceptedPin> current;
  std::vector<api::AcceptedPin> next;
  // All that is accepted now, in a fixed order without doubles: what a pin file holds.
  std::vector<Pin> accepted;
  std::vector<Pin> lasting;  // those of them that do not go with an overlap
  Stand stand = Stand::kUnknown;
  std::string why;                       // for people; the same words as long as it is the same
  std::vector<std::string> unannounced;  // leaves (colon hex) accepted in this pass though nobody announced them
  std::optional<std::string> first;      // the leaf that was accepted when nothing had been
  std::optional<TimePoint> wake_at;      // when an overlap ends
};

// Errors: kInvalid when a pin of the spec cannot be read, naming its place.
Result<PinOutcome> follow(const PinSituation& situation);

// The same text for the same pins, whatever their order.
std::string name_of(std::vector<Pin> pins);

// Whether one of these pins is of the leaf, or of any link where the match says so.
bool matches(const std::vector<Pin>& pins, api::PinMatch match, const std::vector<Link>& chain);

// What speaks against writing these pins into a file: the endpoint's present leaf is none of them, or no client with
// that file would get a connection. Empty: nothing. `seen` is the operator's.
std::string objection(const api::PinPolicySpec& spec, const std::vector<Pin>& accepted, const Sight& seen);
// What speaks against beginning to pin: that no pin is left when the present leaf goes. One that goes itself, with the
// end of its overlap, is no backup. Who pins already is better off with them.
std::string missing_backup(const api::PinPolicySpec& spec, const std::vector<Pin>& lasting, const Sight& seen);

// Whether an Edge is presented something else than the operator: a chain that does not validate, or one that leads to
// another root. A leaf that is accepted is no interception, whoever issued it.
bool is_intercepted(const Sight& edge, const Sight& from_operator, const std::vector<Pin>& accepted,
                    api::PinMatch match);

}  // namespace edgetrust::decide::pins
