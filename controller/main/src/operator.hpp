#pragma once
// The running operator: the only place that names concrete drivers and joins them to the engine.
#include <memory>
#include <stop_token>

#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/kube/config.hpp"
#include "edgetrust/telemetry/log.hpp"
#include "options.hpp"

namespace edgetrust {

struct Environment {
  kube::ClusterConfig cluster;
  std::string resolv_conf;  // text of /etc/resolv.conf
  std::string hosts;        // text of /etc/hosts
  std::string instance;     // the pod's name, for Events
};

class Operator {
 public:
  // `clock`, `random` and `log` must outlive it. Errors: kInvalid for TLS material that cannot be read, kUnavailable when the port is taken.
  static Result<std::unique_ptr<Operator>> create(const Options& options, Environment environment, const Clock& clock, Random& random, const telemetry::Logger& log);
  ~Operator();
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // Watches, works, and answers probes until `stop`; then ends every pass and joins every thread.
  void run(std::stop_token stop);

 private:
  struct Parts;
  explicit Operator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace edgetrust
