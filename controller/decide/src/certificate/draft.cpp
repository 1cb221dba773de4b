#include "certificate/draft.hpp"

#include "certificate/feasibility.hpp"
#include "certificate/sourced.hpp"
#include "edgetrust/api/change.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate {
namespace {

using api::Phase;
using api::Truth;

constexpr std::size_t kLongestHistory = 10;
constexpr api::Duration kShortestRest = std::chrono::hours{1};

// The phases in which something is being done or will be tried again; a wait for a window is none of them.
bool is_reconciling(Phase phase) {
  switch (phase) {
    case Phase::kPending:
    case Phase::kIssuing:
    case Phase::kDraining:
    case Phase::kDelivering:
    case Phase::kObserving:
    case Phase::kRollingBack:
    case Phase::kRolledBack: return true;  // another revision will be tried; without that it is Stalled
    case Phase::kWaiting:
    case Phase::kAwaitingApproval:
    case Phase::kReady:
    case Phase::kHeld:
    case Phase::kFailed: return false;
  }
  return false;
}

std::string date_of(TimePoint time) { return format_rfc3339(time).substr(0, 10); }

}  // namespace

Draft::Draft(const Observation& o) : o_(o) {
  decision_.status = o.object.status;
  auto& s = status();
  // A changed spec is a new start: what failed under the old one does not count.
  if (s.observed_generation != o.object.meta.generation) {
    s.failures.reset();
    s.next_attempt.reset();
    if (s.order) {
      s.order->failures.reset();
      s.order->last_error.clear();
    }
  }
  s.observed_generation = o.object.meta.generation;
  s.next_window.clear();  // said anew by the rule that waits for it
  s.variant.clear();
}

Draft& Draft::phase(Phase phase, std::string reason, std::string message) {
  status().phase = phase;
  reason_ = std::move(reason);
  message_ = std::move(message);
  return *this;
}

Draft& Draft::unchanged() {
  const auto& before = o_.object.status;
  status().phase = before.phase.value_or(Phase::kPending);
  status().next_window = before.next_window;
  status().variant = before.variant;
  const api::Condition* said = api::said(before.conditions);
  stalled_ = said != nullptr && said->type == api::condition::kStalled;
  reason_ = said != nullptr ? said->reason : "Pending";
  message_ = said != nullptr ? said->message : "nobody has looked yet";
  return *this;
}

// Whoever has to do something hears of it, once.
void Draft::announce_stall() {
  if (!stalled_) return;
  const auto* said = api::find(o_.object.status.conditions, api::condition::kStalled);
  const bool known = said != nullptr && said->reason == reason_;
  const bool announced =
      std::ranges::any_of(decision_.announcements, [&](const Announcement& one) { return one.reason == reason_; });
  if (!known && !announced) announce(true, reason_, message_);
}

Decision Draft::finish() {
  announce_stall();
  cut_texts();
  describe_active();
  set_conditions();
  return std::move(decision_);
}

// What is said of an error may have any length.
void Draft::cut_texts() {
  auto& s = status();
  if (s.order) s.order->last_error = printable(s.order->last_error, api::kLongestMessage);
  if (s.delivery) s.delivery->verdict = printable(s.delivery->verdict, api::kLongestNote);
  if (!s.history.empty()) s.history.front().message = printable(s.history.front().message, api::kLongestNote);
}

void Draft::set_condition(std::string_view type, Truth truth, std::string reason, std::string message) {
  api::set(status().conditions,
           {.type = std::string(type),
            .status = truth,
            .reason = std::move(reason),
            .message = std::move(message),
            .observed_generation = o_.object.meta.generation},
           o_.now);
}

void Draft::describe_active() {
  auto& s = status();
  if (is_sourced(o_)) s.renewal_time.reset();  // somebody else knows
  if (ari_is_off(o_)) s.renewal_info.reset();
  const StoredRevision* revision = s.revision ? stored(o_, *s.revision) : nullptr;
  if (revision == nullptr || !revision->chain) return;
  const auto& chain = *revision->chain;
  s.serial_number = chain.serial_number;
  s.not_before = chain.not_before;
  s.not_after = chain.not_after;
  s.fingerprint_sha256 = chain.fingerprint_sha256;
  s.issuer = chain.issuer;
  s.expires = date_of(chain.not_after);
  if (!is_sourced(o_)) s.renewal_time = renewal_of(o_, *revision);
}

void Draft::set_conditions() {
  auto& s = status();
  const StoredRevision* serving = s.revision ? stored(o_, *s.revision) : nullptr;
  const bool valid = s.revision && s.not_after && *s.not_after > o_.now;
  const bool fits = serving == nullptr || !serving->chain || fits_spec(o_, *serving);
  const bool foreign = serves_foreign(o_);
  if (valid && fits && !foreign) {
    set_condition(api::condition::kReady, Truth::kTrue, reason_, message_);
  } else if (s.revision && s.not_after && !valid) {
    set_condition(api::condition::kReady, Truth::kFalse, "Expired",
                  "the certificate that the Edge serves has expired; " + message_);
  } else {
    set_condition(api::condition::kReady, Truth::kFalse, reason_, message_);
  }

  const bool reconciling = !stalled_ && s.phase && is_reconciling(*s.phase);
  if (reconciling || (!stalled_ && !valid)) {
    set_condition(api::condition::kReconciling, Truth::kTrue, reason_, message_);
  } else {
    api::remove(s.conditions, api::condition::kReconciling);
  }
  if (stalled_) {
    set_condition(api::condition::kStalled, Truth::kTrue, reason_, message_);
  } else {
    api::remove(s.conditions, api::condition::kStalled);
  }

  const auto next = candidate(o_);
  const StoredRevision* coming = next ? stored(o_, *next) : nullptr;
  const bool issued = coming != nullptr && coming->has_bundle();
  if (issued || (s.phase != Phase::kIssuing && serving != nullptr && serving->chain)) {
    set_condition(api::condition::kIssued, Truth::kTrue, "Issued",
                  api::is_stored(issued ? coming->number : serving->number));
  } else if (s.phase == Phase::kIssuing || (s.phase == Phase::kWaiting && s.order)) {  // or waits for its CA
    set_condition(api::condition::kIssued, Truth::kFalse, reason_, message_);
  }
  if (foreign) {
    set_condition(api::condition::kDelivered, Truth::kFalse, "ForeignCertificate",
                  "the Edge serves a certificate that is not ours");
  } else if (s.revision) {
    set_condition(api::condition::kDelivered, Truth::kTrue, "Delivered",
                  "the Edge serves revision " + std::to_string(*s.revision));
  } else if (o_.connection && !o_.connection->spec.certificate_upload) {
    set_condition(
        api::condition::kDelivered, Truth::kFalse, "NoDeliveryChannel",
        "the GenesysConnection has no certificateUpload: the certificate is issued, and nothing is delivered");
  } else {
    set_condition(api::condition::kDelivered, Truth::kFalse, "NotDelivered",
                  "no certificate of ours is on the Edge yet");
  }
  if (o_.look) {
    Expected expected = expected_of(o_, s.delivery);
    expected.fingerprint.clear();  // with whichever certificate
    const Assessment seen = assess(*o_.look, expected);
    const Truth truth = seen.health == Health::kGood      ? Truth::kTrue
                        : seen.health == Health::kUnknown ? Truth::kUnknown
                                                          : Truth::kFalse;
    set_condition(api::condition::kEdgeHealthy, truth,
                  truth == Truth::kTrue    ? "Healthy"
                  : truth == Truth::kFalse ? "Unhealthy"
                                           : "Unknown",
                  seen.reason);
  }
  const auto back =
      s.delivery ? (s.delivery->fallback >= 0 ? std::optional(s.delivery->fallback) : std::nullopt) : fallback(o_);
  set_condition(api::condition::kRollbackAvailable, back ? Truth::kTrue : Truth::kFalse,
                back ? "Stored" : "NothingToReturnTo",
                back ? "a rollback returns to revision " + std::to_string(*back)
                     : "no earlier certificate is stored that would be valid long enough");
  if (const auto limit = obstacle(o_)) {
    set_condition(api::condition::kInfeasible, Truth::kTrue, limit->reason, limit->message);
  } else {
    api::remove(s.conditions, api::condition::kInfeasible);
  }
  if (!s.history.empty() && s.history.front().result == api::RevisionResult::kRolledBack) {
    set_condition(api::condition::kRolledBack, Truth::kTrue, "RolledBack", s.history.front().message);
  } else {
    api::remove(s.conditions, api::condition::kRolledBack);
  }
}

void remember(api::EdgeCertificateStatus& status, const Observation& o, int revision, api::RevisionResult result,
              std::string message, std::string evidence) {
  api::HistoryEntry entry{.revision = revision,
                          .result = result,
                          .at = std::chrono::floor<std::chrono::seconds>(o.now),
                          .evidence = std::move(evidence),
                          .message = std::move(message)};
  if (const StoredRevision* kept = stored(o, revision); kept != nullptr && kept->chain) {
    entry.serial_number = kept->chain->serial_number;
    entry.fingerprint_sha256 = kept->chain->fingerprint_sha256;
    entry.not_after = kept->chain->not_after;
    entry.variant = variant_of(o.object.spec, *kept->chain, o.operator_version);
  }
  if (const auto& approval = status.approval; approval && approval->revision == revision) {
    entry.change = approval->change;
    entry.approved_by = approval->by;
  }
  if (result == api::RevisionResult::kActive) entry.live_since = entry.at;
  const auto earlier = std::ranges::find(status.history, revision, &api::HistoryEntry::revision);
  if (earlier != status.history.end()) {
    entry.change = earlier->change;
    entry.approved_by = earlier->approved_by;
    if (entry.evidence.empty()) entry.evidence = earlier->evidence;
    if (!earlier->variant.empty()) entry.variant = earlier->variant;
    if (earlier->live_since) entry.live_since = earlier->live_since;
    entry.revoked = earlier->revoked;
    status.history.erase(earlier);
  }
  status.history.insert(status.history.begin(), std::move(entry));
  // The lowest number goes, never the highest: numbers are not used twice, and what is older than a revision that has
  // ended is never delivered.
  if (status.history.size() > kLongestHistory)
    status.history.erase(
        std::ranges::min_element(status.history.begin() + 1, status.history.end(), {}, &api::HistoryEntry::revision));
}

std::string with_evidence(const std::string& message, const std::string& evidence) {
  return evidence.empty() ? message : message + " (" + evidence + ")";
}

void count_failure(api::EdgeCertificateStatus& status, const Observation& o) {
  status.failures = status.failures.value_or(0) + 1;
  auto wait = rotation_of(o).retry_backoff;
  // Shorter as expiry comes near: a few more tries are worth more than a long rest.
  if (status.not_after && *status.not_after > o.now)
    wait = std::min(wait, std::max<api::Duration>((*status.not_after - o.now) / 4, kShortestRest));
  status.next_attempt = std::chrono::floor<std::chrono::seconds>(o.now + wait);
}

void mark_handled(api::EdgeCertificateStatus& status, const Observation& o, std::string_view annotation) {
  const auto value = o.object.meta.annotation(annotation);
  if (!value) return;
  if (!status.handled_requests) status.handled_requests.emplace();
  auto& handled = *status.handled_requests;
  (annotation == api::kRenewRequestedAt    ? handled.renew
   : annotation == api::kRotateRequestedAt ? handled.rotate
   : annotation == api::kRevokeRequestedAt ? handled.revoke
                                           : handled.rollback) = std::string(*value);
}

}  // namespace edgetrust::decide::certificate
