#pragma once
// One pass over the pins of one Edge: whose machine it is (edge_machine.cpp), what the pass looks at (edge_look.cpp),
// what a change has to wait for (edge_permission.cpp), how an Edge is held and let go (edge_leave.cpp), and the one
// effect at its end (edge_act.cpp). Private to the room.
#include "edgetrust/decide/pins/calls.hpp"
#include "edgetrust/decide/pins/file_change.hpp"
#include "edgetrust/decide/pins/goal.hpp"
#include "edgetrust/decide/pins/intermediary.hpp"
#include "edgetrust/decide/pins/machine.hpp"
#include "edgetrust/decide/pins/override.hpp"
#include "edgetrust/decide/pins/ownership.hpp"
#include "edgetrust/decide/pins/permission.hpp"
#include "edgetrust/reconcile/edge_pin_reconciler.hpp"
#include "pins/sight.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace edgetrust::reconcile::edge_pins {

using api::EdgePinState;
using decide::pins::CallsDecision;
using decide::pins::CallsStep;
using decide::pins::Claim;
using decide::pins::FileDecision;
using decide::pins::FileEffect;
using decide::pins::FileSituation;
using decide::pins::Goal;
using decide::pins::IntermediaryCa;
using decide::pins::MachineDecision;
using decide::pins::MachineEffect;
using decide::pins::Permission;
using decide::pins::Pin;
using decide::pins::Proof;
using decide::pins::Sight;
namespace file_effect = decide::pins::file_effect;
namespace machine_effect = decide::pins::machine_effect;

constexpr std::chrono::seconds kPolicySoon{5};    // until the policy itself has been looked at
constexpr std::chrono::seconds kTurnAgain{10};    // somebody else was faster
constexpr std::chrono::seconds kChangeWaits{10};  // for a machine that does not answer in the middle of a change
constexpr std::chrono::minutes kBackWithin{2};    // an Edge is expected in service again
constexpr std::chrono::minutes kSetWithin{5};     // a set of pins is expected where something is held for it
constexpr std::chrono::seconds kSilentOnce{
    30};                         // until a machine that has not answered is asked again: then twice as long
constexpr int kPatientEach = 4;  // of so many such looks one has all the time that a look may take
constexpr std::chrono::seconds kFailedOnce{2};
// What the status says for as long as it is so: who comes anew knows it by that.
constexpr std::string_view kUnread = "the service has not read the CA of a trusted intermediary";
constexpr std::chrono::seconds kFailedOften{60};

// Of something that its machine needs besides the file: what was tried and has failed.
struct MachineNote {
  MachineEffect of;
  int failures = 0;  // in a row
  std::string failure;
  TimePoint left_alone_until;  // it cannot be done as things are

  [[nodiscard]] std::string with(const std::string& hindered) const {
    return hindered.empty() || failure.empty() ? hindered : hindered + "; the last try: " + failure;
  }
};

// What the process remembers of one Edge; may be lost at any time.
struct Notes {
  std::shared_ptr<const api::Edge> written;
  int silent = 0;  // looks in a row for which its machine did not answer
  Proof proof = Proof::kNone;
  std::string proof_of;  // the hash of the file
  TimePoint proof_at;
  int claimed = 0;         // the revision of the slots that are held
  int lost = 0;            // of those that somebody else was faster to claim
  int released = 0;        // of those that are free again
  TimePoint asked_out_of;  // the drain for which it was asked out of service, and back
  TimePoint asked_back_of;
  TimePoint asked_back_at;
  std::string not_drained;  // why it cannot be drained now, until when nobody is asked again
  TimePoint not_drained_until;
  int failures = 0;     // of effects, in a row
  TimePoint failed_of;  // the change whose step failed last, how often in a row, and why
  api::PinStep failed_at = api::PinStep::kInstalling;
  int step_failures = 0;
  std::string step_failure;
  MachineNote clock;      // of its time servers
  MachineNote anchors;    // of the CAs of intermediaries
  std::string unread_by;  // the invocation of the service that was started before the last of these came
  std::string read_by;    // the invocation of the service that has read these CAs
  std::vector<ports::HostAnchor> read;
  TimePoint no_set_since;  // its policy has had no set of pins; empty: it has
  std::string trouble;     // why the last file could not be put there
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

std::vector<decide::pins::Pin> pins_of(const ports::PinFile& file);
const char* effect_name(const Effect& effect);

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
        claim_(decide::pins::claim_on(*edge_, policies_)) {}

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
  Plan untouched(std::string why);
  Plan without_ssh();
  Plan without_set();
  Plan give_up_file(std::string why);
  [[nodiscard]] std::string goes_first() const;
  Plan second_to(const std::string& other);
  std::optional<Plan> left_behind();
  Plan forget_machine();
  void take_retry(std::optional<api::EdgePins>& known);
  [[nodiscard]] std::optional<TimePoint> retry_at() const;
  Plan looked();
  [[nodiscard]] FileSituation situation(const std::optional<api::EdgePins>& known) const;
  void tell_failures(FileSituation& s) const;
  std::optional<Plan> left(const std::optional<api::EdgePins>& known);
  bool look();
  Result<ports::HostState> ask_machine();
  [[nodiscard]] bool is_silent() const;
  void see();
  Result<Sight> sight(const TlsBounds& bounds);
  [[nodiscard]] bool wants_sight() const;
  [[nodiscard]] bool is_before_restart() const;
  [[nodiscard]] std::vector<Pin> accepted() const;
  [[nodiscard]] api::PinMatch match_for(const Sight& sight) const;
  void find_wanted(FileSituation& s);
  [[nodiscard]] ports::PinFile wanted_file() const;
  void find_hindrance(FileSituation& s);
  MachineEffect prepare(FileSituation& s);
  MachineNote& note_of(const MachineEffect& effect);
  [[nodiscard]] bool refuses() const;
  [[nodiscard]] bool has_read(const machine_effect::Trust& trust) const;
  [[nodiscard]] bool has_unread() const;
  void note_what_a_change_has_read();
  [[nodiscard]] bool is_locked_out() const;
  [[nodiscard]] bool is_through_intermediary() const;
  [[nodiscard]] api::Truth online() const;
  [[nodiscard]] bool is_online() const { return online() == api::Truth::kTrue; }
  [[nodiscard]] std::string endpoint() const;
  [[nodiscard]] bool has_left() const;
  Plan begin(FileSituation& s, FileDecision decision);
  Permission permission(const std::string& set);
  void line_up(const Plan& plan);
  Plan drained(FileSituation& s, FileDecision decision);
  Plan back_in_service(Plan plan);
  CallsDecision calls(std::optional<api::DrainStatus> drain, bool may_begin);
  void apply(const CallsDecision& calls, Plan& plan) const;
  [[nodiscard]] api::EffectiveRotation rotation() const;
  Result<std::shared_ptr<ports::EdgeFleet>> fleet();
  Plan enforced(Plan plan);
  void describe_file(api::EdgePins& pins) const;
  Plan tail(Plan plan);
  void describe_sight(api::EdgePins& pins) const;
  void describe_clock(api::Edge& next) const;

  Result<bool> record(const Plan& plan, Outcome& outcome);
  [[nodiscard]] std::string trace_of(const api::EdgePins& pins) const;
  void announce(const std::optional<api::EdgePins>& was, const api::EdgePins& is, Outcome& outcome);
  Status guard(const Effect& effect);
  Status perform(const Effect& effect);
  Status perform_file(const FileEffect& effect);
  void note(const Status& done);
  Status perform_machine(const MachineEffect& effect);
  Proof prove();
  Proof seen_by_cloud();

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
  bool is_switched_on_ = false;  // the file says that it pins, be it by pins that nobody can read
  std::optional<Error> host_error_;
  std::optional<Sight> seen_;
  std::optional<Error> sight_error_;
  bool is_left_behind_ = false;  // another machine than the one that spec.ssh names pins by this Edge
  bool is_drain_decided_ = false;
  bool is_in_line_ = false;  // it waits for nothing but its turn
};

}  // namespace edgetrust::reconcile::edge_pins
