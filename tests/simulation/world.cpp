#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;

class MemorySecrets final : public ports::Secrets {
 public:
  MemorySecrets(World& world)
      : etcd_(world.etcd), moments_(world.moments), save_later_(world.save_later), bundles_(world.bundles) {}

  // What somebody else does, which is no change of the engine's.
  void put(ports::SecretObject secret) {
    secret.meta.resource_version = etcd_.next();
    secret.meta.uid = "uid-" + secret.meta.name;
    stored_[secret.meta.key()] = std::move(secret);
  }
  void erase(const api::ObjectKey& key) { stored_.erase(key); }
  std::function<void(const std::string&)> before_read = [](const std::string& /*name*/) {};
  std::function<void(const std::string&)> before_update = [](const std::string& /*name*/) {};

  std::set<api::ObjectKey> unsaved;
  void lose_unsaved() {
    for (const auto& key : unsaved) stored_.erase(key);
    unsaved.clear();
  }

  [[nodiscard]] std::vector<api::ObjectMeta> list(const std::string& ns, const std::string& label,
                                                  const std::string& value) const override {
    std::vector<api::ObjectMeta> found;
    for (const auto& [key, secret] : stored_) {
      const auto has = secret.meta.labels.find(label);
      if (key.ns == ns && has != secret.meta.labels.end() && has->second == value) found.push_back(secret.meta);
    }
    return found;
  }
  [[nodiscard]] std::optional<api::ObjectMeta> find(const api::ObjectKey& key) const override {
    const auto found = stored_.find(key);
    return found == stored_.end() ? std::nullopt : std::optional(found->second.meta);
  }
  Result<ports::SecretObject> read(const api::ObjectKey& key, std::stop_token /*stop*/) override {
    before_read(key.name);
    const auto found = stored_.find(key);
    if (found == stored_.end()) return fail(ErrorKind::kNotFound, "no Secret " + key.name);
    return copy(found->second);
  }
  Result<api::ObjectMeta> create(const ports::SecretObject& secret, std::stop_token /*stop*/) override {
    return moments_.change("create " + secret.meta.name, [&]() -> Result<api::ObjectMeta> {
      if (stored_.contains(secret.meta.key())) {
        Error taken{.kind = ErrorKind::kConflict, .what = "already exists", .code = "AlreadyExists"};
        return fail(std::move(taken));
      }
      auto stored = copy(secret);
      stored.meta.uid = "uid-" + secret.meta.name + "-" + std::to_string(etcd_.version);
      stored.meta.resource_version = etcd_.next();
      const api::ObjectMeta meta = stored.meta;
      stored_.emplace(meta.key(), std::move(stored));
      if (save_later_) unsaved.insert(meta.key());
      return meta;
    });
  }
  Result<api::ObjectMeta> update(const ports::SecretObject& secret, std::stop_token /*stop*/) override {
    before_update(secret.meta.name);
    return moments_.change("update " + secret.meta.name, [&]() -> Result<api::ObjectMeta> {
      auto& stored = stored_.at(secret.meta.key());
      if (stored.meta.resource_version != secret.meta.resource_version) return fail(ErrorKind::kConflict, "modified");
      const auto same = [](const auto& a, const auto& b) {
        return a.first == b.first && a.second.expose() == b.second.expose();
      };
      if (stored.immutable && !std::ranges::equal(stored.data, secret.data, same))
        return fail(ErrorKind::kInvalid, "immutable: only its metadata may change");
      const std::string uid = stored.meta.uid;
      stored = copy(secret);
      stored.meta.uid = uid;
      stored.meta.resource_version = etcd_.next();
      return stored.meta;
    });
  }
  Status remove(const api::ObjectMeta& meta, std::stop_token /*stop*/) override {
    return moments_.change("delete " + meta.name, [&]() -> Status {
      stored_.erase(meta.key());
      return {};
    });
  }
  Result<std::string> read_bundle(const std::string& /*ns*/, const api::CaBundleRef& ref,
                                  std::stop_token /*stop*/) override {
    const auto found = bundles_.find(ref.name);
    if (found == bundles_.end()) return fail(ErrorKind::kNotFound, "no Secret " + ref.name);
    return found->second;
  }

  [[nodiscard]] const std::map<api::ObjectKey, ports::SecretObject>& all() const { return stored_; }

 private:
  static ports::SecretObject copy(const ports::SecretObject& from) {
    ports::SecretObject to{.meta = from.meta, .type = from.type, .immutable = from.immutable};
    for (const auto& [key, value] : from.data) to.data.emplace(key, value.clone());
    return to;
  }
  Etcd& etcd_;
  Moments& moments_;
  const bool& save_later_;
  const std::map<std::string, std::string>& bundles_;
  std::map<api::ObjectKey, ports::SecretObject> stored_;
};

class MemorySlots final : public ports::BudgetSlots {
 public:
  MemorySlots(Etcd& etcd, Moments& moments, const bool& old_news)
      : etcd_(etcd), moments_(moments), old_news_(old_news) {}

  [[nodiscard]] std::vector<ports::BudgetSlot> list(const std::string& /*ns*/) const override {
    std::vector<ports::BudgetSlot> all;
    if (old_news_) return all;
    for (const auto& [key, slot] : stored_) all.push_back(slot);
    return all;
  }
  Result<ports::BudgetSlot> read(const api::ObjectKey& key, std::stop_token /*stop*/) override {
    const auto found = stored_.find(key);
    if (found == stored_.end()) return fail(ErrorKind::kNotFound, "no such Lease");
    return found->second;
  }
  Status create(const api::ObjectKey& key, const ports::SlotHolder& holder, std::stop_token /*stop*/) override {
    return moments_.change("claim", [&]() -> Status {
      if (stored_.contains(key)) return fail(ErrorKind::kConflict, "already exists");
      ports::BudgetSlot slot{.holder = holder};
      slot.meta.ns = key.ns;
      slot.meta.name = key.name;
      slot.meta.resource_version = etcd_.next();
      stored_[key] = slot;
      return {};
    });
  }
  Status update(const ports::BudgetSlot& slot, const std::optional<ports::SlotHolder>& holder,
                std::stop_token /*stop*/) override {
    return moments_.change(holder ? "claim" : "release", [&]() -> Status {
      auto& stored = stored_.at(slot.meta.key());
      if (stored.meta.resource_version != slot.meta.resource_version) return fail(ErrorKind::kConflict, "modified");
      stored.holder = holder;
      stored.meta.resource_version = etcd_.next();
      return {};
    });
  }

 private:
  Etcd& etcd_;
  Moments& moments_;
  const bool& old_news_;
  std::map<api::ObjectKey, ports::BudgetSlot> stored_;
};

class TokenPki final : public ports::Pki {
 public:
  explicit TokenPki(World& world) : world_(world) {}
  Result<Secret> generate_key(const ports::KeySpec& /*spec*/) override {
    const std::string key = "key" + std::to_string(world_.keys_ever.size() + 1);
    world_.keys_ever.insert(key);
    return Secret(key);
  }
  Result<ports::KeySpec> key_spec(const Secret& /*key*/) override { return ports::KeySpec{}; }
  Result<std::string> public_key_sha256(const Secret& key) override { return std::string(key.expose()); }
  Result<std::string> csr(const Secret& key, const ports::SubjectNames& names) override {
    return std::string(key.expose()) + "|" + join(names.dns_names, ",");
  }
  Result<ports::ChainFacts> inspect(const std::string& chain) override {
    EDGETRUST_TRY_ASSIGN(const Token token, Token::parse(chain));
    return ports::ChainFacts{.serial_number = token.serial,
                             .fingerprint_sha256 = "fp-" + token.serial,
                             .public_key_sha256 = token.key,
                             .authority_key_id = "simulated",
                             .issuer = "Simulated CA",
                             .not_before = token.not_before,
                             .not_after = token.not_after,
                             .dns_names = token.names,
                             .server_auth = true,
                             .certificates = 2};
  }
  Result<std::string> arrange(const std::string& chain, const ports::ChainRequirements& /*required*/) override {
    return chain;
  }
  Status check(const std::string& chain, const Secret& key, const ports::ChainRequirements& required) override {
    EDGETRUST_TRY_ASSIGN(const Token token, Token::parse(chain));
    if (required.roots_pem.empty()) return fail(ErrorKind::kInvalid, "no known root");  // the CA is a private one
    for (const auto& name : required.names.dns_names) {
      if (std::ranges::find(token.names, name) == token.names.end())
        return fail(ErrorKind::kInvalid, "the certificate does not cover " + name);
    }
    if (token.key != key.expose()) return fail(ErrorKind::kInvalid, "the key does not belong to the certificate");
    return {};
  }
  Status accepted_by(const ports::PeerRequirements& peer, const std::string& chain) override {
    EDGETRUST_TRY_ASSIGN(const Token token, Token::parse(chain));
    if (peer.roots_pem.empty()) {
      Error none{.kind = ErrorKind::kInvalid, .what = "no roots", .code = std::string(ports::kRootsUnreadable)};
      return fail(std::move(none));
    }
    if (peer.roots_pem != kSimulatedRoot) return fail(ErrorKind::kInvalid, "among its roots is none of this CA");
    return {};
  }

 private:
  World& world_;
};

// A CA with one order after the other; authorizations become valid when answered while the record exists.
class TokenAuthority final : public ports::CertificateAuthority {
 public:
  explicit TokenAuthority(World& world) : world_(world) {}

  Result<std::string> account(std::stop_token /*stop*/) override {
    if (world_.account_over)
      return fail(Error{.kind = ErrorKind::kUnauthorized, .code = std::string(ports::kAccountDeactivated)});
    return std::string("account");
  }
  Result<ports::Offers> offers(std::stop_token /*stop*/) override { return world_.offers; }
  Status change_key(const Secret& next, std::stop_token /*stop*/) override {
    const std::string key(next.expose());
    if (world_.account_keys.back() == key) return {};
    return world_.moments.change("keyChange", [&]() -> Status {
      world_.account_keys.push_back(key);
      return {};
    });
  }
  Status deactivate_account(std::stop_token /*stop*/) override {
    if (world_.account_over) return {};
    return world_.moments.change("deactivate account", [&]() -> Status {
      world_.account_over = true;
      return {};
    });
  }
  Status deactivate_authorization(const std::string& url, std::stop_token /*stop*/) override {
    if (world_.deactivated.contains(url)) return {};
    return world_.moments.change("deactivate authorization", [&]() -> Status {
      world_.deactivated.insert(url);
      // Nothing can come of its order any more (RFC 8555 section 7.1.6).
      const auto order = orders_.find(url.substr(0, url.find('/')));
      if (order != orders_.end() && order->second.order.status == ports::OrderStatus::kPending)
        order->second.order.status = ports::OrderStatus::kInvalid;
      return {};
    });
  }
  Status revoke(const std::string& chain, ports::RevocationReason reason, const Secret& /*key*/,
                std::stop_token /*stop*/) override {
    EDGETRUST_TRY_ASSIGN(const Token token, Token::parse(chain));
    if (world_.revoke_error) return fail(*world_.revoke_error);
    if (world_.revoked.contains(token.serial)) return {};
    return world_.moments.change("revoke", [&]() -> Status {
      world_.revoked.emplace(token.serial, reason);
      return {};
    });
  }
  Result<ports::Order> new_order(const ports::OrderRequest& request, std::stop_token /*stop*/) override {
    if (auto problem = world_.ca_says("newOrder")) return fail(std::move(*problem));
    const std::string before = request.replaces && world_.offers_renewal_info ? request.replaces->serial_number : "-";
    if (world_.unreplaceable.contains(before) || (before != "-" && std::ranges::count(world_.replaced, before) > 0)) {
      ++world_.refused_replacements;
      return fail(Error{.kind = ErrorKind::kConflict,
                        .what = "alreadyReplaced",
                        .code = "urn:ietf:params:acme:error:alreadyReplaced"});
    }
    if (auto objection = world_.objection_to_order(request)) return fail(std::move(*objection));
    if (!world_.gives_order.empty()) return ports::Order{.url = world_.gives_order};
    return world_.moments.change("newOrder", [&]() -> Result<ports::Order> {
      ++world_.orders;
      ++world_.orders_of[world_.asked_issuer];
      world_.replaced.push_back(before);
      Entry entry{.order = {.url = "order" + std::to_string(world_.orders)}, .names = request.dns_names};
      entry.order.identifiers = {request.dns_names.begin(), request.dns_names.end()};
      for (const auto& name : request.dns_names) {
        const std::string base = name.starts_with("*.") ? name.substr(2) : name;
        entry.order.authorizations.push_back(
            {.url = entry.order.url + "/authz",
             .identifier = name,
             .dns = ports::DnsChallenge{entry.order.url + "/chall/" + name, "_acme-challenge." + base,
                                        "value-" + entry.order.url},
             .http = ports::HttpChallenge{.url = entry.order.url + "/http/" + name,
                                          .token = "token-" + entry.order.url + "-" + name}});
      }
      orders_[entry.order.url] = entry;
      for (auto& authorization : entry.order.authorizations) authorization = {.url = authorization.url};
      return entry.order;
    });
  }
  Result<std::optional<ports::Order>> open_order(const ports::OrderRequest& request,
                                                 std::stop_token /*stop*/) override {
    for (const auto& [url, entry] : orders_) {
      if (entry.names == request.dns_names && entry.order.status != ports::OrderStatus::kValid &&
          entry.order.status != ports::OrderStatus::kInvalid)
        return std::optional(entry.order);
    }
    return std::optional<ports::Order>{};
  }
  Result<ports::Order> order(const std::string& url, std::stop_token /*stop*/) override {
    if (auto problem = world_.ca_says("order")) return fail(std::move(*problem));
    if (!orders_.contains(url)) return fail(ErrorKind::kNotFound, "no such order");
    ports::Order order = orders_.at(url).order;
    for (auto& authorization : order.authorizations) {
      if (authorization.http) authorization.http->account_thumbprint = world_.account_keys.back();
    }
    return order;
  }
  Status answer(const std::string& challenge, std::stop_token /*stop*/) override {
    if (auto problem = world_.ca_says("challenge")) return fail(std::move(*problem));
    return world_.moments.change("answer", [&]() -> Status {
      for (auto& [url, entry] : orders_) {
        bool all = true;
        for (auto& authorization : entry.order.authorizations) {
          const auto& [dns, http] = std::tie(*authorization.dns, *authorization.http);
          if (dns.url == challenge || http.url == challenge) {
            const bool is_proved =
                dns.url == challenge
                    ? world_.records.contains(dns.record_name + " " + dns.record_value)
                    : world_.http_answer(authorization.identifier, std::string(api::kAcmeChallengePath) + http.token) ==
                          api::key_authorization(http.token, world_.account_keys.back());
            const bool there = world_.orders > world_.refused_orders && is_proved;
            authorization.status = there ? ports::AuthorizationStatus::kValid : ports::AuthorizationStatus::kInvalid;
            if (!there) entry.order.status = ports::OrderStatus::kInvalid;
          }
          all = all && authorization.status == ports::AuthorizationStatus::kValid;
        }
        if (all && entry.order.status == ports::OrderStatus::kPending) entry.order.status = ports::OrderStatus::kReady;
      }
      return {};
    });
  }
  Result<ports::Order> finalize(const std::string& url, const std::string& csr, std::stop_token /*stop*/) override {
    if (auto problem = world_.ca_says("finalize")) return fail(std::move(*problem));
    return world_.moments.change("finalize", [&]() -> Result<ports::Order> {
      Entry& entry = orders_.at(url);
      if (entry.order.status == ports::OrderStatus::kReady) {
        const auto parts = split(csr, '|');
        ++world_.orders_by_key[parts[0]];
        entry.order.status = ports::OrderStatus::kValid;
        entry.order.certificate_url = url + "/cert";
        entry.chain = Token{.serial = "serial" + std::to_string(world_.orders),
                            .key = parts[0],
                            .names = split(parts[1], ','),
                            .not_before = world_.clock.now(),
                            .not_after = world_.clock.now() + 90 * 24h}
                          .text();
      }
      return entry.order;
    });
  }
  Result<std::string> certificate(const std::string& url, std::stop_token /*stop*/) override {
    if (auto problem = world_.ca_says("certificate")) return fail(std::move(*problem));
    return orders_.at(url.substr(0, url.size() - 5)).chain;
  }
  Result<std::optional<ports::RenewalInfo>> renewal_info(const ports::CertificateId& certificate,
                                                         std::stop_token /*stop*/) override {
    ++world_.renewal_looks;
    if (!world_.offers_renewal_info) return std::optional<ports::RenewalInfo>{};
    const auto found = world_.suggestions.find(certificate.serial_number);
    if (found == world_.suggestions.end()) return fail(ErrorKind::kNotFound, "no such certificate");
    return std::optional(found->second);
  }

 private:
  struct Entry {
    ports::Order order;
    std::vector<std::string> names;
    std::string chain;
  };
  World& world_;
  std::map<std::string, Entry> orders_;
};

class TokenZone final : public ports::DnsZone {
 public:
  explicit TokenZone(World& world) : world_(world) {}
  Status present(const std::string& name, const std::string& value, std::stop_token /*stop*/) override {
    return world_.moments.change("present", [&]() -> Status {
      world_.records.insert(name + " " + value);
      return {};
    });
  }
  Status remove(const std::string& name, const std::string& value, std::stop_token /*stop*/) override {
    return world_.moments.change("remove", [&]() -> Status {
      world_.records.erase(name + " " + value);
      return {};
    });
  }

 private:
  World& world_;
};

class TokenLookup final : public ports::DnsLookup {
 public:
  explicit TokenLookup(World& world) : world_(world) {}
  Result<std::vector<ports::ServerAnswer>> find_txt(const std::string& name, const std::string& value,
                                                    const std::vector<std::string>& /*servers*/,
                                                    std::stop_token /*stop*/) override {
    return std::vector<ports::ServerAnswer>{{"ns1", world_.records.contains(name + " " + value), ""}};
  }

 private:
  World& world_;
};

class TokenAuthorities final : public ports::TrustedAuthorities {
 public:
  explicit TokenAuthorities(World& world) : world_(world) {}
  Result<std::vector<ports::TrustedAuthority>> list(std::stop_token /*stop*/) override { return world_.authorities; }
  Status create(const ports::TrustedAuthority& authority, std::stop_token /*stop*/) override {
    return change("create authority", [&]() -> Status {
      world_.authorities.push_back(authority);
      world_.authorities.back().id = "ca-" + std::to_string(++made_);
      world_.authorities.back().version = 1;
      return {};
    });
  }
  Status update(const ports::TrustedAuthority& authority, std::stop_token /*stop*/) override {
    return change("update authority", [&]() -> Status {
      auto& stored = find(authority.id);
      if (stored.version != authority.version) return fail(ErrorKind::kConflict, "the version must match");
      stored = authority;
      ++stored.version;
      return {};
    });
  }
  Status remove(const ports::TrustedAuthority& authority, std::stop_token /*stop*/) override {
    return change("remove authority", [&]() -> Status {
      std::erase_if(world_.authorities, [&](const auto& one) { return one.id == authority.id; });
      return {};
    });
  }

 private:
  template <class Commit>
  Status change(const std::string& what, const Commit& commit) {
    if (world_.authority_error) return fail(*world_.authority_error);
    return world_.moments.change(what, commit);
  }
  ports::TrustedAuthority& find(const std::string& id) {
    return *std::ranges::find_if(world_.authorities, [&](const auto& one) { return one.id == id; });
  }
  World& world_;
  int made_ = 0;
};

class TokenFleet final : public ports::EdgeFleet {
 public:
  explicit TokenFleet(World& world) : world_(world), authorities_(world) {}
  ports::TrustedAuthorities& authorities() override { return authorities_; }
  Status check(std::stop_token /*stop*/) override {
    ++world_.fleet_checks;
    return {};
  }
  ports::ClientInfo client(std::stop_token /*stop*/) override { return world_.client; }
  Result<std::vector<ports::EdgeInfo>> edges(std::stop_token /*stop*/) override {
    ++world_.edge_listings;
    return world_.listed;
  }
  Result<ports::EdgeInfo> edge(const ports::EdgeId& edge, std::stop_token /*stop*/) override {
    ++world_.service_looks;
    if (world_.service_error) return fail(*world_.service_error);
    const bool calls = world_.calls_are_up();
    ports::EdgeInfo info{.id = edge, .name = "edge01", .online = true, .in_service = world_.in_service, .active = true};
    info.software_status = "NONE";
    info.draining = world_.in_service ? ports::CallDraining::kNone
                    : calls           ? ports::CallDraining::kWaiting
                                      : ports::CallDraining::kComplete;
    info.conversations = calls ? 1 : 0;
    return info;
  }
  Status set_service(const ports::EdgeId& /*edge*/, bool in_service, std::chrono::seconds calls_may_last,
                     std::stop_token /*stop*/) override {
    if (world_.service_error) return fail(*world_.service_error);
    return world_.moments.change(in_service ? "into service" : "out of service", [&]() -> Status {
      const auto token = Token::parse(world_.installed);
      if (in_service && token && world_.stays_out_with.contains(token->serial)) return {};
      if (world_.in_service && !in_service) world_.out_since = world_.clock.now();
      world_.times_out += world_.in_service && !in_service ? 1 : 0;
      world_.in_service = in_service;
      if (!in_service) world_.patience = calls_may_last;
      return {};
    });
  }
  Result<std::vector<ports::Trunk>> trunks(const ports::EdgeId& edge, std::stop_token /*stop*/) override {
    ++world_.trunk_calls;
    if (world_.trunks_unlisted) return fail(ErrorKind::kUnavailable, "503");
    if (const auto found = world_.trunks.find(edge); found != world_.trunks.end()) return found->second;
    const auto token = Token::parse(world_.installed);
    const bool down = token && world_.trunk_breakers.contains(token->serial);
    return std::vector<ports::Trunk>{{.name = "SBC",
                                      .peer = "sbc.example",
                                      .state = down ? ports::TrunkState::kDown : ports::TrunkState::kUp,
                                      .since = world_.installed_at,
                                      .error = down ? "no answer" : ""}};
  }
  Result<std::map<ports::EdgeId, std::vector<ports::Trunk>>> all_trunks(std::stop_token /*stop*/) override {
    ++world_.trunk_listings;
    return world_.trunks;
  }
  Result<ports::EdgeHealth> health(const ports::EdgeId& /*edge*/, std::stop_token /*stop*/) override {
    world_.clock.advance(world_.status_takes);
    if (const auto token = Token::parse(world_.installed); token && token->serial == world_.scripted_serial) {
      const char next = world_.script.empty() ? '-' : world_.script.front();
      world_.script.erase(0, 1);
      if (next != 'g' && next != 'b') return fail(ErrorKind::kTimeout, "no answer in time");
      return ports::EdgeHealth{.state = ports::EdgeState::kOk,
                               .sip = next == 'g' ? ports::SipState::kUp : ports::SipState::kDown};
    }
    ports::EdgeHealth health{.state = ports::EdgeState::kOk, .sip = ports::SipState::kDown};
    if (const auto token = Token::parse(world_.installed)) {
      health.fingerprint_sha256 = "fp-" + token->serial;
      const bool down = !world_.in_service || world_.bad_serials.contains(token->serial);
      health.sip = down ? ports::SipState::kDown : ports::SipState::kUp;
    }
    return health;
  }
  Result<std::string> objection_to(const std::string& chain_pem, std::stop_token /*stop*/) override {
    ++world_.parser_calls;
    if (world_.parser_error) return fail(*world_.parser_error);
    EDGETRUST_TRY_ASSIGN(const Token token, Token::parse(chain_pem));
    return world_.unparsable_serials.contains(token.serial) ? "it can read 1 of 2 certificates" : "";
  }
  Status install(const ports::CertificateUpload& upload, std::stop_token /*stop*/) override {
    ++world_.tried_uploads;
    if (world_.uploads_fail) return fail(ErrorKind::kUnavailable, "503");
    return world_.moments.change("upload", [&]() -> Status {
      EDGETRUST_TRY_ASSIGN(const Token token, Token::parse(upload.chain_pem));
      if (token.key != upload.key_pem.expose()) return fail(ErrorKind::kInvalid, "key mismatch");
      ++world_.uploads;
      if (world_.calls_are_up()) world_.pushed_with_calls.insert(token.serial);
      world_.uploaded_serials.push_back(token.serial);
      world_.installed = upload.chain_pem;
      world_.installed_at = world_.clock.now();
      if (std::exchange(world_.answers_lost, std::max(0, world_.answers_lost - 1)) > 0) {
        world_.uploads_fail = world_.fail_after_lost_answer;
        return fail(ErrorKind::kTimeout, "the answer is lost");
      }
      return {};
    });
  }

 private:
  World& world_;
  TokenAuthorities authorities_;
};

class TokenProbe final : public ports::TlsProbe {
 public:
  explicit TokenProbe(World& world) : world_(world) {}
  Result<ports::ServedChain> present(const ports::ProbeTarget& target, std::stop_token /*stop*/) override {
    world_.handshakes.push_back(target);
    if (world_.installed.empty()) return fail(ErrorKind::kUnavailable, "connection refused");
    ports::ServedChain served{world_.installed, "TLSv1.3", {}, {}};
    const auto token = Token::parse(world_.installed);
    if (target.ask_options) served.sip_status = token && world_.mute_serials.contains(token->serial) ? 503 : 200;
    return served;
  }

 private:
  World& world_;
};

class KeptEvents final : public ports::Events {
 public:
  explicit KeptEvents(World& world) : world_(world) {}
  void emit(const ports::EventSubject& about, bool warning, const std::string& reason,
            const std::string& message) override {
    world_.events.push_back({about.kind, warning, reason, message, about.trace_id});
  }

 private:
  World& world_;
};

class CountedHeartbeat final : public ports::Heartbeat {
 public:
  explicit CountedHeartbeat(World& world) : world_(world) {}
  Status ping(std::stop_token /*stop*/) override {
    world_.pings.push_back(world_.clock.now());
    return world_.ping_answer;
  }

 private:
  World& world_;
};

// The operators' own answers, behind whatever stands between.
class TokenWeb final : public ports::WebLookup {
 public:
  explicit TokenWeb(World& world) : world_(world) {}
  Result<ports::WebPage> get(const std::string& host, const std::string& path, std::stop_token /*stop*/) override {
    ++world_.web_looks;
    if (auto instead = world_.web_instead(host)) return *instead;
    const std::string found = world_.http_answer(host, path);
    return ports::WebPage{.status = found.empty() ? 404 : 200, .body = found};
  }

 private:
  World& world_;
};

class FixedBackends final : public ports::Backends {
 public:
  std::shared_ptr<ports::CertificateAuthority> authority_driver;
  std::shared_ptr<ports::DnsZone> zone_driver;
  std::set<std::string>* zones_asked = nullptr;
  std::shared_ptr<ports::EdgeFleet> fleet_driver;
  std::shared_ptr<ports::Heartbeat> heartbeat_driver;
  std::function<Status(const api::AcmeIssuer&)> reach = [](const auto& /*issuer*/) { return Status{}; };
  Result<std::shared_ptr<ports::CertificateAuthority>> authority(const api::AcmeIssuer& issuer,
                                                                 std::stop_token /*stop*/) override {
    EDGETRUST_TRY(reach(issuer));
    return authority_driver;
  }
  std::function<Result<ports::ExternalBinding>()> zero_ssl;
  Result<ports::ExternalBinding> zero_ssl_binding(const api::AcmeIssuer& /*issuer*/,
                                                  std::stop_token /*stop*/) override {
    return zero_ssl();
  }
  Result<std::shared_ptr<ports::DnsZone>> zone(const api::AcmeIssuer& /*issuer*/, const std::string& name,
                                               std::stop_token /*stop*/) override {
    zones_asked->insert(name);
    return zone_driver;
  }
  Result<std::shared_ptr<ports::EdgeFleet>> fleet(const api::GenesysConnection& /*connection*/,
                                                  std::stop_token /*stop*/) override {
    return fleet_driver;
  }
  Result<std::shared_ptr<ports::Heartbeat>> heartbeat(const api::GenesysConnection& /*connection*/,
                                                      std::stop_token /*stop*/) override {
    return heartbeat_driver;
  }
};

api::ObjectMeta meta(const std::string& name) {
  api::ObjectMeta meta;
  meta.ns = "voice";
  meta.name = name;
  meta.uid = "uid-" + name;
  meta.generation = 1;
  meta.creation_time = parse_rfc3339("2026-11-01T00:00:00Z").value();
  return meta;
}

}  // namespace

std::string Token::text() const {
  return "TOKEN;" + serial + ";" + key + ";" + join(names, ",") + ";" + format_rfc3339(not_before) + ";" +
         format_rfc3339(not_after);
}

namespace {
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----\n";
constexpr std::string_view kEnd = "\n-----END CERTIFICATE-----\n";
}  // namespace

std::string Token::pem() const { return std::string(kBegin) + text() + std::string(kEnd); }

Result<Token> Token::parse(const std::string& text) {
  std::string_view inner = text;
  if (inner.starts_with(kBegin) && inner.ends_with(kEnd)) {
    inner.remove_prefix(kBegin.size());
    inner.remove_suffix(kEnd.size());
  }
  const auto parts = split(inner, ';');
  if (parts.size() != 6 || parts[0] != "TOKEN") return fail(ErrorKind::kInvalid, "no certificate");
  return Token{parts[1], parts[2], split(parts[3], ','), parse_rfc3339(parts[4]).value(),
               parse_rfc3339(parts[5]).value()};
}

struct World::Parts {
  explicit Parts(World& world)
      : secrets(world),
        slots(world.etcd, world.moments, world.slots_are_old_news),
        pki(world),
        lookup(world),
        probe(world),
        web(world),
        events(world) {
    backends.authority_driver = std::make_shared<TokenAuthority>(world);
    backends.reach = [&world](const api::AcmeIssuer& issuer) -> Status {
      world.asked_issuer = issuer.meta.name;
      if (world.dead_issuers.contains(issuer.meta.name)) return fail(ErrorKind::kUnavailable, "no route to host");
      return {};
    };
    backends.zone_driver = std::make_shared<TokenZone>(world);
    backends.zones_asked = &world.zones_asked;
    backends.fleet_driver = std::make_shared<TokenFleet>(world);
    backends.heartbeat_driver = std::make_shared<CountedHeartbeat>(world);
    backends.zero_ssl = [&world]() -> Result<ports::ExternalBinding> {
      return world.moments.change("binding", [&]() -> Result<ports::ExternalBinding> {
        ++world.bindings_made;
        return ports::ExternalBinding{.key_id = "kid" + std::to_string(world.bindings_made),
                                      .hmac_key = Secret("aG1hYw")};
      });
    };
  }
  MemorySecrets secrets;
  MemorySlots slots;
  TokenPki pki;
  TokenLookup lookup;
  TokenProbe probe;
  TokenWeb web;
  KeptEvents events;
  FixedBackends backends;
};

World::World() : parts_(std::make_unique<Parts>(*this)) {
  moments.after = [this] { save(); };

  api::GenesysConnection connection{.meta = meta("prod")};
  connection.spec.certificate_upload.emplace();
  connection.spec.time_zone = "UTC";
  connections.put(connection);

  api::Edge edge{.meta = meta("edge01")};
  edge.spec.connection_ref.name = "prod";
  edge.spec.edge_id = "11111111-2222-3333-4444-555555555555";
  edge.spec.sip.host = "edge01.example.com";
  edges.put(edge);

  api::AcmeIssuer issuer{.meta = meta("le")};
  api::Solver solver;
  solver.dns01.emplace();
  solver.dns01->rfc2136.emplace();
  solver.dns01->propagation = api::Propagation{.wait = 5s};
  issuer.spec.server = "https://ca.example/directory";
  issuer.spec.ca_bundle_ref = api::CaBundleRef{.name = "roots", .key = "ca.crt"};
  issuer.spec.solvers.push_back(solver);
  issuer.status.account_uri = "account";
  issuers.put(issuer);

  api::RotationPolicy policy{.meta = meta("default")};
  policy.spec.windows.push_back({.start = "00:00", .duration = 24h, .days = {}});
  policy.spec.observe = api::Observe{.settle = 0s, .period = 1min, .interval = 10s, .fail_after = 1};
  policies.put(policy);

  api::EdgeCertificate certificate{.meta = meta("edge01")};
  certificate.spec.edge_ref.name = "edge01";
  certificate.spec.issuer_ref = api::IssuerRef{.name = "le"};
  certificate.spec.dns_names = {"edge01.example.com"};
  certificates.put(certificate);
}

World::~World() = default;

reconcile::World World::ports() {
  reconcile::World ports{clock,         certificates,    edges,          policies,         issuers,
                         connections,   parts_->secrets, parts_->events, parts_->backends, parts_->lookup,
                         parts_->probe, parts_->pki,     parts_->slots};
  if (serves_http01) ports.web = &parts_->web;
  return ports;
}

std::string World::http_answer(const std::string& host, const std::string& path) const {
  for (const auto& object : certificates.list("voice")) {
    if (!object->status.order) continue;
    for (const auto& answer : object->status.order->http_answers) {
      if (answer.host == host && path == std::string(api::kAcmeChallengePath) + answer.token)
        return api::key_authorization(answer.token, object->status.order->account_thumbprint);
    }
  }
  return {};
}

bool World::calls_are_up() const { return in_service || clock.now() < out_since + std::min(calls_last, patience); }
ports::BudgetSlots& World::slots() const { return parts_->slots; }
void World::change_edge(const std::function<void(api::Edge&)>& change) {
  api::Edge edge = *edges.get({"voice", "edge01"});
  change(edge);
  ++edge.meta.generation;
  edges.put(edge);
}

void World::put_source(const Token& certificate, const std::string& key) {
  ports::SecretObject secret{.meta = meta(kSource), .type = "kubernetes.io/tls"};
  secret.data.emplace("tls.crt", Secret(certificate.text()));
  secret.data.emplace("tls.key", Secret(key));
  secret.data.emplace("ca.crt", Secret("roots"));
  parts_->secrets.put(std::move(secret));
}
void World::remove_source() { parts_->secrets.erase({"voice", kSource}); }
void World::before_reading_source(std::function<void()> what) {
  parts_->secrets.before_read = [what = std::move(what)](const std::string& name) {
    if (name == kSource) what();
  };
}

void World::before_updating(std::function<void(const std::string& name)> what) {
  parts_->secrets.before_update = std::move(what);
}

void World::save() { parts_->secrets.unsaved.clear(); }

void World::lose_unsaved() { parts_->secrets.lose_unsaved(); }

std::map<std::string, std::string> World::secret_texts() const {
  std::map<std::string, std::string> texts;
  for (const auto& [key, secret] : parts_->secrets.all()) {
    for (const auto& [name, value] : secret.data) texts[key.name + "/" + name] = std::string(value.expose());
  }
  return texts;
}

bool run(World& world, std::chrono::milliseconds limit) {
  const TimePoint end = world.clock.now() + limit;
  const api::ObjectKey key{"voice", "edge01"};
  auto engine = std::make_unique<reconcile::CertificateReconciler>(world.ports());
  constexpr int kManyPasses = 2000;
  for (int pass = 0; pass < kManyPasses; ++pass) {
    try {
      const reconcile::Outcome outcome = engine->reconcile(key, {});
      const TimePoint wake = outcome.error ? world.clock.now() + 1s : outcome.wake_at.value_or(TimePoint::max());
      if (wake > end) return true;
      if (wake > world.clock.now()) world.clock.advance(wake - world.clock.now());
    } catch (const Crash&) {
      world.lose_unsaved();
      engine = std::make_unique<reconcile::CertificateReconciler>(world.ports());
      world.clock.advance(3s);  // the time a restart takes
    }
  }
  return false;
}

}  // namespace edgetrust::simulation
