#include "certificate/feasibility.hpp"

#include "certificate/ca_limits.hpp"
#include "certificate/questions.hpp"
#include "certificate/sourced.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate {
namespace {

using api::MayBreak;

// The stretch in which a rotation has to begin, and what holds in it.
struct Problem {
  api::EffectiveRotation rotation;
  std::string zone;
  api::Duration needed;
  TimePoint from;
  TimePoint urgent;
  TimePoint expiry;

  [[nodiscard]] bool breaks(MayBreak what) const {
    return std::ranges::find(rotation.urgent_may_break, what) != rotation.urgent_may_break.end();
  }
  [[nodiscard]] bool ends_in_time(const Slot& slot, TimePoint at_least) const {
    return std::max(slot.opens, at_least) + needed <= expiry;
  }
  [[nodiscard]] bool has_window(TimePoint begin, const std::vector<api::Freeze>& freezes) const {
    const auto slot = next_slot(rotation.windows, zone, begin, needed, freezes);
    // What cannot be read is said elsewhere.
    return !slot || (*slot && ends_in_time(**slot, begin));
  }
  // The last start that the windows alone would allow.
  [[nodiscard]] std::optional<TimePoint> last_start() const {
    std::optional<TimePoint> last;
    for (TimePoint begin = from;;) {
      const auto slot = next_slot(rotation.windows, zone, begin, needed);
      if (!slot || !*slot || !ends_in_time(**slot, begin)) return last;
      last = std::min((*slot)->closes, expiry) - needed;
      begin = std::max((*slot)->closes, begin + std::chrono::seconds{1});
    }
  }
  [[nodiscard]] bool is_possible() const {
    if (has_window(from, rotation.freezes)) return true;
    const TimePoint late = std::max(from, urgent);
    const auto freezes = breaks(MayBreak::kFreeze) ? std::vector<api::Freeze>{} : rotation.freezes;
    if (breaks(MayBreak::kWindow)) return ends_in_time(next_gap(late, needed, freezes), late);
    return breaks(MayBreak::kFreeze) && has_window(late, freezes);
  }
};

// A start is left for this one, and the policy says that not all of its fleet can have theirs.
std::optional<Obstacle> of_fleet(const Observation& o) {
  const auto* said = o.policy ? api::find(o.policy->status.conditions, api::condition::kInfeasible) : nullptr;
  const bool own_windows = o.object.spec.rotation && !o.object.spec.rotation->windows.empty();
  if (said == nullptr || own_windows) return std::nullopt;
  return Obstacle{said->reason, "RotationPolicy " + o.policy->meta.name + ": " + said->message};
}

// The CA takes its order only when it is too late for a rotation.
std::optional<Obstacle> too_late_for_ca(const Observation& o, TimePoint last_start) {
  if (!asks_for_orders(o)) return std::nullopt;
  const auto wait = wait_for_ca(o);
  if (!wait || wait->until <= last_start) return std::nullopt;
  return Obstacle{std::string(wait->reason), wait->message + "; it can be ordered from " + format_rfc3339(wait->until) +
                                                 " on, and what the Edge serves expires before it could be replaced"};
}

}  // namespace

std::optional<Obstacle> obstacle(const Observation& o) {
  const StoredRevision* serving = active(o);
  if (serving == nullptr || !o.edge || !o.connection || serving->chain->not_after <= o.now) return std::nullopt;
  const api::EffectiveRotation rotation = rotation_of(o);
  const auto& chain = *serving->chain;
  if (auto late = too_late_for_ca(o, chain.not_after - time_needed(rotation))) return late;
  const Problem problem{.rotation = rotation,
                        .zone = time_zone_of(o),
                        .needed = time_needed(rotation),
                        .from = std::max(o.now, is_sourced(o) ? overdue_from(chain) : renewal_of(o, *serving)),
                        .urgent = urgent_time(chain.not_before, chain.not_after, rotation.urgent_before),
                        .expiry = chain.not_after};
  if (problem.zone.empty() || problem.is_possible()) return of_fleet(o);
  const std::string end = "what the Edge serves expires " + format_rfc3339(problem.expiry);
  if (const auto last = problem.last_start()) {
    return Obstacle{"Freeze", end + ", and freezes leave no start before it: the last window allows one at " +
                                  format_rfc3339(*last) +
                                  ", so a freeze has to end by then, or urgent.mayBreak has to "
                                  "name Freeze"};
  }
  return Obstacle{"Window", end + ", and from " + format_rfc3339(problem.from) +
                                " on no window opens that has room for " + format_duration(problem.needed) +
                                ": add a window, lengthen one, or let urgent.mayBreak name Window"};
}

}  // namespace edgetrust::decide::certificate
