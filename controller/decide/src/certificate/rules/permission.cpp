// Whether a stored revision may be pushed now: what a RotationPolicy makes it wait for.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/approval.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::MayBreak;
using api::Phase;

// A push that was put off, the last try having failed for long.
Verdict wait_for_next_try(const Observation& o) {
  const auto& at = o.object.status.next_attempt;
  if (!at || o.now >= *at || is_too_far_ahead(o, *at) || is_requested(o, api::kRotateRequestedAt)) return std::nullopt;
  Draft draft(o);
  draft.phase(Phase::kWaiting, "PushPutOff",
              "the last push was put off and is tried again; its reason is in the Events");
  const auto said = api::reason_said(o.object.status.conditions);
  if (said == kDrainTimedOut || said == kDrainUndone) draft.unchanged();
  return draft.next("tries again " + format_rfc3339(*at)).wake(*at).finish();
}

// --- approval

// The moment at which it becomes urgent, while that is ahead and changes what is waited for.
std::optional<TimePoint> coming_urgency(const Observation& o, const std::vector<MayBreak>& what) {
  const auto from = urgent_from(o);
  const auto may_break = rotation_of(o).urgent_may_break;
  const bool matters =
      std::ranges::any_of(what, [&](MayBreak one) { return std::ranges::find(may_break, one) != may_break.end(); });
  return matters && from && *from > o.now ? from : std::nullopt;
}

Decision await_approval(const Observation& o, int revision, std::string reason, const std::string& why) {
  Draft draft(o);
  draft.phase(Phase::kAwaitingApproval, std::move(reason), revision_text(revision) + " is ready; " + why)
      .next(api::awaits_approval(revision));
  if (const auto urgent = coming_urgency(o, {MayBreak::kApproval})) draft.wake(*urgent);
  return draft.finish();
}

std::string how_to_approve(int revision) {
  return "set the annotation " + std::string(api::kApprove) + R"( to {"revision":)" + std::to_string(revision) +
         R"(,"change":"…","by":"…"})";
}

Decision take_note(const Observation& o, const api::ApprovalRequest& asked, std::string_view text) {
  Draft draft(o);
  draft.status().approval = api::ApprovalStatus{.revision = asked.revision,
                                                .change = asked.change,
                                                .by = asked.by,
                                                .request = std::string(text),
                                                .at = std::chrono::floor<std::chrono::seconds>(o.now)};
  const std::string message = revision_text(asked.revision) + " is approved" +
                              (asked.change.empty() ? "" : " under " + asked.change) +
                              (asked.by.empty() ? "" : " by " + asked.by);
  return draft.phase(Phase::kWaiting, "Approved", message)
      .next("pushes " + revision_text(asked.revision))
      .announce(false, "Approved", message)
      .wake(o.now)
      .finish();
}

Verdict wait_for_approval(const Observation& o, int revision) {
  const api::EffectiveRotation rotation = rotation_of(o);
  if (!rotation.approval_required || need_not_wait_for(o, MayBreak::kApproval)) return std::nullopt;
  const auto text = o.object.meta.annotation(api::kApprove);
  if (!text || text->empty())
    return await_approval(o, revision, "AwaitingApproval", "to approve it, " + how_to_approve(revision));
  const auto asked = api::parse_approval(*text);
  if (!asked) return await_approval(o, revision, "ApprovalInvalid", asked.error().message());
  if (asked->revision != revision) {
    return await_approval(
        o, revision, "ApprovalVoid",
        "the approval is for " + revision_text(asked->revision) + ": to approve this one, " + how_to_approve(revision));
  }
  const auto& known = o.object.status.approval;
  if (!known || known->request != *text || known->at > o.now) return take_note(o, *asked, *text);
  if (o.now >= known->at + rotation.approval_valid_for) {
    return await_approval(o, revision, "ApprovalExpired",
                          "its approval was good until " + format_rfc3339(known->at + rotation.approval_valid_for) +
                              ": write another text into the annotation " + std::string(api::kApprove) +
                              R"(, as one with another "at")");
  }
  return std::nullopt;
}

// --- windows and freezes

Decision stop_for_window(const Observation& o, std::string reason, std::string message) {
  Draft draft(o);
  draft.phase(Phase::kWaiting, std::move(reason), std::move(message)).stalled().next("needs a change");
  if (const auto urgent = coming_urgency(o, {MayBreak::kWindow})) draft.wake(*urgent);
  return draft.finish();
}

struct Opening {
  Slot slot;
  std::string start;  // for people
};

// When the push may start, windows and freezes considered; a decision when nobody can tell.
tl::expected<Opening, Decision> opening(const Observation& o) {
  const api::EffectiveRotation rotation = rotation_of(o);
  const api::Duration needed = time_needed(rotation);
  const bool no_freeze = need_not_wait_for(o, MayBreak::kFreeze);
  const auto freezes = no_freeze ? std::vector<api::Freeze>{} : rotation.freezes;
  if (is_requested(o, api::kRotateRequestedAt) || need_not_wait_for(o, MayBreak::kWindow)) {
    const Slot gap = next_gap(o.now, needed, freezes);
    return Opening{gap, gap.opens > o.now ? format_rfc3339(gap.opens) : ""};
  }
  const std::string zone = time_zone_of(o);
  if (zone.empty()) {
    return tl::unexpected(stop_for_window(o, "NoTimeZone",
                                          "no time zone is known for Edge " + o.edge->meta.name +
                                              ": set spec.timeZone there or on the GenesysConnection"));
  }
  const auto slot = next_slot(rotation.windows, zone, o.now, needed, freezes);
  if (!slot) {
    const std::string whose =
        is_time_zone(zone) ? "spec.windows: " : "Edge " + o.edge->meta.name + " or its GenesysConnection: ";
    return tl::unexpected(stop_for_window(o, "InvalidWindow", whose + slot.error().message()));
  }
  if (!*slot) {
    return tl::unexpected(
        stop_for_window(o, "WindowTooShort",
                        std::string("no window is as long as ") + (rotation.drain_timeout ? "a drain, " : "") +
                            "a push, its observation and a rollback may take (" + format_duration(needed) +
                            "): lengthen a window or shorten observe.settle, observe.period" +
                            (rotation.drain_timeout ? ", drain.timeout" : "")));
  }
  return Opening{**slot, describe_start(**slot, zone)};
}

Verdict wait_for_window(const Observation& o, int revision) {
  auto found = opening(o);
  if (!found) return std::move(found).error();
  const Slot& slot = found->slot;
  if (o.now >= slot.opens) return std::nullopt;
  Draft draft(o);
  draft.status().next_window = format_rfc3339(slot.opens);
  const api::EffectiveRotation rotation = rotation_of(o);
  const api::Freeze* freeze = freeze_at(rotation.freezes, o.now);
  if (freeze != nullptr && !need_not_wait_for(o, MayBreak::kFreeze)) {
    const std::string why = freeze->reason.empty() ? "" : " (" + freeze->reason + ")";
    draft.phase(Phase::kWaiting, "Frozen",
                revision_text(revision) + " is ready; freeze " + freeze->name + why + " lasts until " +
                    format_rfc3339(freeze->to) + ", the first start after it is " + found->start);
  } else {
    draft.phase(Phase::kWaiting, "WaitingForWindow",
                revision_text(revision) + " is ready; the window opens " + found->start);
  }
  const auto urgent = coming_urgency(o, {MayBreak::kWindow, MayBreak::kFreeze});
  return draft.next("window " + found->start).wake(urgent ? std::min(*urgent, slot.opens) : slot.opens).finish();
}

// --- the Edge's own software

Verdict wait_for_software_update(const Observation& o, int revision) {
  if (rotation_of(o).software_update == api::SoftwareUpdateRule::kIgnore) return std::nullopt;
  const std::string& update = o.edge->status.software_update;
  // Its end changes the Edge object, which wakes this one.
  if (update != "INIT" && update != "IN_PROGRESS") return std::nullopt;
  return Draft(o)
      .phase(Phase::kWaiting, "SoftwareUpdate",
             revision_text(revision) + " is ready; the Edge updates its software (" + update + ")")
      .next("waits for the software update")
      .finish();
}

// As its object tells, which is looked at each five minutes. Where it is drained the vendor is asked itself, see
// wait_for_service() in drain.cpp.
Verdict wait_until_in_service(const Observation& o, int revision) {
  if (rotation_of(o).drain_timeout || o.edge->status.service_state != "OutOfService") return std::nullopt;
  // Its last word, when the API tells no more: what runs out does not wait for another.
  const auto* online = api::find(o.edge->status.conditions, api::condition::kOnline);
  const bool is_old_news = online != nullptr && online->status == api::Truth::kUnknown;
  if (is_old_news && is_urgent(o)) return std::nullopt;
  Draft draft(o);
  // That the API falls silent wakes nobody.
  if (const auto urgent = urgent_from(o)) draft.wake(std::max(*urgent, o.now + 1h));
  return draft
      .phase(Phase::kWaiting, "EdgeOutOfService",
             revision_text(revision) + " is ready; the Edge is out of service: somebody has taken it out")
      .next("waits for the Edge")
      .finish();
}

}  // namespace

Verdict wait_for_permission(const Observation& o, int revision) {
  if (auto wait = wait_for_next_try(o)) return wait;
  if (auto wait = wait_for_approval(o, revision)) return wait;
  if (auto wait = wait_for_window(o, revision)) return wait;
  if (auto wait = wait_until_in_service(o, revision)) return wait;
  return wait_for_software_update(o, revision);
}

}  // namespace edgetrust::decide::certificate::rules
