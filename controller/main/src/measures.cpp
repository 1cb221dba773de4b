#include "measures.hpp"

#include "edgetrust/api/codec.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/kube/resource.hpp"
#include "lanes.hpp"

namespace edgetrust {
namespace {

template <class Kind>
std::string kind_name() {
  return std::string(api::kKind<Kind>.kind);
}

// Empty when nobody knows: then there is no sample rather than a wrong one.
std::optional<bool> truth_of(const std::vector<api::Condition>& conditions, std::string_view type) {
  const auto* condition = api::find(conditions, type);
  if (condition == nullptr || condition->status == api::Truth::kUnknown) return std::nullopt;
  return condition->status == api::Truth::kTrue;
}

}  // namespace

telemetry::Kind metric_kind(const std::string& kind) {
  using telemetry::Kind;
  if (kind == kind_name<api::EdgeCertificate>()) return Kind::kEdgeCertificate;
  if (kind == kind_name<api::Edge>() || kind == kEdgePins) return Kind::kEdge;
  if (kind == kind_name<api::RotationPolicy>()) return Kind::kRotationPolicy;
  if (kind == kind_name<api::AcmeIssuer>()) return Kind::kAcmeIssuer;
  if (kind == kind_name<api::GenesysConnection>()) return Kind::kGenesysConnection;
  if (kind == kind_name<api::PinPolicy>()) return Kind::kPinPolicy;
  return kind == kube::leases().kind ? Kind::kLease : Kind::kSecret;
}

telemetry::Verb metric_verb(http::Method method) {
  using telemetry::Verb;
  switch (method) {
    case http::Method::kGet: return Verb::kGet;
    case http::Method::kHead: return Verb::kHead;
    case http::Method::kPost: return Verb::kPost;
    case http::Method::kPut: return Verb::kPut;
    case http::Method::kPatch: return Verb::kPatch;
    case http::Method::kDelete: return Verb::kDelete;
  }
  return Verb::kGet;
}

void measure(telemetry::Metrics& metrics, telemetry::Api api, const http::Exchange& exchange) {
  metrics.api_request(api, metric_verb(exchange.method), exchange.status);
  metrics.api_duration(api, exchange.name, exchange.status, exchange.took);
}

void measure(telemetry::Metrics& metrics, const kube::CallReport& call) {
  metrics.api_request(telemetry::Api::kKubernetes, metric_verb(call.method), call.status);
  if (!call.took) return;
  metrics.api_duration(telemetry::Api::kKubernetes, std::string(call.verb) + " " + call.resource, call.status,
                       *call.took);
}

std::optional<telemetry::Rotation> metric_rotation(api::RevisionResult result) {
  switch (result) {
    case api::RevisionResult::kActive: return telemetry::Rotation::kActive;
    case api::RevisionResult::kRolledBack: return telemetry::Rotation::kRolledBack;
    case api::RevisionResult::kRejected: return telemetry::Rotation::kRejected;
    case api::RevisionResult::kSuperseded:
    case api::RevisionResult::kAdopted: return std::nullopt;
  }
  return std::nullopt;
}

void measure(telemetry::Metrics& metrics, const api::EdgeCertificate& certificate) {
  const auto& [ns, name] = std::tie(certificate.meta.ns, certificate.meta.name);
  const auto& status = certificate.status;
  metrics.certificate_expiry(ns, name, status.not_after);
  metrics.certificate_renewal(ns, name, status.renewal_time);
  const auto opens = parse_rfc3339(status.next_window);
  metrics.certificate_window(ns, name, opens ? std::optional(*opens) : std::nullopt);
  metrics.phase(ns, name, status.phase ? std::optional<std::string>(to_string(*status.phase)) : std::nullopt);
  metrics.certificate_ready(ns, name, truth_of(status.conditions, api::condition::kReady).value_or(false));
  metrics.certificate_infeasible(ns, name, truth_of(status.conditions, api::condition::kInfeasible).value_or(false));
}

void measure(telemetry::Metrics& metrics, const api::RotationPolicy& policy) {
  const auto& [ns, name] = std::tie(policy.meta.ns, policy.meta.name);
  metrics.policy_halted(ns, name, policy.status.state == api::PolicyState::kHalted);
  metrics.policy_rotating(ns, name, static_cast<int>(policy.status.rotating.size()));
  metrics.policy_budget(ns, name, api::effective_rotation({}, &policy.spec).max_concurrent);
}

void measure(telemetry::Metrics& metrics, const api::Edge& edge) {
  const auto& [ns, name] = std::tie(edge.meta.ns, edge.meta.name);
  metrics.edge_online(ns, name, truth_of(edge.status.conditions, api::condition::kOnline));
  metrics.edge_sip_up(ns, name, truth_of(edge.status.conditions, api::condition::kSipHealthy));
  metrics.edge_clock_in_sync(ns, name, truth_of(edge.status.conditions, api::condition::kClockInSync));
  const auto& pins = edge.status.pins;
  metrics.edge_pin_state(ns, name, pins ? std::optional<std::string>(api::to_string(pins->state)) : std::nullopt);
  metrics.edge_pins_enforced(ns, name, pins ? std::optional(pins->enforced) : std::nullopt);
}

void measure(telemetry::Metrics& metrics, const api::GenesysConnection& connection) {
  const auto& [ns, name] = std::tie(connection.meta.ns, connection.meta.name);
  const auto* credentials = api::find(connection.status.conditions, api::condition::kCredentialsValid);
  const auto valid = truth_of(connection.status.conditions, api::condition::kCredentialsValid);
  metrics.credentials_valid(ns, name, valid);
  metrics.credentials_known(ns, name, valid.has_value());
  metrics.standby_in_use(ns, name, valid ? std::optional(credentials->reason == "StandbyInUse") : std::nullopt);
  const auto& used = connection.status.credentials;
  const auto deletion = parse_rfc3339(used ? used->delete_after : std::string{});
  metrics.credentials_deletion(ns, name, deletion ? std::optional(*deletion) : std::nullopt);
  metrics.unmanaged_edges(ns, name, connection.status.edges ? connection.status.edges->unmanaged : std::nullopt);
}

void measure(telemetry::Metrics& metrics, const api::PinPolicy& policy) {
  const auto& [ns, name] = std::tie(policy.meta.ns, policy.meta.name);
  metrics.pins_current(ns, name, truth_of(policy.status.conditions, api::condition::kPinsCurrent));
  metrics.pin_handshake_valid(ns, name, truth_of(policy.status.conditions, api::condition::kHandshakeValid));
  metrics.pin_override(ns, name, truth_of(policy.status.conditions, api::condition::kOverrideActive));
  metrics.pin_intercepted(ns, name, truth_of(policy.status.conditions, api::condition::kIntercepted));
  const auto* ready = api::find(policy.status.conditions, api::condition::kReady);
  metrics.pins_switching_off(ns, name,
                             ready != nullptr ? std::optional(ready->reason == "SwitchingOff") : std::nullopt);
  const auto& summary = policy.status.summary;
  metrics.pin_edges(ns, name, summary ? std::optional(summary->total) : std::nullopt,
                    summary ? std::optional(summary->matched) : std::nullopt);
}

void measure(telemetry::Metrics& metrics, const api::AcmeIssuer& issuer) {
  const auto until = parse_rfc3339(issuer.status.limited_until);
  metrics.issuer_limited_until(issuer.meta.ns, issuer.meta.name, until ? std::optional(*until) : std::nullopt);
}

void forget(telemetry::Metrics& metrics, const api::AcmeIssuer& issuer) {
  metrics.forget_issuer(issuer.meta.ns, issuer.meta.name);
}
void forget(telemetry::Metrics& metrics, const api::EdgeCertificate& certificate) {
  metrics.forget_certificate(certificate.meta.ns, certificate.meta.name);
}
void forget(telemetry::Metrics& metrics, const api::RotationPolicy& policy) {
  metrics.forget_policy(policy.meta.ns, policy.meta.name);
}
void forget(telemetry::Metrics& metrics, const api::Edge& edge) { metrics.forget_edge(edge.meta.ns, edge.meta.name); }
void forget(telemetry::Metrics& metrics, const api::GenesysConnection& connection) {
  metrics.forget_connection(connection.meta.ns, connection.meta.name);
}
void forget(telemetry::Metrics& metrics, const api::PinPolicy& policy) {
  metrics.forget_pin_policy(policy.meta.ns, policy.meta.name);
}

}  // namespace edgetrust
