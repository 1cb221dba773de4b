// What the other Edges make a stored revision wait for: a halt, and its turn under the budget. And the slots that a
// delivery holds, from the claim to the release.
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;

constexpr auto kLookAtWaveAgainAfter = 1h;  // whatever moves a wave wakes those that wait for it
constexpr auto kAskAgainAfter = 60s;  // a slot that comes free wakes those that wait; this is for what nobody hears of

// Nothing new is begun under a policy whose changes went wrong too often.
Verdict wait_for_resumption(const Observation& o, int revision) {
  const std::string& policy = policy_name(o.object);
  const Setbacks found = setbacks(policy, o.policy.get(), o.fleet.members, o.now, o.fleet.pins);
  if (!found.halted) return std::nullopt;
  const std::string how = o.policy ? "" : "make a RotationPolicy " + policy + " and ";
  return Draft(o)
      .phase(Phase::kWaiting, "Halted",
             revision_text(revision) + " is ready; RotationPolicy " + policy + " is halted after " + describe(found) +
                 ": find out why, then " + how + "set its annotation " + std::string(api::kResumeRequestedAt) +
                 " to a new value")
      .next("waits until RotationPolicy " + policy + " is resumed")
      .wake(*found.until)
      .finish();
}

Decision wait_for_turn(const Observation& o, int revision, const std::string& why) {
  return Draft(o)
      .phase(Phase::kWaiting, std::string(kWaitingForTurn), revision_text(revision) + " is ready; " + why)
      .next("waits for its turn")
      .wake(o.now + kAskAgainAfter)
      .finish();
}

// Somebody else was faster: nothing has been pushed yet.
Decision give_way(const Observation& o, const api::DeliveryStatus& delivery, const Error& error) {
  Draft draft(o);
  draft.status().delivery.reset();
  return draft
      .phase(Phase::kWaiting, std::string(kWaitingForTurn),
             revision_text(delivery.revision) + " is ready; " + error.message())
      .next("waits for its turn")
      .wake(o.now)
      .finish();
}

}  // namespace

// A change waits until it has soaked where the policy wants it first; not until what is served runs out.
Verdict wait_for_wave(const Observation& o, int revision) {
  if (!o.policy || is_urgent(o) || is_requested(o, api::kRotateRequestedAt)) return std::nullopt;
  const auto& waves = o.policy->spec.waves;
  const std::string variant = variant_of(o.object.spec, *stored(o, revision)->chain, o.operator_version);
  const auto wait = wave_to_wait_for(variant, wave_of(waves, *o.edge), *o.policy, o.fleet.members, o.now);
  if (!wait) return std::nullopt;
  const api::Wave& wave = waves[wait->wave];
  Draft draft(o);
  draft.status().variant = variant;
  return draft
      .phase(Phase::kWaiting, std::string(kWaitingForWave),
             revision_text(revision) + " is ready; " + variant + " has to be live in wave " + wave.name + " for " +
                 format_duration(wave.soak) + " first")
      .next(wait->until ? "wave " + wave.name + " until " + format_rfc3339(*wait->until)
                        : "waits for wave " + wave.name)
      .wake(wait->until.value_or(o.now + kLookAtWaveAgainAfter))
      .finish();
}

tl::expected<std::vector<std::string>, Decision> turn(const Observation& o, int revision) {
  if (auto halt = wait_for_resumption(o, revision)) return tl::unexpected(*std::move(halt));
  Turn found = turn_of(o.object, *o.edge, o.fleet, rotation_of(o), o.now);
  if (found.slots.empty()) return tl::unexpected(wait_for_turn(o, revision, found.why));
  // The slots of a delivery that is over come first: without that their names would be lost.
  const auto wait = wait_for(o, {effect::ClaimSlots::kName, effect::ReleaseSlots::kName});
  if (!wait) return std::move(found.slots);
  Decision later = wait_for_turn(o, revision, found.why);
  later.wake_at = wait->until;
  return tl::unexpected(std::move(later));
}

// Before the push. After it they are held until the delivery is over, whatever happens.
Verdict claim_slots(const Observation& o, const api::DeliveryStatus& delivery) {
  const auto& slots = o.object.status.slots;
  if (!slots || o.slots_claimed_for == delivery.started_at || o.object.meta.deleting()) return std::nullopt;
  const Failure* failure = failure_of(o, effect::ClaimSlots::kName);
  const bool anew = failure != nullptr && failure->at >= delivery.started_at;
  if (anew && failure->error.kind == ErrorKind::kConflict) return give_way(o, delivery, failure->error);
  Draft draft(o);
  draft.phase(Phase::kDelivering, anew ? reason_of(*failure) : "Pushing",
              anew ? failure->error.message() : "pushing " + revision_text(delivery.revision));
  if (const auto wait = wait_for(o, {effect::ClaimSlots::kName})) return draft.wake(wait->until).finish();
  return draft.effect(effect::ClaimSlots{*slots}).finish();
}

void leave_policy_to_others(api::EdgeCertificateStatus& status) {
  if (status.slots) std::erase_if(status.slots->names, is_policy_slot);
}

Verdict slots_returned(const Observation& o) {
  const auto& slots = o.object.status.slots;
  if (!slots) return std::nullopt;
  Draft draft(o);
  draft.unchanged();
  if (o.slots_released) {
    draft.status().slots.reset();
    return draft.wake(o.now).finish();
  }
  if (wait_for(o, {effect::ReleaseSlots::kName})) return std::nullopt;
  return draft.effect(effect::ReleaseSlots{*slots}).finish();
}

}  // namespace edgetrust::decide::certificate::rules
