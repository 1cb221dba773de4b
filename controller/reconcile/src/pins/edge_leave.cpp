// How an Edge is held while it pins, and let go when it does not.
#include "pins/edge_pass.hpp"

namespace edgetrust::reconcile::edge_pins {

using namespace std::chrono_literals;

// Nothing that pins is there any more. Of a file that cannot be read nobody knows.
bool Pass::has_left() const {
  if (!state_ || file_error_ || !state_->file_trouble.empty()) return false;
  const bool is_known = state_->folder_trouble.empty() || state_->folder_absent;
  return is_known && !changes() && !state_->restore_armed && !is_switched_on_;
}

// It has left Enforce, or does not pin for a while, and nothing is left to be done.
std::optional<Plan> Pass::left(const std::optional<api::EdgePins>& known) {
  if (!has_left() || (!is_leaving() && !is_overridden())) return std::nullopt;
  Plan plan{.pins = known.value_or(api::EdgePins{})};
  auto& pins = *plan.pins;
  pins.policy = policy_name();
  pins.set.clear();
  pins.endpoint.clear();
  pins.file_sha256 = state_->sha256;
  if (is_overridden()) {
    pins.state = EdgePinState::kMatched;
    pins.message = "pinning is switched off by the emergency override";
    describe_sight(pins);
    return plan;
  }
  pins.enforced = false;
  pins.machine.clear();
  pins.machine_id.clear();
  pins.state = EdgePinState::kNotObserved;
  pins.message = "pinning is switched off there";
  if (!notes_.clock.failure.empty())
    pins.message += "; the time servers that the operator has put into chrony could not be taken out, and stay: " +
                    notes_.clock.failure;
  plan.wake_at = now_;
  return plan;
}

Plan Pass::nothing() {
  Plan plan{.pins = before()};
  if (before() && !before()->slots && !before()->drain) plan.pins.reset();
  return plan;
}

// Nobody switches off the file that is there, and nothing is known of that machine any longer.
Plan Pass::give_up_file(std::string why) {
  return {.pins = api::EdgePins{.policy = before()->policy,
                                .state = EdgePinState::kNotObserved,
                                .message = std::move(why),
                                .rolled_back_at = before()->rolled_back_at,
                                .slots = before()->slots,
                                .drain = before()->drain,
                                .handled_retry = before()->handled_retry},
          .effect = {},
          .wake_at = now_};
}

// What was under way is left to the timer on the Edge.
Plan Pass::let_go() {
  return give_up_file("it has left Enforce, and deletionPolicy Keep leaves its pin file to others");
}

// A machine that is not looked at. A change that was under way there is over in the end, as of any machine that does
// not answer.
Plan Pass::untouched(std::string why) {
  FileDecision decided = decide::pins::decide({.policy = policy_name(),
                                               .before = before(),
                                               .host = {},
                                               .host_trouble = std::move(why),
                                               .for_a_person = true,
                                               .switches_off = is_leaving(),
                                               .retry_at = retry_at(),
                                               .now = now_});
  Plan plan{.pins = std::move(decided.status)};
  if (plan.pins->change && plan.pins->change->at) plan.wake_at = *plan.pins->change->at + decide::pins::kLongestChange;
  return plan;
}

Plan Pass::without_ssh() {
  const bool was_pinned = before() && before()->enforced;
  Plan plan = untouched(is_leaving() ? "spec.ssh is gone, and the Edge pins: set it again, or deletionPolicy to Keep"
                        : was_pinned ? "spec.ssh is gone, and the Edge pins: nobody follows the endpoint there"
                                     : "spec.ssh is not set");
  if (!is_leaving() && !was_pinned) plan.pins->state = EdgePinState::kNotObserved;
  return plan;
}

// The policy has not been looked at yet, or has no set of pins. Nobody is kept out of service for one that does not
// come, and no slot is.
Plan Pass::without_set() {
  auto& since = notes_.no_set_since;
  if (since == TimePoint{} || since > now_) since = now_;
  const bool goes_back = before() && before()->drain && before()->drain->ended_at;
  const bool holds = before() && (before()->drain || before()->slots);
  if (goes_back || (holds && now_ >= since + kSetWithin))
    return tail(back_in_service({.pins = before(), .effect = {}, .wake_at = now_ + kPolicySoon}));
  return {.pins = {}, .effect = {}, .wake_at = now_ + kPolicySoon, .unchanged = true};
}

// What is known of a file that is as it should be.
void Pass::describe_file(api::EdgePins& pins) const {
  if (!is_enforcing() || is_overridden() || pins.state != EdgePinState::kMatched) return;
  pins.set = decide::pins::name_of(wanted_file());
  const bool was_proved = changes() && notes_.proof == Proof::kGood;
  const bool is_accepted = file_ && seen_ && decide::pins::matches(pins_of(*file_), match_for(*seen_), seen_->chain);
  if (was_proved || is_accepted) pins.endpoint = endpoint();
}

// Whoever could take an Edge that pins, or its policy, away has to wait: before a file that pins is put there, and on
// every pass after that, for a finalizer may be taken off by hand, and another policy may take an Edge over. What is
// under way is brought to its end first.
Plan Pass::enforced(Plan plan) {
  auto& pins = *plan.pins;
  describe_file(pins);
  const auto* machine = std::get_if<MachineEffect>(&plan.effect);
  const bool trusts = machine != nullptr && std::holds_alternative<machine_effect::Trust>(*machine);
  const bool shall_be_held =
      is_enforcing() && (pins.enforced || pins.change || trusts || pins.state == EdgePinState::kMatched);
  if (!shall_be_held) return plan;
  if (edge_->meta.has_finalizer(api::kFinalizer) && claim_.policy->meta.has_finalizer(api::kFinalizer)) {
    pins.enforced = true;
    pins.machine = decide::pins::machine_of(*edge_);
    if (state_) pins.machine_id = state_->machine_id;
    return plan;
  }
  const auto* file = std::get_if<FileEffect>(&plan.effect);
  if (file != nullptr && !std::holds_alternative<file_effect::Install>(*file)) return plan;
  Plan first{.pins = before(), .wake_at = now_};
  if (!first.pins) {
    first.pins = std::move(plan.pins);
    first.pins->change.reset();
    first.pins->state = EdgePinState::kDrifted;
    first.pins->message = "the file is another one";
  }
  edge_->meta.has_finalizer(api::kFinalizer) ? first.effect = HoldPolicy{} : first.effect = HoldEdge{true};
  return first;
}

// What is held for no change goes.
Plan Pass::tail(Plan plan) {
  if (!std::holds_alternative<std::monostate>(plan.effect)) return plan;
  auto& pins = plan.pins;
  if (pins && pins->slots && !pins->change && !pins->drain) {
    if (notes_.released != pins->slots->revision) {
      plan.effect = ReleaseSlots{*pins->slots};
    } else {
      pins->slots.reset();
    }
    const TimePoint soon = now_ + (notes_.lost != 0 ? kTurnAgain : 0s);
    plan.wake_at = std::min(plan.wake_at.value_or(soon), soon);
    return plan;
  }
  const bool holds = pins && (pins->enforced || pins->change || pins->slots || pins->drain);
  if (!holds && edge_->meta.has_finalizer(api::kFinalizer)) {
    plan.effect = HoldEdge{false};
    plan.wake_at = now_;
  }
  return plan;
}

}  // namespace edgetrust::reconcile::edge_pins
