#include "backends.hpp"

#include "edgetrust/acme/client.hpp"
#include "edgetrust/acme/zero_ssl.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/genesys/fleet.hpp"
#include "heartbeat.hpp"

#include <algorithm>

namespace edgetrust {
namespace {

constexpr std::chrono::minutes kConfigMapsAreFresh{10};

crypto::Hash to_hash(std::optional<api::MacAlgorithm> algorithm) {
  switch (algorithm.value_or(api::MacAlgorithm::kHs256)) {
    case api::MacAlgorithm::kHs256: return crypto::Hash::kSha256;
    case api::MacAlgorithm::kHs384: return crypto::Hash::kSha384;
    case api::MacAlgorithm::kHs512: return crypto::Hash::kSha512;
  }
  return crypto::Hash::kSha256;
}

// What is not HTTP in its words: refused is 4xx, no answer is none.
template <class T>
int status_of(const Result<T>& answer) {
  if (answer) return 200;
  const ErrorKind kind = answer.error().kind;
  return kind == ErrorKind::kTimeout || kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled ? 0 : 400;
}

// A zone that tells of its updates.
class ObservedZone final : public ports::DnsZone {
 public:
  ObservedZone(std::shared_ptr<ports::DnsZone> zone, const Clock& clock, const DriverBackends::Told& told)
      : zone_(std::move(zone)), clock_(clock), told_(told) {}

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override {
    const SteadyPoint begin = clock_.steady();
    return tell(begin, "present", zone_->present(name, value, std::move(stop)));
  }
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override {
    const SteadyPoint begin = clock_.steady();
    return tell(begin, "remove", zone_->remove(name, value, std::move(stop)));
  }
  Result<std::string> seen_at(const std::string& name, std::stop_token stop) override {
    return zone_->seen_at(name, std::move(stop));
  }

 private:
  Status tell(SteadyPoint begin, std::string_view what, Status updated) {
    told_(telemetry::Api::kDns,
          {.method = http::Method::kPost, .status = status_of(updated), .took = clock_.steady() - begin, .name = what});
    return updated;
  }

  const std::shared_ptr<ports::DnsZone> zone_;
  const Clock& clock_;
  const DriverBackends::Told& told_;
};

// The machine of an Edge that tells of its SSH sessions: a look is a GET, a change a POST.
class ObservedHost final : public ports::EdgeHost {
  template <class Call>
  auto tell(http::Method method, std::string_view what, const Call& call) {
    const SteadyPoint begin = clock_.steady();
    auto answer = call();
    told_(telemetry::Api::kSsh,
          {.method = method, .status = status_of(answer), .took = clock_.steady() - begin, .name = what});
    return answer;
  }
  template <class Call>
  auto change(std::string_view what, const Call& call) {
    return tell(http::Method::kPost, what, call);
  }

 public:
  ObservedHost(std::unique_ptr<ports::EdgeHost> host, const Clock& clock, const DriverBackends::Told& told)
      : host_(std::move(host)), clock_(clock), told_(told) {}

  Result<ports::HostState> look(std::stop_token stop) override {
    return tell(http::Method::kGet, "look", [&] { return host_->look(std::move(stop)); });
  }
  Status greet(std::stop_token stop) override {
    return tell(http::Method::kGet, "greet", [&] { return host_->greet(std::move(stop)); });
  }
  Result<ports::ServedChain> present(const ports::PresentRequest& request, std::stop_token stop) override {
    return tell(http::Method::kGet, "present", [&] { return host_->present(request, std::move(stop)); });
  }
  Result<std::string> install(const ports::PinDocument& document, const std::string& replaces,
                              std::chrono::seconds restore_after, std::stop_token stop) override {
    return change("install", [&] { return host_->install(document, replaces, restore_after, std::move(stop)); });
  }
  Status restart(const std::string& invocation, std::stop_token stop) override {
    return change("restart", [&] { return host_->restart(invocation, std::move(stop)); });
  }
  Status confirm(const std::string& sha256, std::stop_token stop) override {
    return change("confirm", [&] { return host_->confirm(sha256, std::move(stop)); });
  }
  Status restore(const std::string& sha256, std::stop_token stop) override {
    return change("restore", [&] { return host_->restore(sha256, std::move(stop)); });
  }
  Status clean(std::stop_token stop) override {
    return change("clean", [&] { return host_->clean(std::move(stop)); });
  }
  Status set_time_servers(const std::vector<std::string>& servers, std::stop_token stop) override {
    return change("setTimeServers", [&] { return host_->set_time_servers(servers, std::move(stop)); });
  }
  Status trust(const ports::CaCertificate& certificate, std::stop_token stop) override {
    return change("trust", [&] { return host_->trust(certificate, std::move(stop)); });
  }
  Status distrust(const std::string& sha256, std::stop_token stop) override {
    return change("distrust", [&] { return host_->distrust(sha256, std::move(stop)); });
  }

 private:
  const std::unique_ptr<ports::EdgeHost> host_;
  const Clock& clock_;
  const DriverBackends::Told& told_;
};

}  // namespace

class DriverBackends::Reader {
 public:
  Reader(DriverBackends& backends, std::string ns, std::stop_token stop)
      : backends_(backends), ns_(std::move(ns)), stop_(std::move(stop)) {}

  Result<Secret> secret(const std::string& name, const std::string& key) {
    needs_.insert({ns_, name});
    EDGETRUST_TRY_ASSIGN(ports::SecretObject object, backends_.secrets_.read({ns_, name}, stop_));
    const auto found = object.data.find(key);
    if (found == object.data.end() || found->second.empty())
      return fail(ErrorKind::kInvalid, "Secret " + name + " has no key " + key);
    return std::move(found->second);
  }
  Result<Secret> secret(const api::SecretKeyRef& ref) { return secret(ref.name, ref.key); }
  // Empty: the Secret has no such key.
  Result<Secret> secret_if_any(const std::string& name, const std::string& key) {
    needs_.insert({ns_, name});
    EDGETRUST_TRY_ASSIGN(ports::SecretObject object, backends_.secrets_.read({ns_, name}, stop_));
    const auto found = object.data.find(key);
    return found == object.data.end() ? Secret() : std::move(found->second);
  }
  Result<genesys::Credentials> credentials(const api::LocalRef& ref) {
    EDGETRUST_TRY_ASSIGN(const Secret id, secret(ref.name, "clientId"));
    EDGETRUST_TRY_ASSIGN(Secret client_secret, secret(ref.name, "clientSecret"));
    return genesys::Credentials{std::string(trim(id.expose())), Secret(trim(client_secret.expose())),
                                "Secret " + ref.name};
  }
  // A bundle's certificates are the only roots; without a bundle the public roots are.
  Result<http::TlsOptions> trust(const std::optional<api::CaBundleRef>& bundle) {
    http::TlsOptions tls{.public_roots = !bundle};
    if (bundle) {
      if (bundle->kind == api::BundleKind::kSecret)
        needs_.insert({ns_, bundle->name});
      else
        needs_config_map_ = true;
      EDGETRUST_TRY_ASSIGN(tls.ca_pem, backends_.secrets_.read_bundle(ns_, *bundle, stop_));
    }
    return tls;
  }
  Result<std::shared_ptr<http::Transport>> transport(telemetry::Api api,
                                                     const std::optional<api::CaBundleRef>& bundle) {
    EDGETRUST_TRY_ASSIGN(http::TlsOptions tls, trust(bundle));
    EDGETRUST_TRY_ASSIGN(auto made, http::make_transport(std::move(tls)));
    return http::observed(std::move(made), backends_.clock_,
                          [&told = backends_.told_, api](const http::Exchange& exchange) { told(api, exchange); });
  }

  // What was read, for the driver that is made of it.
  void tell(Entry& entry) {
    entry.needs = std::move(needs_);
    if (needs_config_map_) entry.stale_at = backends_.clock_.steady() + kConfigMapsAreFresh;
  }

 private:
  std::set<api::ObjectKey> needs_;
  bool needs_config_map_ = false;
  DriverBackends& backends_;
  std::string ns_;
  std::stop_token stop_;
};

std::shared_ptr<void> DriverBackends::fresh(const Entry& entry, const std::string& version) const {
  const bool stale = entry.stale_at && clock_.steady() >= *entry.stale_at;
  return entry.version == version && !stale ? entry.driver : nullptr;
}

// One maker at a time: a driver has budgets and tokens, of which there shall not be two.
template <class Driver>
Result<std::shared_ptr<Driver>> DriverBackends::cached(
    const std::string& what, const api::ObjectMeta& meta, std::stop_token stop,
    const std::function<Result<std::shared_ptr<Driver>>(Reader&)>& make) {
  const std::string version = meta.uid + "/" + std::to_string(meta.generation);
  std::shared_ptr<Entry> entry;
  {
    const std::scoped_lock lock(mutex_);
    auto& slot = entries_[{meta.key(), what}];
    if (!slot) slot = std::make_shared<Entry>();
    entry = slot;
    if (auto driver = fresh(*entry, version)) return std::static_pointer_cast<Driver>(driver);
  }
  const std::scoped_lock one_maker(entry->making);
  {
    const std::scoped_lock lock(mutex_);
    if (auto driver = fresh(*entry, version)) return std::static_pointer_cast<Driver>(driver);
    entry->is_being_made = true;
    entry->changed_since.clear();
  }
  Reader reader(*this, meta.ns, std::move(stop));
  auto made = make(reader);
  std::shared_ptr<void> old;  // its end may wait for what it has under way: not under the lock
  const std::scoped_lock lock(mutex_);
  old = std::exchange(entry->driver, made ? *made : nullptr);
  entry->is_being_made = false;
  reader.tell(*entry);
  // A Secret that changed meanwhile may have been read before: the driver is used, and made anew the next time.
  const bool overtaken =
      std::ranges::any_of(entry->changed_since, [&](const auto& secret) { return entry->needs.contains(secret); });
  entry->version = made && !overtaken ? version : std::string{};
  return made;
}

bool DriverBackends::secret_changed(const api::ObjectKey& secret) {
  const std::scoped_lock lock(mutex_);
  bool concerned = false;
  for (auto& [key, entry] : entries_) {
    if (entry->is_being_made) entry->changed_since.insert(secret);
    if (!entry->needs.contains(secret)) continue;
    entry->version.clear();
    concerned = true;
  }
  return concerned;
}

void DriverBackends::forget(const api::ObjectKey& object) {
  std::vector<std::shared_ptr<Entry>> gone;  // ended behind the lock
  const std::scoped_lock lock(mutex_);
  std::erase_if(entries_, [&](const auto& item) {
    if (item.first.first != object) return false;
    gone.push_back(item.second);
    return true;
  });
}

namespace {

template <class Reader>
Result<std::optional<acme::ExternalAccountBinding>> binding_of(const api::AcmeIssuer& issuer, Reader& reader) {
  const auto& eab = *issuer.spec.external_account_binding;
  acme::ExternalAccountBinding binding{.key_id = eab.key_id, .hmac_key = {}, .algorithm = to_hash(eab.algorithm)};
  if (eab.hmac_key_ref) {
    EDGETRUST_TRY_ASSIGN(binding.hmac_key, reader.secret(*eab.hmac_key_ref));
  } else {
    const std::string kept = api::binding_secret_name(issuer.meta.name);
    EDGETRUST_TRY_ASSIGN(const Secret key_id, reader.secret(kept, "keyId"));
    EDGETRUST_TRY_ASSIGN(binding.hmac_key, reader.secret(kept, "hmacKey"));
    binding.key_id = key_id.expose();
  }
  return std::optional(std::move(binding));
}

}  // namespace

Result<ports::ExternalBinding> DriverBackends::zero_ssl_binding(const api::AcmeIssuer& issuer, std::stop_token stop) {
  const auto& eab = issuer.spec.external_account_binding;
  if (!eab || !eab->zero_ssl_api_key_ref) return fail(ErrorKind::kInternal, "the issuer has no API key of ZeroSSL");
  Reader reader(*this, issuer.meta.ns, stop);
  EDGETRUST_TRY_ASSIGN(const Secret api_key, reader.secret(*eab->zero_ssl_api_key_ref));
  EDGETRUST_TRY_ASSIGN(const auto transport, reader.transport(telemetry::Api::kAcme, std::nullopt));
  return acme::zero_ssl_binding(api_key, *transport, std::move(stop));
}

Result<std::shared_ptr<ports::CertificateAuthority>> DriverBackends::authority(const api::AcmeIssuer& issuer,
                                                                               std::stop_token stop) {
  return cached<ports::CertificateAuthority>(
      "authority", issuer.meta, std::move(stop),
      [&](Reader& reader) -> Result<std::shared_ptr<ports::CertificateAuthority>> {
        const auto& spec = issuer.spec;
        acme::Config config{.directory_url = spec.server,
                            .contact_email = spec.email,
                            .allowed_hosts = spec.allowed_hosts,
                            .profile = spec.profile,
                            .preferred_chain = spec.preferred_chain};
        EDGETRUST_TRY_ASSIGN(config.account_key_pem,
                             reader.secret(spec.account_key_ref.name, spec.account_key_ref.key));
        EDGETRUST_TRY_ASSIGN(
            config.next_account_key_pem,
            reader.secret_if_any(spec.account_key_ref.name, api::next_account_key(spec.account_key_ref)));
        if (spec.external_account_binding) {
          EDGETRUST_TRY_ASSIGN(config.external_account, binding_of(issuer, reader));
        }
        EDGETRUST_TRY_ASSIGN(auto transport, reader.transport(telemetry::Api::kAcme, spec.ca_bundle_ref));
        EDGETRUST_TRY_ASSIGN(auto client, acme::make_client(std::move(config), std::move(transport), clock_));
        return std::shared_ptr<ports::CertificateAuthority>(std::move(client));
      });
}

Result<std::shared_ptr<ports::DnsZone>> DriverBackends::zone(const api::AcmeIssuer& issuer, const std::string& dns_name,
                                                             std::stop_token stop) {
  const api::Solver* solver = api::dns_solver_for(issuer.spec, dns_name);
  if (solver == nullptr || !solver->dns01)
    return fail(ErrorKind::kInvalid, "no solver of AcmeIssuer " + issuer.meta.name + " serves " + dns_name);
  const auto index = static_cast<std::size_t>(solver - issuer.spec.solvers.data());
  const auto make = [&](Reader& reader) -> Result<std::shared_ptr<ports::DnsZone>> {
    auto zone = zones_.make(*solver->dns01,
                            {.secret = [&](const auto& name, const auto& key) { return reader.secret(name, key); },
                             .trust = [&](const auto& bundle) { return reader.trust(bundle); }});
    if (!zone) return tl::unexpected(within("the solver for " + dns_name, std::move(zone).error()));
    return std::make_shared<ObservedZone>(*std::move(zone), clock_, told_);
  };
  return cached<ports::DnsZone>("zone " + std::to_string(index), issuer.meta, std::move(stop), make);
}

Result<std::shared_ptr<ports::EdgeFleet>> DriverBackends::fleet(const api::GenesysConnection& connection,
                                                                std::stop_token stop) {
  return cached<ports::EdgeFleet>(
      "fleet", connection.meta, std::move(stop), [&](Reader& reader) -> Result<std::shared_ptr<ports::EdgeFleet>> {
        const auto& spec = connection.spec;
        genesys::Config config{
            .api_url = spec.api_url(), .login_url = spec.login_url(), .requests_per_minute = spec.requests_per_minute};
        EDGETRUST_TRY_ASSIGN(config.credentials, reader.credentials(spec.credentials_ref));
        if (spec.standby_credentials_ref) {
          // What is only spare stops nothing while it is missing.
          auto standby = reader.credentials(*spec.standby_credentials_ref);
          if (standby)
            config.standby = std::move(*standby);
          else
            config.standby_trouble = "standbyCredentialsRef cannot be used: " + standby.error().message();
        }
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
        EDGETRUST_TRY_ASSIGN(auto fleet,
                             genesys::make_fleet(std::move(config), {api_transport, upload_transport}, clock_));
        return std::shared_ptr<ports::EdgeFleet>(std::move(fleet));
      });
}

Result<std::shared_ptr<ports::Heartbeat>> DriverBackends::heartbeat(const api::GenesysConnection& connection,
                                                                    std::stop_token stop) {
  return cached<ports::Heartbeat>(
      "heartbeat", connection.meta, std::move(stop), [&](Reader& reader) -> Result<std::shared_ptr<ports::Heartbeat>> {
        if (!connection.spec.heartbeat) return fail(ErrorKind::kInternal, "the connection has no heartbeat");
        const auto& ref = connection.spec.heartbeat->url_ref;
        EDGETRUST_TRY_ASSIGN(const Secret url, reader.secret(ref));
        EDGETRUST_TRY_ASSIGN(auto transport,
                             reader.transport(telemetry::Api::kHeartbeat, connection.spec.heartbeat->ca_bundle_ref));
        return make_heartbeat(url, "Secret " + ref.name + " key " + ref.key, std::move(transport));
      });
}

Result<std::shared_ptr<ports::EdgeHost>> DriverBackends::host(const api::Edge& edge, std::stop_token stop) {
  return cached<ports::EdgeHost>(
      "machine", edge.meta, std::move(stop), [&](Reader& reader) -> Result<std::shared_ptr<ports::EdgeHost>> {
        if (!edge.spec.ssh) return fail(ErrorKind::kInternal, "the Edge has no spec.ssh");
        const auto& spec = *edge.spec.ssh;
        ssh::HostLogin login{.host = spec.host,
                             .port = static_cast<std::uint16_t>(spec.port),
                             .user = spec.user,
                             .private_key = {},
                             .host_keys = spec.host_keys};
        EDGETRUST_TRY_ASSIGN(login.private_key, reader.secret(spec.private_key_ref));
        const auto resolve = [this](const std::string& host, const net::Wait& wait) {
          return resolver_.addresses(host, wait);
        };
        EDGETRUST_TRY_ASSIGN(auto made, ssh::make_edge_host(std::move(login), resolve, handshake_, clock_, sessions_));
        return std::make_shared<ObservedHost>(std::move(made), clock_, told_);
      });
}

}  // namespace edgetrust
