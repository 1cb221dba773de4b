#pragma once
// What a pass found about an object of one of the smaller kinds, and how that becomes its conditions.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/reconcile/outcome.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <string>

namespace edgetrust::reconcile {

struct Finding {
  bool ready = false;
  bool stalled = false;  // nothing changes by itself
  std::string reason;
  std::string message;
};

inline Finding good(std::string message) { return {.ready = true, .reason = "Ready", .message = std::move(message)}; }
inline Finding refused(std::string reason, std::string message) {
  return {.stalled = true, .reason = std::move(reason), .message = std::move(message)};
}
// An error as a finding: what only a change can mend is stalled, the rest is tried again.
Finding failed(std::string_view subject, const Error& error);

// Whether this version can serve the object at all; empty when it can.
template <class Kind>
std::optional<Finding> unusable(const Kind& object) {
  if (object.broken) return refused("Invalid", object.broken->message());
  return std::nullopt;
}

void set_condition(std::vector<api::Condition>& conditions, std::string_view type, api::Truth truth, std::string reason,
                   std::string message, std::int64_t generation, TimePoint now);

// Ready, and Reconciling or Stalled while true.
template <class Kind>
void report(Kind& object, const Finding& finding, TimePoint now) {
  auto& conditions = object.status.conditions;
  const std::int64_t generation = object.meta.generation;
  object.status.observed_generation = generation;
  set_condition(conditions, api::condition::kReady, finding.ready ? api::Truth::kTrue : api::Truth::kFalse,
                finding.reason, finding.message, generation, now);
  // The one that stays keeps the time at which it came.
  if (finding.ready || finding.stalled) api::remove(conditions, api::condition::kReconciling);
  if (finding.ready || !finding.stalled) api::remove(conditions, api::condition::kStalled);
  if (finding.ready) return;
  set_condition(conditions, finding.stalled ? api::condition::kStalled : api::condition::kReconciling,
                api::Truth::kTrue, finding.reason, finding.message, generation, now);
}

// Writes the status if it differs from what the object had; says so in an Event when readiness changed.
template <class Kind>
Outcome record(const World& world, ports::Objects<Kind>& objects, const Kind& before, const Kind& after,
               std::optional<TimePoint> wake_at, std::stop_token stop) {
  if (api::encode_status(before) == api::encode_status(after)) return {.wake_at = wake_at};
  if (const auto written = objects.write_status(after, stop); !written) {
    // The cache was behind, and is up to date soon.
    if (written.error().kind == ErrorKind::kConflict)
      return {.wake_at = world.clock.now() + std::chrono::milliseconds{500}};
    return {.error = within("status", written.error())};
  }
  const auto* was = api::find(before.status.conditions, api::condition::kReady);
  const auto* is = api::find(after.status.conditions, api::condition::kReady);
  if (is != nullptr && (was == nullptr || was->status != is->status || was->reason != is->reason)) {
    world.events.emit({std::string(api::kKind<Kind>.kind), after.meta}, is->status != api::Truth::kTrue, is->reason,
                      is->message);
  }
  return {.wake_at = wake_at, .wrote_status = true};
}

// The condition has the error's message; the log gets the whole error.
inline Outcome but_failed(Outcome outcome, std::string effect, const Error& error) {
  outcome.effect = std::move(effect);
  outcome.effect_error = error;
  return outcome;
}

}  // namespace edgetrust::reconcile
