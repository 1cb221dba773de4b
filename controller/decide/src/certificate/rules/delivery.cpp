// A change of the Edge, from the fence in status.delivery to the proof or the rollback.
#include "certificate/rules/rules.hpp"
#include "certificate/site.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/ports/edge_fleet.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;

std::string fingerprint_of(const Observation& o, int revision) {
  const StoredRevision* kept = stored(o, revision);
  return kept != nullptr && kept->chain ? kept->chain->fingerprint_sha256 : std::string{};
}

// Whether there is a look since then, and since the last push: one that failed may have been executed.
bool looked_since(const Observation& o, TimePoint since) {
  return o.look && o.look->at >= since && o.look->at <= o.now && !o.pushed_since_look;
}

// A look later than `since` shows the Edge with this revision.
bool seen_having(const Observation& o, int revision, TimePoint since) {
  const std::string wanted = fingerprint_of(o, revision);
  return o.look && o.look->at >= since && o.look->at <= o.now && !wanted.empty() && o.look->fingerprint() == wanted;
}
// The same, on the SIP-TLS port itself where that answered before the change.
bool seen_serving(const Observation& o, int revision, TimePoint since) {
  return seen_having(o, revision, since) && (o.look->served || !o.object.status.delivery->port_answered);
}

Draft delivering(const Observation& o, Phase phase, std::string reason, std::string message) {
  Draft draft(o);
  draft.phase(phase, std::move(reason), std::move(message));
  return draft;
}

// A change that was not begun by install() holds no finalizer yet. It goes on without one that cannot be set.
Verdict hold_finalizer(const Observation& o, const Draft& draft) {
  if (holds_finalizer(o) || o.object.meta.deleting() || wait_for(o, {effect::SetFinalizer::kName})) return std::nullopt;
  return Draft(draft).effect(effect::SetFinalizer{true}).finish();
}

// --- installing

Decision installed(const Observation& o, int revision) {
  Draft draft =
      delivering(o, Phase::kObserving, "Observing", "the Edge has taken " + revision_text(revision) + "; watching it");
  draft.status().delivery->installed_at = std::chrono::floor<std::chrono::seconds>(o.now);
  draft.next("observes " + revision_text(revision))
      .announce(false, "Installed", "the Edge has taken " + revision_text(revision));
  if (o.object.status.drain) return draft.wake(o.now).finish();  // it goes back into service first
  return draft.effect(effect::LookAtEdge{.closely = true}).finish();
}

Decision refused(const Observation& o, const api::DeliveryStatus& delivery, const Error& error) {
  const std::string message = "the Edge refused " + revision_text(delivery.revision) + ": " + error.message();
  Draft draft(o);
  remember(draft.status(), o, delivery.revision, api::RevisionResult::kRejected, message,
           error.correlation_id.empty() ? "" : "correlation id " + error.correlation_id);
  count_failure(draft.status(), o);
  draft.status().delivery.reset();
  mark_handled(draft.status(), o, api::kRollbackRequestedAt);  // nothing is left that it could be about
  return ended_badly(draft, o, "UploadRefused", message).announce(true, "UploadRefused", message).wake(o.now).finish();
}

// Not in time: because the upload fails, or because the operator was away. Whether it may start again is asked anew.
Decision put_off(const Observation& o, const api::DeliveryStatus& delivery) {
  const Failure* failure = failure_of(o, effect::Push::kName);
  const std::string why = failure != nullptr ? failure->error.message() : "it did not come about in time";
  Draft draft = delivering(o, Phase::kWaiting, failure != nullptr ? reason_of(*failure) : "PushPutOff",
                           "the push of " + revision_text(delivery.revision) + " is put off: " + why);
  draft.status().delivery.reset();
  mark_handled(draft.status(), o, api::kRollbackRequestedAt);
  if (failure == nullptr) return draft.wake(o.now).finish();
  // Taken out of service again every ten minutes it would take few calls all night.
  const bool was_drained = o.object.status.drain.has_value() && !is_urgent(o);
  draft.status().next_attempt =
      was_drained ? next_window(o) : std::chrono::floor<std::chrono::seconds>(o.now + kPutOff);
  return draft.announce(true, "PushPutOff", why).wake(*draft.status().next_attempt).finish();
}

// Nothing is pushed for an object that is being deleted.
Decision called_off(const Observation& o) {
  Draft draft = delivering(o, Phase::kPending, "Deleted", "being deleted: nothing is pushed any more");
  draft.status().delivery.reset();
  return draft.wake(o.now).finish();
}

Decision install(const Observation& o, const api::DeliveryStatus& delivery) {
  const Failure* failure = failure_of(o, effect::Push::kName);
  if ((o.pushed == delivery.revision && failure == nullptr) || seen_having(o, delivery.revision, delivery.started_at))
    return installed(o, delivery.revision);
  // With credentials that are good for the status call it is the certificate that was refused, and nothing else.
  if (failure != nullptr && failure->error.code == ports::kCertificateRefused && o.look && o.look->health)
    return refused(o, delivery, failure->error);
  const auto wait = wait_for(o, {effect::Push::kName, effect::LookAtEdge::kName, effect::SetFinalizer::kName});
  if (wait) failure = wait->failure;
  Draft draft =
      delivering(o, Phase::kDelivering, failure != nullptr ? reason_of(*failure) : "Pushing",
                 failure != nullptr ? failure->error.message() : "pushing " + revision_text(delivery.revision));
  if (wait) return draft.wake(wait->until).finish();
  // Held until the Edge is proved to be well with it, or has its previous certificate back: an object that goes away in
  // between would leave the Edge to nobody.
  if (!holds_finalizer(o) && !o.object.meta.deleting()) return draft.effect(effect::SetFinalizer{true}).finish();
  if (auto claim = claim_slots(o, delivery)) return *std::move(claim);
  // A lost answer, or an operator that died in between: the Edge itself knows whether it has the certificate.
  if (!looked_since(o, delivery.started_at)) return draft.effect(effect::LookAtEdge{}).finish();
  if (auto undrained = edge_drained(o, delivery)) return *std::move(undrained);
  const auto& drain = o.object.status.drain;
  const TimePoint may_begin = drain && drain->ended_at ? *drain->ended_at : delivery.started_at;
  if (!looked_since(o, may_begin)) return draft.effect(effect::LookAtEdge{}).finish();
  if (o.object.meta.deleting()) return called_off(o);
  if (o.now > may_begin + kLongestUpload) return put_off(o, delivery);
  return draft.effect(effect::Push{delivery.revision}).finish();
}

// --- observing

struct Findings {
  bool good_long_enough = false;
  bool roll_back = false;
  std::string reason;
  bool may_be_the_site = false;  // an outage of the whole site would explain it
};

Findings judge(const Observation& o, const api::DeliveryStatus& delivery, const api::EffectiveRotation& rotation) {
  const TimePoint settled = *delivery.installed_at + rotation.settle;
  // What was seen before this certificate was installed says nothing about it.
  const bool is_about_this = o.health.last_at && *o.health.last_at >= *delivery.installed_at;
  const HealthRecord record = is_about_this ? o.health : HealthRecord{};
  const bool looked_after_settle = record.last_at && *record.last_at >= settled;
  if (is_requested(o, api::kRollbackRequestedAt)) return {.roll_back = true, .reason = "asked for by annotation"};
  Findings bad{.roll_back = true, .reason = record.reason, .may_be_the_site = !record.of_certificate};
  if (record.severe_in_row >= rotation.fail_after) return bad;
  if (looked_after_settle && is_bad(record.last) && record.bad_in_row >= rotation.fail_after) return bad;
  if (record.last != Health::kGood || !looked_after_settle) return {};
  return {.good_long_enough = std::min(record.good_for, *record.last_at - *delivery.installed_at) >= rotation.period};
}

Decision promote(const Observation& o, const api::DeliveryStatus& delivery) {
  const std::string message = revision_text(delivery.revision) + " is live and the Edge is healthy with it";
  const std::string evidence = o.look ? evidence_of(*o.look) : std::string{};
  Draft draft = delivering(o, Phase::kReady, "Ready", message);
  auto& status = draft.status();
  if (status.revision && *status.revision != delivery.revision)
    remember(status, o, *status.revision, api::RevisionResult::kSuperseded,
             "replaced by " + revision_text(delivery.revision));
  remember(status, o, delivery.revision, api::RevisionResult::kActive, message, evidence);
  status.revision = delivery.revision;
  status.delivery.reset();
  status.failures.reset();
  status.next_attempt.reset();
  const StoredRevision* live = is_sourced(o) ? nullptr : stored(o, delivery.revision);
  draft.next(live != nullptr && live->chain ? renews_at(renewal_of(o, *live)) : std::string{});
  return draft.announce(false, "Rotated", with_evidence(message, evidence)).wake(o.now).finish();
}

// What the delivery began with, or what else is stored by now: any certificate that was good is better than a bad one.
std::optional<int> way_back(const Observation& o, const api::DeliveryStatus& delivery) {
  if (can_return_to(o, delivery.fallback)) return delivery.fallback;
  return previous(o, delivery.revision);
}

// Its port serves, since the push, what is none of ours, and the Edge is well with it: one that is not may present what
// it fell back to by itself. Where a foreign certificate is to be replaced that may still be the one from before; else
// there was none, or no push would have begun.
bool is_taken_over(const Observation& o, const api::DeliveryStatus& delivery) {
  const TimePoint since = delivery.rolling_back_since.value_or(*delivery.installed_at);
  const bool seen = o.look && o.look->served && o.look->at >= since && o.look->at <= o.now;
  const bool is_well = seen && o.look->health && o.look->health->state != ports::EdgeState::kCritical &&
                       o.look->health->sip != ports::SipState::kDown;
  return is_well && serves_foreign(o) && o.object.status.revision &&
         wish_for_foreign(o) == api::ForeignCertificate::kHold;
}

// Another operator, a person, or a later life of this one before the cluster was restored: nothing is pushed over it.
Decision taken_over(const Observation& o, const api::DeliveryStatus& delivery) {
  const std::string message = "the Edge serves a certificate that is not ours (serial " +
                              o.look->served->serial_number + "), put there after " + revision_text(delivery.revision);
  Draft draft = delivering(o, Phase::kHeld, "ForeignCertificate", message);
  auto& status = draft.status();
  if (delivery.rolling_back_since) {
    remember(status, o, delivery.revision, api::RevisionResult::kRolledBack, message + "; " + delivery.verdict,
             delivery.evidence);
    count_failure(status, o);
  }
  status.delivery.reset();
  mark_handled(status, o, api::kRollbackRequestedAt);
  return draft.stalled().announce(true, "ForeignCertificate", message).wake(o.now).finish();
}

Decision look_when_due(Draft draft, const Observation& o, TimePoint due) {
  return o.now < due ? draft.wake(due).finish() : draft.effect(effect::LookAtEdge{.closely = true}).finish();
}

// Nothing to return to: the Edge is watched on, in case it recovers, and a person is told.
Decision rollback_impossible(const Observation& o, const api::DeliveryStatus& delivery, const std::string& reason,
                             TimePoint look_again) {
  const std::string message = "the Edge is not well with " + revision_text(delivery.revision) + " (" + reason +
                              ") and no earlier certificate is stored that could be put back; when the cause is "
                              "mended, " +
                              how_to_try_again(o, o.object.status);
  Draft draft = delivering(o, Phase::kFailed, "RollbackImpossible", message);
  if (delivery.verdict.empty()) draft.announce(true, "RollbackImpossible", message);
  draft.status().delivery->verdict = reason;
  mark_handled(draft.status(), o, api::kRollbackRequestedAt);
  leave_policy_to_others(draft.status());
  draft.stalled().next("needs a person");
  return look_when_due(std::move(draft), o, look_again);
}

// A person has seen that nothing can be put back, and asks for another certificate or has changed the spec: this one is
// given up, although the Edge goes on serving it for now.
Decision abandon(const Observation& o, const api::DeliveryStatus& delivery) {
  const std::string message = "the Edge is not well with " + revision_text(delivery.revision) + ": " + delivery.verdict;
  Draft draft = delivering(o, Phase::kPending, "Rejected", message);
  remember(draft.status(), o, delivery.revision, api::RevisionResult::kRejected, message);
  draft.status().revision = delivery.revision;
  draft.status().delivery.reset();
  return draft.wake(o.now).finish();
}

// Nobody can tell whether the Edge is well. It is watched on, for nothing else is safe; a person is told.
void no_verdict(Draft& draft, const Observation& o, const api::DeliveryStatus& delivery) {
  const std::string why = o.health.doubt.empty() ? "its status says neither" : o.health.doubt;
  const std::string message =
      "nobody can tell whether the Edge is well with " + revision_text(delivery.revision) + ": " + why;
  draft.phase(Phase::kObserving, "VerdictUnavailable", message).stalled().next("needs a person");
}

// The site as a whole is down: nothing is known about the certificate, and nothing counts until that is over.
std::optional<std::string> held_by(const Observation& o, const Findings& found) {
  if (found.roll_back && !found.may_be_the_site) return std::nullopt;
  if (found.roll_back) {
    const auto site = site_failure(o);
    return site ? std::optional(found.reason + "; " + site->message) : std::nullopt;
  }
  return o.health.last == Health::kHeld ? std::optional(o.health.reason) : std::nullopt;
}

// From when on somebody should know that there is no verdict yet.
TimePoint overdue(const Observation& o, const api::DeliveryStatus& delivery) {
  const api::EffectiveRotation rotation = rotation_of(o);
  return *delivery.installed_at + rotation.settle + 3 * rotation.period + kPutOff;
}

Decision hold(const Observation& o, const api::DeliveryStatus& delivery, const std::string& why, TimePoint look_again) {
  const std::string message = "no verdict on " + revision_text(delivery.revision) + ": " + why;
  Draft draft = delivering(o, Phase::kObserving, "SiteWideFailure", message);
  const auto* said = api::find(o.object.status.conditions, api::condition::kReconciling);
  if (said == nullptr || said->reason != "SiteWideFailure") draft.announce(true, "SiteWideFailure", message);
  draft.next("waits for the site");
  if (o.now > overdue(o, delivery)) draft.stalled().next("needs a person");
  return look_when_due(std::move(draft), o, look_again);
}

Decision observe(const Observation& o, const api::DeliveryStatus& delivery) {
  const api::EffectiveRotation rotation = rotation_of(o);
  const bool looked = o.health.last_at && *o.health.last_at <= o.now;
  const TimePoint look_again = looked ? *o.health.last_at + rotation.interval : o.now;
  const Findings found = judge(o, delivery, rotation);
  if (found.good_long_enough) return promote(o, delivery);
  if (const auto why = delivery.verdict.empty() ? held_by(o, found) : std::nullopt)
    return hold(o, delivery, *why, look_again);
  if (found.roll_back && is_taken_over(o, delivery)) return taken_over(o, delivery);
  if (const auto back = found.roll_back ? way_back(o, delivery) : std::nullopt) {
    api::DeliveryStatus seen = delivery;
    if (o.look) seen.evidence = evidence_of(*o.look);
    return going_back(o, std::move(seen), *back, found.reason).effect(effect::Push{*back, true}).finish();
  }
  const bool changed = o.object.status.observed_generation != o.object.meta.generation;
  if (!delivery.verdict.empty() && o.health.last != Health::kGood &&
      (changed || is_requested(o, api::kRenewRequestedAt) || offers_another(o, o.object.status)))
    return abandon(o, delivery);
  if (found.roll_back) return rollback_impossible(o, delivery, found.reason, look_again);
  if (!delivery.verdict.empty() && o.health.last != Health::kGood)
    return rollback_impossible(o, delivery, delivery.verdict, look_again);
  Draft draft = delivering(o, Phase::kObserving, "Observing",
                           "the Edge has taken " + revision_text(delivery.revision) + "; watching it");
  draft.next("observes " + revision_text(delivery.revision));
  if (auto hold = hold_finalizer(o, draft)) return *hold;
  if (looked && o.health.last == Health::kUnknown && o.now > overdue(o, delivery)) no_verdict(draft, o, delivery);
  return look_when_due(std::move(draft), o, look_again);
}

// --- rolling back

Decision rolled_back(const Observation& o, const api::DeliveryStatus& delivery) {
  const std::string message = revision_text(delivery.revision) + " was rolled back to " +
                              revision_text(delivery.fallback) + ": " + delivery.verdict;
  Draft draft = delivering(o, Phase::kRolledBack, "RolledBack", message);
  auto& status = draft.status();
  remember(status, o, delivery.revision, api::RevisionResult::kRolledBack, message, delivery.evidence);
  status.revision = delivery.fallback;
  count_failure(status, o);
  status.delivery.reset();
  mark_handled(status, o, api::kRollbackRequestedAt);  // asked for meanwhile, it is done with this one
  return draft.announce(true, "RolledBack", message).wake(o.now).finish();
}

// How long the Edge may take to be seen with what it was given.
api::Duration patience(const api::EffectiveRotation& rotation) { return rotation.settle + 60s; }

Decision push_back(Draft draft, const Observation& o, const api::DeliveryStatus& delivery) {
  // Counted anew, so that the Edge has its time for this push too; not at every try of one that fails.
  constexpr auto kNotAnew = 30s;
  if (o.now > *delivery.rolling_back_since + kNotAnew)
    draft.status().delivery->rolling_back_since = std::chrono::floor<std::chrono::seconds>(o.now);
  return draft.effect(effect::Push{delivery.fallback, true}).finish();
}

// The previous certificate has expired meanwhile, or its Secrets are gone: the Edge is watched on with what it has.
Decision nothing_left(const Observation& o, const api::DeliveryStatus& delivery) {
  const std::string message =
      revision_text(delivery.fallback) + " cannot be put back any more: it is not stored whole, or has expired";
  Draft draft = delivering(o, Phase::kFailed, "RollbackImpossible", message);
  draft.status().delivery->fallback = -1;
  draft.status().delivery->rolling_back_since.reset();
  return draft.stalled().announce(true, "RollbackImpossible", message).next("needs a person").wake(o.now).finish();
}

// The push is acknowledged; the Edge restarts its SIP service for the previous certificate as it did for the rejected
// one. Seen serving it is the end.
Decision await_previous(Draft draft, const Observation& o, const api::DeliveryStatus& delivery) {
  const api::EffectiveRotation rotation = rotation_of(o);
  const TimePoint since = *delivery.rolling_back_since;
  const bool looked = o.look && o.look->at >= since && o.look->at <= o.now;
  // Without any word from status call or port it is believed in the end.
  if (looked && o.look->fingerprint().empty() && o.now > since + rotation.settle + 30s) return rolled_back(o, delivery);
  if (auto hold = hold_finalizer(o, draft)) return *hold;
  const TimePoint again = looked ? o.look->at + std::min<api::Duration>(rotation.interval, 2s) : o.now;
  if (o.now < again) return draft.wake(again).finish();
  const bool late = looked && o.look->at > since + patience(rotation);
  return late ? push_back(std::move(draft), o, delivery) : draft.effect(effect::LookAtEdge{}).finish();
}

Decision roll_back(const Observation& o, const api::DeliveryStatus& delivery) {
  const TimePoint since = *delivery.rolling_back_since;
  // Out of service its port need not answer.
  const bool has_it =
      o.object.status.drain ? seen_having(o, delivery.fallback, since) : seen_serving(o, delivery.fallback, since);
  if (has_it) return rolled_back(o, delivery);
  if (is_taken_over(o, delivery)) return taken_over(o, delivery);
  if (!can_return_to(o, delivery.fallback)) return nothing_left(o, delivery);
  Draft draft = delivering(o, Phase::kRollingBack, "RollingBack",
                           "putting " + revision_text(delivery.fallback) + " back: " + delivery.verdict);
  draft.next("puts " + revision_text(delivery.fallback) + " back");
  const Failure* failure = failure_of(o, effect::Push::kName);
  if (failure != nullptr) {
    draft.phase(
        Phase::kRollingBack, reason_of(*failure),
        "putting " + revision_text(delivery.fallback) + " back failed and is tried again: " + failure->error.message());
    if (const auto wait = wait_for(o, {effect::Push::kName})) return draft.wake(wait->until).finish();
  }
  if (o.pushed == delivery.fallback && failure == nullptr) return await_previous(std::move(draft), o, delivery);
  if (!looked_since(o, since)) return draft.effect(effect::LookAtEdge{}).finish();
  return push_back(std::move(draft), o, delivery);
}

// --- out of service

// An Edge that takes no calls is not judged: it would look bad with any certificate. But one that does not come back
// with the new certificate gets the previous one, and who asks for that need not wait either.
Decision while_out_of_service(const Observation& o, const api::DeliveryStatus& delivery) {
  Decision back = *edge_back_in_service(o);
  if (!back.status.drain) return back;
  if (delivery.rolling_back_since) {
    Decision rolling = roll_back(o, delivery);
    const bool waits = !rolling.effect && rolling.wake_at > o.now;
    return waits ? back : rolling;
  }
  const api::EffectiveRotation rotation = rotation_of(o);
  const bool asked = is_requested(o, api::kRollbackRequestedAt);
  if (!asked && !stays_out_of_service(o, rotation.settle + rotation.period)) return back;
  const auto previous = way_back(o, delivery);
  if (!previous) return back;
  const std::string why = asked ? "asked for by annotation" : "the Edge does not come back into service with it";
  return going_back(o, delivery, *previous, why).effect(effect::Push{*previous, true}).finish();
}

// A clock that was set back has left times in the future, for which nothing should wait: the step begins anew.
std::optional<Decision> restarted(const Observation& o, const api::DeliveryStatus& delivery) {
  const TimePoint now = std::chrono::floor<std::chrono::seconds>(o.now);
  const auto ahead = [&](const std::optional<TimePoint>& time) { return time && *time > o.now; };
  const auto& drain = o.object.status.drain;
  const bool drain_is_ahead = drain && (ahead(drain->since) || ahead(drain->ended_at));
  if (!ahead(delivery.started_at) && !ahead(delivery.installed_at) && !ahead(delivery.rolling_back_since) &&
      !drain_is_ahead)
    return std::nullopt;
  Draft draft = delivering(o, o.object.status.phase.value_or(Phase::kDelivering), "ClockSetBack",
                           "the clock was set back in the middle of a delivery: this step begins anew");
  auto& status = *draft.status().delivery;
  if (ahead(status.started_at)) status.started_at = now;
  if (ahead(status.installed_at)) status.installed_at = now;
  if (ahead(status.rolling_back_since)) status.rolling_back_since = now;
  if (drain_is_ahead) draft.status().drain->since = now;
  if (drain && ahead(drain->ended_at)) draft.status().drain->ended_at = now;
  return draft.wake(o.now).finish();
}

}  // namespace

Verdict delivery_under_way(const Observation& o) {
  if (!o.object.status.delivery) return std::nullopt;
  const api::DeliveryStatus& delivery = *o.object.status.delivery;
  std::string missing = what_is_missing(o);
  if (missing.empty() && !o.connection->spec.certificate_upload)
    missing = "certificateUpload of GenesysConnection " + o.connection->meta.name + " is gone";
  if (!missing.empty()) {
    if (o.object.meta.deleting()) return called_off(o);  // its surroundings went with it
    if (auto back = edge_back_in_service(o)) return back;
    return delivering(o, o.object.status.phase.value_or(Phase::kDelivering), "DeliveryInterrupted",
                      missing + " in the middle of a delivery: put it right")
        .stalled()
        .finish();
  }
  if (auto again = restarted(o, delivery)) return again;
  if (delivery.installed_at && o.object.status.drain) return while_out_of_service(o, delivery);
  if (delivery.rolling_back_since) return roll_back(o, delivery);
  if (!delivery.installed_at) return install(o, delivery);
  return observe(o, delivery);
}

}  // namespace edgetrust::decide::certificate::rules
