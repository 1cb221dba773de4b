// What a pass does at its end: the status is written, then one effect.
#include "edgetrust/api/change.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/telemetry/trace.hpp"
#include "finding.hpp"
#include "pins/edge_pass.hpp"
#include "slots.hpp"

namespace edgetrust::reconcile::edge_pins {

using namespace std::chrono_literals;

namespace {

std::string text_of(const std::optional<api::EdgePins>& pins) {
  api::Edge edge;
  edge.status.pins = pins;
  return api::encode_status(edge);
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

}  // namespace

std::string Pass::trace_of(const api::EdgePins& pins) const {
  return telemetry::trace_id(edge_->meta.uid, api::pin_file_in_question(pins));
}

void Pass::announce(const std::optional<api::EdgePins>& was, const api::EdgePins& is, Outcome& outcome) {
  const auto say = [&](bool warning, std::string reason, std::string message) {
    world_.events.emit({std::string(api::kKind<api::Edge>.kind), edge_->meta, trace_of(is)}, warning, reason, message);
    outcome.said.push_back({warning, std::move(reason), std::move(message)});
  };
  const EdgePinState before_it = was ? was->state : EdgePinState::kNotObserved;
  if (is.state == EdgePinState::kIntercepted && before_it != EdgePinState::kIntercepted)
    say(true, "Intercepted", is.message);
  const auto end = decide::pins::change_end(was, is);
  if (end == decide::pins::ChangeEnd::kTakenBack) say(true, "PinsRolledBack", is.message);
  if (end == decide::pins::ChangeEnd::kStillThere) say(true, "PinsNotRolledBack", is.message);
  if (was && was->change && !is.change && is.state == EdgePinState::kMatched)
    say(false, "PinsApplied", "the pin file is in force");
  if (was && was->enforced && !is.enforced) say(false, "PinsLeft", is.message);
  if (is_left_behind_ && !(was && was->message == is.message)) say(true, "MachineLeftBehind", is.message);
  if (was && was->enforced && is.enforced && !was->machine.empty() && was->machine != is.machine)
    say(false, "MachineMoved",
        is.machine + " has the very file that was put on " + was->machine + ": it is taken for the same machine");
  if (is.state == EdgePinState::kRefusing && before_it != EdgePinState::kRefusing) say(true, "PinsRefuse", is.message);
  const auto stays_out = [](const std::string& message) {
    return message.find("; " + std::string(decide::pins::kGoesBack)) != std::string::npos;
  };
  if (stays_out(is.message) && !(was && stays_out(was->message))) say(true, "NotBackInService", is.message);
}

Result<bool> Pass::record(const Plan& plan, Outcome& outcome) {
  if (plan.unchanged) return false;
  for (int tries = 0;; ++tries) {
    auto next = std::make_shared<api::Edge>(*edge_);
    next->status.pins = plan.pins;
    if (plan.pins) next->status.pins->message = printable(plan.pins->message, api::kLongestMessage);
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

// A consistent read of the Edge and, before its file or whom its machine trusts is changed, of the policy by whose
// terms that is: nothing is changed on the word of a stale cache. Nothing that pins is put there unless both are held.
Status Pass::guard(const Effect& effect) {
  auto read = world_.edges.read(edge_->meta.key(), stop_);
  if (!read) return tl::unexpected(within("consistent read", read.error()));
  const bool same = read->meta.uid == edge_->meta.uid && read->meta.generation == edge_->meta.generation &&
                    read->meta.deleting() == edge_->meta.deleting() && read->meta.labels == edge_->meta.labels &&
                    text_of(read->status.pins) == text_of(edge_->status.pins);
  notes_.written = std::make_shared<api::Edge>(*std::move(read));
  if (!same) return fail(ErrorKind::kConflict, "the Edge changed meanwhile");
  edge_ = notes_.written;
  const auto* file = std::get_if<FileEffect>(&effect);
  const bool installs = file != nullptr && std::holds_alternative<file_effect::Install>(*file);
  if (claim_.policy == nullptr || (!installs && !std::holds_alternative<MachineEffect>(effect))) return {};
  const auto policy = ports_.policies.read(claim_.policy->meta.key(), stop_);
  if (!policy) return tl::unexpected(within("consistent read", policy.error()));
  const bool holds = !installs || !is_enforcing() ||
                     (policy->meta.has_finalizer(api::kFinalizer) && edge_->meta.has_finalizer(api::kFinalizer));
  const bool is_the_same = policy->meta.uid == claim_.policy->meta.uid &&
                           policy->meta.generation == claim_.policy->meta.generation &&
                           policy->meta.deleting() == claim_.policy->meta.deleting();
  return holds && is_the_same ? Status{} : fail(ErrorKind::kConflict, "the PinPolicy changed meanwhile");
}

// By the file as it is there: its pins, its oldest TLS version, its cipher suites. Of a file that pins nothing it is
// enough that the service is up with it. Without its policy nobody knows the endpoint: a file that pins goes back then.
Proof Pass::prove() {
  if (!file_ && !file_error_) return Proof::kGood;
  if (claim_.policy == nullptr) return Proof::kUnknown;
  const auto found = sight(file_ ? bounds_of(*file_) : TlsBounds{});
  if (!found) {
    if (found.error().kind == ErrorKind::kCancelled) return Proof::kNone;
    return found.error().code == ports::kEndpointUnreached ? Proof::kUnreachable : Proof::kUnknown;
  }
  if (file_) {
    const std::vector<Pin> pins = pins_of(*file_);
    const bool is_through = decide::pins::intermediary_of(*found, trusted_) != nullptr;
    const bool is_foreign =
        !is_through && decide::pins::is_intercepted(*found, in_force_->seen, pins, terms().pins.match);
    if (is_foreign || (file_->strict_validation && !found->valid())) return Proof::kUnreachable;
    const bool is_accepted = decide::pins::matches(pins, match_for(*found), found->chain);
    if (!is_accepted || !found->tls.empty()) return Proof::kRefused;
  }
  return before()->change->online ? seen_by_cloud() : Proof::kGood;
}

// What nobody can say is no proof.
Proof Pass::seen_by_cloud() {
  const auto vendor = fleet();
  if (!vendor) return Proof::kUnknown;
  const auto info = (*vendor)->edge(ports::EdgeId{lower(edge_->spec.edge_id)}, stop_);
  if (!info) return Proof::kUnknown;
  return info->online ? Proof::kGood : Proof::kUnreachable;
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
      pass.notes_.proof_at = pass.now_;
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
  const bool proof_holds =
      std::holds_alternative<file_effect::Prove>(effect) || std::holds_alternative<file_effect::Confirm>(effect);
  if (!proof_holds) notes_.proof = Proof::kNone;
  Status done = std::visit(Act{*this}, effect);
  note(done);
  if (!done && std::holds_alternative<file_effect::Install>(effect) && !done.error().maybe_executed &&
      retry_of(done.error()) == Retry::kAfterChange) {
    notes_.trouble = done.error().message();
    notes_.trouble_until = now_ + terms().rotation.interval;
  }
  return done;
}

// How often the step that is written has failed in a row. What fails again and again is left alone for an interval.
void Pass::note(const Status& done) {
  const api::PinChange change = changes() ? *before()->change : api::PinChange{};
  const TimePoint of = change.at.value_or(TimePoint{});
  const bool is_the_same = notes_.failed_of == of && notes_.failed_at == change.step;
  if (done) {
    notes_.step_failures = 0;
    return;
  }
  notes_.failed_of = of;
  notes_.failed_at = change.step;
  notes_.step_failures = (is_the_same ? notes_.step_failures : 0) + 1;
  notes_.step_failure = done.error().message();
  if (notes_.step_failures < decide::pins::kMostTries) return;
  notes_.trouble = notes_.step_failure;
  notes_.trouble_until = now_ + terms().rotation.interval;
}

MachineNote& Pass::note_of(const MachineEffect& effect) {
  return std::holds_alternative<machine_effect::SetTimeServers>(effect) ? notes_.clock : notes_.anchors;
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
  MachineNote& known = note_of(effect);
  if (done) {
    known = {};
    return done;
  }
  known.of = effect;
  ++known.failures;
  known.failure = done.error().message();
  if (!done.error().maybe_executed && retry_of(done.error()) == Retry::kAfterChange)
    known.left_alone_until = now_ + terms().rotation.interval;
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

}  // namespace edgetrust::reconcile::edge_pins
