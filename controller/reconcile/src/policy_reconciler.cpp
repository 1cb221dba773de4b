#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"

namespace edgetrust::reconcile {

Outcome PolicyReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto policy = world_.policies.get(key);
  if (!policy) return {};
  api::RotationPolicy next = *policy;
  if (const auto finding = unusable(*policy)) {
    next.status.state.reset();
    report(next, *finding, world_.clock.now());
  } else {
    next.status.state = api::PolicyState::kOpen;
    report(next, good("in force"), world_.clock.now());
  }
  return record(world_, world_.policies, *policy, next, {}, stop);
}

}  // namespace edgetrust::reconcile
