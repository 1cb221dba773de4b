#pragma once
// Every metric of the program, in one place: prefix edgetrust_, base units (seconds, Unix time). A series whose labels
// come from a closed set is there from the start with 0, so that a rate or an alert never meets a gap. The only open
// labels are namespace and name of our own objects; such a series is forgotten with its object, and while its value is
// empty: what nobody knows has no sample. The times of requests, by their kind, begin with the first of that kind:
// nobody alerts on them, and all that there could be would be thousands.
//
// Called by: main, which is told by the rooms; text() by its server. Threads: any. Errors: none.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/error.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::telemetry {

enum class Kind {
  kEdgeCertificate,
  kPinPolicy,
  kEdge,
  kRotationPolicy,
  kAcmeIssuer,
  kGenesysConnection,
  // watched, not reconciled
  kSecret,
  kLease,
};
enum class Reconciled { kDone, kWaiting, kFailed };  // nothing left to do; a wake-up is set; an error, tried again
enum class Rotation { kActive, kRolledBack, kRejected };
enum class Api { kKubernetes, kAcme, kGenesys, kDns, kSsh, kHeartbeat, kAudit };
enum class Queue { kCertificates, kOthers, kPins };  // EdgeCertificates, the kinds that they lean on, pins of Edges
enum class Trouble { kEffect, kPass };      // what was tried for an object failed; it could not be worked on at all
enum class Http01 { kAnswered, kUnknown };  // what was asked for stands in a status, or not
enum class Verb { kGet, kHead, kPost, kPut, kPatch, kDelete };  // a DNS update counts as POST

struct BuildInfo {
  std::string version;
};

class Metrics {
 public:
  using Seconds = std::chrono::duration<double>;
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

  explicit Metrics(const BuildInfo& build);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void leader(bool leading);               // edgetrust_leader
  void watch_silence(Seconds silent_for);  // edgetrust_watch_silence_seconds, of the watch that is silent for longest

  // EdgeCertificates
  void certificate_expiry(const std::string& ns, const std::string& name, std::optional<TimePoint> at);
  void certificate_renewal(const std::string& ns, const std::string& name, std::optional<TimePoint> at);
  // When the window that is waited for opens.
  void certificate_window(const std::string& ns, const std::string& name, std::optional<TimePoint> opens);
  void certificate_ready(const std::string& ns, const std::string& name, bool ready);
  void certificate_infeasible(const std::string& ns, const std::string& name, bool infeasible);
  void phase(const std::string& ns, const std::string& name,
             const std::optional<std::string>& phase);  // one of status.phase's words
  void forget_certificate(const std::string& ns, const std::string& name);
  // A rotation has ended. `took`: since its push began; empty when it never came to that.
  void rotation(Rotation result, std::optional<Seconds> took);

  // RotationPolicies
  void policy_halted(const std::string& ns, const std::string& name, bool halted);
  void policy_rotating(const std::string& ns, const std::string& name, int rotations);
  void policy_budget(const std::string& ns, const std::string& name, int rotations);  // how many may rotate at a time
  void forget_policy(const std::string& ns, const std::string& name);

  // AcmeIssuers
  void issuer_limited_until(const std::string& ns, const std::string& name, std::optional<TimePoint> until);
  void forget_issuer(const std::string& ns, const std::string& name);

  // Edges
  void edge_online(const std::string& ns, const std::string& name, std::optional<bool> online);
  void edge_sip_up(const std::string& ns, const std::string& name, std::optional<bool> up);
  void edge_clock_offset(const std::string& ns, const std::string& name, std::optional<Seconds> offset);
  void edge_clock_in_sync(const std::string& ns, const std::string& name, std::optional<bool> in_sync);
  // One of status.pins.state's words; empty: no PinPolicy selects it.
  void edge_pin_state(const std::string& ns, const std::string& name, const std::optional<std::string>& state);
  void edge_pins_enforced(const std::string& ns, const std::string& name, std::optional<bool> enforced);
  void forget_edge(const std::string& ns, const std::string& name);

  // PinPolicies and GenesysConnections
  void pins_current(const std::string& ns, const std::string& name, std::optional<bool> current);
  void pin_handshake_valid(const std::string& ns, const std::string& name, std::optional<bool> valid);
  // Edges that a policy selects, and those of them whose state is Matched.
  void pin_edges(const std::string& ns, const std::string& name, std::optional<int> selected,
                 std::optional<int> matched);
  void pin_override(const std::string& ns, const std::string& name, std::optional<bool> active);
  void pins_switching_off(const std::string& ns, const std::string& name, std::optional<bool> switching_off);
  void pin_intercepted(const std::string& ns, const std::string& name, std::optional<bool> intercepted);
  void forget_pin_policy(const std::string& ns, const std::string& name);
  void credentials_valid(const std::string& ns, const std::string& name, std::optional<bool> valid);
  // Whether anybody can tell; always there, so that an alert sees each of several connections.
  void credentials_known(const std::string& ns, const std::string& name, bool known);
  // When Genesys deletes the OAuth client.
  void credentials_deletion(const std::string& ns, const std::string& name, std::optional<TimePoint> at);
  void standby_in_use(const std::string& ns, const std::string& name, std::optional<bool> in_use);
  void unmanaged_edges(const std::string& ns, const std::string& name, std::optional<int> edges);
  void forget_connection(const std::string& ns, const std::string& name);

  // The engine
  void reconcile(Kind kind, Seconds took, Reconciled result);
  void queue_wait(Queue queue, Seconds waited);  // a key was taken that had been due for so long
  struct QueueState {
    std::size_t due = 0;  // keys that could be worked on now
    Seconds oldest{};     // how long the first of them has been due
    std::size_t busy = 0;
    std::size_t idle = 0;  // workers
    Seconds longest{};     // the oldest pass that is under way
  };
  void queue(Queue queue, const QueueState& state);
  void error(Trouble trouble, ErrorKind kind);  // edgetrust_errors_total
  void watch_restart(Kind kind);

  void http01_request(Http01 result);  // edgetrust_http01_requests_total

  // What we ask of others. `status` is HTTP's; 0 when no answer came. `request` says what kind it is: one of few words.
  void api_request(Api api, Verb verb, int status);
  void api_duration(Api api, std::string_view request, int status, Seconds took);

  // The audit trail.
  void audit_written();
  void audit_failed();  // a record is lost, or may be
  void audit_late();    // a record waits in memory for its volume
  void audit_waits(std::uint64_t records);
  void audit_sink_failed(ErrorKind kind);
  void audit_sink_took();
  void audit_sink_waits(std::uint64_t records, std::optional<TimePoint> oldest);  // when the first of them was written

  [[nodiscard]] std::string text() const;  // Prometheus text format 0.0.4, sorted

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgetrust::telemetry
