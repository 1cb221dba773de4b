// From the stored bundle to the push (step 4 of the rotation): nothing starts that is not allowed to, or could not end.
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;

constexpr auto kLookIsFresh = 30s;
constexpr auto kLookAgainAfter = 60s;

Decision reject(const Observation& o, int revision, const Error& defect) {
  Draft draft(o, {});
  const std::string message = "revision " + std::to_string(revision) + " is not fit to be pushed: " + defect.message();
  remember(draft.status(), o, revision, api::RevisionResult::kRejected, message);
  count_failure(draft.status(), o);
  return draft.phase(Phase::kFailed, "ChainRejected", message)
      .stalled()
      .announce(true, "ChainRejected", message)
      .next("needs a look")
      .wake(o.now)
      .finish();
}

Decision stop(const Observation& o, std::string reason, std::string message) {
  return Draft(o, {})
      .phase(Phase::kWaiting, std::move(reason), std::move(message))
      .stalled()
      .next("needs a change")
      .finish();
}

// The window that the push may start in; a decision when it is not now.
Verdict wait_for_window(const Observation& o, int revision) {
  if (is_requested(o, api::kRotateRequestedAt)) return std::nullopt;
  const std::string zone = time_zone_of(o);
  if (zone.empty())
    return stop(o, "NoTimeZone",
                "no time zone is known for Edge " + o.edge->meta.name +
                    ": set spec.timeZone there or on the GenesysConnection");
  const auto needed = time_needed(rotation_of(o));
  const auto slot = next_slot(rotation_of(o).windows, zone, o.now, needed);
  if (!slot) return stop(o, "InvalidWindow", slot.error().message());
  if (!*slot) {
    return stop(o, "WindowTooShort",
                "no window is as long as a push, its observation and a rollback may take (" + format_duration(needed) +
                    "): lengthen a window or shorten observe.settle and observe.period");
  }
  if (o.now >= (*slot)->opens) return std::nullopt;
  const std::string start = describe_start(**slot, zone);
  Draft draft(o, {});
  draft.status().next_window = format_rfc3339((*slot)->opens);
  return draft
      .phase(Phase::kWaiting, "WaitingForWindow",
             "revision " + std::to_string(revision) + " is ready; the window opens " + start)
      .next("window " + start)
      .wake((*slot)->opens)
      .finish();
}

bool is_live(const Observation& o) { return o.look->served && o.look->served->not_after > o.now; }

// The Edge as it is right before the change: it must answer, and it must be well, unless there is nothing that could
// break.
Verdict wait_for_edge(const Observation& o) {
  const auto later = [&](std::string reason, std::string message) {
    Draft draft(o, {});
    draft.phase(Phase::kWaiting, std::move(reason), std::move(message)).next("waits for the Edge");
    const TimePoint again = o.look->at + kLookAgainAfter;
    return o.now < again ? draft.wake(again).finish() : draft.effect(effect::LookAtEdge{}).finish();
  };
  if (!o.look || o.now > o.look->at + kLookAgainAfter) {
    return Draft(o, {})
        .phase(Phase::kWaiting, "LookingAtEdge", "looking at the Edge before the push")
        .next("looks at the Edge")
        .effect(effect::LookAtEdge{})
        .finish();
  }
  if (!o.look->health) {
    const bool absent = o.look->health_error && o.look->health_error->kind == ErrorKind::kNotFound;
    return later(absent ? "EndpointUnavailable" : "EdgeStatusUnavailable",
                 o.look->health_error ? o.look->health_error->message() : "the status call was not answered");
  }
  if (is_live(o)) {
    const Assessment seen = assess(*o.look, {}, true);
    if (seen.health != Health::kGood)
      return later("EdgeUnhealthy", "the Edge is not touched while it is not well: " + seen.reason);
  }
  if (o.now > o.look->at + kLookIsFresh) {
    return Draft(o, {})
        .phase(Phase::kWaiting, "LookingAtEdge", "looking at the Edge before the push")
        .next("looks at the Edge")
        .effect(effect::LookAtEdge{})
        .finish();
  }
  return std::nullopt;
}

Decision start(const Observation& o, int revision) {
  Draft draft(o, {});
  const auto back = fallback(o);
  draft.status().delivery = api::DeliveryStatus{.revision = revision,
                                                .fallback = back.value_or(-1),
                                                .port_answered = o.look->served.has_value(),
                                                .started_at = std::chrono::floor<std::chrono::seconds>(o.now)};
  draft.status().next_window.clear();
  mark_handled(draft.status(), o, api::kRotateRequestedAt);
  const std::string message = "pushing revision " + std::to_string(revision) +
                              (back ? "; a rollback would return to revision " + std::to_string(*back)
                                    : "; there is nothing that a rollback could return to");
  return draft.phase(Phase::kDelivering, "Pushing", message)
      .next("pushes revision " + std::to_string(revision))
      .announce(false, "Delivering", message)
      .effect(effect::Push{revision})
      .finish();
}

}  // namespace

Verdict revision_delivered(const Observation& o) {
  const auto next = candidate(o);
  const StoredRevision* revision = next ? stored(o, *next) : nullptr;
  if (revision == nullptr || !revision->chain) return std::nullopt;
  if (revision->defect) return reject(o, *next, *revision->defect);
  if (!o.connection->spec.certificate_upload) {
    return stop(o, "NoDeliveryChannel",
                "GenesysConnection " + o.connection->meta.name +
                    " has no certificateUpload: the certificate is issued, and nothing is delivered");
  }
  if (auto wait = wait_for_window(o, *next)) return wait;
  if (auto wait = wait_for_edge(o)) return wait;
  return start(o, *next);
}

}  // namespace edgetrust::decide::certificate::rules
