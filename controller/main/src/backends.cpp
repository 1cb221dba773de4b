#include "backends.hpp"

#include "edgetrust/acme/client.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/rfc2136/rfc2136_zone.hpp"
#include "edgetrust/genesys/fleet.hpp"

namespace edgetrust {
namespace {

constexpr std::chrono::minutes kConfigMapsAreFresh{10};

dns::TsigAlgorithm to_dns(api::TsigAlgorithm algorithm) {
  switch (algorithm) {
    case api::TsigAlgorithm::kHmacSha256: return dns::TsigAlgorithm::kHmacSha256;
    case api::TsigAlgorithm::kHmacSha384: return dns::TsigAlgorithm::kHmacSha384;
    case api::TsigAlgorithm::kHmacSha512: return dns::TsigAlgorithm::kHmacSha512;
  }
  return dns::TsigAlgorithm::kHmacSha256;
}

// An update of a zone as a POST: refused is 4xx, no answer is none.
int status_of(const Status& updated) {
  if (updated) return 200;
  const ErrorKind kind = updated.error().kind;
  return kind == ErrorKind::kTimeout || kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled ? 0 : 400;
}

// A zone that tells of its updates.
class ObservedZone final : public ports::DnsZone {
 public:
  ObservedZone(std::shared_ptr<ports::DnsZone> zone, const Clock& clock, const DriverBackends::Told& told)
      : zone_(std::move(zone)), clock_(clock), told_(told) {}

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override {
    const SteadyPoint begin = clock_.steady();
    return tell(begin, zone_->present(name, value, std::move(stop)));
  }
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override {
    const SteadyPoint begin = clock_.steady();
    return tell(begin, zone_->remove(name, value, std::move(stop)));
  }

 private:
  Status tell(SteadyPoint begin, Status updated) {
    told_(telemetry::Api::kDns, {http::Method::kPost, status_of(updated), clock_.steady() - begin});
    return updated;
  }

  const std::shared_ptr<ports::DnsZone> zone_;
  const Clock& clock_;
  const DriverBackends::Told& told_;
};

}  // namespace

class DriverBackends::Reader {
 public:
  Reader(DriverBackends& backends, std::string ns, std::stop_token stop)
      : backends_(backends), ns_(std::move(ns)), stop_(std::move(stop)) {}

  Result<Secret> secret(const std::string& name, const std::string& key) {
    needs.insert({ns_, name});
    EDGETRUST_TRY_ASSIGN(ports::SecretObject object, backends_.secrets_.read({ns_, name}, stop_));
    const auto found = object.data.find(key);
    if (found == object.data.end() || found->second.empty())
      return fail(ErrorKind::kInvalid, "Secret " + name + " has no key " + key);
    return std::move(found->second);
  }
  Result<Secret> secret(const api::SecretKeyRef& ref) { return secret(ref.name, ref.key); }
  Result<genesys::Credentials> credentials(const api::LocalRef& ref) {
    EDGETRUST_TRY_ASSIGN(const Secret id, secret(ref.name, "clientId"));
    EDGETRUST_TRY_ASSIGN(Secret client_secret, secret(ref.name, "clientSecret"));
    return genesys::Credentials{std::string(trim(id.expose())), Secret(trim(client_secret.expose()))};
  }
  // A bundle's certificates are the only roots; without a bundle the public roots are.
  Result<std::shared_ptr<http::Transport>> transport(telemetry::Api api,
                                                     const std::optional<api::CaBundleRef>& bundle) {
    http::TlsOptions tls{.public_roots = !bundle};
    if (bundle) {
      if (bundle->kind == api::BundleKind::kSecret)
        needs.insert({ns_, bundle->name});
      else
        needs_config_map = true;
      EDGETRUST_TRY_ASSIGN(tls.ca_pem, backends_.secrets_.read_bundle(ns_, *bundle, stop_));
    }
    EDGETRUST_TRY_ASSIGN(auto made, http::make_transport(std::move(tls)));
    return http::observed(std::move(made), backends_.clock_,
                          [&told = backends_.told_, api](const http::Exchange& exchange) { told(api, exchange); });
  }

  std::set<api::ObjectKey> needs;
  bool needs_config_map = false;

 private:
  DriverBackends& backends_;
  std::string ns_;
  std::stop_token stop_;
};

template <class Driver, class Make>
Result<std::shared_ptr<Driver>> DriverBackends::cached(const std::string& key, const api::ObjectMeta& meta, Make make) {
  const std::string version = meta.uid + "/" + std::to_string(meta.generation);
  std::uint64_t changes = 0;
  {
    const std::scoped_lock lock(mutex_);
    changes = secret_changes_;
    const auto found = entries_.find(key);
    const bool fresh = found != entries_.end() && found->second.version == version &&
                       (!found->second.stale_at || clock_.steady() < *found->second.stale_at);
    if (fresh) return std::static_pointer_cast<Driver>(found->second.driver);
  }
  Entry entry{.version = version};
  const Result<std::shared_ptr<Driver>> made = make(entry);
  if (!made) {
    const std::scoped_lock lock(mutex_);
    something_failed_ = true;
    return made;
  }
  const std::shared_ptr<Driver>& driver = *made;
  entry.driver = driver;
  const std::scoped_lock lock(mutex_);
  // A Secret that changed while the driver was made may be one of those that it was made of: use it, do not keep it.
  if (changes == secret_changes_) entries_[key] = std::move(entry);
  return driver;
}

bool DriverBackends::secret_changed(const api::ObjectKey& secret) {
  const std::scoped_lock lock(mutex_);
  ++secret_changes_;
  const auto dropped = std::erase_if(entries_, [&](const auto& entry) { return entry.second.needs.contains(secret); });
  return dropped > 0 || std::exchange(something_failed_, false);
}

Result<std::shared_ptr<ports::CertificateAuthority>> DriverBackends::authority(const api::AcmeIssuer& issuer,
                                                                               std::stop_token stop) {
  return cached<ports::CertificateAuthority>(
      "authority " + issuer.meta.key().to_string(), issuer.meta,
      [&](Entry& entry) -> Result<std::shared_ptr<ports::CertificateAuthority>> {
        Reader reader(*this, issuer.meta.ns, stop);
        const auto& spec = issuer.spec;
        acme::Config config{.directory_url = spec.server,
                            .contact_email = spec.email,
                            .allowed_hosts = spec.allowed_hosts,
                            .profile = spec.profile};
        EDGETRUST_TRY_ASSIGN(config.account_key_pem,
                             reader.secret(spec.account_key_ref.name, spec.account_key_ref.key));
        if (spec.external_account_binding && spec.external_account_binding->hmac_key_ref) {
          EDGETRUST_TRY_ASSIGN(Secret hmac, reader.secret(*spec.external_account_binding->hmac_key_ref));
          config.external_account =
              acme::ExternalAccountBinding{spec.external_account_binding->key_id, std::move(hmac)};
        }
        EDGETRUST_TRY_ASSIGN(auto transport, reader.transport(telemetry::Api::kAcme, spec.ca_bundle_ref));
        entry.needs = std::move(reader.needs);
        if (reader.needs_config_map) entry.stale_at = clock_.steady() + kConfigMapsAreFresh;
        EDGETRUST_TRY_ASSIGN(auto client, acme::make_client(std::move(config), std::move(transport), clock_));
        return std::shared_ptr<ports::CertificateAuthority>(std::move(client));
      });
}

Result<std::shared_ptr<ports::DnsZone>> DriverBackends::zone(const api::AcmeIssuer& issuer, const std::string& dns_name,
                                                             std::stop_token stop) {
  const api::Solver* solver = api::solver_for(issuer.spec, dns_name);
  if (solver == nullptr || !solver->dns01)
    return fail(ErrorKind::kInvalid, "no solver of AcmeIssuer " + issuer.meta.name + " serves " + dns_name);
  if (!solver->dns01->rfc2136)
    return fail(ErrorKind::kUnsupported, "the solver for " + dns_name + " has no provider that this version serves");
  const auto index = static_cast<std::size_t>(solver - issuer.spec.solvers.data());
  const std::string key = "zone " + issuer.meta.key().to_string() + " " + std::to_string(index);
  return cached<ports::DnsZone>(key, issuer.meta, [&](Entry& entry) -> Result<std::shared_ptr<ports::DnsZone>> {
    Reader reader(*this, issuer.meta.ns, stop);
    const auto& rfc2136 = *solver->dns01->rfc2136;
    dns::Rfc2136Options options{.nameserver = rfc2136.nameserver,
                                .tsig_key_name = rfc2136.tsig_key_name,
                                .tsig_algorithm = to_dns(rfc2136.tsig_algorithm)};
    if (rfc2136.tsig_secret_ref) {
      EDGETRUST_TRY_ASSIGN(options.tsig_secret, reader.secret(*rfc2136.tsig_secret_ref));
    }
    entry.needs = std::move(reader.needs);
    EDGETRUST_TRY_ASSIGN(auto zone, dns::Rfc2136Zone::create(std::move(options), resolver_, clock_, random_));
    return std::make_shared<ObservedZone>(std::move(zone), clock_, told_);
  });
}

Result<std::shared_ptr<ports::EdgeFleet>> DriverBackends::fleet(const api::GenesysConnection& connection,
                                                                std::stop_token stop) {
  return cached<ports::EdgeFleet>(
      "fleet " + connection.meta.key().to_string(), connection.meta,
      [&](Entry& entry) -> Result<std::shared_ptr<ports::EdgeFleet>> {
        Reader reader(*this, connection.meta.ns, stop);
        const auto& spec = connection.spec;
        genesys::Config config{
            .api_url = spec.api_url(), .login_url = spec.login_url(), .requests_per_minute = spec.requests_per_minute};
        EDGETRUST_TRY_ASSIGN(config.credentials, reader.credentials(spec.credentials_ref));
        const auto api_bundle = spec.endpoints ? spec.endpoints->ca_bundle_ref : std::nullopt;
        EDGETRUST_TRY_ASSIGN(auto api_transport, reader.transport(telemetry::Api::kGenesys, api_bundle));
        auto upload_transport = api_transport;
        if (const auto& upload = spec.certificate_upload) {
          config.upload = genesys::UploadConfig{
              .url = upload->endpoint, .upload_path = upload->upload_path, .status_path = upload->status_path};
          if (upload->credentials_ref) {
            EDGETRUST_TRY_ASSIGN(config.upload->credentials, reader.credentials(*upload->credentials_ref));
          }
          if (upload->ca_bundle_ref) {
            EDGETRUST_TRY_ASSIGN(upload_transport, reader.transport(telemetry::Api::kGenesys, upload->ca_bundle_ref));
          }
        }
        entry.needs = std::move(reader.needs);
        if (reader.needs_config_map) entry.stale_at = clock_.steady() + kConfigMapsAreFresh;
        EDGETRUST_TRY_ASSIGN(auto fleet,
                             genesys::make_fleet(std::move(config), {api_transport, upload_transport}, clock_));
        return std::shared_ptr<ports::EdgeFleet>(std::move(fleet));
      });
}

}  // namespace edgetrust
