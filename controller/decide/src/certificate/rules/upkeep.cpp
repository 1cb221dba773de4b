// What a quiet object still needs, and its rest.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using api::Phase;

constexpr int kDefaultHistory = 3;

Phase resting_phase(const Observation& o) {
  return o.object.status.phase == Phase::kRolledBack ? Phase::kRolledBack : Phase::kReady;
}

}  // namespace

Verdict serving_secret_right(const Observation& o) {
  const StoredRevision* serving = active(o);
  if (serving == nullptr || !serving->has_key) return std::nullopt;
  const std::string name = api::serving_secret_name(o.object);
  if (o.serving_secret_foreign) {
    return Draft(o, {})
        .phase(Phase::kFailed, "SecretConflict",
               "the Secret " + name + " exists and is not ours: delete it, or set spec.secretName to another name")
        .stalled()
        .next("needs a change")
        .finish();
  }
  if (o.serving_fingerprint == serving->chain->fingerprint_sha256) return std::nullopt;
  Draft draft(o, {});
  draft.unchanged();
  if (const auto at = retry_time(o))
    return draft.phase(*draft.status().phase, reason_of(*o.failure), o.failure->error.message()).wake(*at).finish();
  return draft.effect(effect::WriteServingSecret{serving->number}).finish();
}

Verdict old_revisions_pruned(const Observation& o) {
  const int limit = o.object.spec.revision_history_limit.value_or(kDefaultHistory);
  if (o.revisions.size() <= static_cast<std::size_t>(limit) || retry_time(o)) return std::nullopt;
  // The oldest goes; never what is served, what is coming, or the one before what is served: that one is kept one
  // revision longer.
  const int serving = o.object.status.revision.value_or(-1);
  const auto coming = candidate(o);
  int previous = -1;
  for (const auto& [number, revision] : o.revisions) {
    if (number < serving && !is_rejected(o, number)) previous = number;
  }
  for (const auto& [number, revision] : o.revisions) {
    if (number == serving || number == previous || coming == number) continue;
    return Draft(o, {}).unchanged().effect(effect::DeleteRevision{number})
        .finish();
  }
  return std::nullopt;
}

Verdict finalizer_released(const Observation& o) {
  if (!holds_finalizer(o) || (o.object.status.order && !o.object.status.order->records.empty())) return std::nullopt;
  return Draft(o, {}).unchanged().effect(effect::SetFinalizer{false})
      .finish();
}

Decision rest(const Observation& o) {
  Draft draft(o, "rest");
  const auto renewal = renewal_of(o);
  const std::string serving = o.object.status.revision
                                  ? "the Edge serves revision " + std::to_string(*o.object.status.revision)
                                  : "the Edge's certificate is left as it is";
  const bool rolled_back = resting_phase(o) == Phase::kRolledBack;
  draft.phase(resting_phase(o), rolled_back ? "RolledBack" : "Ready",
              rolled_back && !o.object.status.history.empty() ? o.object.status.history.front().message : serving);
  if (renewal) draft.next("renews " + format_rfc3339(*renewal).substr(0, 10)).wake(*renewal);
  return draft.finish();
}

}  // namespace edgetrust::decide::certificate::rules
