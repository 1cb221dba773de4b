#pragma once
// The running operator: the only place that names concrete drivers and joins them to the engine.
#include "clouds.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/forecast/plan.hpp"
#include "edgetrust/kube/config.hpp"
#include "edgetrust/telemetry/log.hpp"
#include "options.hpp"
#include "pin_show.hpp"

#include <memory>
#include <stop_token>

namespace edgetrust {

struct Environment {
  kube::ClusterConfig cluster;
  std::string resolv_conf;  // text of /etc/resolv.conf
  std::string hosts;        // text of /etc/hosts
  std::string instance;     // the pod's name, for Events
  Clouds clouds;
};

// What will happen to the watched namespaces until then: reads the cluster once and changes nothing. `clock`, `random`
// and `log` must outlive it. Errors: as Operator::create; kUnavailable when the cluster cannot be read in a minute.
Result<forecast::Plan> make_plan(const Options& options, Environment environment, const Clock& clock, Random& random,
                                 const telemetry::Logger& log, TimePoint until, std::stop_token stop);

// `edgetrust pin show`: its text goes to stdout. Only the names and resolvers of the environment
// are used. Errors: as show_pins.
Result<PinShow> show_pins(const PinShowOptions& options, const Environment& environment, const std::string& roots_pem,
                          const Clock& clock, Random& random);

class Operator {
 public:
  // `clock`, `random` and `log` must outlive it. Errors: kInvalid for TLS material that cannot be read, kUnavailable
  // when the port is taken.
  static Result<std::unique_ptr<Operator>> create(const Options& options, Environment environment, const Clock& clock,
                                                  Random& random, const telemetry::Logger& log);
  ~Operator();
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // Watches, works, and answers probes until `stop`; then ends every pass and joins every thread. With leader election
  // it works while it leads. kCancelled when it leads no longer: the process must end, for another may work now.
  Status run(std::stop_token stop);

 private:
  friend Result<forecast::Plan> make_plan(const Options& options, Environment environment, const Clock& clock,
                                          Random& random, const telemetry::Logger& log, TimePoint until,
                                          std::stop_token stop);
  struct Parts;
  explicit Operator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace edgetrust
