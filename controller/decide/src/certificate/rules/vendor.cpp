// The vendor's own parser is shown the stored chain before the push: what it refuses would not be taken by the Edge, or
// be taken and not be served. Where it cannot be asked it is done without.
#include "certificate/rules/rules.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;

constexpr auto kAskedAgainAfter = 1h;

// Not rejected: what a parser says of a chain may be about the parser, and another order brings the same kind of chain.
Decision held_back(const Observation& o, int revision, TimePoint until) {
  const std::string message = "the vendor's own parser refuses the chain of revision " + std::to_string(revision) +
                              ", and it is not pushed before it is urgent: " + o.vendor->objection +
                              "; to push it all the same, set the annotation " + std::string(api::kRotateRequestedAt) +
                              " to a new value";
  return Draft(o)
      .phase(api::Phase::kWaiting, "VendorRefusesChain", message)
      .stalled()
      .next("needs another chain")
      .wake(until)
      .finish();
}

}  // namespace

Verdict wait_for_vendor(const Observation& o, int revision) {
  if (is_urgent(o) || is_requested(o, api::kRotateRequestedAt)) return std::nullopt;
  const auto& told = o.vendor;
  const bool is_about_this = told && told->fingerprint_sha256 == stored(o, revision)->chain->fingerprint_sha256;
  if (is_about_this && told->objection.empty()) return std::nullopt;
  if (is_about_this && told->at <= o.now && o.now < told->at + kAskedAgainAfter)
    return held_back(o, revision, told->at + kAskedAgainAfter);
  if (const auto wait = wait_for(o, {effect::AskVendor::kName}))
    return is_about_this ? Verdict(held_back(o, revision, wait->until)) : std::nullopt;
  Draft draft(o);
  const auto phase = o.object.status.phase;
  if (phase == api::Phase::kWaiting || phase == api::Phase::kAwaitingApproval) {
    draft.unchanged();  // what it waits for is more than this
  } else {
    draft
        .phase(api::Phase::kWaiting, "AskingVendor",
               "asking the vendor's own parser about the chain of revision " + std::to_string(revision))
        .next("asks the vendor");
  }
  return draft.effect(effect::AskVendor{revision}).finish();
}

}  // namespace edgetrust::decide::certificate::rules
