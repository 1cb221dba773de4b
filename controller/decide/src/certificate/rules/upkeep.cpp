// What a quiet object still needs, and its rest.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using api::Phase;

constexpr int kDefaultHistory = 3;

Phase resting_phase(const Observation& o) {
  if (is_sourced(o)) return Phase::kReady;  // what was rejected and is still in the source is said by source_taken
  return o.object.status.phase == Phase::kRolledBack ? Phase::kRolledBack : Phase::kReady;
}

// What the source holds is remembered, rejected or not: forgotten it would be taken again.
bool is_in_source(const Observation& o, const StoredRevision& revision) {
  return o.source && o.source->chain && revision.chain &&
         revision.chain->fingerprint_sha256 == o.source->chain->fingerprint_sha256;
}

}  // namespace

Verdict rejections_marked(const Observation& o) {
  for (const auto& [number, revision] : o.revisions) {
    if (!revision.has_bundle() || revision.marked_rejected || !is_rejected(o, number)) continue;
    if (wait_for(o, {effect::MarkRejected::kName})) return std::nullopt;
    return Draft(o).unchanged().effect(effect::MarkRejected{number}).finish();
  }
  return std::nullopt;
}

// A Secret that cannot be written stops nothing else: what is on the Edge matters more than its copy.
Verdict serving_secret_right(const Observation& o) {
  const StoredRevision* serving = active(o);
  if (serving == nullptr || !serving->has_key || o.serving_fingerprint == serving->chain->fingerprint_sha256)
    return std::nullopt;
  if (wait_for(o, {effect::WriteServingSecret::kName})) return std::nullopt;
  return Draft(o).unchanged().effect(effect::WriteServingSecret{serving->number}).finish();
}

Verdict old_revisions_pruned(const Observation& o) {
  const int limit = o.object.spec.revision_history_limit.value_or(kDefaultHistory);
  if (o.revisions.size() <= static_cast<std::size_t>(limit) || wait_for(o, {effect::DeleteRevision::kName}))
    return std::nullopt;
  // The oldest goes; never what is served, what is coming, or the one before what is served: that one is kept one
  // revision longer.
  const int serving = o.object.status.revision.value_or(-1);
  const auto coming = candidate(o);
  const auto previous = newest_before(o, serving, [](const StoredRevision& /*any*/) { return true; });
  for (const auto& [number, revision] : o.revisions) {
    if (number == serving || previous == number || coming == number || is_in_source(o, revision)) continue;
    Draft draft(o);
    // The highest number of all is remembered, or the next revision would get it again; behind what really happened.
    if (number + 1 == next_revision(o) && number > serving) {
      auto& history = draft.status().history;
      remember(draft.status(), o, number, api::RevisionResult::kSuperseded, "never delivered");
      std::rotate(history.begin(), history.begin() + 1, history.end());
    }
    return draft.unchanged().effect(effect::DeleteRevision{number}).finish();
  }
  return std::nullopt;
}

Verdict finalizer_released(const Observation& o) {
  if (!holds_finalizer(o) || (o.object.status.order && !o.object.status.order->records.empty())) return std::nullopt;
  // A finalizer that cannot be let go of now is no reason to stop; later it is tried again.
  if (wait_for(o, {effect::SetFinalizer::kName})) return std::nullopt;
  return Draft(o).unchanged().effect(effect::SetFinalizer{false}).finish();
}

Decision rest(const Observation& o) {
  Draft draft(o);
  const auto renewal = is_sourced(o) ? std::nullopt : renewal_of(o);
  const std::string serving = o.object.status.revision
                                  ? "the Edge serves revision " + std::to_string(*o.object.status.revision)
                                  : "the Edge's certificate is left as it is";
  const bool rolled_back = resting_phase(o) == Phase::kRolledBack;
  draft.phase(resting_phase(o), "Ready", serving);
  if (rolled_back) {
    draft.phase(Phase::kRolledBack, "RolledBack",
                o.object.status.history.front().message +
                    "; nothing is tried before what is served is due: set the annotation " +
                    std::string(api::kRenewRequestedAt) + " to try again");
    draft.stalled();
  }
  if (o.object.spec.issuer_ref && (!o.issuer || o.issuer->broken)) {
    const std::string& name = o.object.spec.issuer_ref->name;
    draft.phase(resting_phase(o), o.issuer ? "IssuerInvalid" : "IssuerNotFound",
                serving + "; AcmeIssuer " + name +
                    (o.issuer ? " cannot be read: " + o.issuer->broken->message() : " is not in this namespace") +
                    ", and the next renewal needs it");
    draft.stalled();
  }
  const auto source_again = is_sourced(o) ? describe_source(draft, o, serving) : std::nullopt;
  const StoredRevision* ours = active(o);
  const bool copied = ours == nullptr || o.serving_fingerprint == ours->chain->fingerprint_sha256;
  if (const Failure* failure = failure_of(o, effect::WriteServingSecret::kName); failure != nullptr && !copied) {
    const bool taken = failure->error.kind == ErrorKind::kConflict;
    draft.phase(taken ? Phase::kFailed : resting_phase(o), taken ? "SecretConflict" : reason_of(*failure),
                failure->error.message());
    if (retry_of(failure->error) == Retry::kAfterChange || taken) draft.stalled();
  }
  if (const Failure* failure = failure_of(o, effect::RevokeCertificate::kName);
      o.object.status.revocation && failure != nullptr)
    draft.phase(resting_phase(o), reason_of(*failure), failure->error.message());
  if (!is_sourced(o)) draft.next(renewal ? renews_at(*renewal) : std::string{});
  if (is_requested(o, api::kRotateRequestedAt)) {
    // Left standing it would break the window of a rotation that is months away.
    mark_handled(draft.status(), o, api::kRotateRequestedAt);
    draft.announce(false, "NothingToRotate",
                   "no newer revision waits to be delivered; " + std::string(api::kRenewRequestedAt) + " asks for one");
  }
  const auto retry = next_retry(o);  // of something that a rule above put off
  const auto again = is_sourced(o) ? source_again : renewal;
  const auto first = std::min({again.value_or(TimePoint::max()), retry.value_or(TimePoint::max()),
                               next_look_at_renewal_info(o).value_or(TimePoint::max())});
  if (first != TimePoint::max()) draft.wake(first);
  return draft.finish();
}

}  // namespace edgetrust::decide::certificate::rules
