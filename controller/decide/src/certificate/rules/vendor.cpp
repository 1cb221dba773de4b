// The vendor's own parser is shown the stored chain before the push: what it refuses would not be taken by the Edge, or
// be taken and not be served. Where it cannot be asked it is done without.
#include "certificate/rules/rules.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

Decision refused(const Observation& o, int revision) {
  const std::string message = "the vendor's own parser refuses the chain of revision " + std::to_string(revision) +
                              ", and it is not pushed: " + o.vendor->objection;
  Draft draft(o);
  remember(draft.status(), o, revision, api::RevisionResult::kRejected, message);
  count_failure(draft.status(), o);
  return ended_badly(draft, o, "VendorRefusesChain", message)
      .announce(true, "VendorRefusesChain", message)
      .wake(o.now)
      .finish();
}

}  // namespace

Verdict wait_for_vendor(const Observation& o, int revision) {
  const auto& told = o.vendor;
  if (told && told->fingerprint_sha256 == stored(o, revision)->chain->fingerprint_sha256)
    return told->objection.empty() ? std::nullopt : Verdict(refused(o, revision));
  if (wait_for(o, {effect::AskVendor::kName})) return std::nullopt;
  Draft draft(o);
  if (o.object.status.phase == api::Phase::kWaiting) {
    draft.unchanged();  // after a start: what it waits for is more than this
  } else {
    draft
        .phase(api::Phase::kWaiting, "AskingVendor",
               "asking the vendor's own parser about the chain of revision " + std::to_string(revision))
        .next("asks the vendor");
  }
  return draft.effect(effect::AskVendor{revision}).finish();
}

}  // namespace edgetrust::decide::certificate::rules
