// From the key to the stored bundle (RFC 8555 section 7.1 for the states of an order).
#include "certificate/ca_limits.hpp"
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>
#include <set>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;
using ports::AuthorizationStatus;
using ports::OrderStatus;

constexpr std::string_view kProblem = "urn:ietf:params:acme:error:";

// After a failed order: an hour, doubling to 32 hours; sooner when little time is left (RFC 8555 says nothing;
// cert-manager's figures).
TimePoint order_retry(const Observation& o, int failures) {
  auto wait = Backoff{.first = 1h, .ceiling = kLongestOrderBackoff, .jitter = 0}.after(failures, 0);
  if (const auto& end = o.object.status.not_after; end && *end > o.now)
    wait = std::min<std::chrono::milliseconds>(wait, (*end - o.now) / 10 + 1min);
  return std::chrono::floor<std::chrono::seconds>(o.now + wait);
}

// What it has left pending counts against the CA's limits until it expires.
void abandon_authorizations(api::OrderStatus& order, const Observation& o) {
  constexpr std::size_t kMost = 20;
  constexpr std::size_t kLongestUrl = 512;  // twice what any CA has: a status has to stay small
  const bool is_elsewhere = !order.server.empty() && (!o.issuer || order.server != o.issuer->spec.server);
  if (!o.order || o.order->order.url != order.url || is_elsewhere) return;
  for (const auto& authorization : o.order->order.authorizations) {
    const bool fits = order.abandoned.size() < kMost && authorization.url.size() <= kLongestUrl;
    if (authorization.status == AuthorizationStatus::kPending && fits)
      order.abandoned.push_back({authorization.url, authorization.identifier});
  }
}

// Its records stay, and what it has left at the CA: order_cleaned_up removes them.
void forget_order(api::OrderStatus& order, const Observation& o) {
  abandon_authorizations(order, o);
  order.url.clear();
  order.server.clear();
  order.expires.reset();
  order.records_since.reset();
  order.http_answers.clear();
  order.account_thumbprint.clear();
}

// A certificate may have been issued for the key, even if nobody can fetch it: the next order gets a key of its own.
void take_new_number(api::OrderStatus& order, const Observation& o) { order.revision = next_revision(o); }

// The order was for something else than the spec has now: nobody's failure, and no reason to wait.
Decision order_outdated(const Observation& o, const std::string& why) {
  Draft draft = issuing(o, "Ordering", why + ": another order is made");
  forget_order(*draft.status().order, o);
  if (!o.order || o.order->order.status != OrderStatus::kPending) take_new_number(*draft.status().order, o);
  return draft.wake(o.now).finish();
}

// When the order is worth another look.
TimePoint next_poll(const OrderLook& look) {
  return look.at + std::clamp<std::chrono::milliseconds>(look.order.retry_after.value_or(kPollEvery), 1s, 1h);
}

ports::OrderRequest request_for(const Observation& o) {
  return {.dns_names = o.object.spec.dns_names,
          .ip_addresses = o.object.spec.ip_addresses,
          .profile = o.issuer->spec.profile,
          .replaces = replaced_by_order(o)};
}

// Where the CA has no limits nothing is recorded.
std::optional<OrderRecord> place_for(const Observation& o, int revision) {
  if (!limits_of(o.issuer->spec).any()) return std::nullopt;
  return order_of(o, revision);
}

// An order is for the names it was made with; the spec may have others by now. A server that does not repeat them says
// nothing about it.
bool is_for_these_names(const ports::Order& order, const api::EdgeCertificateSpec& spec) {
  return order.identifiers.empty() || order.identifiers == wanted_identifiers(spec);
}

Decision follow_order(const Observation& o, int revision) {
  const auto& order = o.order->order;
  const auto& tracked = *o.object.status.order;
  if (!is_for_these_names(order, o.object.spec)) return order_outdated(o, "the names in the spec changed");
  switch (order.status) {
    case OrderStatus::kPending:
      return is_open(order) ? challenges_answered(o, order) : poll(o, "Validating", "the CA is looking at the answers");
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

// A new try after a revision or an order that did not make it: when, if at all.
Verdict may_begin(const Observation& o) {
  const auto& status = o.object.status;
  const bool changed = status.observed_generation != o.object.meta.generation;
  if (changed || is_requested(o, api::kRenewRequestedAt)) return std::nullopt;
  // What was begun after a rejection was allowed to; only its own orders can hold it up.
  const bool begun = status.order.has_value();
  if (auto wait = begun ? std::nullopt : wait_after_rejection(o)) return wait;
  const bool too_early =
      status.next_attempt && o.now < *status.next_attempt && !is_too_far_ahead(o, *status.next_attempt);
  if (!too_early) return std::nullopt;
  Draft draft(o);
  const bool failed = begun && status.order->failures;
  return draft.phase(Phase::kIssuing, "OrderFailed", failed ? status.order->last_error : "the last order failed")
      .next("tries again " + format_rfc3339(*status.next_attempt))
      .wake(*status.next_attempt)
      .finish();
}

Verdict issuer_usable(const Observation& o) {
  const std::string name = api::issuer_in_use(o.object);
  if (!o.issuer) return issuing(o, "IssuerNotFound", "there is no AcmeIssuer " + name + " in this namespace").finish();
  if (o.issuer->broken)
    return issuing(o, "IssuerInvalid", "AcmeIssuer " + name + ": " + o.issuer->broken->message()).finish();
  // Known before anything is ordered: an order that nobody can answer would only count against the CA's limits.
  const auto unprovable = what_cannot_be_proved(o, *o.issuer);
  return unprovable ? Verdict(issuing(o, unprovable->reason, unprovable->message).finish()) : std::nullopt;
}

// With rotationPolicy Never the key of the served revision is kept, if there is one and it is as the spec wants it; one
// whose certificate is revoked is not.
effect::CreateKey create_key(const Observation& o, int revision) {
  const StoredRevision* serving = active(o);
  const bool keep = o.object.spec.private_key &&
                    o.object.spec.private_key->rotation_policy == api::KeyRotation::kNever && serving != nullptr &&
                    serving->has_key && serving->chain->key == wanted_key(o.object.spec) &&
                    !is_revoked(o, serving->number) && !is_to_be_revoked(o, serving->number);
  return {revision, wanted_key(o.object.spec), keep ? std::optional(serving->number) : std::nullopt};
}

Decision begin(const Observation& o, const std::string& why) {
  const int revision = next_revision(o);
  Draft draft(o);
  draft.status().order = api::OrderStatus{.revision = revision};
  return draft.phase(Phase::kIssuing, "CreatingKey", "revision " + std::to_string(revision) + ": " + why)
      .next("issues revision " + std::to_string(revision))
      .announce(false, "Issuing", "begins revision " + std::to_string(revision) + ": " + why)
      .effect(create_key(o, revision))
      .finish();
}

// The CA refused to open an order, and will do so again until something changes; or it opened one for other names than
// were asked for. Counted once: with that the failure is forgotten (note_written), and the status has the next time.
const Failure* refusal(const Observation& o) {
  const Failure* failure = failure_of(o, effect::NewOrder::kName);
  if (failure == nullptr) return nullptr;
  const auto& error = failure->error;
  const bool refused = error.code.starts_with(kProblem) && retry_of(error) == Retry::kAfterChange;
  return refused || error.code == ports::kOrderForOtherNames ? failure : nullptr;
}

// The CA has the order, and takes no request for it, or gives no certificate: nothing that is tried again would help.
const Failure* dead_end(const Observation& o) {
  constexpr int kDownloads = 3;
  const Failure* finalizing = failure_of(o, effect::FinalizeOrder::kName);
  if (finalizing != nullptr && finalizing->error.code.starts_with(kProblem) &&
      retry_of(finalizing->error) == Retry::kAfterChange)
    return finalizing;
  const Failure* download = failure_of(o, effect::StoreBundle::kName);
  const bool is_gone = download != nullptr && download->error.kind == ErrorKind::kNotFound &&
                       download->error.context.starts_with("certificate");
  return is_gone && download->count >= kDownloads ? download : nullptr;
}

// It may be the replacement that the CA does not take: alreadyReplaced, malformed, unauthorized, or a 404; and one that
// says serverInternal each time (Pebble, of a certificate that it does not know) is not waited for without end.
bool refuses_replacement(const Observation& o) {
  constexpr int kInternalErrors = 3;
  const Failure* failure = failure_of(o, effect::NewOrder::kName);
  if (failure == nullptr || !failure->error.code.starts_with(kProblem) || !replaced_by_order(o)) return false;
  switch (failure->error.kind) {
    case ErrorKind::kConflict:
    case ErrorKind::kProtocol:
    case ErrorKind::kUnauthorized:
    case ErrorKind::kNotFound: return true;
    case ErrorKind::kUnavailable: return failure->count >= kInternalErrors;
    default: return false;
  }
}

// What issuing waits for. A finalizer that cannot be let go of is none of it.
std::optional<Wait> wait_for_issuing(const Observation& o) {
  auto wait = wait_for(o, {effect::CreateKey::kName, effect::NewOrder::kName, effect::LookAtOrder::kName,
                           effect::PresentRecord::kName, effect::LookForRecords::kName, effect::AnswerChallenge::kName,
                           effect::FinalizeOrder::kName, effect::StoreBundle::kName});
  if (wait || holds_finalizer(o)) return wait;
  return wait_for(o, {effect::SetFinalizer::kName});
}

// Told once, when it begins.
void announce_failure(Draft& draft, const Observation& o, const Failure& failure) {
  const std::string reason = reason_of(failure);
  const auto* said = api::find(o.object.status.conditions, api::condition::kReconciling);
  if (said == nullptr || said->reason != reason) draft.announce(true, reason, failure.error.message());
}

// `revision` is the one of the order under way: a key alone, found again after a restore, is not gone on with, for
// nobody knows whether it has a certificate.
Decision continue_issuing(const Observation& o, int revision) {
  const StoredRevision* kept = stored(o, revision);
  const auto& order = o.object.status.order;
  if (!order->url.empty() && !order->server.empty() && order->server != o.issuer->spec.server)
    return order_outdated(o, "the issuer is another CA now");
  if (order->url.empty() && refuses_replacement(o)) {
    Draft draft =
        issuing(o, "Ordering", "the CA does not take the order as a replacement: it is asked for without that");
    draft.status().order->replaces_refused = true;
    return draft.wake(o.now).finish();
  }
  if (const Failure* refused = refusal(o); refused != nullptr && order->url.empty())
    return order_failed(o, "OrderRefused", refused->error.message());
  if (const Failure* failure = dead_end(o); failure != nullptr && !order->url.empty())
    return order_lost(o, "OrderRefused", failure->error.message());
  if (order->url.empty() && !o.new_order_url) {
    if (auto wait = wait_for_issuer(o)) return *wait;
  }
  if (const auto wait = wait_for_issuing(o)) {
    Draft draft = issuing(o, reason_of(*wait->failure), wait->failure->error.message());
    announce_failure(draft, o, *wait->failure);
    return draft.wake(wait->until).finish();
  }
  if (kept == nullptr || !kept->has_key) {
    return issuing(o, "CreatingKey", "making the key of revision " + std::to_string(revision))
        .effect(create_key(o, revision))
        .finish();
  }
  if (order->url.empty()) {
    if (o.new_order_url) {  // written down before anything else is done with it
      Draft draft = issuing(o, "Ordered", "the CA has the order");
      draft.status().order->url = *o.new_order_url;
      draft.status().order->server = o.issuer->spec.server;
      return draft.wake(o.now).finish();
    }
    const bool answer_may_be_lost = o.key_made != revision || o.order_asked_for;
    return issuing(o, "Ordering", "asking for revision " + std::to_string(revision))
        .effect(effect::NewOrder{revision, request_for(o), answer_may_be_lost, place_for(o, revision)})
        .finish();
  }
  const Failure* unseen = failure_of(o, effect::LookAtOrder::kName);
  if (unseen != nullptr && unseen->error.kind == ErrorKind::kNotFound)
    return order_lost(o, "OrderLost", "the order cannot be found: " + unseen->error.message());
  if (order->expires && o.now > *order->expires) return order_lost(o, "OrderLost", "the order has expired");
  if (!o.order || o.order->order.url != order->url)
    return issuing(o, "Ordered", "looking at the order").effect(effect::LookAtOrder{order->url}).finish();
  return follow_order(o, revision);
}

// What failed is being tried again: what is said of it stays until it is known how that went.
Decision still_failing(const Observation& o, Decision decision) {
  const Failure* failure = decision.effect ? failure_of(o, name_of(*decision.effect)) : nullptr;
  const bool changed = o.object.status.observed_generation != o.object.meta.generation;
  if (failure == nullptr || changed || failure->at > o.now) return decision;
  Draft draft(o);
  draft.status() = decision.status;
  draft.phase(Phase::kIssuing, reason_of(*failure), failure->error.message()).effect(std::move(*decision.effect));
  for (auto& said : decision.announcements) draft.announce(said.warning, said.reason, said.message);
  return draft.finish();
}

// A record that cannot be removed now is tried again, but not for ever: the certificate is worth more than a tidy zone.
Verdict remove_records(const Observation& o, Draft& draft) {
  constexpr int kTries = 8;
  const Failure* failure = failure_of(o, effect::RemoveRecord::kName);
  for (const auto& record : o.object.status.order->records) {
    if (o.removed.contains(record_id(record))) continue;
    if (!o.issuer || (failure != nullptr && failure->count >= kTries)) {
      draft.announce(true, "RecordLeftBehind",
                     "could not remove the TXT record " + record.name + "; remove it by hand");
      continue;
    }
    if (const auto wait = wait_for(o, {effect::RemoveRecord::kName})) {
      return draft.phase(*draft.status().phase, reason_of(*failure), failure->error.message())
          .wake(wait->until)
          .finish();
    }
    return draft.effect(effect::RemoveRecord{record}).finish();
  }
  return std::nullopt;
}

// A courtesy to the CA: not tried twice.
Verdict deactivate_authorizations(const Observation& o, Draft& draft) {
  if (!o.issuer || o.issuer->broken || failure_of(o, effect::DeactivateAuthorization::kName) != nullptr)
    return std::nullopt;
  for (const auto& left : o.object.status.order->abandoned) {
    if (!o.deactivated.contains(left.url)) return draft.effect(effect::DeactivateAuthorization{left}).finish();
  }
  return std::nullopt;
}

}  // namespace

Draft issuing(const Observation& o, std::string reason, std::string message) {
  Draft draft(o);
  draft.phase(Phase::kIssuing, std::move(reason), std::move(message))
      .next("issues revision " +
            std::to_string(draft.status().order ? draft.status().order->revision : next_revision(o)));
  auto& order = draft.status().order;
  if (order && o.order && o.order->order.url == order->url && !order->expires) order->expires = o.order->order.expires;
  return draft;
}

Decision order_failed(const Observation& o, const std::string& reason, const std::string& message) {
  Draft draft = issuing(o, "OrderFailed", message);
  auto& status = draft.status();
  auto& order = *status.order;
  order.failures = order.failures.value_or(0) + 1;
  order.last_error = message;
  status.next_attempt = order_retry(o, *order.failures);
  forget_order(order, o);
  // What it has left is cleaned up where it was ordered.
  const bool is_clean = order.records.empty() && order.abandoned.empty();
  if (is_clean) order.issuer = issuer_after_failure(o);
  return draft.announce(true, reason, message)
      .next("tries again " + format_rfc3339(*status.next_attempt))
      .wake(is_clean && !o.object.spec.fallback ? *status.next_attempt : o.now)
      .finish();
}

Decision poll(const Observation& o, std::string reason, std::string message) {
  Draft draft = issuing(o, std::move(reason), std::move(message));
  const TimePoint at = next_poll(*o.order);
  if (o.now < at && o.order->at <= o.now) return draft.wake(at).finish();
  return draft.effect(effect::LookAtOrder{o.object.status.order->url}).finish();
}

void give_up_order(api::EdgeCertificateStatus& status, const Observation& o) {
  forget_order(*status.order, o);
  take_new_number(*status.order, o);
}

Decision order_lost(const Observation& o, const std::string& reason, const std::string& message) {
  Decision decision = order_failed(o, reason, message);
  take_new_number(*decision.status.order, o);
  return decision;
}

Verdict order_cleaned_up(const Observation& o) {
  const auto& order = o.object.status.order;
  if (!order) return std::nullopt;
  const StoredRevision* kept = stored(o, order->revision);
  const bool issued = kept != nullptr && kept->has_bundle();
  const bool given_up = order->url.empty() && (!order->records.empty() || !order->abandoned.empty());
  const bool superseded = candidate(o) != std::optional(order->revision);
  if (!issued && !given_up && !superseded) return std::nullopt;
  Draft draft(o);
  draft.unchanged();
  if (auto removing = remove_records(o, draft)) return removing;
  if (auto deactivating = deactivate_authorizations(o, draft)) return deactivating;
  if (issued || superseded) {
    draft.status().order.reset();
  } else {
    draft.status().order->abandoned.clear();
    draft.status().order->records.clear();  // what is known of its failures stays
    draft.status().order->issuer = issuer_after_failure(o);
  }
  return draft.wake(o.now).finish();
}

Verdict revision_issued(const Observation& o) {
  if (is_sourced(o)) return std::nullopt;  // somebody else's work, see sourcing.cpp
  const auto next = candidate(o);
  const StoredRevision* kept = next ? stored(o, *next) : nullptr;
  const bool issued = kept != nullptr && kept->has_bundle();
  const bool stale = issued && kept->chain && o.now >= renewal_of(o, *kept);
  if (issued && !stale) return std::nullopt;  // the rest is delivery
  const auto why = !issued && next ? std::optional(std::string{})
                   : stale         ? std::optional<std::string>("the stored one is due before it could be delivered")
                                   : due(o);
  if (!why) return std::nullopt;
  if (auto other = issuer_changed_over(o)) return other;
  if (auto wait = may_begin(o)) return wait;
  if (auto missing = issuer_usable(o)) {
    missing->wake_at = next_change_over(o);
    return missing;
  }
  const bool begins = issued || !next;
  if (auto wait = begins ? wait_for_issuer(o) : std::nullopt) return wait;  // before a key is made for nothing
  Decision decision = !issued && next ? still_failing(o, continue_issuing(o, *next)) : begin(o, *why);
  // Whatever comes of it, this is what was asked for: a request that stood on would break every wait after a failure.
  if (is_requested(o, api::kRenewRequestedAt)) {
    mark_handled(decision.status, o, api::kRenewRequestedAt);
    if (decision.status.next_attempt == o.object.status.next_attempt) decision.status.next_attempt.reset();
  }
  return decision;
}

}  // namespace edgetrust::decide::certificate::rules
