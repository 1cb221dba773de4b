#include "edgetrust/reconcile/sighting.hpp"

#include "certificate/observe.hpp"

namespace edgetrust::reconcile {

Sighting sight(const World& world, const std::string& ns, std::stop_token stop) {
  Sighting seen{.certificates = {}, .slots = world.slots.list(ns), .unseen = {}};
  for (const auto& object : world.certificates.list(ns)) {
    Notes notes;
    if (auto observation = observe(world, object, notes, stop)) {
      seen.certificates.push_back(std::move(*observation));
    } else {
      seen.unseen.emplace_back(object->meta.key(), observation.error());
    }
  }
  return seen;
}

}  // namespace edgetrust::reconcile
