#pragma once
// What a change of an Edge's pin file waits for under its RotationPolicy, as a push of a certificate does: freeze,
// halt, window, wave, the Edge's own software, and a turn in the budget. Called by the engine of Edges. Pure. Errors:
// none; what nobody can tell is a reason to wait.
#include "edgetrust/decide/budget.hpp"
#include "edgetrust/decide/pins/file_change.hpp"
#include "edgetrust/decide/schedule.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::decide::pins {

// An Edge of the same PinPolicy, for the waves.
using Edges = std::vector<std::shared_ptr<const api::Edge>>;

struct PermissionSituation {
  const api::Edge& edge;
  const api::GenesysConnection* connection;  // may be unknown
  const api::RotationPolicy* policy;         // nullptr: there is no such object, and the defaults hold
  std::string policy_name;
  bool at_once = false;       // service.restart Immediate: no window and no wave is waited for, and nothing is drained
  bool is_out = false;        // its file refuses what it is presented: window, wave, budget and halt are not waited for
  bool switches_off = false;  // the new file pins nothing: a halt, which is of files that pin, is not waited for
  bool has_turn = false;      // it holds its slots already
  bool is_drained = false;    // the Edge has been taken out of service for it
  std::string set;            // which pins the new file has; empty: none, and no wave is waited for
  const Fleet& fleet;         // of the namespace
  const Edges& of_policy;     // those that the PinPolicy holds
  const Edges& before;        // those whose turn comes first
  TimePoint now;
};
struct Permission {
  std::string waits_for;             // empty: the change may begin, with these slots
  std::vector<std::string> slots;    // to be claimed before it
  std::optional<TimePoint> wake_at;  // when it may be otherwise by itself
  bool its_turn = false;             // it waits for nothing but its turn
};
Permission permission(const PermissionSituation& situation);

// When a change is tried again whose calls did not end: in the next window.
TimePoint next_try(const api::Edge& edge, const api::GenesysConnection* connection,
                   const api::EffectiveRotation& rotation, TimePoint now);

}  // namespace edgetrust::decide::pins
