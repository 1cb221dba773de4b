#include <algorithm>
#include <atomic>

#include "backends.hpp"
#include "edgetrust/dns/lookup.hpp"
#include "edgetrust/http/server.hpp"
#include "edgetrust/kube/cluster.hpp"
#include "edgetrust/pki/pki.hpp"
#include "edgetrust/probe/tls_probe.hpp"
#include "edgetrust/reconcile/certificate_reconciler.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "edgetrust/runtime/queue.hpp"
#include "edgetrust/runtime/workers.hpp"
#include "edgetrust/telemetry/metrics.hpp"
#include "operator.hpp"

namespace edgetrust {
namespace {

using namespace std::chrono_literals;

constexpr Backoff kPassBackoff{.first = 500ms, .ceiling = 1min};
constexpr std::string_view kCertificateLabel = "edgetrust.io/certificate";

template <class Kind>
std::string kind_name() {
  return std::string(api::kKind<Kind>.kind);
}

std::vector<std::string> namespaces_of(const Options& options, const kube::ClusterConfig& cluster) {
  return options.namespaces.empty() ? std::vector{cluster.ns} : options.namespaces;
}

http::Response text(int status, std::string body, std::string type = "text/plain; charset=utf-8") {
  return {.status = status, .headers = {{"Content-Type", std::move(type)}, {"Cache-Control", "no-store"}}, .body = std::move(body)};
}

}  // namespace

struct Operator::Parts {
  Parts(const Options& options, Environment environment, std::shared_ptr<http::Transport> transport, const Clock& clock_in, Random& random_in, telemetry::Logger& log_in)
      : clock(clock_in),
        random(random_in),
        log(log_in),
        workers(options.workers),
        client(environment.cluster, std::move(transport), clock, pauser,
               {.per_second = options.kube_qps, .burst = options.kube_burst, .report = [this](const kube::CallReport& call) { metrics.api_request("kubernetes", to_string(call.method), call.status, call.took); }}),
        cluster(client, clock, random, pauser,
                {.namespaces = namespaces_of(options, environment.cluster),
                 .indexed_label = std::string(kCertificateLabel),
                 .events = {.instance = environment.instance},
                 .changed = [this](const std::string& kind, const api::ObjectKey& key) { changed(kind, key); },
                 .note = [this](const kube::WatchNote& note) { noted(note); }}),
        resolver(dns::parse_resolv_conf(environment.resolv_conf), dns::parse_hosts(environment.hosts), random),
        lookup(resolver, clock, random, {}),
        probe(resolver, clock),
        backends(cluster.secrets(), resolver, clock, random),
        world{clock,           cluster.certificates(), cluster.edges(), cluster.policies(), cluster.issuers(), cluster.connections(),
              cluster.secrets(), cluster.events(),     backends,        lookup,             probe,             pki},
        certificates(world),
        edges(world),
        policies(world),
        issuers(world),
        connections(world) {}

  // --- what changed wakes whom

  void changed(const std::string& kind, const api::ObjectKey& key);
  void wake_certificates(const std::string& ns, const std::function<bool(const api::EdgeCertificate&)>& which);
  void noted(const kube::WatchNote& note);

  // --- passes

  reconcile::Outcome reconcile(const runtime::Key& key, std::stop_token stop);
  void pass(const runtime::Key& key, std::stop_token stop);
  void describe(const api::ObjectKey& key);

  http::Response answer(const http::ServerRequest& request);

  const Clock& clock;
  Random& random;
  telemetry::Logger& log;
  int workers;
  telemetry::Metrics metrics;
  kube::ThreadPauser pauser;
  runtime::Queue queue{clock};
  runtime::Failures failures{kPassBackoff};
  kube::ApiClient client;
  kube::Cluster cluster;
  dns::Resolver resolver;
  dns::Lookup lookup;
  probe::Probe probe;
  pki::OpensslPki pki;
  DriverBackends backends;
  reconcile::World world;
  reconcile::CertificateReconciler certificates;
  reconcile::EdgeReconciler edges;
  reconcile::PolicyReconciler policies;
  reconcile::IssuerReconciler issuers;
  reconcile::ConnectionReconciler connections;
  std::unique_ptr<http::Server> server;
};

void Operator::Parts::wake_certificates(const std::string& ns, const std::function<bool(const api::EdgeCertificate&)>& which) {
  for (const auto& certificate : cluster.certificates().list(ns)) {
    if (!which(*certificate)) continue;
    certificates.forgive(certificate->meta.key());
    queue.add({kind_name<api::EdgeCertificate>(), ns, certificate->meta.name});
  }
}

void Operator::Parts::changed(const std::string& kind, const api::ObjectKey& key) {
  if (kind != "Secret") queue.add({kind, key.ns, key.name});
  if (kind == kind_name<api::Edge>()) {
    wake_certificates(key.ns, [&](const auto& certificate) { return certificate.spec.edge_ref.name == key.name; });
  } else if (kind == kind_name<api::AcmeIssuer>()) {
    wake_certificates(key.ns, [&](const auto& certificate) { return certificate.spec.issuer_ref && certificate.spec.issuer_ref->name == key.name; });
  } else if (kind == kind_name<api::GenesysConnection>()) {
    for (const auto& edge : cluster.edges().list(key.ns)) {
      if (edge->spec.connection_ref.name == key.name) queue.add({kind_name<api::Edge>(), key.ns, edge->meta.name});
    }
    wake_certificates(key.ns, [&](const auto& certificate) {
      const auto edge = cluster.edges().get({key.ns, certificate.spec.edge_ref.name});
      return edge && edge->spec.connection_ref.name == key.name;
    });
  } else if (kind == kind_name<api::RotationPolicy>()) {
    wake_certificates(key.ns, [](const auto& /*certificate*/) { return true; });
  } else if (kind == "Secret" && backends.secret_changed(key)) {
    for (const auto& issuer : cluster.issuers().list(key.ns)) queue.add({kind_name<api::AcmeIssuer>(), key.ns, issuer->meta.name});
    for (const auto& connection : cluster.connections().list(key.ns)) queue.add({kind_name<api::GenesysConnection>(), key.ns, connection->meta.name});
    wake_certificates(key.ns, [](const auto& /*certificate*/) { return true; });
  }
}

void Operator::Parts::noted(const kube::WatchNote& note) {
  const std::string& resource = note.what.resource.plural;
  switch (note.news) {
    case kube::WatchNews::kSynced: log.debug("watching", {{"resource", resource}, {"namespace", note.what.ns}}); break;
    case kube::WatchNews::kLookAgain:
      metrics.watch_restart(resource);
      log.info("looking at everything again", {{"resource", resource}, {"namespace", note.what.ns}});
      break;
    case kube::WatchNews::kFailed: log.warn("a watch failed", {{"resource", resource}, {"namespace", note.what.ns}, {"error", *note.error}}); break;
    case kube::WatchNews::kBadObject: log.error("an object cannot be taken", {{"resource", resource}, {"namespace", note.what.ns}, {"error", *note.error}}); break;
  }
}

reconcile::Outcome Operator::Parts::reconcile(const runtime::Key& key, std::stop_token stop) {
  const api::ObjectKey object{key.ns, key.name};
  if (key.kind == kind_name<api::EdgeCertificate>()) return certificates.reconcile(object, std::move(stop));
  if (key.kind == kind_name<api::Edge>()) return edges.reconcile(object, std::move(stop));
  if (key.kind == kind_name<api::RotationPolicy>()) return policies.reconcile(object, std::move(stop));
  if (key.kind == kind_name<api::AcmeIssuer>()) return issuers.reconcile(object, std::move(stop));
  return connections.reconcile(object, std::move(stop));
}

// Metrics of an EdgeCertificate, as its status tells them.
void Operator::Parts::describe(const api::ObjectKey& key) {
  const auto certificate = cluster.certificates().get(key);
  if (!certificate) {
    metrics.forget_certificate(key.ns, key.name);
    return;
  }
  if (certificate->status.not_after) metrics.certificate_expiry(key.ns, key.name, *certificate->status.not_after);
  if (certificate->status.phase) metrics.phase(key.ns, key.name, *certificate->status.phase);
}

void Operator::Parts::pass(const runtime::Key& key, std::stop_token stop) {
  const SteadyPoint begin = clock.steady();
  const reconcile::Outcome outcome = reconcile(key, stop);
  metrics.reconcile(key.kind, clock.steady() - begin, !outcome.error);
  if (key.kind == kind_name<api::EdgeCertificate>()) describe({key.ns, key.name});
  if (outcome.error) {
    if (outcome.error->kind == ErrorKind::kCancelled) return;
    const auto wait = failures.failed(key);
    log.warn("a pass failed", {{"kind", key.kind}, {"namespace", key.ns}, {"name", key.name}, {"rule", outcome.rule}, {"error", *outcome.error}, {"again_in", wait}});
    queue.add_at(key, clock.steady() + wait);
    return;
  }
  failures.succeeded(key);
  if (!outcome.effect.empty() || outcome.wrote_status) {
    log.info("pass", {{"kind", key.kind}, {"namespace", key.ns}, {"name", key.name}, {"rule", outcome.rule}, {"effect", outcome.effect}, {"wrote_status", outcome.wrote_status}});
  }
  if (outcome.wake_at) queue.add_at(key, clock.steady() + std::max<std::chrono::milliseconds>(*outcome.wake_at - clock.now(), 0ms));
}

http::Response Operator::Parts::answer(const http::ServerRequest& request) {
  if (request.method != "GET") return text(405, "only GET\n");
  if (request.path == "/healthz") return text(200, "ok\n");
  if (request.path == "/readyz") return cluster.synced() ? text(200, "ok\n") : text(503, "the watches have not been read yet\n");
  if (request.path == "/metrics") {
    metrics.queue_depth(queue.stats().due);
    return text(200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8");
  }
  return text(404, "/metrics, /healthz, /readyz\n");
}

Operator::Operator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Operator::~Operator() = default;

Result<std::unique_ptr<Operator>> Operator::create(const Options& options, Environment environment, const Clock& clock, Random& random, telemetry::Logger& log) {
  EDGETRUST_TRY_ASSIGN(auto transport, http::make_transport(std::move(environment.cluster.tls)));
  auto parts = std::make_unique<Parts>(options, std::move(environment), std::move(transport), clock, random, log);
  EDGETRUST_TRY_ASSIGN(parts->server, http::Server::start({.address = options.bind_address, .port = options.port}, [p = parts.get()](const http::ServerRequest& request) { return p->answer(request); }));
  return std::unique_ptr<Operator>(new Operator(std::move(parts)));
}

void Operator::run(std::stop_token stop) {
  Parts& parts = *parts_;
  parts.log.info("started", {{"port", std::int64_t{parts.server->port()}}, {"workers", std::int64_t{parts.workers}}});
  parts.cluster.start();
  // No pass before everything has been seen once: half a cache looks like a cluster in which things are missing.
  if (parts.cluster.wait_synced(stop)) {
    parts.log.info("synced");
    runtime::Workers workers(parts.queue, parts.clock,
                             {.threads = parts.workers,
                              .threw = [&parts](const runtime::Key& key, std::string_view what,
                                                int failures) { parts.log.error("a pass threw", {{"object", key.to_string()}, {"what", std::string(what)}, {"failures", std::int64_t{failures}}}); }},
                             [&parts](const runtime::Key& key, std::stop_token token) { parts.pass(key, std::move(token)); });
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
    parts.log.info("stopping");
    workers.stop();
  }
  parts.cluster.stop();
  parts.log.info("stopped");
}

}  // namespace edgetrust
