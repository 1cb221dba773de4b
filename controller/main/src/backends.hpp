#pragma once
// From an object to its driver: reads the Secrets that the object names, makes the driver, keeps it until the object or
// one of those changes.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/dns/resolver.hpp"
#include "edgetrust/http/observed_transport.hpp"
#include "edgetrust/ports/backends.hpp"
#include "edgetrust/ports/cluster.hpp"
#include "edgetrust/telemetry/metrics.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>

namespace edgetrust {

class DriverBackends final : public ports::Backends {
 public:
  // Told of every request of a driver, on the thread that made it.
  using Told = std::function<void(telemetry::Api api, const http::Exchange& exchange)>;

  // All references must outlive this.
  DriverBackends(ports::Secrets& secrets, const dns::Resolver& resolver, const Clock& clock, Random& random, Told told)
      : secrets_(secrets), resolver_(resolver), clock_(clock), random_(random), told_(std::move(told)) {}

  Result<std::shared_ptr<ports::CertificateAuthority>> authority(const api::AcmeIssuer& issuer,
                                                                 std::stop_token stop) override;
  Result<std::shared_ptr<ports::DnsZone>> zone(const api::AcmeIssuer& issuer, const std::string& dns_name,
                                               std::stop_token stop) override;
  Result<std::shared_ptr<ports::EdgeFleet>> fleet(const api::GenesysConnection& connection,
                                                  std::stop_token stop) override;

  // A Secret changed: drivers made of it are made anew when they are next asked for. Whether there are such, or
  // something failed for want of a Secret since the last change.
  bool secret_changed(const api::ObjectKey& secret);

 private:
  // What a driver was made of.
  struct Entry {
    std::string version;                  // of the object: uid and generation
    std::set<api::ObjectKey> needs;       // Secrets
    std::optional<SteadyPoint> stale_at;  // set where a ConfigMap is needed too: those are not watched
    std::shared_ptr<void> driver;
  };
  // Reads what an object names and remembers what was read.
  class Reader;

  template <class Driver, class Make>
  Result<std::shared_ptr<Driver>> cached(const std::string& key, const api::ObjectMeta& meta, Make make);

  ports::Secrets& secrets_;
  const dns::Resolver& resolver_;
  const Clock& clock_;
  Random& random_;
  const Told told_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::uint64_t secret_changes_ = 0;
  bool something_failed_ = false;  // a driver could not be made: any Secret may be the one that is wanted
};

}  // namespace edgetrust
