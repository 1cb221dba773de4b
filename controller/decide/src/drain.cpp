#include "edgetrust/decide/drain.hpp"

#include <algorithm>

namespace edgetrust::decide {

using namespace std::chrono_literals;
using ports::CallDraining;

std::chrono::seconds calls_may_last(api::Duration timeout) {
  // How long the vendor itself lets calls last where a person takes an Edge out of service (Resource Center,
  // ?p=129415).
  constexpr api::Duration kVendorsPatience = 3h;
  constexpr auto kLonger = 1h;
  return std::chrono::ceil<std::chrono::seconds>(std::max<api::Duration>(kVendorsPatience, timeout + kLonger));
}

bool is_in_service(const ports::EdgeInfo& edge) { return edge.active && edge.in_service; }

bool updates_software(const ports::EdgeInfo& edge) {
  return edge.software_status == "INIT" || edge.software_status == "IN_PROGRESS";
}

// NONE may be what the vendor said before it began to drain: it counts only after a while, and with no call up.
bool is_free_of_calls(const ports::EdgeInfo& edge, bool has_had_time) {
  if (edge.in_service) return false;
  const bool none = edge.draining == CallDraining::kNone && edge.conversations == 0;
  return edge.draining == CallDraining::kComplete || (none && has_had_time);
}

std::string describe_calls(const ports::EdgeInfo* edge) {
  if (edge == nullptr) return "nobody can tell how many calls are up";
  if (edge->conversations == 0) return "calls are up";
  return std::to_string(edge->conversations) + (edge->conversations == 1 ? " call is up" : " calls are up");
}

}  // namespace edgetrust::decide
