#include "edgetrust/view/timeline.hpp"

#include "edgetrust/api/approval.hpp"
#include "edgetrust/api/change.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/budget.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/telemetry/trace.hpp"

#include <algorithm>

namespace edgetrust::view {
namespace {

using api::Phase;

std::string revision_text(int revision) { return "revision " + std::to_string(revision); }

bool is_under_way(const api::EdgeCertificateStatus& status) {
  if (status.delivery || status.drain || status.order) return true;
  switch (status.phase.value_or(Phase::kPending)) {
    case Phase::kReady:
    case Phase::kRolledBack:
    case Phase::kHeld:
    case Phase::kFailed: return false;
    default: return true;
  }
}

// --- what happened

// The end of the rotation before the one that is told.
std::optional<TimePoint> end_of_the_one_before(const api::EdgeCertificateStatus& status) {
  const std::size_t entry = is_under_way(status) ? 0 : 1;
  return status.history.size() > entry ? status.history[entry].at : std::nullopt;
}

std::string_view reason_of(api::RevisionResult result) {
  switch (result) {
    case api::RevisionResult::kRolledBack:
    case api::RevisionResult::kRejected:
    case api::RevisionResult::kAdopted: return api::to_string(result);
    default: return "Rotated";
  }
}

std::string describe(const api::HistoryEntry& entry) {
  std::string text = revision_text(entry.revision);
  if (!entry.serial_number.empty()) text += ", serial " + entry.serial_number;
  if (!entry.change.empty()) text += ", " + entry.change;
  if (!entry.approved_by.empty()) text += ", approved by " + entry.approved_by;
  if (!entry.message.empty()) text += ": " + entry.message;
  if (!entry.evidence.empty()) text += " (" + entry.evidence + ")";
  return text;
}

class Past {
 public:
  Past(const Subject& subject, std::optional<TimePoint> after) : after_(after) {
    for (const auto& event : subject.events) add({event.at, event.warning, event.reason, event.note, event.count});
  }

  // What the status says, unless an Event has said it.
  void fill(std::optional<TimePoint> at, std::string_view what, std::string text, bool warning = false) {
    const bool said = std::ranges::any_of(moments_, [&](const Moment& moment) { return moment.what == what; });
    if (at && !said) add({*at, warning, std::string(what), std::move(text)});
  }

  std::vector<Moment> in_order() && {
    std::ranges::stable_sort(moments_, {}, &Moment::at);
    return std::move(moments_);
  }

 private:
  void add(Moment moment) {
    if (!after_ || std::chrono::floor<std::chrono::seconds>(moment.at) > *after_) moments_.push_back(std::move(moment));
  }
  std::optional<TimePoint> after_;
  std::vector<Moment> moments_;
};

std::vector<Moment> moments_of(const Subject& subject) {
  const auto& status = subject.certificate.status;
  Past past(subject, end_of_the_one_before(status));
  if (status.order) past.fill(status.order->records_since, "Answering", "the challenges of the order are answered");
  if (status.approval) {
    past.fill(status.approval->at, "Approved",
              revision_text(status.approval->revision) + " is approved" +
                  (status.approval->change.empty() ? "" : " under " + status.approval->change) +
                  (status.approval->by.empty() ? "" : " by " + status.approval->by));
  }
  if (status.drain) past.fill(status.drain->since, "Draining", "the Edge is taken out of service");
  if (const auto& delivery = status.delivery) {
    past.fill(delivery->started_at, "Delivering", revision_text(delivery->revision) + " is pushed");
    past.fill(delivery->installed_at, "Installed", "the Edge has taken " + revision_text(delivery->revision));
    past.fill(delivery->rolling_back_since, "RollingBack",
              "putting " + revision_text(delivery->fallback) + " back: " + delivery->verdict, true);
  }
  if (!is_under_way(status) && !status.history.empty()) {
    const auto& last = status.history.front();
    const bool bad = last.result == api::RevisionResult::kRolledBack || last.result == api::RevisionResult::kRejected;
    past.fill(last.at, reason_of(last.result), describe(last), bad);
  }
  return std::move(past).in_order();
}

// --- what is waited for

std::string command(const Subject& subject, const std::string& verb, const std::string& more = {}) {
  return "kubectl edgetrust " + verb + " " + subject.certificate.meta.name + " -n " + subject.certificate.meta.ns +
         more;
}

std::vector<Wait> waits_of_delivery(const Subject& subject, const api::EffectiveRotation& rotation, TimePoint now) {
  const auto& status = subject.certificate.status;
  if (status.drain && !status.drain->ended_at) {
    const auto timeout = rotation.drain_timeout;
    return {
        {"the end of the Edge's calls", timeout ? std::optional(status.drain->since + *timeout) : std::nullopt, ""}};
  }
  if (!status.delivery) return {};
  const auto& delivery = *status.delivery;
  if (delivery.rolling_back_since)
    return {
        {"the Edge to be well with " + revision_text(delivery.fallback) + " again; it is tried without end", {}, ""}};
  if (!delivery.installed_at) return {{"the answer to the upload", delivery.started_at + decide::kLongestUpload, ""}};
  const TimePoint settled = *delivery.installed_at + rotation.settle;
  const Wait end{"the end of the observation", settled + rotation.period, ""};
  if (now >= settled) return {end};
  return {{"the Edge to settle; what is bad is acted on only if it is still so then", settled, ""}, end};
}

Wait wait_by_reason(const Subject& subject, const api::EffectiveRotation& rotation, std::string_view reason,
                    TimePoint now) {
  const auto& status = subject.certificate.status;
  const std::string& policy_name = decide::policy_name(subject.certificate);
  const std::string policy = "RotationPolicy " + policy_name;
  if (status.phase == Phase::kAwaitingApproval) {
    const auto revision = api::awaited_approval(status.next);
    return {"an approval" + (revision ? " of " + revision_text(*revision) : std::string{}),
            {},
            command(subject, "approve", " --change …")};
  }
  if (reason == "Frozen") {
    const api::Freeze* freeze = decide::freeze_at(rotation.freezes, now);
    if (freeze == nullptr) return {"the end of the freeze", {}, ""};
    return {"the end of the freeze " + freeze->name + (freeze->reason.empty() ? "" : " (" + freeze->reason + ")"),
            freeze->to, ""};
  }
  if (reason == "Halted")
    return {policy + " to be resumed: find out first why rotations were rolled back",
            {},
            "kubectl edgetrust resume --policy " + policy_name + " -n " + subject.certificate.meta.ns};
  if (reason == "WaitingForTurn") {
    const auto busy = subject.policy ? join(subject.policy->status.rotating, ", ") : std::string{};
    return {"its turn under " + policy + (busy.empty() ? "" : "; at work: " + busy), {}, ""};
  }
  if (reason == "WaitingForWave") return {"an earlier wave of " + policy, {}, command(subject, "rotate")};
  if (reason == "WaitingForWindow") {
    const auto opens = parse_rfc3339(status.next_window);
    return {status.next.empty() ? "its window" : status.next, opens ? std::optional(*opens) : std::nullopt,
            command(subject, "rotate")};
  }
  if (reason == "Suspended") return {"spec.suspend to be false", {}, command(subject, "resume")};
  if (reason == "HeldByAnnotation") {
    const auto text = subject.certificate.meta.annotation(api::kHoldUntil).value_or("");
    const auto until = parse_rfc3339(trim(text).substr(0, trim(text).find(' ')));
    return {"the end of the hold", until ? std::optional(*until) : std::nullopt,
            command(subject, "hold", " --release")};
  }
  if (status.order) return {"the CA", status.order->expires, ""};
  return {status.next.empty() ? "the operator" : status.next, {}, ""};
}

std::vector<Wait> waits_of(const Subject& subject, std::string_view reason, TimePoint now) {
  const auto& status = subject.certificate.status;
  const api::EffectiveRotation rotation =
      api::effective_rotation(subject.certificate.spec.rotation.value_or(api::RotationOverrides{}),
                              subject.policy ? &subject.policy->spec : nullptr);
  auto waits = waits_of_delivery(subject, rotation, now);
  const bool held = status.phase == Phase::kHeld;
  if (status.next_attempt && *status.next_attempt > now && !held)
    waits.push_back({"the next try", status.next_attempt, ""});
  if (!waits.empty()) return waits;
  if (status.phase == Phase::kReady && status.renewal_time && reason != "Suspended")
    return {{"the renewal", status.renewal_time, command(subject, "renew")}};
  return {wait_by_reason(subject, rotation, reason, now)};
}

}  // namespace

Timeline timeline(const Subject& subject, TimePoint now) {
  const auto& certificate = subject.certificate;
  const auto& status = certificate.status;
  Timeline told{.certificate = certificate.meta.key(), .edge = certificate.spec.edge_ref.name};
  if (subject.edge) told.site = api::site_of(*subject.edge);
  if (status.phase) told.phase = to_string(*status.phase);
  if (const api::Condition* said = api::said(status.conditions)) {
    told.reason = said->reason;
    told.message = said->message;
  }
  const api::Condition* stalled = api::find(status.conditions, api::condition::kStalled);
  told.stalled = stalled != nullptr && stalled->status == api::Truth::kTrue;
  told.quiet = status.phase == Phase::kReady && !told.stalled && !is_under_way(status);
  told.revision = status.revision;
  told.serial_number = status.serial_number;
  told.fingerprint_sha256 = status.fingerprint_sha256;
  told.issuer = status.issuer;
  told.not_before = status.not_before;
  told.not_after = status.not_after;
  told.renewal = status.renewal_time;
  if (const auto revision = api::revision_in_question(status))
    told.trace_id = telemetry::trace_id(certificate.meta.uid, std::to_string(*revision));
  told.moments = moments_of(subject);
  if (certificate.broken) {
    told.reason = "Invalid";
    told.message = certificate.broken->message();
  } else if (!status.phase) {
    told.waits = {
        {"an operator that watches this namespace", {}, "kubectl edgetrust doctor -n " + certificate.meta.ns}};
  } else {
    told.waits = waits_of(subject, told.reason, now);
  }
  return told;
}

}  // namespace edgetrust::view
