#pragma once
// The Edges of a PinPolicy, counted. Private to the room.
#include "edgetrust/reconcile/pin_policy_reconciler.hpp"

#include <string>
#include <vector>

namespace edgetrust::reconcile {

struct PinFleet {
  api::PinSummary summary;
  std::vector<api::UnmatchedEdge> not_matched;  // what there is room for
  int vantages = 0;                             // those that have been presented something themselves
  std::vector<std::string> intercepted;         // names
  int clocks = 0;                               // those whose clock is known
  std::vector<std::string> clocks_off;          // names
  std::vector<std::string> held_by_another;     // "edge01 (by cloud)": an older policy selects them too
};

// Of two policies that select an Edge the older holds it.
PinFleet count_edges(const World& world, const ports::Objects<api::PinPolicy>& policies, const api::PinPolicy& policy);

// Edges with a file that pins, of that policy, with what each says of itself; or those of them alone that leave it.
std::vector<std::string> still_pinned(const World& world, const api::PinPolicy& policy, bool only_leaving);

}  // namespace edgetrust::reconcile
