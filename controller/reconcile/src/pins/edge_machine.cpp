// The machine of a pass: whose it is, and what it says.
#include "pins/edge_pass.hpp"

namespace edgetrust::reconcile::edge_pins {

// It did not answer; who answers with a refusal does not keep anybody waiting.
bool Pass::is_silent() const {
  return host_error_ && (host_error_->kind == ErrorKind::kUnavailable || host_error_->kind == ErrorKind::kTimeout);
}

// One that did not answer last time is asked for its first word before it is asked for more: it is cheap to find it
// silent still.
Result<ports::HostState> Pass::ask_machine() {
  const bool was_silent = notes_.silent > 0 || (before() && before()->state == EdgePinState::kUnreachable);
  if (was_silent && (notes_.silent + 1) % kPatientEach != 0) {
    EDGETRUST_TRY(host_->greet(stop_));
  }
  return host_->look(stop_);
}

// False: we are asked to stop.
bool Pass::look() {
  auto host = ports_.hosts.host(*edge_, stop_);
  if (!host) {
    host_error_ = std::move(host).error();
    return host_error_->kind != ErrorKind::kCancelled;
  }
  host_ = *std::move(host);
  auto state = ask_machine();
  if (!state) {
    host_error_ = std::move(state).error();
    if (host_error_->kind == ErrorKind::kCancelled) return false;
    notes_.silent = is_silent() ? notes_.silent + 1 : 0;
    return true;
  }
  notes_.silent = 0;
  state_ = *std::move(state);
  auto file = ports_.files.read(state_->text);
  if (file) {
    file_ = *std::move(file);
  } else {
    file_error_ = std::move(file).error();
  }
  is_switched_on_ = ports_.files.is_switched_on(state_->text).value_or(true);
  return true;
}

// --- whose machine it is

// Of all Edges that are watched, for they may be of other namespaces.
std::string Pass::goes_first() const {
  if (claim_.goal == Goal::kReport) return {};  // who only reads is in nobody's way
  const auto writes = [&](const api::Edge& other) {
    const Goal goal = decide::pins::claim_on(other, ports_.policies.list(other.meta.ns)).goal;
    return goal == Goal::kEnforce || goal == Goal::kSwitchOff || goal == Goal::kHold;
  };
  std::vector<std::shared_ptr<const api::Edge>> all;
  for (const auto& ns : ports_.namespaces) {
    auto some = world_.edges.list(ns);
    std::ranges::move(some, std::back_inserter(all));
  }
  return decide::pins::goes_first(*edge_, all, writes);
}

Plan Pass::second_to(const std::string& other) {
  const std::string machine = decide::pins::machine_of(*edge_);
  if (is_leaving()) return give_up_file("the pin file of " + machine + " is in the hands of Edge " + other);
  return untouched("Edge " + other + " names the same machine, " + machine +
                   ", and goes first: nothing is done there before it is gone");
}

// A person has seen to it.
Plan Pass::forget_machine() {
  return give_up_file(before()->machine + " is left as it is: " + std::string(api::kForgetMachine) + " says so");
}

// spec.ssh names another machine than the one with a file that pins. Empty: it does not, or it is the same machine
// under another address.
std::optional<Plan> Pass::left_behind() {
  if (!decide::pins::has_moved(*edge_)) return std::nullopt;
  const std::string& old = before()->machine;
  const std::string now = decide::pins::machine_of(*edge_);
  if (state_ && decide::pins::is_the_same(*before(), *state_) && goes_first().empty()) return std::nullopt;
  if (claim_.policy != nullptr && claim_.policy->spec.deletion_policy == api::PinDeletionPolicy::kKeep)
    return give_up_file(old + " keeps its pin file, and nobody follows the endpoint there: spec.ssh names " + now +
                        ", and deletionPolicy is Keep");
  is_left_behind_ = true;
  // Nothing that was seen at the new address counts.
  state_.reset();
  host_error_.reset();
  return untouched("spec.ssh names " + now + ", and " + old +
                   " has a pin file by this Edge, for which nobody follows the endpoint: put spec.ssh back until the "
                   "Edge has left Enforce, or switch that file off by hand and set the annotation " +
                   std::string(api::kForgetMachine) + " to " + old);
}

}  // namespace edgetrust::reconcile::edge_pins
