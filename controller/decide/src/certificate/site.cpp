#include "certificate/site.hpp"

#include "certificate/questions.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"

namespace edgetrust::decide::certificate {
namespace {

constexpr std::size_t kMostNames = 5;

enum class State { kUp, kWentDown, kSaysNothing };

// As its own object tells. One that was down before the change says nothing about what came after it.
State state_of(const api::Edge& edge, TimePoint since) {
  bool up = false;
  bool down = false;
  for (const auto type : {api::condition::kOnline, api::condition::kSipHealthy}) {
    const auto* condition = api::find(edge.status.conditions, type);
    if (condition == nullptr) continue;
    if (condition->status == api::Truth::kFalse && condition->last_transition_time >= since) return State::kWentDown;
    down = down || condition->status == api::Truth::kFalse;
    up = up || condition->status == api::Truth::kTrue;
  }
  return up && !down ? State::kUp : State::kSaysNothing;
}

}  // namespace

std::optional<SiteFailure> site_failure(const Observation& o) {
  const auto& delivery = o.object.status.delivery;
  if (!delivery || rotation_of(o).on_site_wide_failure != api::SiteWideFailure::kHold) return std::nullopt;
  std::vector<std::string> down;
  std::size_t told = 0;
  for (const auto& edge : o.neighbours) {
    const State state = state_of(*edge, delivery->started_at);
    if (state != State::kSaysNothing) ++told;
    if (state == State::kWentDown) down.push_back(edge->meta.name);
  }
  // One of many that fails by itself is no failure of the site.
  if (down.empty() || 2 * down.size() < told) return std::nullopt;
  const std::string count = std::to_string(down.size()) + " of " + std::to_string(told);
  if (down.size() > kMostNames) {
    down.resize(kMostNames);
    down.emplace_back("…");
  }
  return SiteFailure{count + " other Edges of site " + std::string(api::site_of(*o.edge)) +
                     " went down too, and nobody touched them: " + join(down, ", ")};
}

}  // namespace edgetrust::decide::certificate
