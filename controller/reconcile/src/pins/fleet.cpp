#include "pins/fleet.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <tuple>

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
    case EdgePinState::kNotObserved: break;
  }
  return summary.not_observed;
}

using Policies = std::vector<std::shared_ptr<const api::PinPolicy>>;

// The older policy that selects it, if there is one.
const api::PinPolicy* older_claim(const Policies& policies, const api::PinPolicy& policy, const api::Edge& edge) {
  const auto age = [](const api::ObjectMeta& meta) {
    return std::tuple(meta.creation_time.value_or(TimePoint{}), meta.uid);
  };
  const api::PinPolicy* oldest = nullptr;
  for (const auto& other : policies) {
    if (other->broken || other->meta.deleting() || age(other->meta) >= age((oldest != nullptr ? *oldest : policy).meta))
      continue;
    if (api::selects(other->spec, edge.meta)) oldest = other.get();
  }
  return oldest;
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
    if (const auto* holder = older_claim(all, policy, *edge); holder != nullptr) {
      fleet.held_by_another.push_back(edge->meta.name + " (by " + holder->meta.name + ")");
      continue;
    }
    const auto& pins = edge->status.pins;
    const bool is_ours = pins && pins->policy == policy.meta.name;
    const EdgePinState state = is_ours ? pins->state : EdgePinState::kNotObserved;
    ++fleet.summary.total;
    ++counter(fleet.summary, state);
    if (!is_ours || state == EdgePinState::kMatched || fleet.not_matched.size() == kMostNotMatched) continue;
    std::string why = printable(pins->message, kLongestReason);
    const std::size_t size = edge->meta.name.size() + why.size() + kAround;
    if (size > room) continue;
    room -= size;
    fleet.not_matched.push_back({.name = edge->meta.name, .state = state, .message = std::move(why)});
  }
  return fleet;
}

}  // namespace edgetrust::reconcile
