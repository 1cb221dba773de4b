// What a change of the pin file waits for: its RotationPolicy, its turn, its calls; and the way back into service.
#include "edgetrust/base/text.hpp"
#include "pins/edge_pass.hpp"
#include "slots.hpp"

namespace edgetrust::reconcile::edge_pins {

using namespace std::chrono_literals;

namespace {

Plan to_plan(FileDecision decided) {
  Plan plan{.pins = std::move(decided.status), .effect = {}, .wake_at = decided.wake_at};
  if (!std::holds_alternative<std::monostate>(decided.effect)) plan.effect = std::move(decided.effect);
  return plan;
}

}  // namespace

// What is about to begin waits for what its RotationPolicy wants.
Plan Pass::begin(FileSituation& s, FileDecision decision) {
  if (!decision.restarts || is_overridden()) return to_plan(std::move(decision));
  const auto& held = before() ? before()->slots : std::nullopt;
  const bool has_lost = held && notes_.lost == held->revision;
  Permission found = permission(is_enforcing() ? decide::pins::name_of(wanted_file()) : std::string{});
  if (has_lost)
    found = {.waits_for = "another Edge was faster", .slots = {}, .wake_at = now_ + kTurnAgain, .its_turn = true};
  if (found.waits_for.empty() && notes_.not_drained_until > now_)
    found = {.waits_for = notes_.not_drained, .slots = {}, .wake_at = notes_.not_drained_until};
  is_in_line_ = found.its_turn;
  if (found.waits_for.empty() && held && notes_.claimed == held->revision) return drained(s, std::move(decision));
  const bool may_claim = found.waits_for.empty();
  s.waits_for = may_claim ? "it takes its turn" : found.waits_for;
  Plan plan = to_plan(decide::pins::decide(s));
  if (!may_claim) {
    plan.wake_at = plan.wake_at && found.wake_at ? std::min(*plan.wake_at, *found.wake_at)
                   : found.wake_at               ? found.wake_at
                                                 : plan.wake_at;
    return plan;
  }
  if (!held) {
    const auto moment = std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
    plan.pins->slots = api::SlotsStatus{.revision = static_cast<int>(moment & 0x7fffffff), .names = found.slots};
  }
  plan.effect = ClaimSlots{*plan.pins->slots};
  plan.wake_at = now_;
  return plan;
}

// Who does not wait for a turn any more, for whatever reason, holds up nobody; nor who has had it.
void Pass::line_up(const Plan& plan) {
  const api::ObjectKey key = edge_->meta.key();
  if (!plan.unchanged && !(plan.pins && plan.pins->slots)) board_.give_back(key);
  is_in_line_ ? board_.line_up(key, decide::pins::rotation_policy_of(claim_.policy)) : board_.leave_line(key);
}

Permission Pass::permission(const std::string& set) {
  const std::string& ns = edge_->meta.ns;
  const std::string name = decide::pins::rotation_policy_of(claim_.policy);
  const auto alone = board_.turns();
  decide::Fleet fleet{.members = {}, .slots = world_.slots.list(ns), .pins = pin_work(world_, ns)};
  fleet.pins.push_back(
      {.uid = {}, .name = {}, .policy = {}, .slots = board_.taken_by_others(edge_->meta.key()), .rolled_back_at = {}});
  for (const auto& certificate : world_.certificates.list(ns))
    fleet.members.push_back(
        {.certificate = certificate, .edge = world_.edges.get({ns, certificate->spec.edge_ref.name})});
  decide::pins::Edges of_policy;
  for (const auto& other : world_.edges.list(ns)) {
    if (decide::pins::holder_of(policies_, other->meta) == claim_.policy) of_policy.push_back(other);
  }
  decide::pins::Edges first;
  for (const auto& other : board_.before(edge_->meta.key(), name)) {
    if (auto found = world_.edges.get(other)) first.push_back(std::move(found));
  }
  const auto connection = world_.connections.get({ns, edge_->spec.connection_ref.name});
  const auto policy = world_.policies.get({ns, name});
  Permission found = decide::pins::permission({.edge = *edge_,
                                               .connection = connection.get(),
                                               .policy = policy.get(),
                                               .policy_name = name,
                                               .at_once = terms().service.restart == api::ServiceRestart::kImmediate,
                                               .is_out = is_locked_out(),
                                               .switches_off = is_leaving(),
                                               .has_turn = before() && before()->slots,
                                               .is_drained = before() && before()->drain,
                                               .set = set,
                                               .fleet = fleet,
                                               .of_policy = of_policy,
                                               .before = first,
                                               .now = now_});
  if (!found.slots.empty()) board_.take(edge_->meta.key(), found.slots);
  return found;
}

api::EffectiveRotation Pass::rotation() const {
  const auto policy = world_.policies.get({edge_->meta.ns, decide::pins::rotation_policy_of(claim_.policy)});
  return api::effective_rotation({}, policy ? &policy->spec : nullptr);
}

// When a file is tried again whose failure may pass by itself.
std::optional<TimePoint> Pass::retry_at() const {
  const api::EffectiveRotation is = rotation();
  if (is.retry != api::RetryPolicy::kNextWindow) return std::nullopt;
  const auto connection = world_.connections.get({edge_->meta.ns, edge_->spec.connection_ref.name});
  return decide::pins::next_try(*edge_, connection.get(), is, now_);
}

Result<std::shared_ptr<ports::EdgeFleet>> Pass::fleet() {
  const auto connection = world_.connections.get({edge_->meta.ns, edge_->spec.connection_ref.name});
  if (!connection) return fail(ErrorKind::kNotFound, "there is no such GenesysConnection");
  return world_.backends.fleet(*connection, stop_);
}

CallsDecision Pass::calls(std::optional<api::DrainStatus> drain, bool may_begin) {
  constexpr auto kAskedAgainAfter = 60s;
  const api::EffectiveRotation is = rotation();
  // The clock has been set back: its time begins anew.
  if (drain && drain->since > now_) drain->since = std::chrono::floor<std::chrono::seconds>(now_);
  decide::pins::CallsSituation s{
      .drain = drain,
      .seen = {},
      .trouble = {},
      .may_begin = may_begin,
      .asked_out = drain && notes_.asked_out_of == drain->since,
      .asked_back = drain && notes_.asked_back_of == drain->since && now_ < notes_.asked_back_at + kAskedAgainAfter,
      .waits_for_software = is.software_update == api::SoftwareUpdateRule::kWait,
      .timeout = is.drain_timeout.value_or(0s),
      .interval = is.interval,
      .now = now_};
  const auto found = [&]() -> Result<ports::EdgeInfo> {
    EDGETRUST_TRY_ASSIGN(const auto vendor, fleet());
    return vendor->edge(ports::EdgeId{lower(edge_->spec.edge_id)}, stop_);
  }();
  if (found) {
    s.seen = *found;
  } else {
    s.trouble = found.error().message();
  }
  return decide::pins::decide(s);
}

void Pass::apply(const CallsDecision& calls, Plan& plan) const {
  plan.pins->drain = calls.drain;
  if (calls.wake_at) plan.wake_at = plan.wake_at ? std::min(*plan.wake_at, *calls.wake_at) : calls.wake_at;
  if (calls.step == CallsStep::kGone) plan.wake_at = now_;
  if (calls.step == CallsStep::kTakeOut) plan.effect = SetService{.in_service = false, .drain = calls.drain->since};
  if (calls.step == CallsStep::kPutBack) plan.effect = SetService{.in_service = true, .drain = calls.drain->since};
  if (!calls.called_off) return;
  const auto connection = world_.connections.get({edge_->meta.ns, edge_->spec.connection_ref.name});
  plan.pins->not_before = decide::pins::next_try(*edge_, connection.get(), rotation(), now_);
}

// A change that may begin, once the Edge's calls have ended.
Plan Pass::drained(FileSituation& s, FileDecision decision) {
  const std::optional<api::DrainStatus> drain = before() ? before()->drain : std::nullopt;
  const bool at_once = terms().service.restart == api::ServiceRestart::kImmediate;
  if (!drain && (at_once || is_locked_out() || !rotation().drain_timeout)) return to_plan(std::move(decision));
  const CallsDecision found = calls(drain, true);
  if (found.step == CallsStep::kChange) {
    Plan plan = to_plan(std::move(decision));
    plan.pins->drain = found.drain;
    plan.pins->not_before.reset();
    return plan;
  }
  if (!drain && found.step == CallsStep::kWait && found.wake_at) {
    notes_.not_drained = found.why;
    notes_.not_drained_until = *found.wake_at;
  }
  s.waits_for = found.why;
  Plan plan = to_plan(decide::pins::decide(s));
  apply(found, plan);
  is_drain_decided_ = true;
  return plan;
}

// Whatever becomes of the change, the Edge goes back.
Plan Pass::back_in_service(Plan plan) {
  const bool is_busy = !plan.pins || plan.pins->change || !std::holds_alternative<std::monostate>(plan.effect);
  if (is_busy || !plan.pins->drain || is_drain_decided_) return plan;
  const std::optional<api::DrainStatus> drain = plan.pins->drain;
  const CallsDecision found = calls(drain, false);
  // Right after the change that is no news; later somebody has to know.
  const bool takes_long = found.drain && drain->ended_at && now_ >= *drain->ended_at + kBackWithin;
  std::string& message = plan.pins->message;
  message.erase(std::min(message.find("; " + std::string(decide::pins::kGoesBack)), message.size()));
  if (takes_long) message += "; " + found.why;
  apply(found, plan);
  return plan;
}

}  // namespace edgetrust::reconcile::edge_pins
