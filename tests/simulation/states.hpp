#pragma once
// The states in which the engines leave objects, for tests in other languages (tests/gitops): with STATES=FOLDER in the
// environment the first object of each kind, phase and set of Ready, Reconciling and Stalled is written into a file of
// that folder, as {"object", "generation", "status"}.
#include "edgetrust/api/codec.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace edgetrust::simulation {

template <class Kind>
void note_state(const Kind& object) {
  static const char* const kFolder = std::getenv("STATES");
  if (kFolder == nullptr) return;
  std::string name{api::kKind<Kind>.kind};
  if constexpr (requires { object.status.phase; }) {
    if (object.status.phase) name.append("-").append(to_string(*object.status.phase));
  }
  for (const auto& condition : object.status.conditions) {
    if (condition.type != "Ready" && condition.type != "Reconciling" && condition.type != "Stalled") continue;
    name += "-" + condition.type + std::to_string(static_cast<int>(condition.status)) + "-" + condition.reason;
  }
  const auto file = std::filesystem::path(kFolder) / (name + ".json");
  if (std::filesystem::exists(file)) return;
  std::ofstream(file) << R"({"object":)" << encode_for_create(object) << R"(,"generation":)" << object.meta.generation
                      << R"(,"status":)" << encode_status(object) << "}\n";
}

}  // namespace edgetrust::simulation
