#include "lanes.hpp"

#include "edgetrust/api/kinds.hpp"

#include <algorithm>

namespace edgetrust {

void Lanes::start(const runtime::WorkerOptions& options, const runtime::Workers::Work& work) {
  constexpr int kFewest = 2;  // one may hang
  runtime::WorkerOptions for_keepers = options;
  for_keepers.threads = std::max(kFewest, options.threads / 2);
  runtime::WorkerOptions for_machines = options;
  for_machines.threads = kMostSessions;
  certificate_workers_.emplace(certificates_, clock_, options, work);
  machine_workers_.emplace(machines_, clock_, std::move(for_machines), work);
  keeper_workers_.emplace(keepers_, clock_, std::move(for_keepers), work);
}

void Lanes::stop() {
  if (certificate_workers_) certificate_workers_->request_stop();
  if (machine_workers_) machine_workers_->request_stop();
  keeper_workers_.reset();
  machine_workers_.reset();
  certificate_workers_.reset();
}

runtime::Queue& Lanes::queue_of(const runtime::Key& key) {
  if (key.kind == kEdgePins) return machines_;
  return key.kind == api::kKind<api::EdgeCertificate>.kind ? certificates_ : keepers_;
}

}  // namespace edgetrust
