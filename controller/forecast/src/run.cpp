#include "edgetrust/forecast/run.hpp"

#include "edgetrust/decide/certificate/decide.hpp"
#include "edgetrust/decide/wave.hpp"
#include "member.hpp"

namespace edgetrust::forecast {

using decide::certificate::Decision;
using decide::certificate::Observation;
namespace effect = decide::certificate::effect;

namespace {

// Owns nothing: the run lives longer than whoever looks at it.
template <class T>
std::shared_ptr<const T> borrowed(const T& thing) {
  return {std::shared_ptr<void>{}, &thing};
}

// A software update that is under way is over before long, and would be waited for until the end of the forecast.
void settle(Observation& o) {
  if (!o.edge || o.edge->status.software_update.empty()) return;
  auto edge = std::make_shared<api::Edge>(*o.edge);
  edge->status.software_update.clear();
  o.edge = std::move(edge);
}

// Somebody has taken the Edge out of service, and it stays so.
bool is_taken_out(const Observation& o) { return o.edge && o.edge->status.service_state == "OutOfService"; }

// The Edge as it would be reported with this certificate.
std::shared_ptr<const api::Edge> serving(const api::Edge& edge, const ports::ChainFacts& chain) {
  auto next = std::make_shared<api::Edge>(edge);
  next->status.served_certificate = api::ServedCertificate{.serial_number = chain.serial_number,
                                                           .not_after = chain.not_after,
                                                           .fingerprint_sha256 = chain.fingerprint_sha256,
                                                           .issuer = chain.issuer};
  return next;
}

// What setbacks and waves are reckoned from.
bool concerns_policy(const api::EdgeCertificateStatus& before, const api::EdgeCertificateStatus& after) {
  const auto rolling_back = [](const api::EdgeCertificateStatus& status) {
    return status.delivery && status.delivery->rolling_back_since;
  };
  const auto top = [](const api::EdgeCertificateStatus& status) {
    return status.history.empty() ? std::pair(-1, api::RevisionResult::kActive)
                                  : std::pair(status.history.front().revision, status.history.front().result);
  };
  return rolling_back(before) != rolling_back(after) || before.variant != after.variant ||
         before.history.size() != after.history.size() || top(before) != top(after);
}

}  // namespace

// What is shared within a namespace. One without an object has no `object`.
struct Run::Policy {
  std::string name;
  std::shared_ptr<api::RotationPolicy> object;
  Namespace* space = nullptr;
  TimePoint due = TimePoint::max();
};
struct Run::Namespace {
  std::vector<Member*> members;
  std::vector<decide::Member> fleet;  // the same
  Shared shared;
  std::map<std::string, Policy> policies;
};
struct Run::Member {
  Observation o;
  Model model;
  Namespace* space = nullptr;
  Policy* policy = nullptr;
  std::size_t index = 0;
  TimePoint due = TimePoint::max();
  int passes_without_rest = 0;
};

Run::Run(Situation situation, Outside& outside, Watcher watcher)
    : now_(situation.now), outside_(outside), watcher_(std::move(watcher)) {
  for (auto& observation : situation.certificates) {
    auto& space = namespaces_[observation.object.meta.ns];
    if (!space) space = std::make_unique<Namespace>();
    Member& member = *members_.emplace_back(std::make_unique<Member>());
    member.o = std::move(observation);
    member.o.now = now_;
    member.model.installed = installed_at_first(member.o);
    member.model.in_service = !member.o.object.status.drain && !is_taken_out(member.o);
    settle(member.o);
    member.space = space.get();
    member.index = members_.size() - 1;
    const std::string name = decide::policy_name(member.o.object);
    Policy& policy = space->policies[name];
    policy.name = name;
    policy.space = space.get();
    if (!policy.object && member.o.policy) policy.object = std::make_shared<api::RotationPolicy>(*member.o.policy);
    member.o.policy = policy.object;
    member.policy = &policy;
    space->members.push_back(&member);
    space->fleet.push_back({.certificate = borrowed(member.o.object),
                            .edge = member.o.edge ? borrowed(*member.o.edge) : nullptr,
                            .issuer = member.o.issuer});
    if (member.o.orders) space->shared.orders[member.o.issuer->spec.server] = *std::exchange(member.o.orders, nullptr);
    wake_at(member, now_);
  }
  for (auto& slot : situation.slots) {
    const auto space = namespaces_.find(slot.meta.ns);
    if (space != namespaces_.end()) space->second->shared.slots.push_back(std::move(slot));
  }
  for (auto& [ns, space] : namespaces_) {
    for (auto& [name, policy] : space->policies) refresh(policy);
  }
}

Run::~Run() = default;

void Run::wake_at(Member& member, TimePoint at) {
  at = std::max(at, now_);
  if (at >= member.due) return;
  member.due = at;
  wakes_.push({at, ++asked_, member.index});
}

void Run::advance(TimePoint until) {
  for (;;) {
    // Policies are few: the next moment of each is looked up.
    Policy* next_policy = nullptr;
    for (auto& [ns, space] : namespaces_) {
      for (auto& [name, policy] : space->policies) {
        if (next_policy == nullptr || policy.due < next_policy->due) next_policy = &policy;
      }
    }
    const TimePoint member_due = wakes_.empty() ? TimePoint::max() : wakes_.top().at;
    const TimePoint next = std::min(member_due, next_policy != nullptr ? next_policy->due : TimePoint::max());
    if (next >= until) break;
    now_ = std::max(now_, next);
    if (next_policy != nullptr && next_policy->due <= member_due) {
      refresh(*next_policy);
      continue;
    }
    const Wake wake = wakes_.top();
    wakes_.pop();
    Member& member = *members_[wake.member];
    if (wake.at != member.due) continue;  // it was woken before
    member.due = TimePoint::max();
    work_on(member);
  }
  now_ = std::max(now_, until);
}

void Run::work_on(Member& member) {
  while (pass(member)) {
  }
}

// True: the next pass follows at once.
bool Run::pass(Member& member) {
  constexpr int kManyPasses = 100;  // as the engine has it
  ++passes_;
  Observation& o = member.o;
  o.now = now_;
  decide::certificate::note_pass(o, now_);
  if (decide::certificate::asks_for_fleet(o)) {
    o.fleet = {.members = member.space->fleet, .slots = member.space->shared.slots};
  } else {
    o.fleet = {};
  }
  o.orders =
      decide::certificate::asks_for_orders(o) ? borrowed(member.space->shared.orders[o.issuer->spec.server]) : nullptr;
  Decision decision = decide::certificate::decide(o);
  const api::EdgeCertificateStatus before = std::exchange(o.object.status, std::move(decision.status));
  decide::certificate::note_written(o, before, o.object.status);
  watcher_(
      {.before = before, .after = o, .rule = decision.rule, .effect = decision.effect ? &*decision.effect : nullptr});
  if (concerns_policy(before, o.object.status)) refresh(*member.policy);
  const bool at_once = decision.effect || (decision.wake_at && *decision.wake_at <= now_);
  if (decision.effect) {
    decide::certificate::note_begun(o, *decision.effect);
    auto learned = forecast::act(*decision.effect, o, member.model, member.space->shared, outside_);
    if (learned) {
      decide::certificate::note_success(o, *decision.effect, std::move(*learned), o, now_);
    } else {
      decide::certificate::note_failure(o, *decision.effect, learned.error(), now_);
      if (learned.error().kind == ErrorKind::kRateLimited) let_sleep(member, learned.error());
    }
    if (std::holds_alternative<effect::ReleaseSlots>(*decision.effect)) wake_waiting(*member.space);
  }
  if (at_once) {
    if (++member.passes_without_rest <= kManyPasses) return true;
    wake_at(member, now_ + std::chrono::seconds{1});
    return false;
  }
  member.passes_without_rest = 0;
  if (decision.wake_at) wake_at(member, *decision.wake_at);
  return false;
}

// What the engine writes on an AcmeIssuer whose CA wants no orders for a while.
void Run::let_sleep(const Member& refused, const Error& error) {
  if (!refused.o.issuer) return;
  auto next = std::make_shared<api::AcmeIssuer>(*refused.o.issuer);
  next->status.last_refusal = decide::refusal(next->status.last_refusal, error.retry_after, now_);
  next->status.last_refusal->message = error.message();
  for (std::size_t i = 0; i < refused.space->members.size(); ++i) {
    auto& issuer = refused.space->members[i]->o.issuer;
    if (!issuer || issuer->meta.name != next->meta.name) continue;
    issuer = next;
    refused.space->fleet[i].issuer = next;
  }
}

// A slot came free.
void Run::wake_waiting(const Namespace& space) {
  for (Member* member : space.members) {
    if (decide::waits_for_turn(member->o.object, now_)) wake_at(*member, now_);
  }
}

// What the engine of RotationPolicies does, as far as the rules read it.
void Run::refresh(Policy& policy) {
  policy.due = TimePoint::max();
  if (!policy.object) return;
  api::RotationPolicyStatus& status = policy.object->status;
  const decide::Setbacks setbacks = decide::setbacks(policy.name, policy.object.get(), policy.space->fleet, now_);
  decide::WaveReport waves = decide::report_waves(*policy.object, policy.space->fleet, now_);
  const bool was_halted = status.state == api::PolicyState::kHalted;
  const bool moved = status.wave != waves.wave || status.soaked != waves.soaked;
  status.state = setbacks.halted ? api::PolicyState::kHalted : api::PolicyState::kOpen;
  status.wave = std::move(waves.wave);
  status.soaked = std::move(waves.soaked);
  if (setbacks.until && *setbacks.until > now_) policy.due = *setbacks.until;
  if (waves.next && *waves.next > now_) policy.due = std::min(policy.due, *waves.next);
  if (!moved && (!was_halted || setbacks.halted)) return;
  for (Member* member : policy.space->members) wake_at(*member, now_);
}

void Run::stop(TimePoint back_at) {
  for (const auto& member : members_) {
    static_cast<decide::certificate::Memory&>(member->o) = {};
    member->due = TimePoint::max();
  }
  wakes_ = {};
  now_ = std::max(now_, back_at);
  for (const auto& member : members_) wake_at(*member, now_);
  for (auto& [ns, space] : namespaces_) {
    for (auto& [name, policy] : space->policies) refresh(policy);
  }
}

void Run::resume() {
  for (auto& [ns, space] : namespaces_) {
    for (auto& [name, policy] : space->policies) {
      if (!policy.object) continue;
      policy.object->status.resumed = api::ResumeStatus{.request = "forecast", .at = now_};
      refresh(policy);
    }
  }
}

const Observation& Run::observation(std::size_t member) const { return members_.at(member)->o; }

const ports::ChainFacts* Run::installed(std::size_t member) const {
  const auto& installed = members_.at(member)->model.installed;
  return installed ? &*installed : nullptr;
}

std::vector<std::string> Run::halted() const {
  std::vector<std::string> names;
  for (const auto& [ns, space] : namespaces_) {
    for (const auto& [name, policy] : space->policies) {
      if (policy.object && policy.object->status.state == api::PolicyState::kHalted) names.push_back(name);
    }
  }
  return names;
}

Situation Run::situation() const {
  Situation now{.now = now_, .certificates = {}, .slots = {}};
  for (const auto& member : members_) {
    Observation& copy = now.certificates.emplace_back(member->o);
    static_cast<decide::certificate::Memory&>(copy) = {};
    copy.fleet = {};
    copy.orders = nullptr;
    if (copy.issuer) {
      const auto& known = member->space->shared.orders;
      if (const auto log = known.find(copy.issuer->spec.server); log != known.end())
        copy.orders = std::make_shared<decide::OrderLog>(log->second);
    }
    if (copy.edge && member->model.installed) copy.edge = serving(*copy.edge, *member->model.installed);
    if (copy.policy) copy.policy = std::make_shared<api::RotationPolicy>(*copy.policy);
  }
  for (const auto& [ns, space] : namespaces_)
    now.slots.insert(now.slots.end(), space->shared.slots.begin(), space->shared.slots.end());
  return now;
}

}  // namespace edgetrust::forecast
