#pragma once
// What /readyz says. Called by: wiring. Pure. Threads: any. Errors: none.
#include <chrono>
#include <string>

namespace edgetrust {

// Beyond what any watch that works is silent for (kube::Cluster::heard()), with time for an API server that restarts.
inline constexpr std::chrono::minutes kLongestSilence{10};

struct Readiness {
  bool ready = false;
  std::string says;  // a sentence
};

// `synced`: every kind has been read once. `silent_for`: for how long the watch that has been silent for the longest
// has brought nothing. One that stands by is ready, and not where it could not take over: it does not know the cluster
// of now.
Readiness readiness(bool synced, std::chrono::milliseconds silent_for, bool leads);

}  // namespace edgetrust
