#include "audit_trail.hpp"

#include "edgetrust/base/text.hpp"
#include "measures.hpp"

#include <fstream>
#include <iterator>

namespace edgetrust {
namespace {

Result<std::string> content(const std::string& flag, const std::string& path) {
  std::ifstream in(path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (trim(text).empty()) return fail(ErrorKind::kInvalid, flag + ": nothing can be read from " + path);
  return text;
}

Result<std::unique_ptr<audit::Sink>> make_sink(const Options& options, const Clock& clock, const telemetry::Logger& log,
                                               telemetry::Metrics& metrics) {
  if (options.audit_log == "-")
    return fail(ErrorKind::kInvalid, "--audit-sink needs a file in --audit-log: what is not taken is kept there");
  EDGETRUST_TRY_ASSIGN(http::Url endpoint, http::Url::parse(options.audit_sink));
  if (!endpoint.is_https()) return fail(ErrorKind::kInvalid, "--audit-sink must be https");
  EDGETRUST_TRY_ASSIGN(std::string key, content("--audit-sink-key-file", options.audit_sink_key_file));
  std::string roots;
  if (!options.audit_sink_ca_file.empty()) {
    EDGETRUST_TRY_ASSIGN(roots, content("--audit-sink-ca-file", options.audit_sink_ca_file));
  }
  EDGETRUST_TRY_ASSIGN(auto made, http::make_transport({.public_roots = roots.empty(), .ca_pem = roots}));
  auto transport = http::observed(std::move(made), clock, [&metrics](const http::Exchange& exchange) {
    measure(metrics, telemetry::Api::kAudit, exchange);
  });
  Secret secret(trim(key));
  cleanse(key.data(), key.size());
  return std::make_unique<audit::Sink>(
      audit::Sink::Options{.endpoint = std::move(endpoint),
                           .key = std::move(secret),
                           .log_path = options.audit_log,
                           .failed =
                               [&log, &metrics](const Error& error) {
                                 metrics.audit_sink_failed(error.kind);
                                 log.warn("an audit record was not taken", {{"error", error}});
                               },
                           .took = [&metrics] { metrics.audit_sink_took(); }},
      std::move(transport), clock);
}

}  // namespace

Result<std::unique_ptr<AuditTrail>> AuditTrail::create(const Options& options, const std::string& instance,
                                                       const Clock& clock, const telemetry::Logger& log,
                                                       telemetry::Metrics& metrics) {
  if (options.audit_log.empty()) return nullptr;
  auto trail = std::make_unique<AuditTrail>();
  if (!options.audit_sink.empty()) {
    EDGETRUST_TRY_ASSIGN(trail->sink_, make_sink(options, clock, log, metrics));
  }
  trail->log_ = std::make_unique<audit::Log>(
      audit::Log::Options{.path = options.audit_log,
                          .instance = instance,
                          .failed =
                              [&log, &metrics](const Error& error) {
                                metrics.audit_failed();
                                log.error("an audit record could not be written", {{"error", error}});
                              },
                          .late =
                              [&log, &metrics](const Error& error) {
                                metrics.audit_late();
                                log.warn("an audit record waits for its volume", {{"error", error}});
                              },
                          .written =
                              [sink = trail->sink_.get(), &metrics] {
                                metrics.audit_written();
                                if (sink != nullptr) sink->wake();
                              }},
      clock);
  EDGETRUST_TRY(trail->log_->check());
  return trail;
}

Status AuditTrail::open() {
  EDGETRUST_TRY(log_->open());
  if (sink_) sink_->start();
  is_open_ = true;
  return {};
}

void AuditTrail::close() {
  is_open_ = false;
  if (sink_) sink_->stop();
  log_->close();
}

void AuditTrail::measure(telemetry::Metrics& metrics) const {
  metrics.audit_waits(is_open_ ? log_->waiting() : 0);
  if (!sink_ || !is_open_) return;
  const auto pending = sink_->pending();
  const std::uint64_t next = log_->next_sequence();
  metrics.audit_sink_waits(pending && next > pending->sequence ? next - pending->sequence : 0,
                           pending ? std::optional(pending->at) : std::nullopt);
}

AuditTrail::Objects AuditTrail::watched(AuditTrail* trail, const Objects& objects) {
  if (trail == nullptr) return objects;
  audit::Log& log = *trail->log_;
  trail->watched_.reset(new Watched{
      {objects.certificates, log}, {objects.edges, log}, {objects.policies, log}, {objects.pin_policies, log}});
  Watched& watched = *trail->watched_;
  return {watched.certificates, watched.edges, watched.policies, watched.pin_policies};
}

}  // namespace edgetrust
