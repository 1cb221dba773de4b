#include "audit_trail.hpp"

#include "edgetrust/base/text.hpp"

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

Result<std::unique_ptr<audit::Sink>> make_sink(const Options& options, const Clock& clock,
                                               const telemetry::Logger& log) {
  if (options.audit_log == "-")
    return fail(ErrorKind::kInvalid, "--audit-sink needs a file in --audit-log: what is not taken is kept there");
  EDGETRUST_TRY_ASSIGN(http::Url endpoint, http::Url::parse(options.audit_sink));
  if (!endpoint.is_https()) return fail(ErrorKind::kInvalid, "--audit-sink must be https");
  EDGETRUST_TRY_ASSIGN(std::string key, content("--audit-sink-key-file", options.audit_sink_key_file));
  std::string roots;
  if (!options.audit_sink_ca_file.empty()) {
    EDGETRUST_TRY_ASSIGN(roots, content("--audit-sink-ca-file", options.audit_sink_ca_file));
  }
  EDGETRUST_TRY_ASSIGN(auto transport, http::make_transport({.public_roots = roots.empty(), .ca_pem = roots}));
  Secret secret(trim(key));
  cleanse(key.data(), key.size());
  return std::make_unique<audit::Sink>(
      audit::Sink::Options{.endpoint = std::move(endpoint),
                           .key = std::move(secret),
                           .log_path = options.audit_log,
                           .failed =
                               [&log](const Error& error) {
                                 log.warn("an audit record was not taken", {{"error", error}});
                               }},
      std::move(transport), clock);
}

}  // namespace

Result<std::unique_ptr<AuditTrail>> AuditTrail::create(const Options& options, const std::string& instance,
                                                       const Clock& clock, const telemetry::Logger& log) {
  if (options.audit_log.empty()) return nullptr;
  auto trail = std::make_unique<AuditTrail>();
  if (!options.audit_sink.empty()) {
    EDGETRUST_TRY_ASSIGN(trail->sink_, make_sink(options, clock, log));
  }
  EDGETRUST_TRY_ASSIGN(trail->log_,
                       audit::Log::open({.path = options.audit_log,
                                         .instance = instance,
                                         .failed =
                                             [&log](const Error& error) {
                                               log.error("an audit record could not be written", {{"error", error}});
                                             },
                                         .written =
                                             [sink = trail->sink_.get()] {
                                               if (sink != nullptr) sink->wake();
                                             }},
                                        clock));
  return trail;
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
