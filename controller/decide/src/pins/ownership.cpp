#include "edgetrust/decide/pins/ownership.hpp"

#include "edgetrust/base/text.hpp"

#include <tuple>

namespace edgetrust::decide::pins {

std::string machine_of(const api::Edge& edge) {
  return edge.spec.ssh ? lower(edge.spec.ssh->host) + ":" + std::to_string(edge.spec.ssh->port) : std::string{};
}

std::string goes_first(const api::Edge& edge, const std::vector<std::shared_ptr<const api::Edge>>& all,
                       const std::function<bool(const api::Edge&)>& writes) {
  const std::string machine = machine_of(edge);
  const auto rank = [&](const api::Edge& one) {
    const auto& pins = one.status.pins;
    const bool has_file_there = pins && pins->enforced && (pins->machine.empty() || pins->machine == machine);
    return std::tuple(!has_file_there, one.meta.creation_time.value_or(TimePoint{}), one.meta.uid);
  };
  const api::Edge* first = &edge;
  for (const auto& other : all) {
    if (other->broken || other->meta.uid == edge.meta.uid || machine_of(*other) != machine || !writes(*other)) continue;
    if (rank(*other) < rank(*first)) first = other.get();
  }
  return first == &edge ? std::string{} : first->meta.ns + "/" + first->meta.name;
}

bool has_moved(const api::Edge& edge) {
  const auto& pins = edge.status.pins;
  return pins && pins->enforced && !pins->machine.empty() && pins->machine != machine_of(edge);
}

bool is_the_same(const api::EdgePins& known, const ports::HostState& now) {
  const auto& change = known.change;
  const bool is_of_change = change && (now.sha256 == change->file_sha256 || now.sha256 == change->previous_sha256);
  return !now.sha256.empty() && (now.sha256 == known.file_sha256 || is_of_change);
}

bool is_forgotten(const api::Edge& edge) {
  return has_moved(edge) && edge.meta.annotation(api::kForgetMachine) == edge.status.pins->machine;
}

}  // namespace edgetrust::decide::pins
