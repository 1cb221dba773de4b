#pragma once
// What is to become of the pin file of one Edge: which PinPolicy holds for it, and what leaving Enforce means. Called
// by the engines of Edges and of PinPolicies. Pure. Errors: none.
#include "edgetrust/api/kinds.hpp"

#include <memory>
#include <vector>

namespace edgetrust::decide::pins {

using Policies = std::vector<std::shared_ptr<const api::PinPolicy>>;

// Of the policies that select an Edge the oldest holds it; one that is being deleted, or cannot be read, holds none.
// nullptr: none does.
const api::PinPolicy* holder_of(const Policies& policies, const api::ObjectMeta& edge);

enum class Goal {
  kNothing,    // nobody looks at it
  kReport,     // it is said what would be written
  kEnforce,    // the file is kept right
  kSwitchOff,  // it has left Enforce: what the operator put there is switched off
  kLetGo,      // it has left Enforce, and deletionPolicy Keep leaves the file to others
  kHold        // nobody can tell: the policy that it is enforced by cannot be read or served. Nothing is changed
};
struct Claim {
  Goal goal = Goal::kNothing;
  const api::PinPolicy* policy = nullptr;  // by whose terms; nullptr where that one is gone: the defaults hold then
};
Claim claim_on(const api::Edge& edge, const Policies& policies);

// The RotationPolicy that its restarts wait for.
std::string rotation_policy_of(const api::PinPolicy* policy);

}  // namespace edgetrust::decide::pins
