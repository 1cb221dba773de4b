// Out of service for a push, where calls are drained, and back whatever comes of it. status.drain is written before the
// Edge is taken out, and stays until it has been seen in service again.
#include "edgetrust/decide/drain.hpp"

#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;

constexpr auto kSeenAgainAfter = 5s;  // the API lags behind
constexpr auto kAskedAgainAfter = 60s;
constexpr int kManyFailures = 5;
constexpr auto kTakesLong = 3min;  // it was asked back, and is not

std::string edge_text(const Observation& o) { return "Edge " + o.object.spec.edge_ref.name; }

// What the vendor said since the last request to change it.
const ports::EdgeInfo* seen(const Observation& o) {
  return o.service && o.service->at <= o.now ? &o.service->edge : nullptr;
}
// It may be drained: nobody else has taken it out of service.
bool may_be_drained(const Observation& o, const ports::EdgeInfo& edge) {
  const bool waits = rotation_of(o).software_update == api::SoftwareUpdateRule::kWait && updates_software(edge);
  return is_in_service(edge) && !waits;
}
// What runs out does not wait for an API that does not answer: its push goes another way.
bool does_without(const Observation& o) {
  return is_urgent(o) && failure_of(o, effect::LookAtService::kName) != nullptr;
}
bool is_fresh(const Observation& o) { return seen(o) != nullptr && o.now <= o.service->at + kLookIsFresh; }

// --- out of service

// Nothing was pushed, and nothing will be now. The Edge goes back into service next.
Draft called_off(const Observation& o, std::string reason, std::string message) {
  Draft draft(o);
  draft.status().delivery.reset();
  mark_handled(draft.status(), o, api::kRollbackRequestedAt);  // nothing is left that it could be about
  draft.phase(Phase::kWaiting, std::move(reason), std::move(message)).wake(o.now);
  return draft;
}

Decision calls_ended(const Observation& o, const api::DeliveryStatus& delivery) {
  Draft draft(o);
  draft.status().drain->ended_at = std::chrono::floor<std::chrono::seconds>(o.now);
  return draft.phase(Phase::kDelivering, "Pushing", "pushing " + revision_text(delivery.revision))
      .next("pushes " + revision_text(delivery.revision))
      .wake(o.now)
      .finish();
}

// What runs out is pushed all the same: calls may drop, but without a certificate there are none.
Decision not_drained(const Observation& o, const api::DeliveryStatus& delivery, std::string reason,
                     const std::string& why) {
  if (is_urgent(o)) {
    const std::string message = revision_text(delivery.revision) + " is urgent and pushed all the same: " + why;
    Decision decision = calls_ended(o, delivery);
    decision.announcements.push_back({true, std::move(reason), message});
    return decision;
  }
  Draft draft = called_off(o, reason, revision_text(delivery.revision) + " was not pushed: " + why);
  const TimePoint again = next_window(o);
  draft.status().next_attempt = again;
  return draft.announce(true, std::move(reason), why + "; tried again " + format_rfc3339(again) + " or later").finish();
}

// It does not go out of service at all: the same as with a push that fails.
Decision refused_to_drain(const Observation& o, const Failure& failure) {
  Draft draft = called_off(o, reason_of(failure),
                           edge_text(o) + " could not be taken out of service: " + failure.error.message());
  draft.status().next_attempt = std::chrono::floor<std::chrono::seconds>(o.now + kPutOff);
  return draft.announce(true, "PushPutOff", failure.error.message()).finish();
}

Decision take_out(Draft draft, api::Duration timeout) {
  return draft.effect(effect::SetService{.in_service = false, .calls_may_last = calls_may_last(timeout)}).finish();
}

// Out of service by another hand it would never come back by ours: it is looked at right before.
Verdict begin(const Observation& o, const api::DeliveryStatus& delivery, api::Duration timeout) {
  if (o.now > delivery.started_at + kLongestUpload) return std::nullopt;  // too late, for the push as well
  Draft draft(o);
  draft.phase(Phase::kDraining, "Draining",
              edge_text(o) + " is taken out of service; its calls have " + format_duration(timeout) + " to end");
  draft.next("pushes " + revision_text(delivery.revision) + " when calls have ended");
  if (!is_fresh(o)) {
    if (does_without(o)) return std::nullopt;
    if (const auto wait = wait_for(o, {effect::LookAtService::kName}))
      return draft.phase(Phase::kDraining, reason_of(*wait->failure), wait->failure->error.message())
          .wake(wait->until)
          .finish();
    return draft.effect(effect::LookAtService{}).finish();
  }
  if (!is_in_service(*seen(o)))
    return called_off(o, "EdgeOutOfService", edge_text(o) + " is out of service: somebody has taken it out").finish();
  if (!may_be_drained(o, *seen(o)))
    return called_off(o, "SoftwareUpdate", edge_text(o) + " updates its software").finish();
  draft.status().drain = api::DrainStatus{.since = std::chrono::floor<std::chrono::seconds>(o.now), .ended_at = {}};
  draft.announce(false, "Draining", edge_text(o) + " is taken out of service until its calls have ended");
  return take_out(std::move(draft), timeout);
}

Decision wait_for_calls(const Observation& o, const api::DeliveryStatus& delivery, const api::DrainStatus& drain,
                        api::Duration timeout) {
  const TimePoint deadline = drain.since + timeout;
  if (o.now >= deadline)
    return not_drained(o, delivery, std::string(kDrainTimedOut),
                       describe_calls(seen(o)) + " on " + edge_text(o) + " after " + format_duration(timeout));
  const ports::EdgeInfo* edge = seen(o);
  const bool has_had_time = o.service && o.service->at >= drain.since + rotation_of(o).interval;
  if (edge != nullptr && is_free_of_calls(*edge, has_had_time)) return calls_ended(o, delivery);
  const Failure* failure = failure_of(o, effect::SetService::kName);
  const bool went_out = edge != nullptr && !edge->in_service;
  const bool may_ask = o.now <= drain.since + kAskedOutWithin;
  if (edge != nullptr && !went_out && !may_ask) {
    if (failure != nullptr && !is_urgent(o)) return refused_to_drain(o, *failure);
    return not_drained(o, delivery, std::string(kDrainUndone),
                       edge_text(o) + " is in service: somebody has put it back, or it did not go out");
  }
  const auto wait = wait_for(o, {effect::SetService::kName, effect::LookAtService::kName});
  Draft draft(o);
  draft.phase(Phase::kDraining, wait ? reason_of(*wait->failure) : "Draining",
              wait ? wait->failure->error.message()
                   : edge_text(o) + " is out of service; its calls have until " + format_rfc3339(deadline) + " to end");
  draft.next("pushes " + revision_text(delivery.revision) + " when calls have ended");
  if (wait) return draft.wake(std::min(wait->until, deadline)).finish();
  const bool asked = o.service_call && !o.service_call->in_service;
  if (edge != nullptr && !went_out && !asked) return take_out(std::move(draft), timeout);
  const TimePoint again = edge != nullptr ? o.service->at + rotation_of(o).interval : o.now;
  return o.now < again ? draft.wake(std::min(again, deadline)).finish()
                       : draft.effect(effect::LookAtService{}).finish();
}

// --- and back

// Seen in service after it was asked back; or when no request to go out can be on its way any more.
bool is_back(const Observation& o, const api::DrainStatus& drain) {
  if (seen(o) == nullptr || !seen(o)->in_service) return false;
  const bool asked_back = o.service_call && o.service_call->in_service;
  return asked_back || o.service->at >= drain.since + kAskedOutWithin + kAllAnsweredWithin;
}

Decision back(const Observation& o) {
  Draft draft(o);
  auto& status = draft.status();
  status.drain.reset();
  draft.announce(false, "BackInService", edge_text(o) + " is back in service").wake(o.now);
  if (!status.delivery || !status.delivery->installed_at) return draft.unchanged().finish();
  // What is seen from now on is about the certificate: the time to settle counts from here.
  if (!status.delivery->rolling_back_since)
    status.delivery->installed_at = std::chrono::floor<std::chrono::seconds>(o.now);
  return draft
      .phase(Phase::kObserving, "Observing",
             "the Edge has taken " + revision_text(status.delivery->revision) + "; watching it")
      .next("observes " + revision_text(status.delivery->revision))
      .finish();
}

bool takes_long(const Observation& o, api::Duration patience = kTakesLong) {
  return o.service_call && o.service_call->in_service && o.now >= o.service_call->since + patience;
}

Draft putting_back(const Observation& o) {
  Draft draft(o);
  const Failure* failure = failure_of(o, effect::SetService::kName);
  if (failure == nullptr) failure = failure_of(o, effect::LookAtService::kName);
  std::string trouble = what_is_missing(o);
  const bool for_a_person =
      !trouble.empty() || takes_long(o) ||
      (failure != nullptr && (retry_of(failure->error) == Retry::kAfterChange || failure->count >= kManyFailures));
  const bool is_in = seen(o) != nullptr && seen(o)->in_service;  // then it is only waited until that is certain
  if (trouble.empty() && !is_in && failure != nullptr) trouble = failure->error.message();
  if (trouble.empty() && !is_in && takes_long(o))
    trouble = "Genesys takes the request, and the Edge does not come back";
  if (!trouble.empty()) {
    const bool rolled_back = o.object.status.phase == Phase::kRolledBack;
    draft.phase(rolled_back ? Phase::kRolledBack : Phase::kDraining, "NotBackInService",
                edge_text(o) + " was taken out of service for a push and could not be put back (" + trouble +
                    "); it is tried again until it is in service: mend that, or put the Edge into service in Genesys");
    if (for_a_person) draft.stalled().next("needs a person");
    return draft;
  }
  if (!o.object.status.delivery || o.object.meta.deleting()) return draft.unchanged();
  return draft.phase(Phase::kDraining, "GoingBackIntoService", edge_text(o) + " goes back into service")
      .next("puts the Edge back into service");
}

// Service state as it was before the push, asked for again and again. A request that is refused need not stop anything:
// it may have been refused because the Edge never went out, or a person has put it back.
Decision put_back(const Observation& o, const api::DrainStatus& drain) {
  Draft draft = putting_back(o);
  const auto ask_later = wait_for(o, {effect::SetService::kName});
  const auto look_later = wait_for(o, {effect::LookAtService::kName});
  const bool asked = o.service_call && o.service_call->in_service && o.now < o.service_call->at + kAskedAgainAfter;
  if (!asked && !ask_later) return draft.effect(effect::SetService{.in_service = true}).finish();
  const TimePoint look_at = seen(o) != nullptr ? o.service->at + kSeenAgainAfter
                            : asked            ? o.now
                                               : drain.since + kAskedOutWithin + kAllAnsweredWithin;
  const bool looks = asked || seen(o) == nullptr;
  const TimePoint look = std::max(look_at, look_later ? look_later->until : look_at);
  if (looks && o.now >= look) return draft.effect(effect::LookAtService{}).finish();
  TimePoint wake = ask_later ? ask_later->until : o.service_call->at + kAskedAgainAfter;
  if (looks) wake = std::min(wake, look);
  return draft.wake(wake).finish();
}

}  // namespace

TimePoint next_window(const Observation& o) {
  TimePoint at = o.now + 24h;
  const auto slot = next_slot(rotation_of(o).windows, time_zone_of(o), o.now, 1s, {});
  if (slot && *slot) at = std::min(at, (*slot)->opens <= o.now ? (*slot)->closes : (*slot)->opens);
  at = std::max(at, o.now + kPutOff);
  if (const auto urgent = urgent_from(o); urgent && *urgent > o.now) at = std::min(at, *urgent);
  return std::chrono::floor<std::chrono::seconds>(at);
}

Verdict edge_drained(const Observation& o, const api::DeliveryStatus& delivery) {
  const auto timeout = rotation_of(o).drain_timeout;
  const auto& drain = o.object.status.drain;
  if (drain ? drain->ended_at.has_value() : (!timeout || o.object.meta.deleting())) return std::nullopt;
  // Nothing is pushed yet, and calls may take long to end: who wants it stopped need not wait for that.
  if (o.object.meta.deleting()) return called_off(o, "Deleted", "being deleted: nothing is pushed any more").finish();
  if (not_suspended(o))
    return called_off(o, "DrainCalledOff", "suspended or held before anything was pushed: nothing is pushed").finish();
  if (!timeout) return calls_ended(o, delivery);  // they are not waited for any longer
  return drain ? wait_for_calls(o, delivery, *drain, *timeout) : begin(o, delivery, *timeout);
}

Verdict edge_back_in_service(const Observation& o) {
  const auto& drain = o.object.status.drain;
  if (!drain) return std::nullopt;
  if (is_back(o, *drain)) return back(o);
  if (!what_is_missing(o).empty()) return putting_back(o).finish();
  return put_back(o, *drain);
}

bool stays_out_of_service(const Observation& o, api::Duration patience) {
  return takes_long(o, std::max<api::Duration>(kTakesLong, patience)) && seen(o) != nullptr && !seen(o)->in_service &&
         failure_of(o, effect::SetService::kName) == nullptr;
}

std::string cannot_be_put_back(const Observation& o) {
  if (std::string missing = what_is_missing(o); !missing.empty()) return missing;
  for (const auto effect : {effect::SetService::kName, effect::LookAtService::kName}) {
    const Failure* failure = failure_of(o, effect);
    if (failure != nullptr && failure->error.kind == ErrorKind::kNotFound) return failure->error.message();
  }
  return {};
}

Verdict wait_for_service(const Observation& o) {
  if (!rotation_of(o).drain_timeout) return std::nullopt;
  Draft draft(o);
  draft.next("waits for the Edge");
  const bool known = seen(o) != nullptr && o.now < o.service->at + kEdgeAgainAfter;
  if (known && !may_be_drained(o, *seen(o))) {
    const bool updates = is_in_service(*seen(o));
    return draft
        .phase(Phase::kWaiting, updates ? "SoftwareUpdate" : "EdgeOutOfService",
               updates ? "the Edge updates its software (" + seen(o)->software_status + ")"
                       : "the Edge is out of service: somebody has taken it out")
        .wake(o.service->at + kEdgeAgainAfter)
        .finish();
  }
  if (is_fresh(o) || does_without(o)) return std::nullopt;
  if (const auto wait = wait_for(o, {effect::LookAtService::kName}))
    return draft.phase(Phase::kWaiting, reason_of(*wait->failure), wait->failure->error.message())
        .wake(wait->until)
        .finish();
  return draft.phase(Phase::kWaiting, std::string(kLookingAtEdge), "asking whether the Edge is in service")
      .effect(effect::LookAtService{})
      .finish();
}

}  // namespace edgetrust::decide::certificate::rules
