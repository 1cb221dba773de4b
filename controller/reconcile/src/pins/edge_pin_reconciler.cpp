#include "edgetrust/reconcile/edge_pin_reconciler.hpp"

#include "edgetrust/decide/pins/calls.hpp"
#include "edgetrust/decide/pins/file_change.hpp"
#include "edgetrust/decide/pins/goal.hpp"
#include "edgetrust/decide/pins/machine.hpp"
#include "edgetrust/decide/pins/override.hpp"
#include "edgetrust/decide/pins/permission.hpp"
#include "finding.hpp"
#include "fresh.hpp"
#include "pins/sight.hpp"
#include "slots.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using api::EdgePinState;
using decide::pins::CallsDecision;
using decide::pins::CallsStep;
using decide::pins::Claim;
using decide::pins::FileDecision;
using decide::pins::FileEffect;
using decide::pins::FileSituation;
using decide::pins::Goal;
using decide::pins::IntermediaryCa;
using decide::pins::MachineEffect;
using decide::pins::Permission;
using decide::pins::Pin;
using decide::pins::Proof;
using decide::pins::Sight;
namespace file_effect = decide::pins::file_effect;
namespace machine_effect = decide::pins::machine_effect;

constexpr auto kPolicySoon = 5s;    // until the policy itself has been looked at
constexpr auto kTurnAgain = 10s;    // somebody else was faster
constexpr auto kChangeWaits = 10s;  // for a machine that does not answer in the middle of a change
constexpr auto kFailedOnce = 2s;
constexpr auto kFailedOften = 60s;

// What the process remembers of one Edge; may be lost at any time.
struct Notes {
  std::shared_ptr<const api::Edge> written;
  Proof proof = Proof::kNone;
  std::string proof_of;    // the hash of the file
  int claimed = 0;         // the revision of the slots that are held
  int lost = 0;            // of those that somebody else was faster to claim
  int released = 0;        // of those that are free again
  TimePoint asked_out_of;  // the drain for which it was asked out of service, and back
  TimePoint asked_back_of;
  TimePoint asked_back_at;
  std::string not_drained;  // why it cannot be drained now, until when nobody is asked again
  TimePoint not_drained_until;
  int failures = 0;     // of effects, in a row
  std::string trouble;  // why the last file could not be put there
  TimePoint trouble_until;
};

// --- effects beside those of the file itself

struct HoldEdge {
  bool present;
};
struct HoldPolicy {};
struct ClaimSlots {
  api::SlotsStatus slots;
};
struct ReleaseSlots {
  api::SlotsStatus slots;
};
struct SetService {
  bool in_service;
  TimePoint drain;  // when it began
};
using Effect =
    std::variant<std::monostate, HoldEdge, HoldPolicy, ClaimSlots, ReleaseSlots, SetService, MachineEffect, FileEffect>;

struct Plan {
  std::optional<api::EdgePins> pins;  // to be written before the effect
  Effect effect;
  std::optional<TimePoint> wake_at;
  bool unchanged = false;  // nobody can say anything yet: the status stays
};

bool is_served(const api::PinPolicy& policy) { return api::unserved(policy).empty(); }

bool has_finalizer(const api::ObjectMeta& meta) { return std::ranges::count(meta.finalizers, api::kFinalizer) > 0; }

std::string text_of(const std::optional<api::EdgePins>& pins) {
  api::Edge edge;
  edge.status.pins = pins;
  return api::encode_status(edge);
}

std::vector<Pin> pins_of(const ports::PinFile& file) {
  std::vector<Pin> pins;
  for (const auto& pin : file.accepted)
    pins.push_back({pin.is_public_key ? api::PinType::kPublicKey : api::PinType::kCertificate, pin.sha256});
  return pins;
}

const char* name_of(const FileEffect& effect) {
  struct Name {
    const char* operator()(std::monostate) const { return ""; }
    const char* operator()(const file_effect::Install&) const { return "InstallPins"; }
    const char* operator()(const file_effect::Restart&) const { return "RestartService"; }
    const char* operator()(const file_effect::Prove&) const { return "ProvePins"; }
    const char* operator()(const file_effect::Confirm&) const { return "ConfirmPins"; }
    const char* operator()(const file_effect::Restore&) const { return "RestorePins"; }
    const char* operator()(const file_effect::Clean&) const { return "CleanEdge"; }
  };
  return std::visit(Name{}, effect);
}

// One pass over one Edge.
class Pass {
 public:
  Pass(const World& world, const EdgePinPorts& ports, PinBoard& board, Notes& notes,
       std::shared_ptr<const api::Edge> edge, std::stop_token stop)
      : world_(world),
        ports_(ports),
        board_(board),
        notes_(notes),
        edge_(std::move(edge)),
        stop_(std::move(stop)),
        now_(world.clock.now()),
        policies_(ports.policies.list(edge_->meta.ns)),
        claim_(decide::pins::claim_on(*edge_, policies_, is_served)) {}

  Outcome run();

 private:
  [[nodiscard]] const std::optional<api::EdgePins>& before() const { return edge_->status.pins; }
  [[nodiscard]] bool is_enforcing() const { return claim_.goal == Goal::kEnforce; }
  [[nodiscard]] bool is_leaving() const { return claim_.goal == Goal::kSwitchOff; }
  // The file shall pin nothing, whatever the endpoint presents.
  [[nodiscard]] bool is_overridden() const { return is_enforcing() && decide::pins::is_overridden(terms(), now_); }
  [[nodiscard]] bool changes() const { return before() && before()->change; }
  // By whose terms; the defaults where the policy is gone.
  [[nodiscard]] const api::PinPolicySpec& terms() const {
    static const api::PinPolicySpec kDefaults;
    return claim_.policy != nullptr ? claim_.policy->spec : kDefaults;
  }
  [[nodiscard]] std::string policy_name() const {
    return claim_.policy != nullptr ? claim_.policy->meta.name : before() ? before()->policy : std::string{};
  }

  Plan plan();
  Plan nothing();
  Plan let_go();
  Plan not_reachable(std::string why);
  Plan looked();
  bool look();
  void see();
  Result<Sight> sight();
  [[nodiscard]] bool wants_sight() const;
  [[nodiscard]] std::vector<Pin> accepted() const;
  [[nodiscard]] api::PinMatch match_for(const Sight& sight) const;
  void find_wanted(FileSituation& s);
  void find_hindrance(FileSituation& s);
  MachineEffect prepare(FileSituation& s) const;
  [[nodiscard]] bool is_locked_out() const;
  [[nodiscard]] bool begins(const FileDecision& decision) const;
  [[nodiscard]] bool has_left() const;
  Plan begin(FileSituation& s, FileDecision decision);
  Permission permission(const std::string& set);
  Plan drained(FileSituation& s, FileDecision decision);
  Plan back_in_service(Plan plan);
  CallsDecision calls(const std::optional<api::DrainStatus>& drain, bool may_begin);
  void apply(const CallsDecision& calls, Plan& plan) const;
  [[nodiscard]] api::EffectiveRotation rotation() const;
  Result<std::shared_ptr<ports::EdgeFleet>> fleet();
  Plan enforced(Plan plan);
  Plan tail(Plan plan);
  void describe_sight(api::EdgePins& pins) const;
  void describe_clock(api::Edge& next) const;

  Result<bool> record(const Plan& plan, Outcome& outcome);
  void announce(const std::optional<api::EdgePins>& was, const api::EdgePins& is, Outcome& outcome);
  Status guard(const Effect& effect);
  Status perform(const Effect& effect);
  Status perform_file(const FileEffect& effect);
  Status perform_machine(const MachineEffect& effect);
  Proof prove();

  const World& world_;
  const EdgePinPorts& ports_;
  PinBoard& board_;
  Notes& notes_;
  std::shared_ptr<const api::Edge> edge_;
  std::stop_token stop_;
  const TimePoint now_;
  const decide::pins::Policies policies_;
  const Claim claim_;
  std::optional<PinsInForce> in_force_;
  std::vector<IntermediaryCa> trusted_;
  std::shared_ptr<ports::EdgeHost> host_;
  std::optional<ports::HostState> state_;
  std::optional<ports::PinFile> file_;  // what it pins now; empty: nothing
  std::optional<Error> file_error_;
  std::optional<Error> host_error_;
  std::optional<Sight> seen_;
  std::optional<Error> sight_error_;
  bool is_drain_decided_ = false;
};

// --- looks

// False: we are asked to stop.
bool Pass::look() {
  auto host = ports_.hosts.host(*edge_, stop_);
  if (!host) {
    host_error_ = std::move(host).error();
    return host_error_->kind != ErrorKind::kCancelled;
  }
  host_ = *std::move(host);
  auto state = host_->look(stop_);
  if (!state) {
    host_error_ = std::move(state).error();
    return host_error_->kind != ErrorKind::kCancelled;
  }
  state_ = *std::move(state);
  auto file = ports_.files.read(state_->text);
  if (file) {
    file_ = *std::move(file);
  } else {
    file_error_ = std::move(file).error();
  }
  return true;
}

// In the middle of a change the proof is the look.
bool Pass::wants_sight() const {
  if (!state_) return false;
  if (changes() && state_->sha256 != before()->change->previous_sha256) return false;
  if (is_enforcing()) return !is_overridden();
  if (is_leaving()) return claim_.policy != nullptr && !has_left();
  const auto& from = terms().observe_from;
  return claim_.goal == Goal::kReport && std::ranges::count(from, api::PinVantage::kEdge) > 0;
}

Result<Sight> Pass::sight() {
  const api::PinEndpoint& endpoint = terms().endpoint;
  ports::ViewRequirements wanted{.server_name = std::string(api::server_name(endpoint)), .at = now_, .roots_pem = {}};
  if (endpoint.ca_bundle_ref) {
    EDGETRUST_TRY_ASSIGN(wanted.roots_pem, world_.secrets.read_bundle(edge_->meta.ns, *endpoint.ca_bundle_ref, stop_));
  }
  EDGETRUST_TRY_ASSIGN(
      const ports::ServedChain served,
      host_->present(
          {.host = endpoint.host, .port = static_cast<std::uint16_t>(endpoint.port), .server_name = wanted.server_name},
          stop_));
  EDGETRUST_TRY_ASSIGN(const ports::ChainView view, ports_.viewer.view(served.chain_pem, wanted));
  if (view.problem.empty() || trusted_.empty()) return sight_of(view, edge_->meta.name);
  wanted.roots_pem.clear();
  for (const auto& ca : trusted_) wanted.roots_pem += ca.pem;
  EDGETRUST_TRY_ASSIGN(const ports::ChainView by_them, ports_.viewer.view(served.chain_pem, wanted));
  return sight_of(by_them.problem.empty() ? by_them : view, edge_->meta.name);
}

void Pass::see() {
  if (!wants_sight()) return;
  auto found = sight();
  if (!found) {
    sight_error_ = std::move(found).error();
    board_.forget_edge(edge_->meta.key());
    return;
  }
  seen_ = *std::move(found);
}

// --- what shall be there

std::vector<Pin> Pass::accepted() const { return decide::pins::with_intermediaries(in_force_->accepted, trusted_); }

// An intermediary makes leaves as it goes: its pin is that of its root.
api::PinMatch Pass::match_for(const Sight& sight) const {
  return decide::pins::intermediary_of(sight, trusted_) != nullptr ? api::PinMatch::kAnyInChain : terms().pins.match;
}

void Pass::find_wanted(FileSituation& s) {
  const auto take = [&](Result<ports::PinDocument> document) {
    if (document) {
      s.wanted = *std::move(document);
    } else {
      s.blocked = document.error().message();
    }
  };
  if (is_leaving() || is_overridden()) {
    auto document = ports_.files.switched_off(state_->text);
    take(std::move(document));
    return;
  }
  if (claim_.goal == Goal::kHold) {
    s.blocked = "the PinPolicy cannot be read or served by this version: nothing is changed";
    return;
  }
  if (in_force_->accepted.empty() || in_force_->leaf.empty()) {
    s.blocked = in_force_->objection.empty() ? "no pin is accepted yet" : in_force_->objection;
    return;
  }
  ports::PinFile file{.allow_rotation = terms().rotation.allow,
                      .log_validation_failures = terms().log_validation_failures,
                      .fingerprint = in_force_->leaf,
                      .accepted = {},
                      .min_version = terms().tls.min_version == api::TlsVersion::kTls13 ? "TLS1.3" : "TLS1.2",
                      .cipher_suites = api::cipher_suites(terms().tls),
                      .strict_validation = terms().tls.strict_validation};
  for (const Pin& pin : accepted()) file.accepted.push_back({pin.type == api::PinType::kPublicKey, pin.sha256});
  auto document = ports_.files.render(file, state_->text);
  take(std::move(document));
}

// What its machine needs before the file is changed. A CA whose time is over goes whatever else is the matter; nothing
// is put there while somebody else answers in place of the endpoint, or while pinning is overridden.
MachineEffect Pass::prepare(FileSituation& s) const {
  const bool is_ours = is_enforcing() || is_leaving();
  if (!state_ || !is_ours || changes() || state_->restore_armed) return {};
  decide::pins::MachineWish wish{.time_servers = is_enforcing() ? terms().clock.servers : std::vector<std::string>{},
                                 .anchors = {}};
  if (is_leaving()) {
    wish.anchors.emplace();
  } else if (in_force_->intermediaries) {
    wish.anchors = decide::pins::anchors_of(trusted_);
  }
  decide::pins::MachineDecision found = decide::pins::prepare(wish, *state_);
  const bool takes_away = std::holds_alternative<machine_effect::Distrust>(found.effect);
  if (!takes_away && (is_overridden() || !s.intercepted.empty() || notes_.trouble_until > now_)) return {};
  if (s.hindered.empty() && !is_overridden()) s.hindered = std::move(found.hindered);
  return std::move(found.effect);
}

// Why nothing may be begun, as the Edge itself sees the endpoint.
void Pass::find_hindrance(FileSituation& s) {
  if (notes_.trouble_until > now_) s.hindered = notes_.trouble;
  if (sight_error_) {
    s.hindered = "what the endpoint presents to the Edge cannot be seen: " + sight_error_->message();
    return;
  }
  if (!seen_ || is_leaving() || is_overridden()) return;
  const bool is_through = decide::pins::intermediary_of(*seen_, trusted_) != nullptr;
  if (!is_through && decide::pins::is_intercepted(*seen_, in_force_->seen, in_force_->accepted, terms().pins.match)) {
    s.intercepted = "the Edge is presented a chain by \"" + seen_->issuer + "\"" +
                    (seen_->problem.empty() ? "" : " (" + seen_->problem + ")") +
                    " in place of the endpoint's: nothing is written there";
    return;
  }
  if (!is_enforcing()) return;
  if (!in_force_->objection.empty()) {
    s.hindered = in_force_->objection;
  } else if (!decide::pins::matches(accepted(), match_for(*seen_), seen_->chain)) {
    s.hindered = "the Edge is presented the leaf " + decide::pins::colon_hex(seen_->leaf().certificate) +
                 ", which no pin accepts";
  }
}

// What the Edge has would refuse what it is presented: it is out already.
bool Pass::is_locked_out() const {
  return file_ && seen_ && !decide::pins::matches(pins_of(*file_), match_for(*seen_), seen_->chain);
}

// Nothing that pins is there any more.
bool Pass::has_left() const { return state_ && !changes() && !state_->restore_armed && !file_error_ && !file_; }

bool Pass::begins(const FileDecision& decision) const {
  const auto& is = decision.status.change;
  if (!is || is->step != api::PinStep::kInstalling) return false;
  return !changes() || before()->change->at != is->at || before()->change->file_sha256 != is->file_sha256;
}

// --- plans

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
  if (!edge_->spec.ssh) {
    return tail(back_in_service(
        not_reachable(is_leaving() ? "spec.ssh is gone, and the Edge pins: set it again, or deletionPolicy to Keep"
                                   : "spec.ssh is not set")));
  }
  if (claim_.policy != nullptr) in_force_ = board_.in_force(*claim_.policy);
  const bool needs_set = (is_enforcing() && !is_overridden()) || claim_.goal == Goal::kReport;
  if (needs_set && !in_force_ && !changes()) {
    // An Edge that goes back into service does not wait for that.
    const bool goes_back = before() && before()->drain && before()->drain->ended_at;
    if (goes_back) return tail(back_in_service({.pins = before(), .effect = {}, .wake_at = now_ + kPolicySoon}));
    return {.pins = {}, .effect = {}, .wake_at = now_ + kPolicySoon, .unchanged = true};
  }
  if (!in_force_) in_force_.emplace();
  if (in_force_->intermediaries) trusted_ = decide::pins::trusted_at(*in_force_->intermediaries, now_);
  if (!look()) return {.unchanged = true};
  see();
  if (sight_error_ && sight_error_->kind == ErrorKind::kCancelled) return {.unchanged = true};
  return looked();
}

Plan Pass::nothing() {
  Plan plan{.pins = before()};
  if (before() && !before()->slots && !before()->drain) plan.pins.reset();
  return plan;
}

// What was under way is left to the timer on the Edge.
Plan Pass::let_go() {
  Plan plan{.pins = before(), .wake_at = now_};
  plan.pins->enforced = false;
  plan.pins->change.reset();
  plan.pins->state = EdgePinState::kNotObserved;
  plan.pins->message = "it has left Enforce, and deletionPolicy Keep leaves its pin file to others";
  return plan;
}

Plan Pass::not_reachable(std::string why) {
  Plan plan{.pins = before()};
  if (!plan.pins) plan.pins.emplace();
  plan.pins->policy = policy_name();
  plan.pins->state = is_leaving() ? EdgePinState::kBlocked : EdgePinState::kNotObserved;
  plan.pins->message = std::move(why);
  return plan;
}

Plan Pass::looked() {
  std::optional<api::EdgePins> known = before();
  const bool is_of_another = known && known->policy != policy_name() && !known->enforced;
  if (is_of_another && !known->slots && !known->drain) known.reset();
  const auto* online = api::find(edge_->status.conditions, api::condition::kOnline);
  FileSituation s{.policy = policy_name(),
                  .before = known,
                  .host = state_,
                  .host_trouble = host_error_ ? host_error_->message() : std::string{},
                  .for_a_person = host_error_ && retry_of(*host_error_) == Retry::kAfterChange,
                  .online = online != nullptr && online->status == api::Truth::kTrue,
                  .enforced = is_enforcing() || is_leaving(),
                  .max_clock_offset = terms().clock.max_offset,
                  .proof = changes() && notes_.proof_of == before()->change->file_sha256 ? notes_.proof : Proof::kNone,
                  .now = now_};
  if (state_) {
    find_wanted(s);
    find_hindrance(s);
  }
  if (is_overridden()) s.max_clock_offset = api::Duration::max();
  const MachineEffect first = prepare(s);
  if (has_left() && std::holds_alternative<machine_effect::Distrust>(first) && known)
    return tail(back_in_service({.pins = known, .effect = first, .wake_at = now_}));
  if (is_overridden() && has_left()) {
    Plan plan{.pins = known, .effect = {}, .wake_at = {}};
    if (!plan.pins) plan.pins.emplace();
    plan.pins->policy = policy_name();
    plan.pins->set.clear();
    plan.pins->file_sha256 = state_->sha256;
    plan.pins->state = EdgePinState::kMatched;
    plan.pins->message = "pinning is switched off by the emergency override";
    return tail(back_in_service(std::move(plan)));
  }
  if (is_leaving() && has_left()) {
    Plan plan{.pins = known};
    plan.pins->enforced = false;
    plan.pins->set.clear();
    plan.pins->file_sha256 = state_->sha256;
    plan.pins->state = EdgePinState::kNotObserved;
    plan.pins->message = "pinning is switched off there";
    plan.wake_at = now_;
    return tail(back_in_service(std::move(plan)));
  }
  Plan plan = begin(s, decide::pins::decide(s));
  if (std::holds_alternative<std::monostate>(plan.effect) && !std::holds_alternative<std::monostate>(first)) {
    plan.effect = first;
    plan.wake_at = now_;
  }
  if (!plan.wake_at && host_error_ && changes()) plan.wake_at = now_ + kChangeWaits;
  if (is_leaving() && plan.pins->state == EdgePinState::kMatched) plan.wake_at = now_;  // and then it has left
  describe_sight(*plan.pins);
  return tail(back_in_service(enforced(std::move(plan))));
}

Plan to_plan(FileDecision decided) {
  Plan plan{.pins = std::move(decided.status), .effect = {}, .wake_at = decided.wake_at};
  if (!std::holds_alternative<std::monostate>(decided.effect)) plan.effect = std::move(decided.effect);
  return plan;
}

// What is about to begin waits for what its RotationPolicy wants, but not while the Edge is locked out.
Plan Pass::begin(FileSituation& s, FileDecision decision) {
  const api::ObjectKey key = edge_->meta.key();
  const bool needs_restart = begins(decision) && decision.status.change->file_sha256 != state_->sha256;
  if (!needs_restart || is_locked_out() || is_overridden()) {
    board_.leave_line(key);
    return to_plan(std::move(decision));
  }
  const auto& held = before() ? before()->slots : std::nullopt;
  const bool has_lost = held && notes_.lost == held->revision;
  Permission found = permission(is_enforcing() ? decide::pins::name_of(accepted()) : std::string{});
  if (has_lost)
    found = {.waits_for = "another Edge was faster", .slots = {}, .wake_at = now_ + kTurnAgain, .its_turn = true};
  if (found.waits_for.empty() && notes_.not_drained_until > now_)
    found = {.waits_for = notes_.not_drained, .slots = {}, .wake_at = notes_.not_drained_until};
  found.its_turn ? board_.line_up(key, decide::pins::rotation_policy_of(claim_.policy)) : board_.leave_line(key);
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

Permission Pass::permission(const std::string& set) {
  const std::string& ns = edge_->meta.ns;
  const std::string name = decide::pins::rotation_policy_of(claim_.policy);
  decide::Fleet fleet{.members = {}, .slots = world_.slots.list(ns), .pins = pin_work(world_, ns)};
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
  return decide::pins::permission({.edge = *edge_,
                                   .connection = connection.get(),
                                   .policy = policy.get(),
                                   .policy_name = name,
                                   .at_once = terms().service.restart == api::ServiceRestart::kImmediate,
                                   .has_turn = before() && before()->slots,
                                   .is_drained = before() && before()->drain,
                                   .set = set,
                                   .fleet = fleet,
                                   .of_policy = of_policy,
                                   .before = first,
                                   .now = now_});
}

// --- out of service and back

api::EffectiveRotation Pass::rotation() const {
  const auto policy = world_.policies.get({edge_->meta.ns, decide::pins::rotation_policy_of(claim_.policy)});
  return api::effective_rotation({}, policy ? &policy->spec : nullptr);
}

Result<std::shared_ptr<ports::EdgeFleet>> Pass::fleet() {
  const auto connection = world_.connections.get({edge_->meta.ns, edge_->spec.connection_ref.name});
  if (!connection) return fail(ErrorKind::kNotFound, "there is no such GenesysConnection");
  return world_.backends.fleet(*connection, stop_);
}

CallsDecision Pass::calls(const std::optional<api::DrainStatus>& drain, bool may_begin) {
  constexpr auto kAskedAgainAfter = 60s;
  const api::EffectiveRotation is = rotation();
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
  if (!drain && (at_once || !rotation().drain_timeout)) return to_plan(std::move(decision));
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
  apply(calls(drain, false), plan);
  return plan;
}

// Before a file that pins is put there, or one is found there that is right, whoever could take this Edge or its policy
// away has to wait.
Plan Pass::enforced(Plan plan) {
  auto& pins = *plan.pins;
  if (is_enforcing() && !is_overridden() && pins.state == EdgePinState::kMatched)
    pins.set = decide::pins::name_of(accepted());
  const auto* machine = std::get_if<MachineEffect>(&plan.effect);
  const bool trusts = machine != nullptr && std::holds_alternative<machine_effect::Trust>(*machine);
  const bool pins_now = is_enforcing() && (pins.change || trusts || pins.state == EdgePinState::kMatched);
  if (!pins_now || pins.enforced) return plan;
  const bool holds_both = has_finalizer(edge_->meta) && has_finalizer(claim_.policy->meta);
  if (holds_both) {
    pins.enforced = true;
    return plan;
  }
  Plan first{.pins = before(), .wake_at = now_};
  if (!first.pins) {
    first.pins = std::move(plan.pins);
    first.pins->change.reset();
    first.pins->state = EdgePinState::kDrifted;
    first.pins->message = "the file is another one";
  }
  has_finalizer(edge_->meta) ? first.effect = HoldPolicy{} : first.effect = HoldEdge{true};
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
  if (!holds && has_finalizer(edge_->meta)) {
    plan.effect = HoldEdge{false};
    plan.wake_at = now_;
  }
  return plan;
}

void Pass::describe_sight(api::EdgePins& pins) const {
  if (!seen_) {
    if (state_ && !changes() && !sight_error_) pins.observed.reset();
    return;
  }
  api::EdgePinSight is{.fingerprint = decide::pins::colon_hex(seen_->leaf().certificate),
                       .public_key = decide::pins::colon_hex(seen_->leaf().public_key),
                       .issuer = seen_->issuer,
                       .root = seen_->root,
                       .at = std::chrono::floor<std::chrono::seconds>(now_)};
  const auto& was = pins.observed;
  if (was && was->fingerprint == is.fingerprint && was->root == is.root && was->at) is.at = was->at;
  pins.observed = is;
}

void Pass::describe_clock(api::Edge& next) const {
  if (!state_) return;
  const bool is_right = state_->clock_offset <= terms().clock.max_offset;
  set_condition(next.status.conditions, api::condition::kClockInSync, is_right ? api::Truth::kTrue : api::Truth::kFalse,
                is_right ? "InSync" : "OffsetTooLarge",
                is_right ? "the Edge's clock is right within " + format_duration(terms().clock.max_offset)
                         : "the Edge's clock is off by more than " + format_duration(terms().clock.max_offset),
                next.meta.generation, now_);
}

// --- record and act

void Pass::announce(const std::optional<api::EdgePins>& was, const api::EdgePins& is, Outcome& outcome) {
  const auto say = [&](bool warning, std::string reason, std::string message) {
    world_.events.emit({std::string(api::kKind<api::Edge>.kind), edge_->meta}, warning, reason, message);
    outcome.said.push_back({warning, std::move(reason), std::move(message)});
  };
  const EdgePinState before_it = was ? was->state : EdgePinState::kNotObserved;
  if (is.state == EdgePinState::kIntercepted && before_it != EdgePinState::kIntercepted)
    say(true, "Intercepted", is.message);
  if (is.rolled_back_at && (!was || was->rolled_back_at != is.rolled_back_at)) say(true, "PinsRolledBack", is.message);
  if (was && was->change && !is.change && is.state == EdgePinState::kMatched)
    say(false, "PinsApplied", "the pin file is in force");
  if (was && was->enforced && !is.enforced) say(false, "PinsLeft", is.message);
}

Result<bool> Pass::record(const Plan& plan, Outcome& outcome) {
  if (plan.unchanged) return false;
  for (int tries = 0;; ++tries) {
    auto next = std::make_shared<api::Edge>(*edge_);
    next->status.pins = plan.pins;
    plan.pins ? describe_clock(*next) : api::remove(next->status.conditions, api::condition::kClockInSync);
    if (api::encode_status(*next) == api::encode_status(*edge_)) return false;
    auto version = world_.edges.write_status(*next, stop_);
    if (version) {
      next->meta.resource_version = *version;
      const auto was = edge_->status.pins;
      edge_ = next;
      notes_.written = next;
      if (plan.pins) announce(was, *plan.pins, outcome);
      return true;
    }
    if (version.error().kind != ErrorKind::kConflict) return tl::unexpected(within("status", version.error()));
    // The other engine of Edges has written; what it says of pins is ours.
    auto fresh = world_.edges.read(edge_->meta.key(), stop_);
    if (!fresh) return tl::unexpected(within("status", fresh.error()));
    const bool is_ours = fresh->meta.uid == edge_->meta.uid && fresh->meta.generation == edge_->meta.generation &&
                         fresh->meta.deleting() == edge_->meta.deleting() &&
                         text_of(fresh->status.pins) == text_of(edge_->status.pins);
    edge_ = notes_.written = std::make_shared<api::Edge>(*std::move(fresh));
    if (!is_ours || tries > 2) return tl::unexpected(within("status", version.error()));
  }
}

// A consistent read of the Edge and, before a file that pins is put there, of its policy: nothing is changed on the
// word of a stale cache.
Status Pass::guard(const Effect& effect) {
  auto read = world_.edges.read(edge_->meta.key(), stop_);
  if (!read) return tl::unexpected(within("consistent read", read.error()));
  const bool same = read->meta.uid == edge_->meta.uid && read->meta.generation == edge_->meta.generation &&
                    read->meta.deleting() == edge_->meta.deleting() &&
                    text_of(read->status.pins) == text_of(edge_->status.pins);
  notes_.written = std::make_shared<api::Edge>(*std::move(read));
  if (!same) return fail(ErrorKind::kConflict, "the Edge changed meanwhile");
  edge_ = notes_.written;
  const auto* file = std::get_if<FileEffect>(&effect);
  if (file == nullptr || !std::holds_alternative<file_effect::Install>(*file) || !is_enforcing()) return {};
  const auto policy = ports_.policies.read(claim_.policy->meta.key(), stop_);
  if (!policy) return tl::unexpected(within("consistent read", policy.error()));
  const bool holds = policy->meta.uid == claim_.policy->meta.uid &&
                     policy->meta.generation == claim_.policy->meta.generation && !policy->meta.deleting() &&
                     has_finalizer(policy->meta);
  return holds ? Status{} : fail(ErrorKind::kConflict, "the PinPolicy changed meanwhile");
}

Proof Pass::prove() {
  if (is_overridden() && !file_ && !file_error_) return Proof::kGood;  // it is an emergency: that it is up is enough
  // Without its policy nobody knows the endpoint. Of a file that pins nothing it is enough that the service is up; one
  // that pins goes back by the timer on the Edge.
  if (claim_.policy == nullptr) return file_ || file_error_ ? Proof::kNone : Proof::kGood;
  const auto found = sight();
  if (!found) return found.error().code == ports::kEndpointUnreached ? Proof::kUnreachable : Proof::kNone;
  if (file_) {
    const bool is_accepted = decide::pins::matches(pins_of(*file_), match_for(*found), found->chain);
    if (!is_accepted || (file_->strict_validation && !found->valid())) return Proof::kRefused;
  }
  if (!before()->change->online) return Proof::kGood;
  const auto vendor = fleet();
  if (!vendor) return Proof::kGood;
  const auto info = (*vendor)->edge(ports::EdgeId{lower(edge_->spec.edge_id)}, stop_);
  return info && !info->online ? Proof::kUnreachable : Proof::kGood;
}

Status Pass::perform_file(const FileEffect& effect) {
  struct Act {
    Pass& pass;
    Status operator()(std::monostate) const { return {}; }
    Status operator()(const file_effect::Install& install) const {
      // The next pass reads the service's invocation anew.
      return pass.host_->install(install.document, install.replaces, decide::pins::kRestoreAfter, pass.stop_)
          .map([](const std::string&) {});
    }
    Status operator()(const file_effect::Restart& restart) const {
      return pass.host_->restart(restart.invocation, pass.stop_);
    }
    Status operator()(const file_effect::Prove& /*prove*/) const {
      pass.notes_.proof = pass.prove();
      pass.notes_.proof_of = pass.before()->change->file_sha256;
      return {};
    }
    Status operator()(const file_effect::Confirm& confirm) const {
      return pass.host_->confirm(confirm.sha256, pass.stop_);
    }
    Status operator()(const file_effect::Restore& restore) const {
      return pass.host_->restore(restore.sha256, pass.stop_);
    }
    Status operator()(const file_effect::Clean& /*clean*/) const { return pass.host_->clean(pass.stop_); }
  };
  if (!std::holds_alternative<file_effect::Prove>(effect)) notes_.proof = Proof::kNone;
  Status done = std::visit(Act{*this}, effect);
  if (!done && std::holds_alternative<file_effect::Install>(effect) && !done.error().maybe_executed &&
      retry_of(done.error()) == Retry::kAfterChange) {
    notes_.trouble = done.error().message();
    notes_.trouble_until = now_ + terms().rotation.interval;
  }
  return done;
}

Status Pass::perform_machine(const MachineEffect& effect) {
  struct Act {
    ports::EdgeHost& host;
    std::stop_token stop;
    Status operator()(std::monostate) const { return {}; }
    Status operator()(const machine_effect::SetTimeServers& set) const {
      return host.set_time_servers(set.servers, stop);
    }
    Status operator()(const machine_effect::Trust& trust) const { return host.trust(trust.certificate, stop); }
    Status operator()(const machine_effect::Distrust& distrust) const { return host.distrust(distrust.sha256, stop); }
  };
  Status done = std::visit(Act{*host_, stop_}, effect);
  if (!done && !done.error().maybe_executed && retry_of(done.error()) == Retry::kAfterChange) {
    notes_.trouble = done.error().message();
    notes_.trouble_until = now_ + terms().rotation.interval;
  }
  return done;
}

Status Pass::perform(const Effect& effect) {
  struct Act {
    Pass& pass;
    Status operator()(std::monostate) const { return {}; }
    Status operator()(const HoldEdge& hold) const {
      EDGETRUST_TRY_ASSIGN(
          const std::string version,
          pass.world_.edges.set_finalizer(pass.edge_->meta, std::string(api::kFinalizer), hold.present, pass.stop_));
      auto copy = std::make_shared<api::Edge>(*pass.edge_);
      copy->meta.resource_version = version;
      std::erase(copy->meta.finalizers, api::kFinalizer);
      if (hold.present) copy->meta.finalizers.emplace_back(api::kFinalizer);
      pass.notes_.written = std::move(copy);
      return {};
    }
    Status operator()(const HoldPolicy& /*hold*/) const {
      const auto done =
          pass.ports_.policies.set_finalizer(pass.claim_.policy->meta, std::string(api::kFinalizer), true, pass.stop_);
      return done ? Status{} : tl::unexpected(done.error());
    }
    Status operator()(const ClaimSlots& claim) const {
      Status done = claim_slots(pass.world_, pass.edge_->meta, claim.slots, pass.stop_);
      if (done) pass.notes_.claimed = claim.slots.revision;
      if (!done && done.error().kind == ErrorKind::kConflict) pass.notes_.lost = claim.slots.revision;
      return done;
    }
    Status operator()(const ReleaseSlots& release) const {
      EDGETRUST_TRY(release_slots(pass.world_, pass.edge_->meta, release.slots, pass.stop_));
      pass.notes_.released = release.slots.revision;
      pass.notes_.claimed = pass.notes_.lost = 0;
      return {};
    }
    Status operator()(const SetService& set) const {
      EDGETRUST_TRY_ASSIGN(const auto vendor, pass.fleet());
      const ports::EdgeId id{lower(pass.edge_->spec.edge_id)};
      if (!set.in_service) {
        pass.notes_.asked_out_of = set.drain;
        const auto timeout = pass.rotation().drain_timeout.value_or(0s);
        return vendor->set_service(id, false, decide::calls_may_last(timeout), pass.stop_);
      }
      EDGETRUST_TRY(vendor->set_service(id, true, {}, pass.stop_));
      pass.notes_.asked_back_of = set.drain;
      pass.notes_.asked_back_at = pass.now_;
      return {};
    }
    Status operator()(const MachineEffect& machine) const { return pass.perform_machine(machine); }
    Status operator()(const FileEffect& file) const { return pass.perform_file(file); }
  };
  return std::visit(Act{*this}, effect);
}

const char* effect_name(const Effect& effect) {
  struct Name {
    const char* operator()(std::monostate) const { return ""; }
    const char* operator()(const HoldEdge&) const { return "SetFinalizer"; }
    const char* operator()(const HoldPolicy&) const { return "SetFinalizer"; }
    const char* operator()(const ClaimSlots&) const { return "ClaimSlots"; }
    const char* operator()(const ReleaseSlots&) const { return "ReleaseSlots"; }
    const char* operator()(const SetService&) const { return "SetService"; }
    const char* operator()(const MachineEffect&) const { return "PrepareEdge"; }
    const char* operator()(const FileEffect& file) const { return name_of(file); }
  };
  return std::visit(Name{}, effect);
}

Outcome Pass::run() {
  Plan plan = this->plan();
  const bool is_watched = plan.pins || claim_.goal != Goal::kNothing;
  const TimePoint interval = now_ + terms().rotation.interval;
  Outcome outcome{.wake_at =
                      is_watched ? std::optional(std::min(plan.wake_at.value_or(interval), interval)) : plan.wake_at};
  if (is_overridden()) outcome.wake_at = std::min(*outcome.wake_at, terms().emergency_override->until);
  if (const auto end = decide::pins::next_end(trusted_); end && outcome.wake_at)
    outcome.wake_at = std::min(*outcome.wake_at, *end);
  if (seen_ && claim_.policy != nullptr) board_.saw(edge_->meta.key(), claim_.policy->meta.key(), *seen_, now_);
  if (host_error_) outcome.effect = "LookAtMachine", outcome.effect_error = host_error_;
  const auto written = record(plan, outcome);
  if (!written) {
    if (written.error().kind == ErrorKind::kConflict || written.error().kind == ErrorKind::kNotFound) {
      outcome.wake_at = now_ + 500ms;
      return outcome;
    }
    return {.error = written.error()};
  }
  outcome.wrote_status = *written;
  if (std::holds_alternative<std::monostate>(plan.effect)) return outcome;
  const bool leads = world_.leadership == nullptr || world_.leadership->holds();
  if (stop_.stop_requested() || !leads) return outcome;
  if (const Status current = guard(plan.effect); !current) {
    if (current.error().kind != ErrorKind::kConflict && current.error().kind != ErrorKind::kNotFound)
      return {.error = current.error()};
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

}  // namespace

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
