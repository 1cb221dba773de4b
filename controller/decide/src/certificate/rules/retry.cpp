// How long a failed effect is waited for, and what it is called.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;

// What the Edge stands still for: a rollback, and one that takes no calls.
enum class Haste { kNone, kOutOfService, kRollback };
Haste haste_of(const Observation& o, const Failure& failure) {
  const auto& status = o.object.status;
  if (status.delivery && status.delivery->rolling_back_since) return Haste::kRollback;
  const bool keeps_it_out = failure.effect == effect::SetService::kName ||
                            failure.effect == effect::LookAtService::kName || failure.effect == effect::Push::kName;
  return status.drain && keeps_it_out ? Haste::kOutOfService : Haste::kNone;
}

// What only a person can mend need not be asked often (a change of spec or Secret wakes the object anyway).
Backoff backoff_for(const Failure& failure, Haste haste) {
  if (haste == Haste::kRollback) return {.first = 1s, .ceiling = 10s};
  if (haste == Haste::kOutOfService) return {.first = 1s, .ceiling = 1min};
  if (retry_of(failure.error) == Retry::kAfterChange) return {.first = 15s, .ceiling = 10min};
  return {.first = 1s, .ceiling = 5min};
}

// Nobody waits for it: what may pass soon is tried again sooner than the rest (RFC 9773 section 4.3.3).
api::Duration renewal_info_wait(const Failure& failure, double share) {
  if (failure.error.retry_after) return renewal_info_pause(failure.error.retry_after);
  const bool passing = failure.error.kind == ErrorKind::kUnavailable || failure.error.kind == ErrorKind::kTimeout;
  if (!passing) return kRenewalInfoPause;
  return Backoff{.first = kShortestRenewalInfoPause, .ceiling = kRenewalInfoPause}.after(failure.count, share);
}

std::chrono::milliseconds server_wish(const Error& error, Haste haste) {
  if (!error.retry_after) return 0s;
  return std::clamp<std::chrono::milliseconds>(*error.retry_after, 1s, haste == Haste::kNone ? 24h : 1min);
}

// Who failed, as the first half of a reason.
std::string_view subject_of(const std::string& effect) {
  if (effect == effect::NewOrder::kName || effect == effect::LookAtOrder::kName ||
      effect == effect::AnswerChallenge::kName || effect == effect::FinalizeOrder::kName ||
      effect == effect::StoreBundle::kName || effect == effect::LookAtRenewalInfo::kName ||
      effect == effect::DeactivateAuthorization::kName || effect == effect::RevokeCertificate::kName) {
    return "Issuer";
  }
  if (effect == effect::PresentRecord::kName || effect == effect::RemoveRecord::kName ||
      effect == effect::LookForRecords::kName)
    return "Dns";
  if (effect == effect::Push::kName) return "Upload";
  if (effect == effect::SetService::kName || effect == effect::LookAtService::kName) return "Service";
  if (effect == effect::StoreImport::kName) return "Import";
  return "Cluster";
}

std::optional<TimePoint> retry_time(const Observation& o, const Failure& failure) {
  // What failed under another spec need not fail under this one; what failed in the future did so before the clock was
  // set back.
  const bool changed = o.object.status.observed_generation != o.object.meta.generation;
  if (changed || failure.at > o.now) return std::nullopt;
  const Haste haste = haste_of(o, failure);
  const double share = stable_fraction(o.object.meta.uid);
  const auto own = failure.forgiven ? 0ms : backoff_for(failure, haste).after(failure.count, share);
  const auto wait = failure.effect == effect::LookAtRenewalInfo::kName
                        ? renewal_info_wait(failure, share)
                        : std::max<std::chrono::milliseconds>(own, server_wish(failure.error, haste));
  const TimePoint at = failure.at + wait;
  return o.now < at ? std::optional(at) : std::nullopt;
}

}  // namespace

std::string revision_text(int revision) { return "revision " + std::to_string(revision); }

const Failure* failure_of(const Observation& o, std::string_view effect) {
  const auto found = o.failures.find(effect);
  return found == o.failures.end() ? nullptr : &found->second;
}

std::optional<Wait> wait_for(const Observation& o, std::initializer_list<std::string_view> effects) {
  std::optional<Wait> longest;
  for (const auto effect : effects) {
    const Failure* failure = failure_of(o, effect);
    const auto until = failure != nullptr ? retry_time(o, *failure) : std::nullopt;
    if (until && (!longest || *until > longest->until)) longest = Wait{failure, *until};
  }
  return longest;
}

std::optional<TimePoint> next_retry(const Observation& o) {
  std::optional<TimePoint> first;
  for (const auto& [effect, failure] : o.failures) {
    const auto at = retry_time(o, failure);
    if (at && (!first || *at < *first)) first = at;
  }
  return first;
}

bool will_retry(const Draft& draft, const Observation& o) {
  const api::EffectiveRotation rotation = rotation_of(o);
  // Near expiry the count of tries is no reason to let what is served run out: another certificate may be rolled back,
  // one that has expired is an outage for certain.
  if (draft.status().failures.value_or(0) >= rotation.max_attempts && !is_urgent(o)) return false;
  if (!is_sourced(o)) return rotation.retry == api::RetryPolicy::kNextWindow;
  // Another leaf in the Secret is the change that OnChange waits for; the one that failed is not tried again.
  return rotation.retry != api::RetryPolicy::kNever && offers_another(o, draft.status());
}

std::string how_to_try_again(const Observation& o, const api::EdgeCertificateStatus& status) {
  if (is_sourced(o) && !offers_another(o, status))
    return "renew Secret " + o.object.spec.source_secret_ref->name + " to try another certificate";
  return "set the annotation " + std::string(api::kRenewRequestedAt) + " to try again";
}

Verdict wait_after_rejection(const Observation& o) {
  const auto& status = o.object.status;
  const bool rejected = status.failures && !status.history.empty() && is_rejected(o, status.history.front().revision);
  if (!rejected) return std::nullopt;
  Draft draft(o);
  const bool too_early =
      status.next_attempt && o.now < *status.next_attempt && !is_too_far_ahead(o, *status.next_attempt);
  if (!too_early && will_retry(draft, o)) return std::nullopt;
  const auto& last = status.history.front();
  const char* reason = last.result == api::RevisionResult::kRolledBack ? "RolledBack" : "Rejected";
  return ended_badly(draft, o, reason, last.message).finish();
}

Draft& ended_badly(Draft& draft, const Observation& o, std::string reason, std::string message) {
  const bool was_live = draft.status().history.front().result == api::RevisionResult::kRolledBack;
  const auto& at = draft.status().next_attempt;
  if (will_retry(draft, o)) {
    draft.phase(was_live ? api::Phase::kRolledBack : api::Phase::kIssuing, std::move(reason), std::move(message));
    return at ? draft.next("tries again " + format_rfc3339(*at)).wake(*at) : draft;
  }
  draft
      .phase(was_live ? api::Phase::kRolledBack : api::Phase::kFailed, std::move(reason),
             std::move(message) + "; " + how_to_try_again(o, draft.status()))
      .stalled()
      .next("needs a decision");
  const bool goes_on = !is_sourced(o) && rotation_of(o).retry == api::RetryPolicy::kNextWindow;
  if (const auto urgent = urgent_from(o); goes_on && urgent && *urgent > o.now) draft.wake(*urgent);
  return draft;
}

std::string reason_of(const Failure& failure) {
  return std::string(subject_of(failure.effect)) + std::string(api::manner_of(failure.error.kind));
}

}  // namespace edgetrust::decide::certificate::rules
