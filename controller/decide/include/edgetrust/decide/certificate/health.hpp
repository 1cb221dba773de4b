#pragma once
// What a look at the Edge means, and what several add up to. Pure.
#include "edgetrust/api/common.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/ports/edge_fleet.hpp"
#include "edgetrust/ports/pki.hpp"

#include <optional>
#include <string>

namespace edgetrust::decide::certificate {

// One look: the status call and the operator's own handshake on the SIP-TLS port. Exactly one of value and error is set
// of each that was tried.
struct EdgeLook {
  TimePoint at;
  std::optional<ports::EdgeHealth> health;
  std::optional<Error> health_error;
  std::optional<ports::ChainFacts> served;
  std::optional<Error> served_error;
  bool probed = false;  // false: the Edge is configured with probe None

  // The leaf that the Edge has, as far as either source tells; the handshake is believed first.
  [[nodiscard]] std::string fingerprint() const {
    if (served) return served->fingerprint_sha256;
    return health ? health->fingerprint_sha256 : std::string{};
  }
};

enum class Health {
  kGood,
  kUnknown,  // neither good nor a reason to act; also when only the status call tells, and it names another leaf
  kBad,  // SIP_DOWN, the handshake shows another leaf than the one installed, or a port is silent that answered before
  kSevere,  // Critical, or SIP_DOWN with a failing handshake: does not wait for the end of `settle`
};
struct Assessment {
  Health health = Health::kUnknown;
  std::string reason;  // for people: "the Edge reports SIP_DOWN"
};

// `expected` is the fingerprint of the leaf that should be served. `probe_counts` is false when the port did not answer
// before the change either: then a silent port is no evidence.
Assessment assess(const EdgeLook& look, const std::string& expected, bool probe_counts);

// Looks since a delivery was installed, folded. Lives in the process: after a crash it starts anew, which only makes
// the observation longer.
struct HealthRecord {
  int bad_in_row = 0;
  int severe_in_row = 0;
  api::Duration good_for{};          // unbroken, with fresh looks; Unknown pauses it, bad ends it
  std::optional<TimePoint> last_at;  // of the last look folded in
  Health last = Health::kUnknown;
  std::string reason;  // of the last bad look
};
// `longest_gap`: two good looks further apart than this prove nothing about the time between them.
HealthRecord fold(HealthRecord record, const Assessment& assessment, TimePoint at, api::Duration longest_gap);

}  // namespace edgetrust::decide::certificate
