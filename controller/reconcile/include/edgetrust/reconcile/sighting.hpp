#pragma once
// What the rules would look at if they were asked now, of all EdgeCertificates of a namespace. Nothing is changed and
// nothing outside of the cluster is asked. Called by: `edgetrust plan`. Threads: any.
#include "edgetrust/decide/certificate/observation.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>
#include <utility>
#include <vector>

namespace edgetrust::reconcile {

struct Sighting {
  std::vector<decide::certificate::Observation> certificates;  // without fleet and memory
  std::vector<ports::BudgetSlot> slots;
  std::vector<std::pair<api::ObjectKey, Error>> unseen;  // those of which the Secrets could not be read
};
Sighting sight(const World& world, const std::string& ns, std::stop_token stop);

}  // namespace edgetrust::reconcile
