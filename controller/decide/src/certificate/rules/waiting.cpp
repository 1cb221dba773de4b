// From the stored bundle to the push: nothing starts that is not allowed to, or could not end.
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;

Decision reject(const Observation& o, int revision, const Error& defect) {
  Draft draft(o);
  const std::string message = "revision " + std::to_string(revision) + " is not fit to be pushed: " + defect.message();
  remember(draft.status(), o, revision, api::RevisionResult::kRejected, message);
  count_failure(draft.status(), o);
  return ended_badly(draft, o, "ChainRejected", message).announce(true, "ChainRejected", message).wake(o.now).finish();
}

Decision stop(const Observation& o, std::string reason, std::string message) {
  return Draft(o)
      .phase(Phase::kWaiting, std::move(reason), std::move(message))
      .stalled()
      .next("needs a change")
      .finish();
}

// What its fitness is judged by cannot be read; whoever mends that wakes this object, and it is asked again meanwhile.
Decision wait_for_judgement(const Observation& o, int revision, const Error& why) {
  return Draft(o)
      .phase(Phase::kWaiting, "ChainNotJudged",
             "revision " + std::to_string(revision) + " is not pushed before its chain is judged: " + why.message())
      .next("waits")
      .wake(o.now + kEdgeAgainAfter)
      .finish();
}

// A CA whose clock is ahead of ours.
Verdict wait_until_valid(const Observation& o, const ports::ChainFacts& chain) {
  if (o.now >= chain.not_before) return std::nullopt;
  return Draft(o)
      .phase(Phase::kWaiting, "NotYetValid", "the certificate is valid from " + format_rfc3339(chain.not_before))
      .next("waits")
      .wake(chain.not_before)
      .finish();
}

// Nothing that works could break: what the Edge serves has expired or was rejected, or it serves nothing at all.
bool has_nothing_to_lose(const Observation& o) {
  const auto serving = o.object.status.revision;
  if (serving && is_rejected(o, *serving)) return true;
  // Calls do not get through, and a person wants another certificate than the one that nobody here knows.
  const bool down = o.look->health && o.look->health->sip == ports::SipState::kDown;
  if (down && serves_foreign(o) && wish_for_foreign(o) == api::ForeignCertificate::kReplace) return true;
  if (o.look->served) return o.look->served->not_after <= o.now;
  if (const StoredRevision* ours = active(o)) return ours->chain->not_after <= o.now;
  return o.look->probed && !serving && o.look->fingerprint().empty();
}

// Looks again after a while; the reason stays as it is meanwhile.
Decision wait_for_better(const Observation& o, std::string reason, std::string message) {
  Draft draft(o);
  draft.phase(Phase::kWaiting, std::move(reason), std::move(message)).next("waits for the Edge");
  const TimePoint again = o.look->at + kEdgeAgainAfter;
  const bool too_early = o.now < again && o.look->at <= o.now;
  return too_early ? draft.wake(again).finish() : draft.effect(effect::LookAtEdge{.closely = true}).finish();
}

// The Edge as it is right before the change: it must answer, and it must be well, unless there is nothing to lose. A
// port that is silent before the change is no evidence.
Verdict wait_for_edge(const Observation& o) {
  if (o.look && !o.look->health) {
    const bool absent = o.look->health_error && o.look->health_error->kind == ErrorKind::kNotFound;
    return wait_for_better(o, absent ? "EndpointUnavailable" : "EdgeStatusUnavailable",
                           o.look->health_error ? o.look->health_error->message() : "the status call was not answered");
  }
  if (o.look) {
    const Assessment seen = assess(*o.look, {});
    if (seen.health != Health::kGood && !has_nothing_to_lose(o) && !is_urgent(o))
      return wait_for_better(o, "EdgeUnhealthy", "the Edge is not touched while it is not well: " + seen.reason);
  }
  const bool is_fresh = o.look && o.now <= o.look->at + kLookIsFresh && o.look->at <= o.now;
  if (is_fresh && o.look->evidence) return std::nullopt;  // it becomes the baseline
  return Draft(o)
      .phase(Phase::kWaiting, std::string(kLookingAtEdge), "looking at the Edge before the push")
      .next("looks at the Edge")
      .effect(effect::LookAtEdge{.closely = true})
      .finish();
}

// What will be missed if it is gone afterwards, for people.
std::string describe(const api::Baseline& baseline, bool port_answered) {
  std::vector<std::string> parts;
  if (port_answered)
    parts.emplace_back(baseline.options_answered ? "the SIP-TLS port, SIP OPTIONS" : "the SIP-TLS port");
  if (!baseline.peers.empty()) parts.push_back("peers: " + std::to_string(baseline.peers.size()));
  if (!baseline.trunks.empty()) parts.push_back("trunks: " + std::to_string(baseline.trunks.size()));
  return parts.empty() ? "nothing but its status" : "its status, " + join(parts, ", ");
}

Decision start(const Observation& o, int revision, std::vector<std::string> slots) {
  Draft draft(o);
  const auto back = fallback(o);
  draft.status().delivery = api::DeliveryStatus{.revision = revision,
                                                .fallback = back.value_or(-1),
                                                .port_answered = o.look->served.has_value(),
                                                .started_at = std::chrono::floor<std::chrono::seconds>(o.now),
                                                .baseline = baseline_of(*o.look->evidence)};
  const auto& delivery = *draft.status().delivery;
  draft.status().slots = api::SlotsStatus{.revision = revision, .names = std::move(slots)};
  mark_handled(draft.status(), o, api::kRotateRequestedAt);
  mark_handled(draft.status(), o, api::kRenewRequestedAt);  // this is a renewal, however it came about
  const std::string message = "pushing revision " + std::to_string(revision) +
                              (back ? "; a rollback would return to revision " + std::to_string(*back)
                                    : "; there is nothing that a rollback could return to") +
                              "; witnesses: " + describe(*delivery.baseline, delivery.port_answered);
  // The slots are claimed and the push comes next, see install() in delivery.cpp.
  return draft.phase(Phase::kDelivering, "Pushing", message)
      .next("pushes revision " + std::to_string(revision))
      .announce(false, "Delivering", message)
      .effect(effect::SetFinalizer{true})
      .finish();
}

}  // namespace

Verdict revision_delivered(const Observation& o) {
  const auto next = candidate(o);
  const StoredRevision* revision = next ? stored(o, *next) : nullptr;
  if (revision == nullptr || !revision->has_bundle()) return std::nullopt;
  if (revision->defect) return reject(o, *next, *revision->defect);
  if (!revision->chain) return std::nullopt;
  if (revision->unjudged) return wait_for_judgement(o, *next, *revision->unjudged);
  if (auto early = wait_until_valid(o, *revision->chain)) return early;
  if (!o.connection->spec.certificate_upload) {
    return stop(o, "NoDeliveryChannel",
                "GenesysConnection " + o.connection->meta.name +
                    " has no certificateUpload: the certificate is issued, and nothing is delivered");
  }
  if (auto wait = wait_for_vendor(o, *next)) return wait;
  if (auto wait = wait_for_peers(o, *next, false)) return wait;  // said long before the window, for others must act
  if (auto wait = wait_for_wave(o, *next)) return wait;          // also said long before, for others are renewed for it
  if (auto wait = wait_for_permission(o, *next)) return wait;
  auto slots = turn(o, *next);
  if (!slots) return std::move(slots).error();
  if (auto wait = wait_for_edge(o)) return wait;
  if (auto wait = wait_for_service(o)) return wait;
  if (auto wait = wait_for_peers(o, *next, true)) return wait;
  return start(o, *next, std::move(*slots));
}

}  // namespace edgetrust::decide::certificate::rules
