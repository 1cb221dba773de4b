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
  started_ = clock_.steady();
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
  started_ = kNever;
}

std::chrono::milliseconds Lanes::since_start(std::chrono::milliseconds waited) const {
  return std::clamp(clock_.steady() - started_.load(), std::chrono::milliseconds{0}, waited);
}

runtime::Queue::Waited Lanes::tell_wait(telemetry::Metrics& metrics, telemetry::Queue queue) {
  return [this, &metrics, queue](std::chrono::milliseconds waited) { metrics.queue_wait(queue, since_start(waited)); };
}

void Lanes::measure(telemetry::Metrics& metrics) const {
  const auto tell = [&](telemetry::Queue name, const runtime::Queue& queue) {
    const runtime::QueueStats stats = queue.stats();
    metrics.queue(name, {.due = are_served() ? stats.due : 0,
                         .oldest = since_start(stats.oldest),
                         .busy = stats.held,
                         .idle = stats.idle,
                         .longest = stats.longest});
  };
  tell(telemetry::Queue::kCertificates, certificates_);
  tell(telemetry::Queue::kOthers, keepers_);
  tell(telemetry::Queue::kPins, machines_);
}

runtime::Queue& Lanes::queue_of(const runtime::Key& key) {
  if (key.kind == kEdgePins) return machines_;
  return key.kind == api::kKind<api::EdgeCertificate>.kind ? certificates_ : keepers_;
}

}  // namespace edgetrust
