// What the Edge serves now, and whose it is (step 0 of the rotation).
#include "certificate/rules/rules.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::ForeignCertificate;
using api::Phase;

// The revision whose stored leaf this is.
std::optional<int> whose(const Observation& o, const std::string& fingerprint) {
  for (const auto& [number, revision] : o.revisions) {
    if (revision.chain && revision.chain->fingerprint_sha256 == fingerprint) return number;
  }
  return std::nullopt;
}

Decision adopt(const Observation& o, int revision) {
  Draft draft(o, {});
  draft.status().revision = revision;
  remember(draft.status(), o, revision, api::RevisionResult::kAdopted, "found on the Edge");
  draft.phase(Phase::kPending, "Adopted", "the Edge serves revision " + std::to_string(revision))
      .announce(false, "Adopted",
                "the Edge serves revision " + std::to_string(revision) + ", which is stored: nothing is ordered")
      .wake(o.now);
  return draft.finish();
}

Decision hold(const Observation& o, std::string reason, std::string message) {
  Draft draft(o, {});
  if (!o.object.status.phase || *o.object.status.phase != Phase::kHeld) draft.announce(true, reason, message);
  return draft.phase(Phase::kHeld, std::move(reason), std::move(message)).stalled().next("needs a decision").finish();
}

std::string describe(const EdgeLook& look) {
  if (!look.served) return "a certificate that is not ours";
  return "a certificate that is not ours (serial " + look.served->serial_number + ", issued by " + look.served->issuer +
         ")";
}

Verdict import_of(const Observation& o, const std::string& fingerprint) {
  const std::string name = o.object.spec.adoption->import_from->name;
  if (o.import->defect) return hold(o, "ImportInvalid", "Secret " + name + ": " + o.import->defect->message());
  if (o.import->chain->fingerprint_sha256 != fingerprint) {
    return hold(o, "ImportMismatch",
                "Secret " + name +
                    " does not hold what the Edge serves; put the served certificate and its key there, or remove "
                    "adoption.importFrom");
  }
  Draft draft(o, {});
  draft.phase(Phase::kPending, "Importing", "taking over the certificate of Secret " + name);
  if (const auto at = retry_time(o))
    return draft.phase(Phase::kPending, reason_of(*o.failure), o.failure->error.message()).wake(*at).finish();
  return draft.effect(effect::StoreImport{name}).finish();
}

}  // namespace

Verdict served_certificate_known(const Observation& o) {
  if (!o.look) {
    if (o.object.status.revision) return std::nullopt;  // known from before; looked at again right before a push
    return Draft(o, {})
        .phase(Phase::kPending, "Looking", "looking at what the Edge serves")
        .effect(effect::LookAtEdge{})
        .finish();
  }
  const std::string fingerprint = o.look->fingerprint();
  if (fingerprint.empty()) return std::nullopt;  // nothing is served, or nobody can tell
  if (const auto revision = whose(o, fingerprint)) {
    if (o.object.status.revision == *revision) return std::nullopt;
    return adopt(o, *revision);
  }
  if (o.object.status.revision && o.object.status.fingerprint_sha256 == fingerprint)
    return std::nullopt;  // ours, its Secret lost
  if (o.import) return import_of(o, fingerprint);
  const auto wish = o.object.spec.adoption
                        ? o.object.spec.adoption->on_foreign_certificate.value_or(ForeignCertificate::kHold)
                        : ForeignCertificate::kHold;
  if (wish != ForeignCertificate::kHold) return std::nullopt;
  return hold(o, "ForeignCertificate",
              "the Edge serves " + describe(*o.look) +
                  "; set spec.adoption.onForeignCertificate to Replace to replace it, or importFrom to keep it as what "
                  "a rollback returns to");
}

}  // namespace edgetrust::decide::certificate::rules
