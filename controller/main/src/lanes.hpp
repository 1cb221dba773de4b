#pragma once
// Three lanes of work, each a queue with threads of its own: EdgeCertificates, the kinds that they lean on, and the
// pins of Edges. A look at an Edge may hang for as long as its deadlines let it; however many of the looks that are
// made all the time hang, a rollback finds a free thread. Those of rotations under way are in its own lane, each
// bounded by its deadline. A pass over the pins of an Edge has one SSH session at a time, so that there are never more
// sessions than threads of that lane.
//
// Called by: wiring. Threads: add() and add_at() from any; start() and stop() come from the owner's. Errors: none.
#include "edgetrust/runtime/workers.hpp"
#include "edgetrust/telemetry/metrics.hpp"

#include <atomic>
#include <optional>

namespace edgetrust {

// The kind of a key that is about the pins of an Edge: an Edge has another key for all else.
inline constexpr std::string_view kEdgePins = "EdgePins";
inline constexpr int kMostSessions = 50;
// Some of them are left to Edges that are being changed, and few to those that did not answer last time: however many
// hang, the others do not stand behind them.
inline constexpr runtime::Shares kSessionShares{.below_first = 45, .last = 10};

class Lanes {
 public:
  // `metrics` outlives it.
  Lanes(const Clock& clock, telemetry::Metrics& metrics)
      : clock_(clock),
        certificates_(clock, {}, tell_wait(metrics, telemetry::Queue::kCertificates)),
        keepers_(clock, {}, tell_wait(metrics, telemetry::Queue::kOthers)),
        machines_(clock, kSessionShares, tell_wait(metrics, telemetry::Queue::kPins)) {}

  void add(const runtime::Key& key, std::optional<runtime::Rank> rank = {}) { queue_of(key).add(key, rank); }
  void add_at(const runtime::Key& key, SteadyPoint due, std::optional<runtime::Rank> rank = {}) {
    queue_of(key).add_at(key, due, rank);
  }
  // Keys of all lanes that could be worked on now.
  [[nodiscard]] std::size_t due() const {
    return certificates_.stats().due + keepers_.stats().due + machines_.stats().due;
  }

  // How the lanes are now, into the metrics. Without workers no key waits for one: the keys of an operator that stands
  // by are there for the day on which it leads.
  void measure(telemetry::Metrics& metrics) const;

  // `options.threads` are those for EdgeCertificates; half as many, at least two, are for the kinds that
  // they lean on, and kMostSessions for the pins of Edges.
  void start(const runtime::WorkerOptions& options, const runtime::Workers::Work& work);
  // Asks every pass of all lanes to end and waits until the last one has.
  void stop();

 private:
  static constexpr SteadyPoint kNever = SteadyPoint::max();
  runtime::Queue::Waited tell_wait(telemetry::Metrics& metrics, telemetry::Queue queue);
  [[nodiscard]] bool are_served() const { return started_.load() != kNever; }
  // How much of a wait was for a worker: what is before the start of the workers was a standby's.
  [[nodiscard]] std::chrono::milliseconds since_start(std::chrono::milliseconds waited) const;
  runtime::Queue& queue_of(const runtime::Key& key);

  const Clock& clock_;
  std::atomic<SteadyPoint> started_{kNever};  // the workers
  runtime::Queue certificates_;
  runtime::Queue keepers_;
  runtime::Queue machines_;
  std::optional<runtime::Workers> certificate_workers_;
  std::optional<runtime::Workers> keeper_workers_;
  std::optional<runtime::Workers> machine_workers_;
};

}  // namespace edgetrust
