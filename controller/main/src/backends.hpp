#pragma once
// From an object to its driver: reads the Secrets that the object names, makes the driver, keeps it until the object or
// one of those changes.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/dns/resolver.hpp"
#include "edgetrust/http/observed_transport.hpp"
#include "edgetrust/ports/backends.hpp"
#include "edgetrust/ports/cluster.hpp"
#include "edgetrust/ports/edge_hosts.hpp"
#include "edgetrust/ports/tls_probe.hpp"
#include "edgetrust/ssh/edge_host.hpp"
#include "edgetrust/telemetry/metrics.hpp"
#include "lanes.hpp"
#include "zone_maker.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>

namespace edgetrust {

class DriverBackends final : public ports::Backends, public ports::EdgeHosts {
 public:
  // Told of every request of a driver, on the thread that made it.
  using Told = std::function<void(telemetry::Api api, const http::Exchange& exchange)>;

  // All references must outlive this. `handshake`: how an endpoint is looked at from an Edge.
  DriverBackends(ports::Secrets& secrets, const dns::Resolver& resolver, const Clock& clock, Random& random, Told told,
                 Clouds clouds = {}, ssh::Handshake handshake = {})
      : secrets_(secrets),
        resolver_(resolver),
        clock_(clock),
        told_(std::move(told)),
        zones_(resolver, clock, random, std::move(clouds)),
        handshake_(std::move(handshake)) {}

  Result<std::shared_ptr<ports::CertificateAuthority>> authority(const api::AcmeIssuer& issuer,
                                                                 std::stop_token stop) override;
  Result<ports::ExternalBinding> zero_ssl_binding(const api::AcmeIssuer& issuer, std::stop_token stop) override;
  Result<std::shared_ptr<ports::DnsZone>> zone(const api::AcmeIssuer& issuer, const std::string& dns_name,
                                               std::stop_token stop) override;
  Result<std::shared_ptr<ports::EdgeFleet>> fleet(const api::GenesysConnection& connection,
                                                  std::stop_token stop) override;
  Result<std::shared_ptr<ports::Heartbeat>> heartbeat(const api::GenesysConnection& connection,
                                                      std::stop_token stop) override;
  Result<std::shared_ptr<ports::EdgeHost>> host(const api::Edge& edge, std::stop_token stop) override;

  // A Secret changed: drivers made of it are made anew when they are next asked for. Whether one was made of it, or
  // could not be for want of it. Does not block.
  bool secret_changed(const api::ObjectKey& secret);
  // The object is gone: nothing of its Secrets is kept any longer. May wait for what its driver has under way.
  void forget(const api::ObjectKey& object);

 private:
  // The driver of one object, and what it was or could not be made of. Guarded by mutex_, but for `making`.
  struct Entry {
    std::mutex making;  // held by the one that makes the driver, while others wait for it
    bool is_being_made = false;
    std::set<api::ObjectKey> changed_since;  // Secrets, since the making began
    std::string version;                     // of the object: uid and generation; empty: to be made anew
    std::set<api::ObjectKey> needs;          // Secrets
    std::optional<SteadyPoint> stale_at;     // set where a ConfigMap is needed too: those are not watched
    std::shared_ptr<void> driver;
  };
  // An object and what it is asked for: "fleet", "zone 1".
  using EntryKey = std::pair<api::ObjectKey, std::string>;
  // Reads what an object names and remembers what was read.
  class Reader;

  std::shared_ptr<void> fresh(const Entry& entry, const std::string& version) const;
  template <class Driver>
  Result<std::shared_ptr<Driver>> cached(const std::string& what, const api::ObjectMeta& meta, std::stop_token stop,
                                         const std::function<Result<std::shared_ptr<Driver>>(Reader&)>& make);

  ports::Secrets& secrets_;
  const dns::Resolver& resolver_;
  const Clock& clock_;
  const Told told_;
  ZoneMaker zones_;
  const ssh::Handshake handshake_;
  ssh::SessionLimit sessions_{kMostSessions};
  std::mutex mutex_;
  std::map<EntryKey, std::shared_ptr<Entry>> entries_;
};

}  // namespace edgetrust
