#include "edgetrust/decide/certificate/health.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate {
namespace {

using ports::EdgeState;
using ports::SipState;

// A port that answered before the change and does not now; or answers with something that is no TLS.
bool handshake_fails(const EdgeLook& look, bool probe_counts) { return look.probed && probe_counts && !look.served; }

}  // namespace

Assessment assess(const EdgeLook& look, const std::string& expected, bool probe_counts) {
  if (!look.health)
    return {Health::kUnknown, look.health_error ? "no status: " + look.health_error->message() : "no status"};
  const bool failing = handshake_fails(look, probe_counts);
  if (look.health->state == EdgeState::kCritical) return {Health::kSevere, "the Edge reports Critical"};
  if (look.health->sip == SipState::kDown) {
    return failing ? Assessment{Health::kSevere, "the Edge reports SIP_DOWN and its SIP-TLS port does not answer"}
                   : Assessment{Health::kBad, "the Edge reports SIP_DOWN"};
  }
  if (failing)
    return {Health::kBad, "the SIP-TLS port does not answer: " +
                              (look.served_error ? look.served_error->message() : std::string("no answer"))};
  if (!expected.empty() && look.served && look.served->fingerprint_sha256 != expected) {
    return {Health::kBad, "the SIP-TLS port serves another certificate than the one installed (serial " +
                              look.served->serial_number + ")"};
  }
  // Without a handshake the status call is the only witness. It may lag behind, so this is no reason to roll back
  // either.
  const std::string& told = look.health->fingerprint_sha256;
  if (!expected.empty() && !look.served && !told.empty() && told != expected)
    return {Health::kUnknown, "the Edge's status names another certificate than the one installed"};
  if (look.health->state == EdgeState::kUnknown || look.health->sip == SipState::kUnknown)
    return {Health::kUnknown, "the Edge's status says neither good nor bad"};
  return {Health::kGood, "the Edge is healthy"};
}

HealthRecord fold(HealthRecord record, const Assessment& assessment, TimePoint at, api::Duration longest_gap) {
  switch (assessment.health) {
    case Health::kGood:
      record.bad_in_row = 0;
      record.severe_in_row = 0;
      // Only time between two good looks counts; what an Unknown in between hides is not counted.
      // A clock that was set back adds nothing, and takes nothing away.
      if (record.last == Health::kGood && record.last_at && at - *record.last_at <= longest_gap)
        record.good_for += std::max(at - *record.last_at, api::Duration::zero());
      break;
    case Health::kUnknown: break;
    case Health::kBad:
    case Health::kSevere:
      ++record.bad_in_row;
      record.severe_in_row = assessment.health == Health::kSevere ? record.severe_in_row + 1 : 0;
      record.good_for = api::Duration::zero();
      record.reason = assessment.reason;
      break;
  }
  record.last = assessment.health;
  record.last_at = at;
  return record;
}

}  // namespace edgetrust::decide::certificate
