#include "edgetrust/kube/cluster.hpp"

#include "edgetrust/kube/budget_slots.hpp"
#include "edgetrust/kube/config_maps.hpp"
#include "edgetrust/kube/kinds.hpp"
#include "edgetrust/kube/secrets.hpp"
#include "edgetrust/kube/status.hpp"

#include <algorithm>

namespace edgetrust::kube {
namespace {

constexpr std::chrono::milliseconds kReadTimeout{10'000};

Call call(std::stop_token stop) { return {.stop = std::move(stop), .timeout = kReadTimeout}; }

// The reflectors of one kind, one a namespace, and the stores that they fill.
template <class T>
class Watched {
 public:
  using Decode = typename Store<T>::Decode;
  using Indexes = std::map<std::string, typename Store<T>::IndexOf>;

  Watched(ApiClient& client, const Clock& clock, Random& random, Pauser& pauser, const ClusterOptions& options,
          const std::function<Selection(const std::string& ns)>& select, Decode decode, const Indexes& indexes = {}) {
    for (const auto& ns : options.namespaces) {
      auto changed = [notify = options.changed](const api::ObjectKey& key, const auto& before, const auto& after) {
        if (notify) notify(Change<T>{key, before, after});
      };
      auto& store = *stores_.emplace(ns, std::make_unique<Store<T>>(decode, std::move(changed), indexes)).first->second;
      reflectors_.push_back(std::make_unique<Reflector>(client, store, clock, random, pauser,
                                                        ReflectorOptions{.what = select(ns), .note = options.note}));
    }
  }

  void start() {
    for (auto& reflector : reflectors_) reflector->start();
  }
  void stop() {
    for (auto& reflector : reflectors_) reflector->stop();
  }
  bool wait_synced(std::stop_token stop) {
    return std::ranges::all_of(reflectors_, [&](auto& reflector) { return reflector->wait_synced(stop); });
  }
  [[nodiscard]] bool synced() const {
    return std::ranges::all_of(reflectors_, [](const auto& reflector) { return reflector->synced(); });
  }
  [[nodiscard]] SteadyPoint heard() const {
    SteadyPoint earliest = SteadyPoint::max();
    for (const auto& reflector : reflectors_) earliest = std::min(earliest, reflector->stats().heard);
    return earliest;
  }
  [[nodiscard]] const Store<T>* store(const std::string& ns) const {
    const auto found = stores_.find(ns);
    return found == stores_.end() ? nullptr : found->second.get();
  }

 private:
  std::map<std::string, std::unique_ptr<Store<T>>> stores_;
  std::vector<std::unique_ptr<Reflector>> reflectors_;
};

template <class Kind>
class WatchedObjects final : public ports::Objects<Kind> {
 public:
  WatchedObjects(ApiClient& client, const Clock& clock, Random& random, Pauser& pauser, const ClusterOptions& options)
      : client_(client),
        watched_(
            client, clock, random, pauser, options,
            [](const std::string& ns) { return Selection{.resource = resource_of<Kind>(), .ns = ns}; },
            decode_kind<Kind>) {}

  [[nodiscard]] std::shared_ptr<const Kind> get(const api::ObjectKey& key) const override {
    const auto* store = watched_.store(key.ns);
    return store != nullptr ? store->get(key) : nullptr;
  }
  [[nodiscard]] std::vector<std::shared_ptr<const Kind>> list(const std::string& ns) const override {
    const auto* store = watched_.store(ns);
    return store != nullptr ? store->list() : std::vector<std::shared_ptr<const Kind>>{};
  }
  Result<Kind> read(const api::ObjectKey& key, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const json::Document document,
                         client_.get(resource_of<Kind>(), key.ns, key.name, call(std::move(stop))));
    return api::decode<Kind>(document.root());
  }
  Result<std::string> write_status(const Kind& object, std::stop_token stop) override {
    return apply_status(client_, resource_of<Kind>(), object.meta, api::encode_status(object), call(std::move(stop)));
  }
  Result<std::string> set_finalizer(const api::ObjectMeta& meta, const std::string& finalizer, bool present,
                                    std::stop_token stop) override {
    const auto& change = present ? add_finalizer : remove_finalizer;
    EDGETRUST_TRY_ASSIGN(const api::ObjectMeta stored,
                         change(client_, resource_of<Kind>(), meta, finalizer, call(std::move(stop))));
    return stored.resource_version;
  }

  Watched<Kind>& watched() { return watched_; }

 private:
  ApiClient& client_;
  Watched<Kind> watched_;
};

class WatchedSecrets final : public ports::Secrets {
 public:
  WatchedSecrets(ApiClient& client, const Clock& clock, Random& random, Pauser& pauser, const ClusterOptions& options)
      : secrets_(client),
        client_(client),
        label_(options.indexed_label),
        watched_(client, clock, random, pauser, options, [](const std::string& ns) { return secret_metadata(ns, {}); },
                 decode_metadata, {{options.indexed_label, [label = options.indexed_label](const MetadataOnly& secret) {
                                      return values_of(secret.meta, label);
                                    }}}) {}

  [[nodiscard]] std::vector<api::ObjectMeta> list(const std::string& ns, const std::string& label,
                                                  const std::string& value) const override {
    std::vector<api::ObjectMeta> found;
    const auto* store = watched_.store(ns);
    if (store == nullptr) return found;
    for (const auto& secret : label == label_ ? store->indexed(label, value) : store->list()) {
      const auto labelled = secret->meta.labels.find(label);
      if (labelled != secret->meta.labels.end() && labelled->second == value) found.push_back(secret->meta);
    }
    return found;
  }
  [[nodiscard]] std::optional<api::ObjectMeta> find(const api::ObjectKey& key) const override {
    const auto* store = watched_.store(key.ns);
    const auto secret = store != nullptr ? store->get(key) : nullptr;
    return secret ? std::optional(secret->meta) : std::nullopt;
  }
  Result<SecretObject> read(const api::ObjectKey& key, std::stop_token stop) override {
    return secrets_.read(key, call(std::move(stop)));
  }
  Result<api::ObjectMeta> create(const ports::SecretObject& secret, std::stop_token stop) override {
    return secrets_.create(secret, call(std::move(stop)));
  }
  Result<api::ObjectMeta> update(const ports::SecretObject& secret, std::stop_token stop) override {
    return secrets_.update(secret, {}, call(std::move(stop)));
  }
  Status remove(const api::ObjectMeta& meta, std::stop_token stop) override {
    return secrets_.remove(meta, call(std::move(stop)));
  }

  Result<std::string> read_bundle(const std::string& ns, const api::CaBundleRef& ref, std::stop_token stop) override {
    const bool in_secret = ref.kind == api::BundleKind::kSecret;
    std::optional<std::string> found;
    if (in_secret) {
      EDGETRUST_TRY_ASSIGN(const SecretObject secret, secrets_.read({ns, ref.name}, call(std::move(stop))));
      if (const auto value = secret.data.find(ref.key); value != secret.data.end())
        found = std::string(value->second.expose());
    } else {
      EDGETRUST_TRY_ASSIGN(const ConfigMap map, read_config_map(client_, {ns, ref.name}, call(std::move(stop))));
      if (const auto value = map.data.find(ref.key); value != map.data.end()) found = value->second;
    }
    if (!found)
      return fail(ErrorKind::kInvalid,
                  std::string(in_secret ? "Secret " : "ConfigMap ") + ref.name + " has no key " + ref.key);
    return *found;
  }

  Watched<MetadataOnly>& watched() { return watched_; }

 private:
  static std::vector<std::string> values_of(const api::ObjectMeta& meta, const std::string& label) {
    const auto found = meta.labels.find(label);
    return found == meta.labels.end() ? std::vector<std::string>{} : std::vector<std::string>{found->second};
  }
  SecretClient secrets_;
  ApiClient& client_;
  std::string label_;
  Watched<MetadataOnly> watched_;
};

class WatchedSlots final : public ports::BudgetSlots {
 public:
  WatchedSlots(ApiClient& client, const Clock& clock, Random& random, Pauser& pauser, const ClusterOptions& options)
      : slots_(client, clock), watched_(client, clock, random, pauser, options, slot_leases, decode_slot) {}

  [[nodiscard]] std::vector<ports::BudgetSlot> list(const std::string& ns) const override {
    std::vector<ports::BudgetSlot> all;
    const auto* store = watched_.store(ns);
    if (store == nullptr) return all;
    for (const auto& slot : store->list()) all.push_back(*slot);
    return all;
  }
  Result<ports::BudgetSlot> read(const api::ObjectKey& key, std::stop_token stop) override {
    return slots_.read(key, call(std::move(stop)));
  }
  Status create(const api::ObjectKey& key, const ports::SlotHolder& holder, std::stop_token stop) override {
    return slots_.create(key, holder, call(std::move(stop)));
  }
  Status update(const ports::BudgetSlot& slot, const std::optional<ports::SlotHolder>& holder,
                std::stop_token stop) override {
    return slots_.update(slot, holder, call(std::move(stop)));
  }

  Watched<ports::BudgetSlot>& watched() { return watched_; }

 private:
  SlotClient slots_;
  Watched<ports::BudgetSlot> watched_;
};

class RecordedEvents final : public ports::Events {
 public:
  RecordedEvents(ApiClient& client, const Clock& clock, Pauser& pauser, EventOptions options)
      : recorder_(client, clock, pauser, std::move(options)) {}
  void emit(const ports::EventSubject& about, bool warning, const std::string& reason,
            const std::string& message) override {
    recorder_.record({.regarding = {.api_version = std::string(api::kApiVersion),
                                    .kind = about.kind,
                                    .ns = about.meta.ns,
                                    .name = about.meta.name,
                                    .uid = about.meta.uid,
                                    .resource_version = about.meta.resource_version},
                      .type = warning ? EventType::kWarning : EventType::kNormal,
                      .reason = reason,
                      .action = reason,
                      .note = message,
                      .trace_id = about.trace_id});
  }
  void stop() { recorder_.stop(); }

 private:
  EventRecorder recorder_;
};

}  // namespace

struct Cluster::Parts {
  Parts(ApiClient& client, const Clock& clock, Random& random, Pauser& pauser, const ClusterOptions& options)
      : certificates(client, clock, random, pauser, options),
        edges(client, clock, random, pauser, options),
        policies(client, clock, random, pauser, options),
        issuers(client, clock, random, pauser, options),
        connections(client, clock, random, pauser, options),
        pin_policies(client, clock, random, pauser, options),
        secrets(client, clock, random, pauser, options),
        slots(client, clock, random, pauser, options),
        events(client, clock, pauser, options.events) {}

  // Calls `visit` with the reflectors of every kind.
  template <class Visit>
  void each(Visit visit) {
    visit(certificates.watched());
    visit(edges.watched());
    visit(policies.watched());
    visit(issuers.watched());
    visit(connections.watched());
    visit(pin_policies.watched());
    visit(secrets.watched());
    visit(slots.watched());
  }

  WatchedObjects<api::EdgeCertificate> certificates;
  WatchedObjects<api::Edge> edges;
  WatchedObjects<api::RotationPolicy> policies;
  WatchedObjects<api::AcmeIssuer> issuers;
  WatchedObjects<api::GenesysConnection> connections;
  WatchedObjects<api::PinPolicy> pin_policies;
  WatchedSecrets secrets;
  WatchedSlots slots;
  RecordedEvents events;
};

Cluster::Cluster(ApiClient& client, const Clock& clock, Random& random, Pauser& pauser, const ClusterOptions& options)
    : parts_(std::make_unique<Parts>(client, clock, random, pauser, options)) {}
Cluster::~Cluster() { stop(); }

void Cluster::start() {
  parts_->each([](auto& watched) { watched.start(); });
}
void Cluster::stop() {
  parts_->each([](auto& watched) { watched.stop(); });
  parts_->events.stop();
}
bool Cluster::wait_synced(std::stop_token stop) {
  bool all = true;
  parts_->each([&](auto& watched) { all = watched.wait_synced(stop) && all; });
  return all;
}
bool Cluster::synced() const {
  bool all = true;
  parts_->each([&](auto& watched) { all = watched.synced() && all; });
  return all;
}
SteadyPoint Cluster::heard() const {
  SteadyPoint earliest = SteadyPoint::max();
  parts_->each([&](auto& watched) { earliest = std::min(earliest, watched.heard()); });
  return earliest;
}

ports::Objects<api::EdgeCertificate>& Cluster::certificates() { return parts_->certificates; }
ports::Objects<api::Edge>& Cluster::edges() { return parts_->edges; }
ports::Objects<api::RotationPolicy>& Cluster::policies() { return parts_->policies; }
ports::Objects<api::AcmeIssuer>& Cluster::issuers() { return parts_->issuers; }
ports::Objects<api::GenesysConnection>& Cluster::connections() { return parts_->connections; }
ports::Objects<api::PinPolicy>& Cluster::pin_policies() { return parts_->pin_policies; }
ports::Secrets& Cluster::secrets() { return parts_->secrets; }
ports::BudgetSlots& Cluster::slots() { return parts_->slots; }
ports::Events& Cluster::events() { return parts_->events; }

}  // namespace edgetrust::kube
