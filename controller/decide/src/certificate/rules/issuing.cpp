// From the key to the stored bundle (steps 1 to 3 of the rotation; RFC 8555 section 7.1 for the states of an order).
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;
using ports::AuthorizationStatus;
using ports::ChallengeStatus;
using ports::OrderStatus;

constexpr auto kPollEvery = 2s;

Draft issuing(const Observation& o, std::string reason, std::string message) {
  Draft draft(o, {});
  draft.phase(Phase::kIssuing, std::move(reason), std::move(message))
      .next("issues revision " +
            std::to_string(draft.status().order ? draft.status().order->revision : next_revision(o)));
  auto& order = draft.status().order;
  if (order && o.order && o.order->order.url == order->url && !order->expires) order->expires = o.order->order.expires;
  return draft;
}

// After a failed order: an hour, doubling to 32 hours; sooner when little time is left (RFC 8555 says nothing;
// cert-manager's figures).
TimePoint order_retry(const Observation& o, int failures) {
  auto wait = Backoff{.first = 1h, .ceiling = 32h, .jitter = 0}.after(failures, 0);
  if (const auto& end = o.object.status.not_after; end && *end > o.now)
    wait = std::min<std::chrono::milliseconds>(wait, (*end - o.now) / 10 + 1min);
  return std::chrono::floor<std::chrono::seconds>(o.now + wait);
}

// The CA, or the world it looks at, said no. The order is given up, the key is kept; its records are removed by
// order_cleaned_up.
Decision order_failed(const Observation& o, const std::string& reason, const std::string& message) {
  Draft draft = issuing(o, reason, message);
  auto& status = draft.status();
  status.failures = status.failures.value_or(0) + 1;
  status.next_attempt = order_retry(o, *status.failures);
  status.order->url.clear();
  status.order->expires.reset();
  status.order->records_since.reset();
  if (status.order->records.empty()) status.order.reset();
  return draft.announce(true, reason, message)
      .next("tries again " + format_rfc3339(*status.next_attempt))
      .wake(*status.next_attempt)
      .finish();
}

// When the order is worth another look.
TimePoint next_poll(const OrderLook& look) {
  return look.at + std::clamp<std::chrono::milliseconds>(look.order.retry_after.value_or(kPollEvery), 1s, 1h);
}

Decision poll(const Observation& o, std::string reason, std::string message) {
  Draft draft = issuing(o, std::move(reason), std::move(message));
  const TimePoint at = next_poll(*o.order);
  if (o.now < at) return draft.wake(at).finish();
  return draft.effect(effect::LookAtOrder{o.object.status.order->url}).finish();
}

ports::OrderRequest request_for(const Observation& o) {
  return {.dns_names = o.object.spec.dns_names,
          .ip_addresses = o.object.spec.ip_addresses,
          .profile = o.issuer->spec.profile,
          .replaces = {}};
}

// The authorizations that still need an answer.
std::vector<const ports::Authorization*> open_authorizations(const ports::Order& order) {
  std::vector<const ports::Authorization*> open;
  for (const auto& authorization : order.authorizations) {
    if (authorization.status == AuthorizationStatus::kPending) open.push_back(&authorization);
  }
  return open;
}

api::Propagation propagation_of(const Observation& o, const std::string& identifier) {
  const api::Solver* solver = api::solver_for(o.issuer->spec, identifier);
  if (solver == nullptr || !solver->dns01 || !solver->dns01->propagation) return {};
  return *solver->dns01->propagation;
}

// dns-01 (RFC 8555 section 8.4): records written down, written, seen everywhere, the floor waited out, then the server
// is told.
Decision answer(const Observation& o, const ports::Order& order) {
  const auto open = open_authorizations(order);
  std::vector<api::TxtRecord> records;
  api::Duration wait{};
  api::Duration timeout{};
  for (const auto* authorization : open) {
    if (!authorization->dns)
      return order_failed(o, "NoDnsChallenge", "the CA offers no dns-01 challenge for " + authorization->identifier);
    if (api::solver_for(o.issuer->spec, authorization->identifier) == nullptr) {
      return order_failed(o, "NoSolver",
                          "no solver of AcmeIssuer " + o.issuer->meta.name + " serves " + authorization->identifier);
    }
    records.push_back({authorization->dns->record_name, authorization->dns->record_value});
    const api::Propagation propagation = propagation_of(o, authorization->identifier);
    wait = std::max(wait, propagation.wait.value_or(api::kDefaultPropagationWait));
    timeout = std::max(timeout, propagation.timeout.value_or(api::kDefaultPropagationTimeout));
  }

  Draft draft = issuing(o, "Answering", "answering the challenges of the order");
  auto& tracked = *draft.status().order;
  for (const auto& record : records) {
    if (std::ranges::find(tracked.records, record) == tracked.records.end()) tracked.records.push_back(record);
  }
  if (!holds_finalizer(o)) return draft.effect(effect::SetFinalizer{true}).finish();
  for (const auto& record : records) {
    if (!o.presented.contains(record_id(record))) return draft.effect(effect::PresentRecord{record}).finish();
  }
  if (!tracked.records_since) tracked.records_since = std::chrono::floor<std::chrono::seconds>(o.now);
  if (!o.records || !o.records->everywhere) {
    if (o.records && o.now > *tracked.records_since + timeout) {
      return order_failed(
          o, "PropagationTimeout",
          "a TXT record did not reach every name server in " + format_duration(timeout) + ": " + o.records->missing);
    }
    if (o.records && o.now < o.records->at + kPollEvery) return draft.wake(o.records->at + kPollEvery).finish();
    return draft.effect(effect::LookForRecords{records}).finish();
  }
  if (const TimePoint floor = *tracked.records_since + wait; o.now < floor) return draft.wake(floor).finish();
  for (const auto* authorization : open) {
    if (authorization->dns->status == ChallengeStatus::kPending && !o.answered.contains(authorization->dns->url)) {
      return draft.effect(effect::AnswerChallenge{authorization->dns->url}).finish();
    }
  }
  return poll(o, "Validating", "the CA is looking at the records");
}

std::string why_invalid(const ports::Order& order) {
  for (const auto& authorization : order.authorizations) {
    if (authorization.dns && authorization.dns->error)
      return authorization.identifier + ": " + authorization.dns->error->message();
  }
  return order.error ? order.error->message() : "the CA gave no reason";
}

Decision follow_order(const Observation& o, int revision) {
  const auto& order = o.order->order;
  const auto& tracked = *o.object.status.order;
  switch (order.status) {
    case OrderStatus::kPending:
      return open_authorizations(order).empty() ? poll(o, "Validating", "the CA is looking at the records")
                                                : answer(o, order);
    case OrderStatus::kReady:
      return issuing(o, "Finalizing", "sending the request for revision " + std::to_string(revision))
          .effect(effect::FinalizeOrder{revision, tracked.url, wanted_names(o.object.spec)})
          .finish();
    case OrderStatus::kProcessing: return poll(o, "Processing", "the CA is issuing");
    case OrderStatus::kValid:
      return issuing(o, "Downloading", "fetching revision " + std::to_string(revision))
          .effect(effect::StoreBundle{revision, order.certificate_url})
          .finish();
    case OrderStatus::kInvalid:
      return order_failed(o, "OrderInvalid", "the CA refused the order: " + why_invalid(order));
  }
  return poll(o, "Processing", "the CA is issuing");
}

// A new try after a revision that did not make it: when, if at all.
Verdict may_begin(const Observation& o) {
  const auto& status = o.object.status;
  const bool changed = status.observed_generation != o.object.meta.generation;
  const int failures = status.failures.value_or(0);
  const bool ended_badly = !status.history.empty() && is_rejected(o, status.history.front().revision);
  if (changed || failures == 0 || is_requested(o, api::kRenewRequestedAt)) return std::nullopt;
  const api::EffectiveRotation rotation = rotation_of(o);
  if (ended_badly && (rotation.retry != api::RetryPolicy::kNextWindow || failures >= rotation.max_attempts)) {
    return Draft(o, {})
        .phase(Phase::kRolledBack, "RolledBack",
               status.history.front().message + "; set the annotation " + std::string(api::kRenewRequestedAt) +
                   " to try again")
        .stalled()
        .next("needs a decision")
        .finish();
  }
  if (!status.next_attempt || o.now >= *status.next_attempt) return std::nullopt;
  Draft draft(o, {});
  if (ended_badly) {
    draft.phase(Phase::kRolledBack, "RolledBack", status.history.front().message);
  } else {
    const api::Condition* issued = api::find(status.conditions, api::condition::kIssued);
    const bool told = issued != nullptr && issued->status == api::Truth::kFalse;
    draft.phase(Phase::kIssuing, told ? issued->reason : "OrderFailed", told ? issued->message : "the last order failed");
  }
  return draft.next("tries again " + format_rfc3339(*status.next_attempt)).wake(*status.next_attempt).finish();
}

Verdict issuer_usable(const Observation& o) {
  const std::string& name = o.object.spec.issuer_ref->name;
  if (!o.issuer) return issuing(o, "IssuerNotFound", "there is no AcmeIssuer " + name + " in this namespace").finish();
  if (o.issuer->broken)
    return issuing(o, "IssuerInvalid", "AcmeIssuer " + name + ": " + o.issuer->broken->message()).finish();
  return std::nullopt;
}

Decision begin(const Observation& o, const std::string& why) {
  const int revision = next_revision(o);
  Draft draft(o, {});
  draft.status().order = api::OrderStatus{.revision = revision};
  mark_handled(draft.status(), o, api::kRenewRequestedAt);
  const StoredRevision* serving = active(o);
  const bool keep = o.object.spec.private_key &&
                    o.object.spec.private_key->rotation_policy == api::KeyRotation::kNever && serving != nullptr &&
                    serving->has_key && serving->chain->key == wanted_key(o.object.spec);
  draft.phase(Phase::kIssuing, "CreatingKey", "revision " + std::to_string(revision) + ": " + why)
      .next("issues revision " + std::to_string(revision))
      .announce(false, "Issuing", "begins revision " + std::to_string(revision) + ": " + why)
      .effect(
          effect::CreateKey{revision, wanted_key(o.object.spec), keep ? std::optional(serving->number) : std::nullopt});
  return draft.finish();
}

Decision continue_issuing(const Observation& o, int revision) {
  const StoredRevision* kept = stored(o, revision);
  const auto& order = o.object.status.order;
  if (const auto at = retry_time(o))
    return issuing(o, reason_of(*o.failure), o.failure->error.message()).wake(*at).finish();
  if (!order || order->revision != revision) {  // a key without an order: found again after a restore
    Draft draft(o, {});
    draft.status().order = api::OrderStatus{.revision = revision};
    mark_handled(draft.status(), o, api::kRenewRequestedAt);
    return draft.phase(Phase::kIssuing, "Ordering", "resuming revision " + std::to_string(revision))
        .wake(o.now)
        .finish();
  }
  if (kept == nullptr || !kept->has_key) {
    return issuing(o, "CreatingKey", "making the key of revision " + std::to_string(revision))
        .effect(effect::CreateKey{revision, wanted_key(o.object.spec), {}})
        .finish();
  }
  if (order->url.empty()) {
    if (o.new_order_url) {  // written down before anything else is done with it
      Draft draft = issuing(o, "Ordered", "the CA has the order");
      draft.status().order->url = *o.new_order_url;
      return draft.wake(o.now).finish();
    }
    const bool answer_may_be_lost = o.key_made != revision || o.failure.has_value();
    return issuing(o, "Ordering", "asking for revision " + std::to_string(revision))
        .effect(effect::NewOrder{revision, request_for(o), answer_may_be_lost})
        .finish();
  }
  const bool forgotten =
      o.failure && o.failure->effect == effect::LookAtOrder::kName && o.failure->error.kind == ErrorKind::kNotFound;
  if (forgotten || (order->expires && o.now > *order->expires))
    return order_failed(o, "OrderLost", "the CA no longer knows the order");
  if (!o.order || o.order->order.url != order->url)
    return issuing(o, "Ordered", "looking at the order").effect(effect::LookAtOrder{order->url}).finish();
  return follow_order(o, revision);
}

}  // namespace

Verdict order_cleaned_up(const Observation& o) {
  const auto& order = o.object.status.order;
  if (!order) return std::nullopt;
  const StoredRevision* kept = stored(o, order->revision);
  const bool issued = kept != nullptr && kept->chain;
  const bool given_up = order->url.empty() && !order->records.empty();
  const bool superseded = candidate(o) != std::optional(order->revision);
  if (!issued && !given_up && !superseded) return std::nullopt;
  Draft draft(o, {});
  draft.unchanged();
  for (const auto& record : order->records) {
    if (o.removed.contains(record_id(record))) continue;
    if (!o.issuer) break;  // nobody knows any more how to reach the zone
    if (const auto at = retry_time(o); at && o.failure->effect == effect::RemoveRecord::kName) {
      return draft.phase(*draft.status().phase, reason_of(*o.failure), o.failure->error.message()).wake(*at).finish();
    }
    return draft.effect(effect::RemoveRecord{record}).finish();
  }
  draft.status().order.reset();
  return draft.wake(o.now).finish();
}

Verdict revision_issued(const Observation& o) {
  const auto next = candidate(o);
  const StoredRevision* kept = next ? stored(o, *next) : nullptr;
  if (kept != nullptr && kept->chain) return std::nullopt;  // issued: the rest is delivery
  if (next) {
    if (const auto wait = may_begin(o)) return wait;
    if (const auto missing = issuer_usable(o)) return missing;
    return continue_issuing(o, *next);
  }
  const auto why = due(o);
  if (!why) return std::nullopt;
  if (const auto wait = may_begin(o)) return wait;
  if (const auto missing = issuer_usable(o)) return missing;
  return begin(o, *why);
}

}  // namespace edgetrust::decide::certificate::rules
