#include "edgetrust/reconcile/edge_pin_reconciler.hpp"

#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/text.hpp"
#include "finding.hpp"
#include "fresh.hpp"
#include "pins/edge_pass.hpp"

#include <map>
#include <mutex>

namespace edgetrust::reconcile {
namespace edge_pins {

using namespace std::chrono_literals;

Plan Pass::plan() {
  switch (claim_.goal) {
    case Goal::kNothing: return tail(back_in_service(nothing()));
    case Goal::kLetGo: return tail(back_in_service(let_go()));
    case Goal::kReport:
    case Goal::kEnforce:
    case Goal::kSwitchOff:
    case Goal::kHold: break;
  }
  if (!edge_->spec.ssh && claim_.goal == Goal::kReport) return tail(back_in_service(nothing()));
  if (decide::pins::is_forgotten(*edge_)) return tail(back_in_service(forget_machine()));
  if (!edge_->spec.ssh) return tail(back_in_service(without_ssh()));
  const std::string other = decide::pins::has_moved(*edge_) ? std::string{} : goes_first();
  if (!other.empty()) return tail(back_in_service(second_to(other)));
  if (claim_.policy != nullptr) in_force_ = board_.in_force(*claim_.policy);
  const bool needs_set = (is_enforcing() && !is_overridden()) || claim_.goal == Goal::kReport;
  if (needs_set && !in_force_ && !changes()) return without_set();
  notes_.no_set_since = {};
  if (!in_force_) in_force_.emplace();
  if (in_force_->intermediaries) trusted_ = decide::pins::trusted_at(*in_force_->intermediaries, now_);
  if (!look()) return {.unchanged = true};
  if (auto plan = left_behind()) return tail(back_in_service(*std::move(plan)));
  see();
  if (sight_error_ && sight_error_->kind == ErrorKind::kCancelled) return {.unchanged = true};
  return looked();
}

FileSituation Pass::situation(const std::optional<api::EdgePins>& known) const {
  FileSituation s{.policy = policy_name(),
                  .before = known,
                  .host = state_,
                  .host_trouble = host_error_ ? host_error_->message() : std::string{},
                  .for_a_person = host_error_ && retry_of(*host_error_) == Retry::kAfterChange,
                  .unread = has_unread() ? std::string(kUnread) + ", which was put there after it was started" : "",
                  .online = is_online(),
                  .refuses = refuses(),
                  .enforced = is_enforcing() || is_leaving(),
                  .pins = file_ || file_error_,
                  .switches_off = is_leaving() || is_overridden(),
                  .max_clock_offset = is_overridden() ? api::Duration::max() : terms().clock.max_offset,
                  .retry_at = retry_at(),
                  .now = now_};
  tell_failures(s);
  return s;
}

// What this process remembers of the change that is under way; without one, of what was left alone for a while.
void Pass::tell_failures(FileSituation& s) const {
  if (!changes()) {
    if (notes_.failed_of != TimePoint{} || notes_.trouble_until <= now_) return;
    s.failures = notes_.step_failures;
    s.failure = notes_.step_failure;
    return;
  }
  const api::PinChange& change = *before()->change;
  if (notes_.proof_of == change.file_sha256) {
    s.proof = notes_.proof;
    s.proof_at = notes_.proof_at;
  }
  if (notes_.failed_of != change.at || notes_.failed_at != change.step) return;
  s.failures = notes_.step_failures;
  s.failure = notes_.step_failure;
}

// Somebody asks for another try: what failed is forgotten. Not in the midst of a change.
void Pass::take_retry(std::optional<api::EdgePins>& known) {
  constexpr std::size_t kLongestValue = 256;
  const auto asked = edge_->meta.annotation(api::kRetryRequestedAt);
  if (!asked || !known || changes()) return;
  const std::string value = printable(*asked, kLongestValue);
  if (value == known->handled_retry) return;
  known->handled_retry = value;
  known->rejected_sha256.clear();
  known->rejected_until.reset();
  known->unconfirmed_sha256.clear();
  known->not_before.reset();
  notes_.trouble_until = notes_.not_drained_until = {};
  notes_.step_failures = 0;
  notes_.clock = notes_.anchors = {};
}

Plan Pass::looked() {
  std::optional<api::EdgePins> known = before();
  const bool is_of_another = known && known->policy != policy_name() && !known->enforced;
  if (is_of_another && !known->slots && !known->drain) known.reset();
  take_retry(known);
  FileSituation s = situation(known);
  if (state_) {
    find_wanted(s);
    find_hindrance(s);
  }
  const MachineEffect first = prepare(s);
  const bool is_trusted_still = std::holds_alternative<machine_effect::Distrust>(first);
  const bool keeps_time = std::holds_alternative<machine_effect::SetTimeServers>(first) && is_leaving();
  if (has_left() && (is_trusted_still || keeps_time) && known) {
    Plan plan{.pins = known, .effect = first, .wake_at = now_};
    const std::string& failure = note_of(first).failure;
    if (!failure.empty())
      plan.pins->message = (is_trusted_still ? "a CA that the operator has put into the trust store"
                                             : "the time servers that the operator has put into chrony") +
                           std::string(" cannot be taken out: ") + failure;
    return tail(back_in_service(std::move(plan)));
  }
  if (auto plan = left(known)) return tail(back_in_service(*std::move(plan)));
  Plan plan = begin(s, decide::pins::decide(s));
  if (std::holds_alternative<std::monostate>(plan.effect) && !std::holds_alternative<std::monostate>(first)) {
    plan.effect = first;
    plan.wake_at = now_;
    const auto* trust = std::get_if<machine_effect::Trust>(&first);
    if (trust != nullptr && !has_read(*trust)) notes_.unread_by = state_->invocation;
  }
  for (const MachineNote* of : {&notes_.anchors, &notes_.clock}) {
    if (plan.pins->state == EdgePinState::kMatched && !of->failure.empty() && is_enforcing())
      plan.pins->message += "; what it needs besides cannot be put there: " + of->failure;
  }
  if (!plan.wake_at && host_error_ && changes()) plan.wake_at = now_ + kChangeWaits;
  if (is_leaving() && plan.pins->state == EdgePinState::kMatched) plan.wake_at = now_;  // and then it has left
  describe_sight(*plan.pins);
  return tail(back_in_service(enforced(std::move(plan))));
}

Outcome Pass::run() {
  Plan plan = this->plan();
  line_up(plan);
  const bool is_watched = plan.pins || claim_.goal != Goal::kNothing;
  const Backoff silence{.first = kSilentOnce, .ceiling = terms().rotation.interval};
  const TimePoint interval = now_ + (notes_.silent > 0 ? silence.after(notes_.silent, 0) : terms().rotation.interval);
  Outcome outcome{.wake_at =
                      is_watched ? std::optional(std::min(plan.wake_at.value_or(interval), interval)) : plan.wake_at};
  if (const auto& pins = plan.pins ? plan.pins : before()) outcome.trace_id = trace_of(*pins);
  if (state_) outcome.clock_offset = state_->clock_offset;
  if (is_overridden()) outcome.wake_at = std::min(*outcome.wake_at, terms().emergency_override->until);
  if (const auto end = decide::pins::next_end(trusted_); end && outcome.wake_at)
    outcome.wake_at = std::min(*outcome.wake_at, *end);
  const bool is_witness = seen_ && (is_enforcing() || claim_.goal == Goal::kReport) && !is_through_intermediary();
  if (is_witness) board_.saw(edge_->meta.key(), claim_.policy->meta.key(), *seen_, now_);
  if (seen_ && !is_witness) board_.forget_sight(edge_->meta.key());
  if (host_error_) outcome.effect = "LookAtMachine", outcome.effect_error = host_error_;
  const auto written = record(plan, outcome);
  if (!written) {
    if (written.error().kind == ErrorKind::kConflict || written.error().kind == ErrorKind::kNotFound) {
      outcome.wake_at = now_ + 500ms;
      return outcome;
    }
    return {.error = written.error(), .trace_id = outcome.trace_id};
  }
  outcome.wrote_status = *written;
  outcome.rank = rank_of(*edge_);
  if (std::holds_alternative<std::monostate>(plan.effect)) return outcome;
  if (!world_.may_change(stop_)) return outcome;
  if (const Status current = guard(plan.effect); !current) {
    if (current.error().kind != ErrorKind::kConflict && current.error().kind != ErrorKind::kNotFound)
      return {.error = current.error(), .trace_id = outcome.trace_id};
    outcome.wake_at = now_ + 500ms;
    return outcome;
  }
  outcome.effect = effect_name(plan.effect);
  const Status done = perform(plan.effect);
  if (done) {
    notes_.failures = 0;
    return outcome;
  }
  outcome.effect_error = done.error();
  if (done.error().kind == ErrorKind::kConflict) {
    outcome.wake_at = std::max(*outcome.wake_at, world_.clock.now() + 500ms);  // the cache was behind
    return outcome;
  }
  const auto wait = std::min<std::chrono::milliseconds>(kFailedOnce * (1 << std::min(notes_.failures++, 5)),
                                                        changes() ? kChangeWaits : kFailedOften);
  outcome.wake_at = std::max(*outcome.wake_at, world_.clock.now() + wait);
  return outcome;
}

}  // namespace edge_pins

// Where the lane is full, changes go first, also of a machine that has missed a look meanwhile: its timer runs.
// Machines that do not answer go last.
runtime::Rank rank_of(const api::Edge& edge) {
  const auto& pins = edge.status.pins;
  if (pins && (pins->change || pins->drain)) return runtime::Rank::kFirst;
  const bool is_silent = pins && pins->state == api::EdgePinState::kUnreachable;
  return is_silent ? runtime::Rank::kLast : runtime::Rank::kNormal;
}

using edge_pins::Notes;
using edge_pins::Pass;

struct EdgePinReconciler::State {
  World world;
  EdgePinPorts ports;
  PinBoard& board;
  std::mutex mutex;
  std::map<api::ObjectKey, std::shared_ptr<Notes>> notes;

  std::shared_ptr<Notes> notes_of(const api::ObjectKey& key) {
    const std::scoped_lock lock(mutex);
    auto& mine = notes[key];
    if (!mine) mine = std::make_shared<Notes>();
    return mine;
  }
  void forget(const api::ObjectKey& key) {
    board.forget_edge(key);
    const std::scoped_lock lock(mutex);
    notes.erase(key);
  }
};

EdgePinReconciler::EdgePinReconciler(const World& world, const EdgePinPorts& ports, PinBoard& board)
    : state_(new State{.world = world, .ports = ports, .board = board}) {}
EdgePinReconciler::~EdgePinReconciler() = default;

Outcome EdgePinReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  State& state = *state_;
  const auto cached = state.world.edges.get(key);
  if (!cached || cached->broken) {
    state.forget(key);
    return {};
  }
  const auto notes = state.notes_of(key);
  return Pass(state.world, state.ports, state.board, *notes, newest(cached, notes->written), std::move(stop)).run();
}

}  // namespace edgetrust::reconcile