#pragma once
// What a look at the Edge means, and what several add up to. Pure.
#include "edgetrust/api/common.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/decide/certificate/evidence.hpp"
#include "edgetrust/ports/edge_fleet.hpp"
#include "edgetrust/ports/pki.hpp"

#include <optional>
#include <string>

namespace edgetrust::decide::certificate {

// One look: the status call and the operator's own handshake on the SIP-TLS port; a close one also at what else bears
// witness. Exactly one of value and error is set of each that was tried.
struct EdgeLook {
  TimePoint at;
  std::optional<ports::EdgeHealth> health;
  std::optional<Error> health_error;
  std::optional<ports::ChainFacts> served;
  std::optional<Error> served_error;
  bool probed = false;  // false: the Edge is configured with probe None
  std::optional<Evidence> evidence;

  // The leaf that the Edge has, as far as either source tells; the handshake is believed first.
  [[nodiscard]] std::string fingerprint() const {
    if (served) return served->fingerprint_sha256;
    return health ? health->fingerprint_sha256 : std::string{};
  }
};

// What a look is held against.
struct Expected {
  std::string fingerprint;                      // of the leaf that should be served; empty: whichever
  bool port_answered = false;                   // before the change: else a silent port is no evidence
  std::vector<std::string> others_sha256 = {};  // of the certificates that should follow the leaf
  api::Baseline baseline = {};
  TimePoint since = {};  // when the change began
};

enum class Health {
  kGood,
  kUnknown,  // neither good nor a reason to act; also when only the status call tells, and it names another leaf
  kHeld,     // bad, and so are Edges of the site that nobody touched: it says nothing about the certificate
  kBad,      // SIP_DOWN, another leaf or less of its chain is served, or something is missed that worked before
  kSevere,   // Critical, or SIP_DOWN with a failing handshake: does not wait for the end of `settle`
};
struct Assessment {
  Health health = Health::kUnknown;
  std::string reason;           // for people: "the Edge reports SIP_DOWN"
  bool of_certificate = false;  // bad, and no outage of the site would explain it
};

Assessment assess(const EdgeLook& look, const Expected& expected);
inline bool is_bad(Health health) { return health == Health::kBad || health == Health::kSevere; }

// Looks since a delivery was installed, folded. Lives in the process: after a crash it starts anew, which only makes
// the observation longer.
struct HealthRecord {
  int bad_in_row = 0;
  int severe_in_row = 0;
  api::Duration good_for{};          // unbroken, with fresh looks; Unknown pauses it, bad ends it
  std::optional<TimePoint> last_at;  // of the last look folded in
  Health last = Health::kUnknown;
  std::string reason;           // of the last bad look
  bool of_certificate = false;  // that one
  std::string doubt;            // of the last look, where it was Unknown
};
// `longest_gap`: two good looks further apart than this prove nothing about the time between them.
HealthRecord fold(HealthRecord record, const Assessment& assessment, TimePoint at, api::Duration longest_gap);

// What was seen, for the history and for Events; short, with the vendor's correlation id.
std::string evidence_of(const EdgeLook& look);

}  // namespace edgetrust::decide::certificate
