#include "edgetrust/decide/pins/goal.hpp"

#include "edgetrust/decide/budget.hpp"

#include <algorithm>
#include <tuple>

namespace edgetrust::decide::pins {

const api::PinPolicy* holder_of(const Policies& policies, const api::ObjectMeta& edge) {
  const auto age = [](const api::PinPolicy& policy) {
    return std::tuple(policy.meta.creation_time.value_or(TimePoint{}), policy.meta.uid);
  };
  const api::PinPolicy* oldest = nullptr;
  for (const auto& policy : policies) {
    if (policy->broken || policy->meta.deleting() || !api::selects(policy->spec, edge)) continue;
    if (oldest == nullptr || age(*policy) < age(*oldest)) oldest = policy.get();
  }
  return oldest;
}

Claim claim_on(const api::Edge& edge, const Policies& policies) {
  const auto& pins = edge.status.pins;
  const bool is_enforced = pins && pins->enforced;
  const auto owner = std::ranges::find_if(
      policies, [&](const auto& policy) { return is_enforced && policy->meta.name == pins->policy; });
  const api::PinPolicy* by = owner == policies.end() ? nullptr : owner->get();
  if (by != nullptr && by->broken) return {.goal = Goal::kHold, .policy = nullptr};
  const api::PinPolicy* holder = edge.meta.deleting() ? nullptr : holder_of(policies, edge.meta);
  if (holder != nullptr && holder->spec.mode == api::PinMode::kEnforce)
    return {.goal = Goal::kEnforce, .policy = holder};
  if (is_enforced) {
    const bool keeps = by != nullptr && by->spec.deletion_policy == api::PinDeletionPolicy::kKeep;
    return {.goal = keeps ? Goal::kLetGo : Goal::kSwitchOff, .policy = by};
  }
  if (holder != nullptr && holder->spec.mode == api::PinMode::kReportOnly)
    return {.goal = Goal::kReport, .policy = holder};
  return {};
}

std::string rotation_policy_of(const api::PinPolicy* policy) {
  return policy != nullptr && policy->spec.policy_ref ? policy->spec.policy_ref->name : std::string(kDefaultPolicy);
}

}  // namespace edgetrust::decide::pins
