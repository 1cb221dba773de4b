#include "edgetrust/decide/certificate/health.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate {
namespace {

using ports::EdgeState;
using ports::SipState;

constexpr std::size_t kLongestEvidence = 320;

// A port that answered before the change and does not now; or answers with something that is no TLS.
bool handshake_fails(const EdgeLook& look, const Expected& expected) {
  return look.probed && expected.port_answered && !look.served;
}

// The stored chain was found complete, with its names and dates, before it was pushed: what the port sends must hold
// all of it. A root that is sent as well does no harm.
bool sends_all_of(const ports::ChainFacts& served, const Expected& expected) {
  return std::ranges::all_of(expected.others_sha256, [&](const std::string& one) {
    return std::ranges::find(served.others_sha256, one) != served.others_sha256.end();
  });
}

std::optional<Assessment> objection_to(const ports::ChainFacts& served, const Expected& expected, TimePoint at) {
  const auto bad = [](std::string reason) { return Assessment{Health::kBad, std::move(reason), true}; };
  if (expected.fingerprint.empty()) return std::nullopt;
  if (served.fingerprint_sha256 != expected.fingerprint) {
    return bad("the SIP-TLS port serves another certificate than the one installed (serial " + served.serial_number +
               ")");
  }
  if (!sends_all_of(served, expected))
    return bad("the SIP-TLS port does not send the whole chain: peers would have to fetch what is missing");
  if (at >= served.not_after)
    return bad("the SIP-TLS port serves a certificate that expired at " + format_rfc3339(served.not_after));
  if (at < served.not_before)
    return bad("the SIP-TLS port serves a certificate that is not valid before " + format_rfc3339(served.not_before));
  return std::nullopt;
}

std::string_view word(EdgeState state) {
  switch (state) {
    case EdgeState::kOk: return "OK";
    case EdgeState::kWarning: return "Warning";
    case EdgeState::kCritical: return "Critical";
    case EdgeState::kUnknown: break;
  }
  return "unknown";
}
std::string_view word(SipState sip) {
  return sip == SipState::kUp ? "SIP_UP" : sip == SipState::kDown ? "SIP_DOWN" : "SIP unknown";
}

}  // namespace

// Read from the top, the first line that holds decides; docs/states.md has them as a table.
Assessment assess(const EdgeLook& look, const Expected& expected) {
  if (!look.health)
    return {Health::kUnknown, look.health_error ? "no status: " + look.health_error->message() : "no status"};
  const bool failing = handshake_fails(look, expected);
  if (look.health->state == EdgeState::kCritical) return {Health::kSevere, "the Edge reports Critical"};
  if (look.health->sip == SipState::kDown) {
    return failing ? Assessment{Health::kSevere, "the Edge reports SIP_DOWN and its SIP-TLS port does not answer"}
                   : Assessment{Health::kBad, "the Edge reports SIP_DOWN"};
  }
  if (failing)
    return {Health::kBad, "the SIP-TLS port does not answer: " +
                              (look.served_error ? look.served_error->message() : std::string("no answer"))};
  if (look.served) {
    if (const auto objection = objection_to(*look.served, expected, look.at)) return *objection;
  }
  if (look.evidence) {
    if (const auto lost = loss(*look.evidence, expected.baseline, expected.since))
      return {Health::kBad, lost->reason, lost->of_certificate};
  }
  // Without a handshake the status call is the only witness. It may lag behind, so this is no reason to roll back
  // either.
  const std::string& told = look.health->fingerprint_sha256;
  if (!expected.fingerprint.empty() && !look.served && !told.empty() && told != expected.fingerprint)
    return {Health::kUnknown, "the Edge's status names another certificate than the one installed"};
  if (look.health->state == EdgeState::kUnknown || look.health->sip == SipState::kUnknown)
    return {Health::kUnknown, "the Edge's status says neither good nor bad"};
  if (look.evidence) {
    if (const auto open = doubt(*look.evidence, expected.baseline, expected.since)) return {Health::kUnknown, *open};
  }
  return {Health::kGood, "the Edge is healthy"};
}

HealthRecord fold(HealthRecord record, const Assessment& assessment, TimePoint at, api::Duration longest_gap) {
  record.doubt.clear();
  switch (assessment.health) {
    case Health::kGood:
      record.bad_in_row = 0;
      record.severe_in_row = 0;
      // Only time between two good looks counts; what an Unknown in between hides is not counted.
      // A clock that was set back adds nothing, and takes nothing away.
      if (record.last == Health::kGood && record.last_at && at - *record.last_at <= longest_gap)
        record.good_for += std::max(at - *record.last_at, api::Duration::zero());
      break;
    case Health::kUnknown: record.doubt = assessment.reason; break;
    case Health::kHeld:
      // An outage of the site: what was bad before may have been its beginning, and good is what comes after it.
      record.bad_in_row = 0;
      record.severe_in_row = 0;
      record.good_for = api::Duration::zero();
      record.reason = assessment.reason;
      break;
    case Health::kBad:
    case Health::kSevere:
      ++record.bad_in_row;
      record.severe_in_row = assessment.health == Health::kSevere ? record.severe_in_row + 1 : 0;
      record.good_for = api::Duration::zero();
      record.reason = assessment.reason;
      record.of_certificate = assessment.of_certificate;
      break;
  }
  record.last = assessment.health;
  record.last_at = at;
  return record;
}

std::string evidence_of(const EdgeLook& look) {
  std::vector<std::string> parts;
  const std::string id = look.health         ? look.health->correlation_id
                         : look.health_error ? look.health_error->correlation_id
                                             : std::string{};
  parts.push_back((look.health
                       ? "status " + std::string(word(look.health->state)) + ", " + std::string(word(look.health->sip))
                       : "no status") +
                  (id.empty() ? "" : " (correlation id " + id + ")"));
  if (look.served)
    parts.push_back("port: serial " + look.served->serial_number + ", chain of " +
                    std::to_string(look.served->certificates));
  if (look.probed && !look.served) parts.emplace_back("port: no handshake");
  if (look.evidence) {
    if (std::string more = describe(*look.evidence); !more.empty()) parts.push_back(std::move(more));
  }
  return printable(join(parts, "; "), kLongestEvidence);
}

}  // namespace edgetrust::decide::certificate
