// What the Edge serves now, and whose it is.
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::ForeignCertificate;
using api::Phase;

// Someone may change the Edge itself; nothing else tells of that.
constexpr auto kLookAgainAfter = 1h;

Decision adopt(const Observation& o, int revision) {
  Draft draft(o);
  // A rollback that was asked for before anything was known is of an earlier life: its annotation came back with the
  // object, and the status that says it was made did not.
  if (!o.object.status.revision) mark_handled(draft.status(), o, api::kRollbackRequestedAt);
  draft.status().revision = revision;
  remember(draft.status(), o, revision, api::RevisionResult::kAdopted, "found on the Edge");
  draft.phase(Phase::kPending, "Adopted", "the Edge serves revision " + std::to_string(revision))
      .announce(false, "Adopted",
                "the Edge serves revision " + std::to_string(revision) + ", which is stored: nothing is ordered")
      .wake(o.now);
  return draft.finish();
}

// Ours, newer than what was proved, and never proved itself: a push whose effect came late. It has to be now.
Decision prove(const Observation& o, int revision) {
  Draft draft(o);
  const TimePoint now = std::chrono::floor<std::chrono::seconds>(o.now);
  draft.status().delivery = api::DeliveryStatus{.revision = revision,
                                                .fallback = fallback(o).value_or(-1),
                                                .port_answered = o.look->served.has_value(),
                                                .started_at = now,
                                                .installed_at = now};
  const std::string message = "the Edge serves revision " + std::to_string(revision) + ", which is not proved yet";
  return draft.phase(Phase::kObserving, "Observing", message)
      .next("observes revision " + std::to_string(revision))
      .announce(false, "Observing", message)
      .effect(effect::LookAtEdge{})
      .finish();
}

// Waits for a person, and looks now and then whether that person has changed the Edge.
Decision look_now_and_then(Draft draft, const Observation& o, std::optional<TimePoint> wake = {}) {
  const TimePoint again = o.look->at + kLookAgainAfter;
  if (o.now >= again || o.look->at > o.now) return draft.effect(effect::LookAtEdge{}).finish();
  return draft.wake(std::min(again, wake.value_or(again))).finish();
}

Decision hold(const Observation& o, std::string reason, std::string message) {
  Draft draft(o);
  draft.phase(Phase::kHeld, std::move(reason), std::move(message)).stalled().next("needs a decision");
  return look_now_and_then(std::move(draft), o);
}

std::string describe(const EdgeLook& look) {
  if (!look.served) return "a certificate that is not ours";
  return "a certificate that is not ours (serial " + look.served->serial_number + ", issued by " + look.served->issuer +
         ")";
}

Decision import_of(const Observation& o) {
  const std::string name = o.object.spec.adoption->import_from->name;
  if (o.import->defect) return hold(o, "ImportInvalid", "Secret " + name + ": " + o.import->defect->message());
  if (!o.import->chain || o.import->chain->fingerprint_sha256 != o.look->fingerprint()) {
    return hold(o, "ImportMismatch",
                "Secret " + name +
                    " does not hold what the Edge serves; put the served certificate and its key there, or remove "
                    "adoption.importFrom");
  }
  Draft draft(o);
  draft.phase(Phase::kPending, "Importing", "taking over the certificate of Secret " + name);
  if (const auto wait = wait_for(o, {effect::StoreImport::kName})) {
    return draft.phase(Phase::kPending, reason_of(*wait->failure), wait->failure->error.message())
        .wake(wait->until)
        .finish();
  }
  return draft.effect(effect::StoreImport{name}).finish();
}

// A revision that was rolled back is on the Edge all the same: the rollback did not happen, or a hand put it there.
Decision rejected_again(const Observation& o, int revision) {
  const std::string found = "the Edge serves revision " + std::to_string(revision) + ", which was rejected before";
  auto back = fallback(o);
  if (!back) back = previous(o, revision);
  if (!back) {  // then it is what the Edge serves, for want of another
    Draft draft(o);
    draft.status().revision = revision;
    return draft.phase(Phase::kPending, "RejectedRevision", found + ", and nothing is stored that could be put back")
        .announce(true, "RejectedRevision", found + ", and nothing is stored that could be put back")
        .wake(o.now)
        .finish();
  }
  const TimePoint now = std::chrono::floor<std::chrono::seconds>(o.now);
  api::DeliveryStatus delivery{
      .revision = revision, .port_answered = o.look->served.has_value(), .started_at = now, .installed_at = now};
  delivery.evidence = evidence_of(*o.look);
  return going_back(o, std::move(delivery), *back, found).effect(effect::Push{*back, true}).finish();
}

Verdict foreign(const Observation& o) {
  if (auto from_source = source_found_on_edge(o)) return from_source;
  if (o.import) return import_of(o);
  const auto wish = wish_for_foreign(o);
  if (wish == ForeignCertificate::kReplace) return std::nullopt;
  const auto near_expiry = foreign_renewal(o);
  if (wish == ForeignCertificate::kReplaceNearExpiry && near_expiry) {
    if (o.now >= *near_expiry) return std::nullopt;
    Draft draft(o);
    draft.phase(Phase::kWaiting, "ForeignCertificate",
                "the Edge serves " + describe(*o.look) + "; it is replaced near its expiry");
    draft.next("replaces it " + format_rfc3339(*near_expiry).substr(0, 10));
    return look_now_and_then(std::move(draft), o, near_expiry);
  }
  const std::string message =
      "the Edge serves " + describe(*o.look) + "; set spec.adoption.onForeignCertificate to Replace to replace it";
  // Revision 0 is what was there before us; later there is nothing to import.
  return hold(
      o, "ForeignCertificate",
      o.object.status.revision ? message : message + ", or importFrom to keep it as what a rollback returns to");
}

// The Edge is well and nobody can see with what: the port is not looked at or does not answer, and its status names no
// certificate. Where that is no first certificate it would be replaced with no way back.
Verdict unseen(const Observation& o) {
  const bool is_well = assess(*o.look, {}).health == Health::kGood;
  if (!is_well || wish_for_foreign(o) == ForeignCertificate::kReplace) return std::nullopt;
  return hold(o, "ServedCertificateUnknown",
              "the Edge is well, and neither its SIP-TLS port nor its status shows with which certificate; make "
              "spec.sip of the Edge right, or set spec.adoption.onForeignCertificate to Replace");
}

// The Edge's own object has seen another certificate since the last look.
bool is_outdated(const Observation& o) {
  const auto& served = o.edge->status.served_certificate;
  if (!served || !served->at) return false;
  const std::string mine = o.look ? o.look->fingerprint() : o.object.status.fingerprint_sha256;
  return served->fingerprint_sha256 != mine && (!o.look || *served->at > o.look->at) && *served->at <= o.now;
}

}  // namespace

Verdict served_certificate_known(const Observation& o) {
  const auto& known = o.object.status.revision;
  if (!o.look || is_outdated(o)) {
    if (!o.look && known && !is_outdated(o)) return std::nullopt;  // known from before; looked at anew before a push
    Draft draft(o);
    if (!known) draft.phase(Phase::kPending, "Looking", "looking at what the Edge serves");
    return (known ? draft.unchanged() : draft).effect(effect::LookAtEdge{}).finish();
  }
  const std::string fingerprint = o.look->fingerprint();
  if (fingerprint.empty()) return known ? std::nullopt : unseen(o);
  if (const auto revision = whose(o, fingerprint)) {
    if (known == *revision) return std::nullopt;
    if (is_rejected(o, *revision)) return rejected_again(o, *revision);
    return known && *revision > *known && !was_live(o, *revision) ? prove(o, *revision) : adopt(o, *revision);
  }
  return serves_foreign(o) ? foreign(o) : std::nullopt;
}

}  // namespace edgetrust::decide::certificate::rules
