#include "edgetrust/telemetry/metrics.hpp"

#include "families.hpp"

#include <algorithm>

#include <prometheus/text_serializer.h>

namespace edgetrust::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

// In the order of the enums.
const Axis& own_kinds() {
  static const Axis kAxis{
      "kind", {"EdgeCertificate", "PinPolicy", "Edge", "RotationPolicy", "AcmeIssuer", "GenesysConnection"}};
  return kAxis;
}
Axis watched_kinds() {
  Axis axis = own_kinds();
  axis.values.insert(axis.values.end(), {"Secret", "Lease"});
  return axis;
}
Axis apis() { return {"client", {"kubernetes", "acme", "genesys", "dns", "ssh", "heartbeat", "audit"}}; }
Axis queues() { return {"queue", {"certificates", "others", "pins"}}; }
Axis worker_states() { return {"state", {"busy", "idle"}}; }
Axis verbs() { return {"verb", {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}}; }
const std::vector<std::string>& code_names() {
  static const std::vector<std::string> kNames{"none", "2xx", "3xx", "4xx", "429", "5xx"};
  return kNames;
}
Axis codes() { return {"code", code_names()}; }
Axis reconcile_results() { return {"result", {"done", "waiting", "failed"}}; }
Axis rotation_results() { return {"result", {"active", "rolled_back", "rejected"}}; }
Axis troubles() { return {"what", {"effect", "pass"}}; }
Axis error_kinds() {
  Axis axis{"class", {}};
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInternal); ++kind) {
    axis.values.emplace_back(to_string(static_cast<ErrorKind>(kind)));
  }
  return axis;
}
Axis http01_results() { return {"result", {"answered", "unknown"}}; }

enum class Worker { kBusy, kIdle };
enum class Code { kNone, k2xx, k3xx, k4xx, k429, k5xx };
Code code_of(int status) {
  if (status == 429) return Code::k429;
  if (status < 200 || status > 599) return Code::kNone;
  constexpr std::array kByHundred = {Code::k2xx, Code::k3xx, Code::k4xx, Code::k5xx};
  return kByHundred.at(static_cast<std::size_t>(status / 100 - 2));
}

const Histogram::BucketBoundaries kReconcileBuckets{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60};
const Histogram::BucketBoundaries kApiBuckets{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
const Histogram::BucketBoundaries kWaitBuckets{0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300};
const Histogram::BucketBoundaries kRotationBuckets{60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200};

auto& counter(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
auto& gauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
auto& histogram(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

double unix_time(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

void set_or_forget(PerObject& metric, const std::string& ns, const std::string& name, std::optional<bool> flag) {
  flag ? metric.set(ns, name, *flag ? 1 : 0) : metric.forget(ns, name);
}
void set_or_forget(PerObject& metric, const std::string& ns, const std::string& name, std::optional<TimePoint> at) {
  at ? metric.set(ns, name, unix_time(*at)) : metric.forget(ns, name);
}
void set_or_forget(PerObject& metric, const std::string& ns, const std::string& name, std::optional<int> number) {
  number ? metric.set(ns, name, *number) : metric.forget(ns, name);
}

}  // namespace

struct Metrics::Impl {
  Registry registry;

  Gauge& leader{gauge(registry, "edgetrust_leader", "1 while this replica leads.").Add({})};
  prometheus::Family<Gauge>& watch_silence{
      gauge(registry, "edgetrust_watch_silence_seconds",
            "For how long the watch that has been silent for the longest has brought nothing.")};
  PerObject expiry{gauge(registry, "edgetrust_certificate_expiry_timestamp_seconds",
                         "When the certificate that the Edge serves expires.")};
  PerObject renewal{
      gauge(registry, "edgetrust_certificate_renewal_timestamp_seconds", "When the certificate is due to be renewed.")};
  PerObject window{gauge(registry, "edgetrust_certificate_window_timestamp_seconds",
                         "When the window opens that a stored certificate waits for.")};
  PerObject ready{gauge(registry, "edgetrust_certificate_ready", "1 while the EdgeCertificate is Ready.")};
  PerObject infeasible{gauge(registry, "edgetrust_certificate_infeasible",
                             "1 while no allowed slot is left before the certificate expires.")};
  PerObject phase{gauge(registry, "edgetrust_certificate_phase", "1 for the phase that the EdgeCertificate is in.")};
  Closed<Counter> rotations{counter(registry, "edgetrust_rotations_total", "Rotations that ended, by result."),
                            {rotation_results()}};
  Closed<Histogram> rotation_time{histogram(registry, "edgetrust_rotation_duration_seconds",
                                            "How long rotations took, from the push to their end."),
                                  {rotation_results()},
                                  kRotationBuckets};

  PerObject policy_halted{
      gauge(registry, "edgetrust_policy_halted", "1 while rollbacks keep further Edges of the policy from starting.")};
  PerObject policy_rotating{
      gauge(registry, "edgetrust_policy_rotating", "EdgeCertificates of the policy that are rotating.")};
  PerObject policy_budget{
      gauge(registry, "edgetrust_policy_budget", "EdgeCertificates of the policy that may rotate at a time.")};

  PerObject issuer_limited_until{gauge(registry, "edgetrust_issuer_limited_until_timestamp_seconds",
                                       "Until when the CA of the AcmeIssuer wants no orders.")};

  PerObject edge_online{gauge(registry, "edgetrust_edge_online", "1 while Genesys reports the Edge online.")};
  PerObject edge_sip_up{gauge(registry, "edgetrust_edge_sip_up", "1 while the Edge's SIP is healthy.")};
  PerObject edge_clock_offset{gauge(registry, "edgetrust_edge_clock_offset_seconds",
                                    "How far the Edge's clock is from the right time, either way.")};
  PerObject edge_clock_in_sync{
      gauge(registry, "edgetrust_edge_clock_in_sync", "1 while the Edge's clock is within the policy's maxOffset.")};
  PerObject edge_pin_state{gauge(registry, "edgetrust_edge_pin_state", "1 for how the Edge stands to its PinPolicy.")};
  PerObject edge_pins_enforced{
      gauge(registry, "edgetrust_edge_pins_enforced", "1 while a file that pins was put on the Edge by the operator.")};
  PerObject pins_current{
      gauge(registry, "edgetrust_pin_policy_current", "1 while the pins accept what the endpoint presents.")};
  PerObject pin_handshake_valid{gauge(registry, "edgetrust_pin_policy_handshake_valid",
                                      "1 while the chain that the endpoint presents validates.")};
  PerObject pin_edges{gauge(registry, "edgetrust_pin_policy_edges", "Edges that the PinPolicy selects.")};
  PerObject pin_edges_matched{
      gauge(registry, "edgetrust_pin_policy_edges_matched", "Edges of the PinPolicy on which all is as it says.")};
  PerObject pin_override{
      gauge(registry, "edgetrust_pin_policy_override_active", "1 while an emergency override suspends pinning.")};
  PerObject pins_switching_off{gauge(registry, "edgetrust_pin_policy_switching_off",
                                     "1 while Edges that have left Enforce still pin by the PinPolicy.")};
  PerObject pin_intercepted{
      gauge(registry, "edgetrust_pin_policy_intercepted", "1 while Edges see another chain than the endpoint's own.")};
  PerObject credentials_valid{gauge(registry, "edgetrust_connection_credentials_valid",
                                    "1 while Genesys accepts the connection's credentials.")};
  PerObject credentials_known{gauge(registry, "edgetrust_connection_credentials_known",
                                    "1 while it is known whether Genesys accepts the connection's credentials.")};
  PerObject credentials_deletion{gauge(registry, "edgetrust_connection_credentials_deletion_timestamp_seconds",
                                       "When Genesys deletes the OAuth client that is in use.")};
  PerObject standby_in_use{gauge(registry, "edgetrust_connection_standby_in_use",
                                 "1 while the connection's first OAuth client is refused and its standby is used.")};
  PerObject unmanaged_edges{
      gauge(registry, "edgetrust_connection_unmanaged_edges", "Edges in Genesys without an Edge object.")};

  Closed<Counter> reconciles{counter(registry, "edgetrust_reconcile_total", "Passes over an object, by result."),
                             {own_kinds(), reconcile_results()}};
  Closed<Histogram> reconcile_time{
      histogram(registry, "edgetrust_reconcile_duration_seconds", "How long a pass over an object took."),
      {own_kinds()},
      kReconcileBuckets};
  Closed<Gauge> queue_depth{gauge(registry, "edgetrust_queue_depth", "Keys that wait to be worked on now."),
                            {queues()}};
  Closed<Gauge> queue_oldest{
      gauge(registry, "edgetrust_queue_oldest_seconds", "How long the key has waited that has waited longest."),
      {queues()}};
  Closed<Histogram> queue_wait{
      histogram(registry, "edgetrust_queue_wait_duration_seconds", "How long keys waited for a worker."),
      {queues()},
      kWaitBuckets};
  Closed<Gauge> workers{gauge(registry, "edgetrust_workers", "Workers, by whether they have a key."),
                        {queues(), worker_states()}};
  Closed<Gauge> longest_pass{
      gauge(registry, "edgetrust_reconcile_longest_running_seconds", "How long the longest pass has been under way."),
      {queues()}};
  Closed<Counter> watch_restarts{
      counter(registry, "edgetrust_watch_restarts_total", "Watches that ended and were begun again."),
      {watched_kinds()}};

  Closed<Counter> errors{
      counter(registry, "edgetrust_errors_total",
              "What failed, by class: effect, something that was tried for an object; pass, a look at an object."),
      {troubles(), error_kinds()}};

  Closed<Counter> http01_requests{
      counter(registry, "edgetrust_http01_requests_total", "Requests on the port of http-01, by result."),
      {http01_results()}};

  Closed<Counter> api_requests{
      counter(registry, "edgetrust_api_requests_total", "Requests to others by class of status; none: no answer came."),
      {apis(), verbs(), codes()}};
  prometheus::Family<Histogram>& api_time{
      histogram(registry, "edgetrust_api_duration_seconds", "How long requests to others took, by kind and outcome.")};

  Counter& audit_written{
      counter(registry, "edgetrust_audit_records_total", "Audit records that were written.").Add({})};
  Counter& audit_failed{counter(registry, "edgetrust_audit_write_failures_total",
                                "Audit records that were not written and are lost, or were not synced and may be.")
                            .Add({})};
  Counter& audit_late{counter(registry, "edgetrust_audit_late_total",
                              "Audit records that waited in memory for a volume that did not answer in time.")
                          .Add({})};
  Gauge& audit_waiting{
      gauge(registry, "edgetrust_audit_waiting", "Audit records that wait in memory for a volume that does not answer.")
          .Add({})};
  Closed<Counter> audit_sink_failures{counter(registry, "edgetrust_audit_sink_failures_total",
                                              "Times that the audit sink did not take a record, by class."),
                                      {error_kinds()}};
  Counter& audit_sink_taken{
      counter(registry, "edgetrust_audit_sink_taken_total", "Audit records that the sink has taken.").Add({})};
  prometheus::Family<Gauge>& audit_sink_backlog{
      gauge(registry, "edgetrust_audit_sink_backlog", "Audit records that wait to be taken by the sink.")};
  std::mutex audit_sink_mutex;
  prometheus::Family<Gauge>& audit_sink_oldest{
      gauge(registry, "edgetrust_audit_sink_oldest_timestamp_seconds",
            "When the first audit record was written that the sink has not taken.")};
};

Metrics::Metrics(const BuildInfo& build) : impl_(std::make_unique<Impl>()) {
  gauge(impl_->registry, "edgetrust_build_info", "1, labelled with what was built.")
      .Add({{"version", build.version}})
      .Set(1);
}
Metrics::~Metrics() = default;

void Metrics::leader(bool leading) { impl_->leader.Set(leading ? 1 : 0); }
void Metrics::watch_silence(Seconds silent_for) { impl_->watch_silence.Add({}).Set(silent_for.count()); }

void Metrics::certificate_expiry(const std::string& ns, const std::string& name, std::optional<TimePoint> at) {
  set_or_forget(impl_->expiry, ns, name, at);
}
void Metrics::certificate_renewal(const std::string& ns, const std::string& name, std::optional<TimePoint> at) {
  set_or_forget(impl_->renewal, ns, name, at);
}
void Metrics::certificate_window(const std::string& ns, const std::string& name, std::optional<TimePoint> opens) {
  set_or_forget(impl_->window, ns, name, opens);
}
void Metrics::certificate_ready(const std::string& ns, const std::string& name, bool ready) {
  impl_->ready.set(ns, name, ready ? 1 : 0);
}
void Metrics::certificate_infeasible(const std::string& ns, const std::string& name, bool infeasible) {
  impl_->infeasible.set(ns, name, infeasible ? 1 : 0);
}
void Metrics::phase(const std::string& ns, const std::string& name, const std::optional<std::string>& phase) {
  phase ? impl_->phase.set(ns, name, 1, {{"phase", *phase}}) : impl_->phase.forget(ns, name);
}
void Metrics::forget_certificate(const std::string& ns, const std::string& name) {
  for (auto* metric :
       {&impl_->expiry, &impl_->renewal, &impl_->window, &impl_->ready, &impl_->infeasible, &impl_->phase}) {
    metric->forget(ns, name);
  }
}
void Metrics::http01_request(Http01 result) { impl_->http01_requests.at(result).Increment(); }
void Metrics::rotation(Rotation result, std::optional<Seconds> took) {
  impl_->rotations.at(result).Increment();
  if (took) impl_->rotation_time.at(result).Observe(took->count());
}

void Metrics::policy_halted(const std::string& ns, const std::string& name, bool halted) {
  impl_->policy_halted.set(ns, name, halted ? 1 : 0);
}
void Metrics::policy_rotating(const std::string& ns, const std::string& name, int rotations) {
  impl_->policy_rotating.set(ns, name, rotations);
}
void Metrics::policy_budget(const std::string& ns, const std::string& name, int rotations) {
  impl_->policy_budget.set(ns, name, rotations);
}
void Metrics::forget_policy(const std::string& ns, const std::string& name) {
  for (auto* metric : {&impl_->policy_halted, &impl_->policy_rotating, &impl_->policy_budget}) metric->forget(ns, name);
}

void Metrics::issuer_limited_until(const std::string& ns, const std::string& name, std::optional<TimePoint> until) {
  set_or_forget(impl_->issuer_limited_until, ns, name, until);
}
void Metrics::forget_issuer(const std::string& ns, const std::string& name) {
  impl_->issuer_limited_until.forget(ns, name);
}

void Metrics::edge_online(const std::string& ns, const std::string& name, std::optional<bool> online) {
  set_or_forget(impl_->edge_online, ns, name, online);
}
void Metrics::edge_sip_up(const std::string& ns, const std::string& name, std::optional<bool> up) {
  set_or_forget(impl_->edge_sip_up, ns, name, up);
}
void Metrics::edge_clock_offset(const std::string& ns, const std::string& name, std::optional<Seconds> offset) {
  offset ? impl_->edge_clock_offset.set(ns, name, offset->count()) : impl_->edge_clock_offset.forget(ns, name);
}
void Metrics::edge_pin_state(const std::string& ns, const std::string& name, const std::optional<std::string>& state) {
  state ? impl_->edge_pin_state.set(ns, name, 1, {{"state", *state}}) : impl_->edge_pin_state.forget(ns, name);
}
void Metrics::edge_pins_enforced(const std::string& ns, const std::string& name, std::optional<bool> enforced) {
  set_or_forget(impl_->edge_pins_enforced, ns, name, enforced);
}
void Metrics::edge_clock_in_sync(const std::string& ns, const std::string& name, std::optional<bool> in_sync) {
  set_or_forget(impl_->edge_clock_in_sync, ns, name, in_sync);
}
void Metrics::forget_edge(const std::string& ns, const std::string& name) {
  for (auto* metric : {&impl_->edge_online, &impl_->edge_sip_up, &impl_->edge_clock_offset, &impl_->edge_clock_in_sync,
                       &impl_->edge_pin_state, &impl_->edge_pins_enforced})
    metric->forget(ns, name);
}

void Metrics::pins_current(const std::string& ns, const std::string& name, std::optional<bool> current) {
  set_or_forget(impl_->pins_current, ns, name, current);
}
void Metrics::pin_handshake_valid(const std::string& ns, const std::string& name, std::optional<bool> valid) {
  set_or_forget(impl_->pin_handshake_valid, ns, name, valid);
}
void Metrics::pin_edges(const std::string& ns, const std::string& name, std::optional<int> selected,
                        std::optional<int> matched) {
  set_or_forget(impl_->pin_edges, ns, name, selected);
  set_or_forget(impl_->pin_edges_matched, ns, name, matched);
}
void Metrics::pin_override(const std::string& ns, const std::string& name, std::optional<bool> active) {
  set_or_forget(impl_->pin_override, ns, name, active);
}
void Metrics::pins_switching_off(const std::string& ns, const std::string& name, std::optional<bool> switching_off) {
  set_or_forget(impl_->pins_switching_off, ns, name, switching_off);
}
void Metrics::pin_intercepted(const std::string& ns, const std::string& name, std::optional<bool> intercepted) {
  set_or_forget(impl_->pin_intercepted, ns, name, intercepted);
}
void Metrics::forget_pin_policy(const std::string& ns, const std::string& name) {
  for (auto* metric : {&impl_->pins_current, &impl_->pin_handshake_valid, &impl_->pin_edges, &impl_->pin_edges_matched,
                       &impl_->pin_override, &impl_->pins_switching_off, &impl_->pin_intercepted})
    metric->forget(ns, name);
}
void Metrics::credentials_valid(const std::string& ns, const std::string& name, std::optional<bool> valid) {
  set_or_forget(impl_->credentials_valid, ns, name, valid);
}
void Metrics::credentials_known(const std::string& ns, const std::string& name, bool known) {
  impl_->credentials_known.set(ns, name, known ? 1 : 0);
}
void Metrics::credentials_deletion(const std::string& ns, const std::string& name, std::optional<TimePoint> at) {
  set_or_forget(impl_->credentials_deletion, ns, name, at);
}
void Metrics::standby_in_use(const std::string& ns, const std::string& name, std::optional<bool> in_use) {
  set_or_forget(impl_->standby_in_use, ns, name, in_use);
}
void Metrics::unmanaged_edges(const std::string& ns, const std::string& name, std::optional<int> edges) {
  set_or_forget(impl_->unmanaged_edges, ns, name, edges);
}
void Metrics::forget_connection(const std::string& ns, const std::string& name) {
  for (auto* metric : {&impl_->credentials_valid, &impl_->credentials_known, &impl_->credentials_deletion,
                       &impl_->standby_in_use, &impl_->unmanaged_edges})
    metric->forget(ns, name);
}

void Metrics::reconcile(Kind kind, Seconds took, Reconciled result) {
  impl_->reconciles.at(kind, result).Increment();
  impl_->reconcile_time.at(kind).Observe(took.count());
}
void Metrics::queue_wait(Queue queue, Seconds waited) { impl_->queue_wait.at(queue).Observe(waited.count()); }
void Metrics::queue(Queue queue, const QueueState& state) {
  impl_->queue_depth.at(queue).Set(static_cast<double>(state.due));
  impl_->queue_oldest.at(queue).Set(state.oldest.count());
  impl_->workers.at(queue, Worker::kBusy).Set(static_cast<double>(state.busy));
  impl_->workers.at(queue, Worker::kIdle).Set(static_cast<double>(state.idle));
  impl_->longest_pass.at(queue).Set(state.longest.count());
}
void Metrics::error(Trouble trouble, ErrorKind kind) { impl_->errors.at(trouble, kind).Increment(); }
void Metrics::watch_restart(Kind kind) { impl_->watch_restarts.at(kind).Increment(); }

void Metrics::api_request(Api api, Verb verb, int status) {
  impl_->api_requests.at(api, verb, code_of(status)).Increment();
}
void Metrics::api_duration(Api api, std::string_view request, int status, Seconds took) {
  const auto word = [](const Axis& axis, auto position) { return axis.values.at(static_cast<std::size_t>(position)); };
  impl_->api_time
      .Add({{"client", word(apis(), api)}, {"request", std::string(request)}, {"code", word(codes(), code_of(status))}},
           kApiBuckets)
      .Observe(took.count());
}

void Metrics::audit_written() { impl_->audit_written.Increment(); }
void Metrics::audit_failed() { impl_->audit_failed.Increment(); }
void Metrics::audit_late() { impl_->audit_late.Increment(); }
void Metrics::audit_waits(std::uint64_t records) { impl_->audit_waiting.Set(static_cast<double>(records)); }
void Metrics::audit_sink_failed(ErrorKind kind) { impl_->audit_sink_failures.at(kind).Increment(); }
void Metrics::audit_sink_took() { impl_->audit_sink_taken.Increment(); }
void Metrics::audit_sink_waits(std::uint64_t records, std::optional<TimePoint> since) {
  const std::lock_guard lock(impl_->audit_sink_mutex);  // of two scrapes at once one may take the series away
  impl_->audit_sink_backlog.Add({}).Set(static_cast<double>(records));
  Gauge& oldest = impl_->audit_sink_oldest.Add({});
  since ? oldest.Set(unix_time(*since)) : impl_->audit_sink_oldest.Remove(&oldest);
}

// The library hands series out in the order of a hash table.
std::string Metrics::text() const {
  auto families = impl_->registry.Collect();
  std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& family : families) {
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace edgetrust::telemetry
