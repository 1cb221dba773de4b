#pragma once
// From a dns01 solver to the provider's driver: the only file that names the providers.
// Called by: DriverBackends. Threads: any. Errors: those of the drivers' create(), and of reading Secrets.
#include "clouds.hpp"
#include "edgetrust/api/acme_issuer.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/dns/delegation.hpp"
#include "edgetrust/dns/lookup.hpp"
#include "edgetrust/http/transport.hpp"
#include "edgetrust/ports/dns_zone.hpp"

#include <functional>
#include <memory>

namespace edgetrust {

class ZoneMaker {
 public:
  // What the solver's references name.
  struct References {
    std::function<Result<Secret>(const std::string& name, const std::string& key)> secret;
    // The roots of a bundle alone, or the public ones.
    std::function<Result<http::TlsOptions>(const std::optional<api::CaBundleRef>& bundle)> trust;
  };
  using Zone = Result<std::shared_ptr<ports::DnsZone>>;

  // The references must outlive this and all that it makes.
  ZoneMaker(const dns::Resolver& resolver, const Clock& clock, Random& random, Clouds clouds)
      : resolver_(resolver),
        clock_(clock),
        random_(random),
        clouds_(std::move(clouds)),
        lookup_(resolver, clock, random, {}) {}

  Zone make(const api::Dns01Solver& solver, const References& references);

 private:
  [[nodiscard]] dns::Delegation delegation(const api::Dns01Solver& solver) const;
  [[nodiscard]] dns::FindZone find_zone(const api::Dns01Solver& solver) const;
  [[nodiscard]] Result<std::shared_ptr<http::Transport>> transport(const References& references) const;

  Zone provider(const api::Dns01Solver& solver, const References& references);
  Zone cloudflare(const api::Dns01Solver& solver, const References& references) const;
  Zone route53(const api::Dns01Solver& solver, const References& references) const;
  Zone azure_dns(const api::Dns01Solver& solver, const References& references) const;
  Zone rfc2136(const api::Dns01Solver& solver, const References& references) const;
  Zone acme_dns(const api::Dns01Solver& solver, const References& references);
  Zone webhook(const api::Dns01Solver& solver, const References& references) const;

  const dns::Resolver& resolver_;
  const Clock& clock_;
  Random& random_;
  const Clouds clouds_;
  dns::Lookup lookup_;  // for acme-dns, which must see what it has written
};

}  // namespace edgetrust
