#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

std::string describe(const api::Freeze& freeze) {
  return freeze.name + (freeze.reason.empty() ? "" : " (" + freeze.reason + ")") + " from " +
         format_rfc3339(freeze.from) + " to " + format_rfc3339(freeze.to);
}

const api::Freeze* next_freeze(const std::vector<api::Freeze>& freezes, TimePoint now) {
  const api::Freeze* next = nullptr;
  for (const api::Freeze& freeze : freezes) {
    if (freeze.from > now && (next == nullptr || freeze.from < next->from)) next = &freeze;
  }
  return next;
}

}  // namespace

Outcome PolicyReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto policy = world_.policies.get(key);
  if (!policy) return {};
  api::RotationPolicy next = *policy;
  std::optional<TimePoint> wake_at;
  if (const auto finding = unusable(*policy)) {
    next.status.state.reset();
    report(next, *finding, world_.clock.now());
  } else {
    const TimePoint now = world_.clock.now();
    const auto& freezes = policy->spec.freezes;
    const api::Freeze* frozen = decide::freeze_at(freezes, now);
    const api::Freeze* coming = next_freeze(freezes, now);
    next.status.state = frozen != nullptr ? api::PolicyState::kFrozen : api::PolicyState::kOpen;
    next.status.next_freeze = coming != nullptr ? describe(*coming) : "";
    if (frozen != nullptr) {
      set_condition(next.status.conditions, api::condition::kFrozen, api::Truth::kTrue, "Freeze", describe(*frozen),
                    next.meta.generation, now);
      wake_at = frozen->to;
    } else {
      api::remove(next.status.conditions, api::condition::kFrozen);
    }
    if (coming != nullptr) wake_at = std::min(wake_at.value_or(coming->from), coming->from);
    report(next, good("in force"), now);
  }
  return record(world_, world_.policies, *policy, next, wake_at, stop);
}

}  // namespace edgetrust::reconcile
