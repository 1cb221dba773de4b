#pragma once
// The audit trail of a running operator: where its records go, and the objects that are watched for them. It is looked
// at by who stands by, and written and handed over by who leads.
#include "edgetrust/audit/log.hpp"
#include "edgetrust/audit/sink.hpp"
#include "edgetrust/audit/watched_objects.hpp"
#include "edgetrust/telemetry/log.hpp"
#include "edgetrust/telemetry/metrics.hpp"
#include "options.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace edgetrust {

class AuditTrail {
 public:
  // nullptr without --audit-log. Nothing is written yet. `clock`, `log` and `metrics` must outlive it. Errors: kInvalid
  // for a file, a URL or a key that is none.
  static Result<std::unique_ptr<AuditTrail>> create(const Options& options, const std::string& instance,
                                                    const Clock& clock, const telemetry::Logger& log,
                                                    telemetry::Metrics& metrics);

  // For who leads from here on, before the first pass. Errors: kInvalid, kUnavailable: it cannot be kept.
  Status open();
  // After the last pass, before another may lead.
  void close();

  // What waits for the volume and for the sink, into the metrics; nothing waits for what is not open, and of the sink
  // nothing is said then.
  void measure(telemetry::Metrics& metrics) const;

  // The objects of these kinds, watched; as they are without a trail. All must outlive what uses them.
  struct Objects {
    ports::Objects<api::EdgeCertificate>& certificates;
    ports::Objects<api::Edge>& edges;
    ports::Objects<api::RotationPolicy>& policies;
    ports::Objects<api::PinPolicy>& pin_policies;
  };
  static Objects watched(AuditTrail* trail, const Objects& objects);

 private:
  struct Watched {
    audit::WatchedObjects<api::EdgeCertificate> certificates;
    audit::WatchedObjects<api::Edge> edges;
    audit::WatchedObjects<api::RotationPolicy> policies;
    audit::WatchedObjects<api::PinPolicy> pin_policies;
  };
  std::unique_ptr<audit::Sink> sink_;  // null: the records stay in the log
  std::unique_ptr<audit::Log> log_;    // it wakes the sink, and ends before it
  std::unique_ptr<Watched> watched_;
  std::atomic<bool> is_open_ = false;
};

}  // namespace edgetrust
