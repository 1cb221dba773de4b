#include "pins/fleet.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/decide/pins/goal.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using api::EdgePinState;

// A status has at most 16 KiB; these get half of it.
constexpr std::size_t kMostNotMatched = 50;
constexpr std::size_t kRoomForNotMatched = std::size_t{8} * 1024;
constexpr std::size_t kLongestReason = 160;
constexpr std::size_t kAround = 64;  // names of the fields, the state

int& counter(api::PinSummary& summary, EdgePinState state) {
  switch (state) {
    case EdgePinState::kMatched: return summary.matched;
    case EdgePinState::kDrifted: return summary.drifted;
    case EdgePinState::kApplying:
    case EdgePinState::kRestarting: return summary.changing;
    case EdgePinState::kRolledBack: return summary.rolled_back;
    case EdgePinState::kUnreachable: return summary.unreachable;
    case EdgePinState::kIntercepted: return summary.intercepted;
    case EdgePinState::kBlocked: return summary.blocked;
    case EdgePinState::kRefusing: return summary.refusing;
    case EdgePinState::kNotObserved: break;
  }
  return summary.not_observed;
}

}  // namespace

PinFleet count_edges(const World& world, const ports::Objects<api::PinPolicy>& policies, const api::PinPolicy& policy) {
  PinFleet fleet;
  std::size_t room = kRoomForNotMatched;
  const auto all = policies.list(policy.meta.ns);
  auto edges = world.edges.list(policy.meta.ns);
  std::ranges::sort(edges, {}, [](const auto& edge) { return edge->meta.name; });
  for (const auto& edge : edges) {
    if (!api::selects(policy.spec, edge->meta)) continue;
    const auto* holder = decide::pins::holder_of(all, edge->meta);
    if (holder != nullptr && holder->meta.uid != policy.meta.uid) {
      fleet.held_by_another.push_back(edge->meta.name + " (by " + holder->meta.name + ")");
      continue;
    }
    const auto& pins = edge->status.pins;
    const bool is_ours = pins && pins->policy == policy.meta.name;
    const EdgePinState state = is_ours ? pins->state : EdgePinState::kNotObserved;
    ++fleet.summary.total;
    ++counter(fleet.summary, state);
    const auto* clock = api::find(edge->status.conditions, api::condition::kClockInSync);
    if (is_ours && clock != nullptr) {
      ++fleet.clocks;
      if (clock->status == api::Truth::kFalse) fleet.clocks_off.push_back(edge->meta.name);
    }
    if (is_ours && pins->observed) ++fleet.vantages;
    if (state == EdgePinState::kIntercepted) fleet.intercepted.push_back(edge->meta.name);
    if (!is_ours || state == EdgePinState::kMatched || fleet.not_matched.size() == kMostNotMatched) continue;
    std::string why = printable(pins->message, kLongestReason);
    const std::size_t size = edge->meta.name.size() + why.size() + kAround;
    if (size > room) continue;
    room -= size;
    fleet.not_matched.push_back({.name = edge->meta.name, .state = state, .message = std::move(why)});
  }
  return fleet;
}

std::vector<std::string> still_pinned(const World& world, const api::PinPolicy& policy, bool only_leaving) {
  std::vector<std::string> all;
  for (const auto& edge : world.edges.list(policy.meta.ns)) {
    const auto& pins = edge->status.pins;
    if (!pins || !pins->enforced || pins->policy != policy.meta.name) continue;
    const bool stays = !edge->meta.deleting() && !policy.meta.deleting() &&
                       policy.spec.mode == api::PinMode::kEnforce && api::selects(policy.spec, edge->meta);
    if (only_leaving && stays) continue;
    all.push_back(edge->meta.name + " (" + printable(pins->message, kLongestReason) + ")");
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace edgetrust::reconcile
