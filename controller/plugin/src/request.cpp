#include "edgetrust/plugin/request.hpp"

#include "edgetrust/api/approval.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

using namespace std::chrono_literals;
using api::Phase;

template <class Kind>
std::string name_of(const Kind& object) {
  return std::string(api::kKind<Kind>.kind) + " " + object.meta.key().to_string();
}

// What was judged must still be so when it is changed.
json::Value metadata_of(const api::ObjectMeta& meta) { return {{"resourceVersion", meta.resource_version}}; }

std::string annotate(const api::ObjectMeta& meta, std::string_view annotation, json::Value value) {
  json::Value metadata = metadata_of(meta);
  metadata["annotations"][std::string(annotation)] = std::move(value);
  return json::dump({{"metadata", std::move(metadata)}});
}

std::string set_spec(const api::ObjectMeta& meta, const char* field, json::Value value) {
  return json::dump({{"metadata", metadata_of(meta)}, {"spec", {{field, std::move(value)}}}});
}

tl::unexpected<Error> no(std::string what) { return fail(ErrorKind::kInvalid, std::move(what)); }

template <class Kind>
Status usable(const Kind& object) {
  if (object.broken) return no(name_of(object) + " cannot be read: " + object.broken->message());
  if (object.meta.deleting()) return no(name_of(object) + " is being deleted");
  return {};
}

std::string phase_of(const api::EdgeCertificate& certificate) {
  return certificate.status.phase ? std::string(to_string(*certificate.status.phase)) : std::string("no phase yet");
}

// Another text each time, for each is acted on once: to the microsecond.
std::string request_text(TimePoint now) { return format_rfc3339_micro(now); }

bool is_delivering(const api::EdgeCertificate& certificate) { return certificate.status.delivery.has_value(); }

// What would keep the operator from acting on a request.
Status not_stopped(const api::EdgeCertificate& certificate) {
  EDGETRUST_TRY(usable(certificate));
  const std::string name = certificate.meta.name;
  if (certificate.spec.suspend)
    return no(name_of(certificate) + " is suspended, so nothing would come of it: `kubectl edgetrust resume " + name +
              "` first");
  if (api::reason_said(certificate.status.conditions) == "HeldByAnnotation")
    return no(name_of(certificate) + " is held, so nothing would come of it: `kubectl edgetrust hold " + name +
              " --release` first");
  return {};
}

// A revision that was live and may be put back: older than the one that is served, and with time left.
const api::HistoryEntry* earlier(const api::EdgeCertificate& certificate, TimePoint now) {
  const auto& status = certificate.status;
  const auto found = std::ranges::find_if(status.history, [&](const api::HistoryEntry& entry) {
    const bool ended_badly =
        entry.result == api::RevisionResult::kRolledBack || entry.result == api::RevisionResult::kRejected;
    return !ended_badly && status.revision && entry.revision < *status.revision && entry.not_after &&
           *entry.not_after > now;
  });
  return found == status.history.end() ? nullptr : &*found;
}

}  // namespace

Result<ChangeRequest> approve(const api::EdgeCertificate& certificate, const ApproveOptions& options, TimePoint now) {
  EDGETRUST_TRY(usable(certificate));
  const auto waiting = api::awaited_approval(certificate.status.next);
  if (certificate.status.phase != Phase::kAwaitingApproval || !waiting) {
    return no("no revision of " + name_of(certificate) + " waits for an approval: its phase is " +
              phase_of(certificate) + (certificate.status.next.empty() ? "" : ", next: " + certificate.status.next));
  }
  if (options.revision && *options.revision != *waiting) {
    return no("revision " + std::to_string(*waiting) + " of " + name_of(certificate) + " waits for an approval, not " +
              std::to_string(*options.revision));
  }
  json::Value text{{"revision", *waiting}, {"at", format_rfc3339(now)}};
  if (!options.change.empty()) text["change"] = options.change;
  if (!options.by.empty()) text["by"] = options.by;
  return ChangeRequest{
      .patch = annotate(certificate.meta, api::kApprove, json::dump(text)),
      .done = "approved revision " + std::to_string(*waiting) + " of " + name_of(certificate) +
              (options.change.empty() ? "" : " under " + options.change) +
              (options.by.empty() ? "" : " as " + options.by),
      .next = "it is pushed once window, freezes, wave and budget allow it, and is void should the revision change"};
}

Result<ChangeRequest> hold(const api::EdgeCertificate& certificate, TimePoint until, const std::string& reason) {
  EDGETRUST_TRY(usable(certificate));
  const std::string moment = format_rfc3339(until);
  const std::string words(trim(reason));
  std::string next = "nothing is begun until then; spec is untouched, so a GitOps tool does not undo it";
  if (is_delivering(certificate)) next = "the delivery under way is brought to its end first; after that " + next;
  if (const auto& end = certificate.status.not_after; end && *end <= until)
    next += ". The certificate that the Edge serves expires before that, " + format_rfc3339(*end);
  return ChangeRequest{
      .patch = annotate(certificate.meta, api::kHoldUntil, words.empty() ? moment : moment + " " + words),
      .done = "held " + name_of(certificate) + " until " + moment,
      .next = std::move(next)};
}

Result<ChangeRequest> release(const api::EdgeCertificate& certificate) {
  EDGETRUST_TRY(usable(certificate));
  if (!certificate.meta.annotation(api::kHoldUntil)) return no(name_of(certificate) + " is not held");
  return ChangeRequest{.patch = annotate(certificate.meta, api::kHoldUntil, nullptr),
                       .done = "released " + name_of(certificate),
                       .next = "the operator goes on where it was"};
}

Result<ChangeRequest> renew(const api::EdgeCertificate& certificate, TimePoint now) {
  EDGETRUST_TRY(not_stopped(certificate));
  if (is_delivering(certificate)) {
    return no("revision " + std::to_string(certificate.status.delivery->revision) + " of " + name_of(certificate) +
              " is being delivered: wait for its end (`kubectl edgetrust status " + certificate.meta.name +
              " --watch`)");
  }
  const bool sourced = certificate.spec.source_secret_ref.has_value();
  return ChangeRequest{.patch = annotate(certificate.meta, api::kRenewRequestedAt, request_text(now)),
                       .done = "asked for a new certificate of " + name_of(certificate),
                       .next = sourced ? "its Secret " + certificate.spec.source_secret_ref->name +
                                             " is looked at anew; whoever fills that Secret renews it"
                                       : "a new revision is ordered now, and delivered in its window"};
}

Result<ChangeRequest> rotate(const api::EdgeCertificate& certificate, TimePoint now) {
  EDGETRUST_TRY(not_stopped(certificate));
  const auto phase = certificate.status.phase;
  if (phase != Phase::kWaiting && phase != Phase::kAwaitingApproval) {
    return no("no revision of " + name_of(certificate) + " waits to be delivered: its phase is " +
              phase_of(certificate) + ". `kubectl edgetrust renew " + certificate.meta.name + "` asks for a new one");
  }
  std::string next = "window and wave are not waited for, this once; freeze, halt, budget and the Edge's health are";
  if (phase == Phase::kAwaitingApproval) next += ", and so is its approval";
  return ChangeRequest{.patch = annotate(certificate.meta, api::kRotateRequestedAt, request_text(now)),
                       .done = "asked to deliver the waiting revision of " + name_of(certificate) + " now",
                       .next = std::move(next)};
}

Result<ChangeRequest> roll_back(const api::EdgeCertificate& certificate, TimePoint now) {
  EDGETRUST_TRY(usable(certificate));
  const auto& delivery = certificate.status.delivery;
  if (delivery && delivery->rolling_back_since) return no(name_of(certificate) + " is being rolled back already");
  std::string back;
  if (delivery) {
    if (delivery->fallback < 0) return no("there is nothing that " + name_of(certificate) + " could return to");
    back = "revision " + std::to_string(delivery->fallback);
  } else {
    const api::HistoryEntry* entry = earlier(certificate, now);
    if (entry == nullptr) {
      return no("no revision of " + name_of(certificate) +
                " that was live before and is still valid is known, so there is nothing to return to");
    }
    back = "revision " + std::to_string(entry->revision);
  }
  return ChangeRequest{.patch = annotate(certificate.meta, api::kRollbackRequestedAt, request_text(now)),
                       .done = "asked to roll " + name_of(certificate) + " back",
                       .next = back + " is put back at once, whatever window and freeze say, and observed"};
}

Result<ChangeRequest> suspend(const api::EdgeCertificate& certificate) {
  EDGETRUST_TRY(usable(certificate));
  if (certificate.spec.suspend) return no(name_of(certificate) + " is suspended already");
  std::string next = "nothing is begun; a GitOps tool that knows spec.suspend will undo it, `hold` it leaves alone";
  if (is_delivering(certificate)) next = "the delivery under way is brought to its end first; after that " + next;
  return ChangeRequest{.patch = set_spec(certificate.meta, "suspend", true),
                       .done = "suspended " + name_of(certificate),
                       .next = std::move(next)};
}

Result<ChangeRequest> resume(const api::EdgeCertificate& certificate) {
  EDGETRUST_TRY(usable(certificate));
  if (!certificate.spec.suspend) {
    const bool held = certificate.meta.annotation(api::kHoldUntil).has_value();
    return no(
        name_of(certificate) + " is not suspended" +
        (held ? ", but held by annotation: `kubectl edgetrust hold " + certificate.meta.name + " --release`" : ""));
  }
  return ChangeRequest{.patch = set_spec(certificate.meta, "suspend", false),
                       .done = "resumed " + name_of(certificate),
                       .next = "the operator goes on where it was"};
}

Result<ChangeRequest> resume(const api::RotationPolicy& policy, TimePoint now) {
  EDGETRUST_TRY(usable(policy));
  if (policy.status.state != api::PolicyState::kHalted) return no(name_of(policy) + " is not halted");
  return ChangeRequest{.patch = annotate(policy.meta, api::kResumeRequestedAt, request_text(now)),
                       .done = "resumed " + name_of(policy),
                       .next = "the rollbacks so far no longer count; what waits is delivered in its window"};
}

Result<ChangeRequest> override_pins(const api::PinPolicy& policy, TimePoint until, const std::string& reason,
                                    TimePoint now) {
  constexpr auto kLong = 72h;
  EDGETRUST_TRY(usable(policy));
  if (trim(reason).empty()) return no("an override wants a reason: it is told to everybody who looks");
  const json::Value value{{"disablePinning", true}, {"until", format_rfc3339(until)}, {"reason", reason}};
  std::string next = "it ends by itself; a GitOps tool that knows the spec will undo it before";
  if (policy.spec.mode != api::PinMode::kEnforce) next = "the policy does not enforce, so no Edge is changed; " + next;
  if (until - now > kLong) next += ". It is longer than 72 h, which is alarmed";
  return ChangeRequest{.patch = set_spec(policy.meta, "emergencyOverride", value),
                       .done = "pinning of " + name_of(policy) + " is overridden until " + format_rfc3339(until),
                       .next = std::move(next)};
}

Result<ChangeRequest> end_override(const api::PinPolicy& policy) {
  EDGETRUST_TRY(usable(policy));
  if (!policy.spec.emergency_override) return no(name_of(policy) + " has no override");
  return ChangeRequest{.patch = set_spec(policy.meta, "emergencyOverride", nullptr),
                       .done = "the override of " + name_of(policy) + " is over",
                       .next = "its Edges get their pins back"};
}

}  // namespace edgetrust::plugin
