#pragma once
// The Edges of a PinPolicy, counted. Private to the room.
#include "edgetrust/reconcile/pin_policy_reconciler.hpp"

#include <string>
#include <vector>

namespace edgetrust::reconcile {

struct PinFleet {
  api::PinSummary summary;
  std::vector<api::UnmatchedEdge> not_matched;  // what there is room for
  std::vector<std::string> held_by_another;     // "edge01 (by cloud)": an older policy selects them too
};

// Of two policies that select an Edge the older holds it.
PinFleet count_edges(const World& world, const ports::Objects<api::PinPolicy>& policies, const api::PinPolicy& policy);

}  // namespace edgetrust::reconcile
