#include "announcements.hpp"
#include "audit_trail.hpp"
#include "backends.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/crypto/trust_store.hpp"
#include "edgetrust/decide/budget.hpp"
#include "edgetrust/dns/lookup.hpp"
#include "edgetrust/http/server.hpp"
#include "edgetrust/kube/cluster.hpp"
#include "edgetrust/kube/leadership.hpp"
#include "edgetrust/page/page.hpp"
#include "edgetrust/pinfile/pin_files.hpp"
#include "edgetrust/pki/pki.hpp"
#include "edgetrust/probe/probe.hpp"
#include "edgetrust/reconcile/certificate_reconciler.hpp"
#include "edgetrust/reconcile/edge_pin_reconciler.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "edgetrust/reconcile/pin_policy_reconciler.hpp"
#include "edgetrust/reconcile/sighting.hpp"
#include "edgetrust/telemetry/metrics.hpp"
#include "edgetrust/telemetry/trace.hpp"
#include "http01_answers.hpp"
#include "lanes.hpp"
#include "measures.hpp"
#include "operator.hpp"
#include "readiness.hpp"
#include "wake.hpp"
#include "web_lookup.hpp"

#include <algorithm>
#include <atomic>
#include <sstream>

namespace edgetrust {
namespace {

using namespace std::chrono_literals;

constexpr Backoff kPassBackoff{.first = 500ms, .ceiling = 1min};
constexpr std::chrono::milliseconds kLongestWait = 1h;
constexpr std::chrono::milliseconds kCountsMayWait = 5s;  // many changes at once are counted once

template <class Kind>
std::string kind_name() {
  return std::string(api::kKind<Kind>.kind);
}

std::vector<std::string> namespaces_of(const Options& options, const kube::ClusterConfig& cluster) {
  const std::set<std::string> named(options.namespaces.begin(), options.namespaces.end());  // each once
  return named.empty() ? std::vector{cluster.ns} : std::vector(named.begin(), named.end());
}

http::Response text(int status, std::string body, std::string type = "text/plain; charset=utf-8") {
  return {.status = status,
          .headers = {{"Content-Type", std::move(type)}, {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

std::unique_ptr<dns::Resolver> make_resolver(const Environment& environment, Random& random) {
  return std::make_unique<dns::Resolver>(dns::parse_resolv_conf(environment.resolv_conf),
                                         dns::parse_hosts(environment.hosts), random);
}
auto addresses_by(const dns::Resolver& resolver) {
  return [&resolver](const std::string& host, const net::Wait& wait) { return resolver.addresses(host, wait); };
}
Result<std::unique_ptr<probe::Probe>> make_probe(const dns::Resolver& resolver, const Clock& clock) {
  return probe::Probe::create(addresses_by(resolver), clock);
}

// A client of its own: a renewal does not wait behind what the workers ask.
class Candidate {
 public:
  Candidate(const Options& options, const Environment& environment, std::shared_ptr<http::Transport> transport,
            const Clock& clock, kube::Pauser& pauser, Random& random, const telemetry::Logger& log)
      : client_(environment.cluster, std::move(transport), clock, pauser),
        election_(
            client_, clock, pauser,
            {.lease = {options.leader_elect_namespace.empty() ? environment.cluster.ns : options.leader_elect_namespace,
                       "edgetrust"},
             .identity = environment.instance + "_" + hex(random.next()),
             .failed = [&log](const Error& error) {
               log.warn("the Lease of the leader", {{"error", error}});
             }}) {}
  kube::Election& election() { return election_; }

 private:
  static std::string hex(std::uint64_t number) {
    std::ostringstream text;
    text << std::hex << number;
    return text.str();
  }
  kube::ApiClient client_;
  kube::Election election_;
};

// Drivers that can fail to be made.
struct Tools {
  std::unique_ptr<telemetry::Metrics> metrics;  // outlives the others, which tell it things
  std::shared_ptr<http::Transport> transport;   // to the API server
  std::unique_ptr<dns::Resolver> resolver;
  std::unique_ptr<probe::Probe> probe;
  std::unique_ptr<ports::WebLookup> web;  // null: no answers to http-01 are given
  std::unique_ptr<AuditTrail> audit;      // null: nothing is recorded
};
Result<Tools> make_tools(const Options& options, Environment& environment, const Clock& clock, Random& random,
                         const telemetry::Logger& log) {
  Tools tools{.metrics = std::make_unique<telemetry::Metrics>(telemetry::BuildInfo{.version = EDGETRUST_VERSION})};
  EDGETRUST_TRY_ASSIGN(tools.transport, http::make_transport(std::move(environment.cluster.tls)));
  tools.resolver = make_resolver(environment, random);
  EDGETRUST_TRY_ASSIGN(tools.probe, make_probe(*tools.resolver, clock));
  // Whoever plans takes it that the operator is started as the issuers need it.
  if (options.http01_port != 0 || options.plan) {
    tools.web = make_web_lookup(addresses_by(*tools.resolver), clock, options.http01_check_port);
  }
  if (!options.plan) {
    EDGETRUST_TRY_ASSIGN(tools.audit, AuditTrail::create(options, environment.instance, clock, log, *tools.metrics));
  }
  return tools;
}

}  // namespace

struct Operator::Parts {
  Parts(const Options& options, const Environment& environment, Tools made, const Clock& clock_in, Random& random_in,
        const telemetry::Logger& log_in)
      : tools(std::move(made)),
        clock(clock_in),
        random(random_in),
        log(log_in),
        workers(options.workers),
        namespaces(namespaces_of(options, environment.cluster)),
        client(environment.cluster, tools.transport, clock, pauser,
               {.per_second = options.kube_qps,
                .burst = options.kube_burst,
                .report = [this](const kube::CallReport& call) { measure(metrics, call); }}),
        cluster(client, clock, random, pauser,
                {.namespaces = namespaces,
                 .indexed_label = std::string(api::kCertificateLabel),
                 .events = {.instance = environment.instance,
                            .failed =
                                [this](const Error& error) {
                                  if (error.kind != ErrorKind::kCancelled)
                                    log.warn("an Event could not be sent", {{"error", error}});
                                }},
                 .changed =
                     [this](const kube::AnyChange& change) {
                       std::visit([this](const auto& known) { changed(known); }, change);
                     },
                 .note = [this](const kube::WatchNote& note) { noted(note); }}),
        lookup(*tools.resolver, clock, random, {}),
        roots(std::make_shared<crypto::PublicRoots>()),
        pki(pki::make_pki(roots)),
        viewer(pki::make_chain_viewer(roots)),
        announcements(make_announcements([this](const std::string& certificate) { return trusting(certificate); })),
        candidate(options.leader_elect
                      ? std::make_unique<Candidate>(options, environment, tools.transport, clock, pauser, random, log)
                      : nullptr),
        backends(
            cluster.secrets(), *tools.resolver, clock, random,
            [this](telemetry::Api api, const http::Exchange& exchange) { measure(metrics, api, exchange); },
            environment.clouds,
            [this](const net::Socket& socket, const ports::ProbeTarget& target, const net::Wait& wait) {
              return tools.probe->present_over(socket, target, wait);
            }),
        pin_files(pinfile::make_pin_files()),
        objects(AuditTrail::watched(
            tools.audit.get(), {cluster.certificates(), cluster.edges(), cluster.policies(), cluster.pin_policies()})),
        world{clock,
              objects.certificates,
              objects.edges,
              objects.policies,
              cluster.issuers(),
              cluster.connections(),
              cluster.secrets(),
              cluster.events(),
              backends,
              lookup,
              *tools.probe,
              *pki,
              cluster.slots(),
              EDGETRUST_VERSION,
              candidate ? &candidate->election() : nullptr,
              tools.web.get(),
              &objects.pin_policies},
        listings(world),
        certificates(world),
        edges(world, listings),
        policies(world),
        issuers(world),
        connections(world, listings, namespaces),
        pins(world, {objects.pin_policies, *viewer, *announcements}, pin_board),
        edge_pins(world, {objects.pin_policies, *viewer, backends, *pin_files, namespaces}, pin_board) {}

  // --- what changed wakes whom

  template <class Kind>
  void changed(const kube::Change<Kind>& change);
  void changed(const kube::Change<kube::MetadataOnly>& secret);
  void changed(const kube::Change<ports::BudgetSlot>& slot);
  void rouse_waiting(const std::string& ns);
  void rouse_policies(const kube::Change<api::EdgeCertificate>& certificate);
  void rouse_dependants(const kube::Change<api::EdgeCertificate>& certificate, Rouse how);
  void rouse_dependants(const kube::Change<api::Edge>& edge, Rouse how);
  void rouse_dependants(const kube::Change<api::RotationPolicy>& policy, Rouse how);
  void rouse_dependants(const kube::Change<api::AcmeIssuer>& issuer, Rouse how);
  void rouse_dependants(const kube::Change<api::GenesysConnection>& connection, Rouse how);
  void rouse_certificates(const std::string& ns, Rouse how,
                          const std::function<bool(const api::EdgeCertificate&)>& which = all);
  static bool all(const api::EdgeCertificate& /*certificate*/) { return true; }
  void rouse_dependants(const kube::Change<api::PinPolicy>& policy, Rouse how);
  void recount_pins(const std::string& ns);
  void rouse_pins(const std::string& ns, const std::function<bool(const api::Edge&)>& which);
  void recount();
  void noted(const kube::WatchNote& note);
  // A way to whoever shows this certificate, and to nobody else.
  Result<std::shared_ptr<http::Transport>> trusting(const std::string& certificate_pem);

  // --- passes

  reconcile::Outcome reconcile(const runtime::Key& key, std::stop_token stop);
  void pass(const runtime::Key& key, std::stop_token stop);
  telemetry::Logger logger_of(const runtime::Key& key, const reconcile::Outcome& outcome);
  void rotation_ended(const runtime::Key& key, const reconcile::Outcome& outcome);

  http::Response answer(const http::ServerRequest& request);
  http::Response answer_http01(const http::ServerRequest& request);
  page::Source shown();
  Status serve(const Options& options);
  Status serve_page(const Options& options);

  // --- who works

  [[nodiscard]] bool leads() const { return !candidate || candidate->election().holds(); }
  Status work(const std::stop_token& stop);
  Status work_as_leader(const std::stop_token& stop);

  Tools tools;
  const Clock& clock;
  Random& random;
  const telemetry::Logger& log;
  int workers;
  std::vector<std::string> namespaces;
  telemetry::Metrics& metrics{*tools.metrics};
  kube::ThreadPauser pauser;
  Lanes lanes{clock, metrics};
  runtime::Failures failures{kPassBackoff};
  kube::ApiClient client;
  kube::Cluster cluster;
  dns::Lookup lookup;
  std::shared_ptr<crypto::PublicRoots> roots;
  std::unique_ptr<ports::Pki> pki;
  std::unique_ptr<ports::ChainViewer> viewer;
  std::unique_ptr<ports::PinAnnouncements> announcements;
  std::unique_ptr<Candidate> candidate;
  DriverBackends backends;
  std::unique_ptr<ports::PinFiles> pin_files;
  reconcile::PinBoard pin_board;
  AuditTrail::Objects objects;  // those of the cluster, watched where there is an audit trail
  reconcile::World world;
  reconcile::FleetListings listings;
  reconcile::CertificateReconciler certificates;
  reconcile::EdgeReconciler edges;
  reconcile::PolicyReconciler policies;
  reconcile::IssuerReconciler issuers;
  reconcile::ConnectionReconciler connections;
  Http01Answers http01_answers;
  reconcile::PinPolicyReconciler pins;
  reconcile::EdgePinReconciler edge_pins;
  std::unique_ptr<page::Page> fleet_page;  // null: none is served
  std::unique_ptr<http::Server> server;
  std::unique_ptr<http::Server> page_server;
  std::unique_ptr<http::Server> http01_server;  // null: no answers to http-01 are given
};

template <class Kind>
void Operator::Parts::changed(const kube::Change<Kind>& change) {
  change.after ? measure(metrics, *change.after) : forget(metrics, *change.before);
  const Wake woken = wake(change.before.get(), change.after.get());
  if (woken.itself) lanes.add({kind_name<Kind>(), change.key.ns, change.key.name});
  if (woken.dependants != Rouse::kNobody) rouse_dependants(change, woken.dependants);
  if constexpr (std::is_same_v<Kind, api::EdgeCertificate>) {
    http01_answers.changed(change.key, change.after.get());
    const auto& certificate = change.after ? change.after : change.before;
    if (woken.edge) lanes.add({kind_name<api::Edge>(), change.key.ns, certificate->spec.edge_ref.name});
    if (changes_fleet(change.before.get(), change.after.get())) rouse_policies(change);
    if (leaves_turn(change.before.get(), change.after.get())) rouse_waiting(change.key.ns);
  }
  if constexpr (std::is_same_v<Kind, api::Edge>) {
    if (woken.itself)
      lanes.add({std::string(kEdgePins), change.key.ns, change.key.name},
                reconcile::rank_of(change.after ? *change.after : *change.before));
    if (counts_for_pins(change.before.get(), change.after.get())) recount_pins(change.key.ns);
  }
  if (counts_anew(change.before.get(), change.after.get())) recount();
  if (fleet_page) fleet_page->changed();
}

void Operator::Parts::recount_pins(const std::string& ns) {
  for (const auto& policy : cluster.pin_policies().list(ns))
    lanes.add_at({kind_name<api::PinPolicy>(), ns, policy->meta.name}, clock.steady() + kCountsMayWait);
}

void Operator::Parts::rouse_pins(const std::string& ns, const std::function<bool(const api::Edge&)>& which) {
  for (const auto& edge : cluster.edges().list(ns)) {
    if (which(*edge)) lanes.add({std::string(kEdgePins), ns, edge->meta.name}, reconcile::rank_of(*edge));
  }
}

// A slot that came free is for those that wait for one.
void Operator::Parts::changed(const kube::Change<ports::BudgetSlot>& slot) {
  if (slot.after && slot.after->holder) return;
  rouse_waiting(slot.key.ns);
  for (const auto& edge : pin_board.first_in_line(slot.key.ns)) lanes.add({std::string(kEdgePins), edge.ns, edge.name});
}

void Operator::Parts::rouse_waiting(const std::string& ns) {
  rouse_certificates(ns, Rouse::kWake,
                     [&](const auto& certificate) { return decide::waits_for_turn(certificate, clock.now()); });
}

void Operator::Parts::rouse_policies(const kube::Change<api::EdgeCertificate>& certificate) {
  for (const auto& form : {certificate.before, certificate.after}) {
    if (form) lanes.add({kind_name<api::RotationPolicy>(), certificate.key.ns, decide::policy_name(*form)});
  }
}

// An Edge of another namespace may be one that a connection has not known to have an object.
void Operator::Parts::recount() {
  for (const auto& ns : namespaces) {
    for (const auto& connection : cluster.connections().list(ns)) {
      connections.recount(connection->meta.key());
      lanes.add_at({kind_name<api::GenesysConnection>(), ns, connection->meta.name}, clock.steady() + kCountsMayWait);
    }
  }
}

// Somebody else may have touched it, and only that counts; but an event does not tell who wrote.
void Operator::Parts::changed(const kube::Change<kube::MetadataOnly>& secret) {
  const auto& [ns, name] = secret.key;
  // What a certificate names: its own Secrets and what it imports.
  rouse_certificates(ns, Rouse::kForgive,
                     [&](const auto& certificate) { return api::names_secret(certificate, name); });
  // What a peer of an Edge trusts.
  for (const auto& edge : cluster.edges().list(ns)) {
    if (!api::names_secret(*edge, name)) continue;
    lanes.add({kind_name<api::Edge>(), ns, edge->meta.name});
    rouse_certificates(ns, Rouse::kForgive,
                       [&](const auto& certificate) { return certificate.spec.edge_ref.name == edge->meta.name; });
  }
  const auto logs_in_with_it = [&secret_name = name](const api::Edge& edge) {
    return edge.spec.ssh && edge.spec.ssh->private_key_ref.name == secret_name;
  };
  for (const auto& policy : cluster.pin_policies().list(ns)) {
    if (!api::names_secret(*policy, name)) continue;
    pins.look_anew(policy->meta.key());
    lanes.add({kind_name<api::PinPolicy>(), ns, policy->meta.name});
  }
  if (!backends.secret_changed(secret.key)) return;
  rouse_pins(ns, logs_in_with_it);
  for (const auto& issuer : cluster.issuers().list(ns))
    lanes.add({kind_name<api::AcmeIssuer>(), ns, issuer->meta.name});
  for (const auto& connection : cluster.connections().list(ns))
    lanes.add({kind_name<api::GenesysConnection>(), ns, connection->meta.name});
  rouse_certificates(ns, Rouse::kForgive);
}

void Operator::Parts::rouse_dependants(const kube::Change<api::EdgeCertificate>& certificate, Rouse how) {
  const auto edge_of = [](const auto& object) { return object ? object->spec.edge_ref.name : std::string{}; };
  rouse_certificates(certificate.key.ns, how, [&](const api::EdgeCertificate& other) {
    const std::string& edge = other.spec.edge_ref.name;
    return other.meta.name != certificate.key.name &&
           (edge == edge_of(certificate.before) || edge == edge_of(certificate.after));
  });
}

void Operator::Parts::rouse_dependants(const kube::Change<api::Edge>& edge, Rouse how) {
  rouse_certificates(edge.key.ns, how,
                     [&](const auto& certificate) { return certificate.spec.edge_ref.name == edge.key.name; });
}

void Operator::Parts::rouse_dependants(const kube::Change<api::RotationPolicy>& policy, Rouse how) {
  rouse_certificates(policy.key.ns, how);
  rouse_pins(policy.key.ns, [](const api::Edge& edge) {
    return edge.status.pins && edge.status.pins->state != api::EdgePinState::kMatched;
  });
}

void Operator::Parts::rouse_dependants(const kube::Change<api::AcmeIssuer>& issuer, Rouse how) {
  rouse_certificates(issuer.key.ns, how, [&](const auto& certificate) {
    const auto& [ref, fallback] = std::tie(certificate.spec.issuer_ref, certificate.spec.fallback);
    return (ref && ref->name == issuer.key.name) || (fallback && fallback->issuer_ref.name == issuer.key.name);
  });
}

void Operator::Parts::rouse_dependants(const kube::Change<api::GenesysConnection>& connection, Rouse how) {
  const auto& [ns, name] = connection.key;
  for (const auto& edge : cluster.edges().list(ns)) {
    if (edge->spec.connection_ref.name == name) lanes.add({kind_name<api::Edge>(), ns, edge->meta.name});
  }
  rouse_certificates(ns, how, [&](const auto& certificate) {
    const auto edge = cluster.edges().get({ns, certificate.spec.edge_ref.name});
    return edge && edge->spec.connection_ref.name == name;
  });
}

void Operator::Parts::rouse_dependants(const kube::Change<api::PinPolicy>& policy, Rouse /*how*/) {
  for (const auto& other : cluster.pin_policies().list(policy.key.ns)) {
    if (other->meta.name != policy.key.name) lanes.add({kind_name<api::PinPolicy>(), policy.key.ns, other->meta.name});
  }
  const auto selected = [](const auto& form, const api::Edge& edge) {
    return form && !form->broken && api::selects(form->spec, edge.meta);
  };
  rouse_pins(policy.key.ns, [&](const api::Edge& edge) {
    return selected(policy.before, edge) || selected(policy.after, edge) ||
           (edge.status.pins && edge.status.pins->policy == policy.key.name);
  });
}

void Operator::Parts::rouse_certificates(const std::string& ns, Rouse how,
                                         const std::function<bool(const api::EdgeCertificate&)>& which) {
  for (const auto& certificate : cluster.certificates().list(ns)) {
    if (!which(*certificate)) continue;
    if (how == Rouse::kForgive) certificates.forgive(certificate->meta.key());
    lanes.add({kind_name<api::EdgeCertificate>(), ns, certificate->meta.name});
  }
}

void Operator::Parts::noted(const kube::WatchNote& note) {
  const std::string& resource = note.what.resource.plural;
  switch (note.news) {
    case kube::WatchNews::kSynced: log.debug("watching", {{"resource", resource}, {"namespace", note.what.ns}}); break;
    case kube::WatchNews::kLookAgain:
      metrics.watch_restart(metric_kind(note.what.resource.kind));
      log.info("looking at everything again", {{"resource", resource}, {"namespace", note.what.ns}});
      break;
    case kube::WatchNews::kFailed:
      log.warn("a watch failed", {{"resource", resource}, {"namespace", note.what.ns}, {"error", *note.error}});
      break;
    case kube::WatchNews::kBadObject:
      log.error("an object cannot be taken",
                {{"resource", resource}, {"namespace", note.what.ns}, {"error", *note.error}});
      break;
  }
}

Result<std::shared_ptr<http::Transport>> Operator::Parts::trusting(const std::string& certificate_pem) {
  EDGETRUST_TRY_ASSIGN(auto made, http::make_transport({.ca_pem = certificate_pem}));
  return http::observed(std::move(made), clock, [this](const http::Exchange& exchange) {
    measure(metrics, telemetry::Api::kGenesys, exchange);
  });
}

reconcile::Outcome Operator::Parts::reconcile(const runtime::Key& key, std::stop_token stop) {
  const api::ObjectKey object{key.ns, key.name};
  if (key.kind == kind_name<api::EdgeCertificate>()) return certificates.reconcile(object, std::move(stop));
  if (key.kind == kEdgePins) {
    if (!cluster.edges().get(object)) backends.forget(object);
    return edge_pins.reconcile(object, std::move(stop));
  }
  if (key.kind == kind_name<api::Edge>()) return edges.reconcile(object, std::move(stop));
  if (key.kind == kind_name<api::RotationPolicy>()) return policies.reconcile(object, std::move(stop));
  if (key.kind == kind_name<api::PinPolicy>()) return pins.reconcile(object, std::move(stop));
  if (key.kind == kind_name<api::AcmeIssuer>() && !cluster.issuers().get(object)) backends.forget(object);
  if (key.kind == kind_name<api::GenesysConnection>() && !cluster.connections().get(object)) backends.forget(object);
  if (key.kind == kind_name<api::AcmeIssuer>()) return issuers.reconcile(object, std::move(stop));
  return connections.reconcile(object, std::move(stop));
}

void Operator::Parts::rotation_ended(const runtime::Key& key, const reconcile::Outcome& outcome) {
  if (const auto rotation = metric_rotation(*outcome.ended)) metrics.rotation(*rotation, outcome.delivered_for);
  // What the Edge serves has changed, and its trunks with it.
  const auto certificate = cluster.certificates().get({key.ns, key.name});
  if (!certificate) return;
  edges.look_closely({key.ns, certificate->spec.edge_ref.name});
  lanes.add({kind_name<api::Edge>(), key.ns, certificate->spec.edge_ref.name});
}

// One pass has at most one effect, so one span is both.
telemetry::Logger Operator::Parts::logger_of(const runtime::Key& key, const reconcile::Outcome& outcome) {
  const telemetry::Logger mine = log.with(
      {{"kind", key.kind}, {"namespace", key.ns}, {"name", key.name}, {"span_id", telemetry::span_id(random)}});
  return outcome.trace_id.empty() ? mine : mine.with({{"trace_id", outcome.trace_id}});
}

void Operator::Parts::pass(const runtime::Key& key, std::stop_token stop) {
  if (!leads()) return lanes.add_at(key, clock.steady() + 1s);  // another may work by now
  const SteadyPoint begin = clock.steady();
  const reconcile::Outcome outcome = reconcile(key, stop);
  metrics.reconcile(metric_kind(key.kind), clock.steady() - begin,
                    outcome.error     ? telemetry::Reconciled::kFailed
                    : outcome.wake_at ? telemetry::Reconciled::kWaiting
                                      : telemetry::Reconciled::kDone);
  if (outcome.ended) rotation_ended(key, outcome);
  if (key.kind == kEdgePins) metrics.edge_clock_offset(key.ns, key.name, outcome.clock_offset);
  if (outcome.pins_changed) {
    const auto policy = cluster.pin_policies().get({key.ns, key.name});
    rouse_pins(key.ns, [&](const api::Edge& edge) { return policy && api::selects(policy->spec, edge.meta); });
  }
  for (const auto& edge : outcome.in_question) {
    edges.look_closely({key.ns, edge});  // a listing of a minute ago says nothing of now
    lanes.add({kind_name<api::Edge>(), key.ns, edge});
  }
  const telemetry::Logger mine = logger_of(key, outcome);
  if (outcome.effect_error && outcome.effect_error->kind != ErrorKind::kCancelled) {
    metrics.error(telemetry::Trouble::kEffect, outcome.effect_error->kind);
    mine.warn("an effect failed",
              {{"rule", outcome.rule}, {"effect", outcome.effect}, {"error", *outcome.effect_error}});
  }
  for (const auto& said : outcome.said) {
    mine.write(said.warning ? telemetry::Level::kWarn : telemetry::Level::kInfo, "event",
               {{"reason", said.reason}, {"note", said.message}});
  }
  if (outcome.error) {
    if (outcome.error->kind == ErrorKind::kCancelled) return;
    metrics.error(telemetry::Trouble::kPass, outcome.error->kind);
    const auto wait = failures.failed(key);
    mine.warn("a pass failed", {{"rule", outcome.rule}, {"error", *outcome.error}, {"again_in", wait}});
    lanes.add_at(key, clock.steady() + wait);
    return;
  }
  failures.succeeded(key);
  if (!outcome.effect.empty() || outcome.wrote_status) {
    mine.info("pass", {{"rule", outcome.rule}, {"effect", outcome.effect}, {"wrote_status", outcome.wrote_status}});
  }
  if (outcome.wake_at) {
    // A wish is of the wall clock, and the queue's clock does not see that one set, or a machine that slept.
    auto wait = std::clamp<std::chrono::milliseconds>(*outcome.wake_at - clock.now(), 0ms, kLongestWait);
    // Machines that have failed together do not come again together.
    if (key.kind == kEdgePins && outcome.effect_error)
      wait = Backoff{.first = wait, .ceiling = wait}.after(1, stable_fraction(key.to_string()));
    lanes.add_at(key, clock.steady() + wait, outcome.rank);
  }
}

http::Response Operator::Parts::answer(const http::ServerRequest& request) {
  if (request.method != "GET") return text(405, "only GET\n");
  if (request.path == "/healthz") return text(200, "ok\n");
  if (request.path == "/readyz") {
    const auto [ready, says] = readiness(cluster.synced(), clock.steady() - cluster.heard(), leads());
    return text(ready ? 200 : 503, says + "\n");
  }
  if (request.path == "/metrics") {
    lanes.measure(metrics);
    if (cluster.synced()) metrics.watch_silence(clock.steady() - cluster.heard());
    if (tools.audit) tools.audit->measure(metrics);
    return text(200, metrics.text(), telemetry::Metrics::kContentType);
  }
  return text(404, "/metrics, /healthz, /readyz\n");
}

// Open to the world: counted, and not logged.
http::Response Operator::Parts::answer_http01(const http::ServerRequest& request) {
  http::Response response = http01_answers.answer(request);
  metrics.http01_request(response.ok() ? telemetry::Http01::kAnswered : telemetry::Http01::kUnknown);
  return response;
}

Status Operator::Parts::serve(const Options& options) {
  EDGETRUST_TRY_ASSIGN(server,
                       http::Server::start({.address = options.bind_address, .port = options.port},
                                           [this](const http::ServerRequest& request) { return answer(request); }));
  EDGETRUST_TRY(serve_page(options));
  if (options.http01_port == 0) return {};
  // Whoever can reach it may be anybody: nothing is read that is longer than what a CA asks, and nobody may dawdle.
  const std::string& address = options.http01_bind_address.empty() ? options.bind_address : options.http01_bind_address;
  http::ServerOptions open{.address = address, .port = options.http01_port};
  open.max_body = 1024;
  open.request_timeout = 5s;
  open.idle_timeout = 5s;
  open.max_connections = 256;
  open.is_public = true;
  EDGETRUST_TRY_ASSIGN(http01_server, http::Server::start(std::move(open), [this](const http::ServerRequest& request) {
                         return answer_http01(request);
                       }));
  return {};
}

page::Source Operator::Parts::shown() {
  return {.synced = [this] { return cluster.synced(); },
          .silent_since = [this]() -> std::optional<TimePoint> {
            const auto silent_for = clock.steady() - cluster.heard();
            if (silent_for <= kLongestSilence) return std::nullopt;
            return clock.now() - std::chrono::duration_cast<TimePoint::duration>(silent_for);
          },
          .fleet =
              [this] {
                page::Sight sight;
                for (const auto& ns : namespaces) {
                  std::ranges::move(cluster.certificates().list(ns), std::back_inserter(sight.certificates));
                  std::ranges::move(cluster.edges().list(ns), std::back_inserter(sight.edges));
                }
                return sight;
              },
          .rotation = [this](const api::ObjectKey& key) -> std::optional<view::Subject> {
            const auto certificate = cluster.certificates().get(key);
            if (!certificate) return std::nullopt;
            view::Subject subject{.certificate = *certificate, .edge = {}, .policy = {}, .events = {}};
            if (const auto edge = cluster.edges().get({key.ns, certificate->spec.edge_ref.name})) subject.edge = *edge;
            if (const auto policy = cluster.policies().get({key.ns, decide::policy_name(*certificate)}))
              subject.policy = *policy;
            return subject;
          }};
}

Status Operator::Parts::serve_page(const Options& options) {
  if (options.page_port == 0) return {};
  fleet_page = std::make_unique<page::Page>(shown(), options.page_hosts, clock);
  EDGETRUST_TRY_ASSIGN(
      page_server,
      http::Server::start(page::server_options(options.page_bind_address, options.page_port),
                          [this](const http::ServerRequest& request) { return fleet_page->answer(request); }));
  return {};
}

Operator::Operator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Operator::~Operator() = default;

Result<std::unique_ptr<Operator>> Operator::create(const Options& options, Environment environment, const Clock& clock,
                                                   Random& random, const telemetry::Logger& log) {
  EDGETRUST_TRY_ASSIGN(Tools tools, make_tools(options, environment, clock, random, log));
  auto parts = std::make_unique<Parts>(options, environment, std::move(tools), clock, random, log);
  EDGETRUST_TRY(parts->serve(options));
  return std::unique_ptr<Operator>(new Operator(std::move(parts)));
}

Result<forecast::Plan> make_plan(const Options& options, Environment environment, const Clock& clock, Random& random,
                                 const telemetry::Logger& log, TimePoint until, std::stop_token stop) {
  constexpr auto kMostToRead = 60s;
  EDGETRUST_TRY_ASSIGN(Tools tools, make_tools(options, environment, clock, random, log));
  Operator::Parts parts(options, environment, std::move(tools), clock, random, log);
  // Ends the wait when the caller says so, or when it takes too long.
  std::stop_source reading;
  const std::stop_callback asked(stop, [&] { reading.request_stop(); });
  const std::jthread watchdog([&](std::stop_token done) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(lock, done, kMostToRead, [] { return false; });
    reading.request_stop();
  });
  parts.cluster.start();
  const bool read = parts.cluster.wait_synced(reading.get_token());
  forecast::Situation situation{.now = clock.now(), .certificates = {}, .slots = {}};
  std::vector<std::string> unread;
  for (const auto& ns : parts.namespaces) {
    if (!read) break;
    reconcile::Sighting seen = reconcile::sight(parts.world, ns, stop);
    std::ranges::move(seen.certificates, std::back_inserter(situation.certificates));
    std::ranges::move(seen.slots, std::back_inserter(situation.slots));
    for (const auto& [key, error] : seen.unseen) unread.push_back(key.to_string() + ": " + error.message());
  }
  parts.cluster.stop();
  if (!read)
    return fail(ErrorKind::kUnavailable, "the cluster could not be read in a minute; the warnings above say why");
  forecast::Plan plan = forecast::plan(std::move(situation), until);
  plan.namespaces = parts.namespaces;
  plan.unread = std::move(unread);
  return plan;
}

Result<PinShow> show_pins(const PinShowOptions& options, const Environment& environment, const std::string& roots_pem,
                          const Clock& clock, Random& random) {
  const auto resolver = make_resolver(environment, random);
  EDGETRUST_TRY_ASSIGN(const auto probe, make_probe(*resolver, clock));
  const auto viewer = pki::make_chain_viewer(std::make_shared<crypto::PublicRoots>());
  return show_pins(options, roots_pem, *probe, *viewer, clock.now(), {});
}

// Passes, until `stop`; none without an audit trail that can be kept, where one is asked for.
Status Operator::Parts::work(const std::stop_token& stop) {
  if (tools.audit) EDGETRUST_TRY(tools.audit->open());
  metrics.leader(true);
  lanes.start({.threads = workers,
               .threw =
                   [this](const runtime::Key& key, std::string_view what, int times) {
                     log.error("a pass threw", {{"object", key.to_string()}, {"what", what}, {"failures", times}});
                   }},
              [this](const runtime::Key& key, std::stop_token token) { pass(key, std::move(token)); });
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait(lock, stop, [] { return false; });
  log.info("stopping");
  metrics.leader(false);  // before anything is waited for: it may be that another leads by now
  lanes.stop();
  if (tools.audit) tools.audit->close();
  return {};
}

// Passes, until `stop` or until another may lead. The Lease is renewed until the last pass has ended, and given up
// then.
Status Operator::Parts::work_as_leader(const std::stop_token& stop) {
  kube::Election& election = candidate->election();
  log.info("standing by");
  if (!election.acquire(stop)) return {};
  log.info("leading");
  std::stop_source end;
  const std::stop_callback asked(stop, [&end] { end.request_stop(); });
  bool lost = false;
  std::jthread renewal([&](const std::stop_token& over) {
    lost = !election.keep(over);
    if (lost) end.request_stop();
  });
  Status worked = work(end.get_token());
  renewal.request_stop();
  renewal.join();
  if (lost) return fail(ErrorKind::kCancelled, "another operator may lead by now");
  election.release();
  return worked;
}

Status Operator::run(std::stop_token stop) {
  Parts& parts = *parts_;
  parts.log.info("started", {{"port", parts.server->port()}, {"workers", parts.workers}});
  parts.cluster.start();
  Status ended;
  // No pass before everything has been seen once: half a cache looks like a cluster in which things are missing. Who
  // stands by goes on watching, so that it can begin at once.
  if (parts.cluster.wait_synced(stop)) {
    parts.log.info("synced");
    ended = parts.candidate ? parts.work_as_leader(stop) : parts.work(stop);
  }
  parts.cluster.stop();
  parts.log.info("stopped");
  return ended;
}

}  // namespace edgetrust
