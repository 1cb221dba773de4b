#pragma once
// Observations of one EdgeCertificate, "edge01", in sane situations. A test takes one and changes what it is about.
//
// The object has been at this for a while: revision 1 is live, revision 2 is the next one. Windows are always open,
// unless a test closes them. Times are relative to kNow.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/certificate/decide.hpp"

#include <chrono>
#include <string>

namespace edgetrust::support {

using decide::certificate::Decision;
using decide::certificate::EdgeLook;
using decide::certificate::Failures;
using decide::certificate::Observation;
using decide::certificate::OrderLook;
using decide::certificate::record_id;
using decide::certificate::RecordsLook;
using decide::certificate::Source;
using decide::certificate::StoredRevision;
using decide::certificate::VendorLook;
namespace effect = decide::certificate::effect;
using std::chrono_literals::operator""h;

inline const TimePoint kNow = parse_rfc3339("2026-11-22T12:00:00Z").value();  // a Sunday
inline constexpr auto kLifetime = 90 * 24h;
inline const std::string kName = "edge01.example.com";
inline const std::string kOrderUrl = "https://ca.example/order/1";
inline const std::string kRecordName = "_acme-challenge.edge01.example.com";

inline Error error(ErrorKind kind, std::string what = "no luck") { return {.kind = kind, .what = std::move(what)}; }
inline Error already_replaced() {
  return {
      .kind = ErrorKind::kConflict, .what = "alreadyReplaced", .code = "urn:ietf:params:acme:error:alreadyReplaced"};
}
inline Failures failed(const std::string& effect_name, ErrorKind kind, TimePoint at, int count = 1) {
  return {{effect_name, {.effect = effect_name, .error = error(kind), .count = count, .at = at}}};
}

// --- what is stored

inline std::string fingerprint(int revision) { return "fp" + std::to_string(revision); }
inline ports::ChainFacts chain(int revision, TimePoint not_before = kNow - 24h) {
  return {.serial_number = "0" + std::to_string(revision),
          .fingerprint_sha256 = fingerprint(revision),
          .public_key_sha256 = "key" + std::to_string(revision),
          .authority_key_id = "aa",
          .issuer = "Test CA",
          .not_before = not_before,
          .not_after = not_before + kLifetime,
          .dns_names = {kName},
          .server_auth = true,
          .certificates = 2};
}
inline StoredRevision whole(int revision, TimePoint not_before = kNow - 24h) {
  return {.number = revision, .has_key = true, .chain = chain(revision, not_before)};
}
inline StoredRevision key_only(int revision) { return {.number = revision, .has_key = true}; }

// --- what is seen

inline EdgeLook look(std::string served_fingerprint, TimePoint at = kNow) {
  EdgeLook seen{.at = at, .probed = true};
  seen.health = ports::EdgeHealth{.state = ports::EdgeState::kOk, .sip = ports::SipState::kUp};
  seen.served = ports::ChainFacts{.serial_number = "ff",
                                  .fingerprint_sha256 = std::move(served_fingerprint),
                                  .issuer = "Some CA",
                                  .not_before = kNow - 24h,
                                  .not_after = kNow - 24h + kLifetime};
  seen.evidence.emplace();
  seen.evidence->trunks.emplace();
  return seen;
}
inline EdgeLook look(int revision, TimePoint at = kNow) { return look(fingerprint(revision), at); }
// An Edge that works, and on which nothing listens for TLS yet.
inline EdgeLook empty_look(TimePoint at = kNow) {
  EdgeLook seen = look("", at);
  seen.served.reset();
  seen.served_error = error(ErrorKind::kUnavailable, "connection refused");
  seen.health->sip = ports::SipState::kDown;
  return seen;
}
// With this look as the last thing that happened.
inline Observation seeing(Observation o, EdgeLook seen) {
  o.look = std::move(seen);
  o.pushed_since_look = false;
  return o;
}
inline EdgeLook with_health(EdgeLook seen, ports::EdgeState state, ports::SipState sip) {
  seen.health->state = state;
  seen.health->sip = sip;
  return seen;
}

// --- what it refers to

template <class Kind>
Kind named(std::string name) {
  Kind object;
  object.meta = {.ns = "voice", .name = std::move(name), .uid = "uid", .resource_version = "1", .generation = 1};
  return object;
}
// References are shared and const; a test that changes one puts a changed copy in its place.
template <class Kind, class Change>
void change(std::shared_ptr<const Kind>& reference, Change with) {
  auto copy = std::make_shared<Kind>(reference ? *reference : named<Kind>("made-by-test"));
  with(*copy);
  reference = std::move(copy);
}

inline void set_windows(Observation& o, std::vector<api::Window> windows) {
  if (!o.object.spec.rotation) o.object.spec.rotation.emplace();
  o.object.spec.rotation->windows = std::move(windows);
}
inline void annotate(Observation& o, std::string_view annotation, std::string value = "1") {
  o.object.meta.annotations[std::string(annotation)] = std::move(value);
}

// --- situations

// Just made: nobody has looked at anything.
inline Observation fresh() {
  Observation o{.now = kNow, .object = named<api::EdgeCertificate>("edge01")};
  o.object.spec.edge_ref = {"edge01"};
  o.object.spec.issuer_ref = api::IssuerRef{.name = "ca"};
  o.object.spec.dns_names = {kName};
  set_windows(o, {{.start = "00:00", .duration = 24h, .days = {}}});
  change(o.edge, [](api::Edge& edge) {
    edge.meta.name = "edge01";
    edge.spec.connection_ref = {"prod"};
    edge.spec.time_zone = "Europe/Berlin";
    edge.spec.sip.host = kName;
  });
  change(o.issuer, [](api::AcmeIssuer& issuer) {
    issuer.meta.name = "ca";
    issuer.spec.server = "https://ca.example/dir";
    issuer.spec.solvers = {api::Solver{.dns01 = api::Dns01Solver{.rfc2136 = api::Rfc2136Solver{.nameserver = "ns"}}}};
  });
  change(o.connection, [](api::GenesysConnection& connection) {
    connection.meta.name = "prod";
    connection.spec.region = "example.com";
    connection.spec.certificate_upload = api::CertificateUploadSpec{.endpoint = "https://upload.example.com"};
  });
  return o;
}

// Takes over what the rules say, as long as they only say it: what a status looks like once it is written.
inline void settle(Observation& o) {
  for (int i = 0; i < 10; ++i) {
    const Decision decision = decide::certificate::decide(o);
    o.object.status = decision.status;
    if (decision.effect || decision.wake_at != o.now) return;
  }
}

// Revision 1 is live, stored, and written to secretName; nothing is left to do for a long time.
inline Observation ready() {
  Observation o = fresh();
  o.revisions = {{1, whole(1)}};
  o.look = look(1);
  o.serving_fingerprint = fingerprint(1);
  auto& status = o.object.status;
  status.revision = 1;
  status.history = {{.revision = 1, .fingerprint_sha256 = fingerprint(1), .result = api::RevisionResult::kActive}};
  settle(o);
  return o;
}
// The same when the certificate is due: its end is 30 days away or less.
inline Observation due() {
  Observation o = ready();
  o.now = kNow + 70 * 24h;
  o.look.reset();
  return o;
}

// --- an order for revision 2 of a certificate that is due

inline ports::Order order(ports::OrderStatus status) {
  const bool open = status == ports::OrderStatus::kPending;
  ports::Order found{.url = kOrderUrl, .identifiers = {kName}, .status = status};
  found.authorizations.push_back(
      {.url = "https://ca.example/authz/1",
       .identifier = kName,
       .status = open ? ports::AuthorizationStatus::kPending : ports::AuthorizationStatus::kValid,
       .dns = ports::DnsChallenge{.url = "https://ca.example/challenge/1",
                                  .record_name = kRecordName,
                                  .record_value = "value",
                                  .status = open ? ports::ChallengeStatus::kPending : ports::ChallengeStatus::kValid}});
  if (status == ports::OrderStatus::kValid) found.certificate_url = "https://ca.example/cert/1";
  return found;
}
inline const api::TxtRecord kRecord{kRecordName, "value"};

// The key is stored, the intention written, nothing ordered.
inline Observation ordering() {
  Observation o = due();
  o.object.status.order = api::OrderStatus{.revision = 2};
  o.object.status.phase = api::Phase::kIssuing;
  o.revisions[2] = key_only(2);
  o.key_made = 2;
  return o;
}
inline Observation ordered(ports::OrderStatus status) {
  Observation o = ordering();
  o.object.status.order->url = kOrderUrl;
  o.order = OrderLook{order(status), o.now};
  return o;
}
// Pending, its record written down, the finalizer held, the record written.
inline Observation answering() {
  Observation o = ordered(ports::OrderStatus::kPending);
  o.object.status.order->records = {kRecord};
  o.object.status.order->records_since = o.now;
  o.object.meta.finalizers = {std::string(api::kFinalizer)};
  o.presented = {record_id(kRecord)};
  return o;
}

// --- revision 2 on its way to the Edge

// Stored, and the vendor's own parser has no objection.
inline void store_parsed(Observation& o, StoredRevision revision) {
  o.vendor = VendorLook{.fingerprint_sha256 = revision.chain->fingerprint_sha256, .objection = {}};
  o.revisions[revision.number] = std::move(revision);
}
// Nothing in its way.
inline Observation deliverable() {
  Observation o = due();
  store_parsed(o, whole(2, o.now - 1h));
  o.look = look(1, o.now);
  o.look->served->not_after = kNow - 24h + kLifetime;
  return o;
}
// The intention is written, the upload is not answered.
inline Observation delivering() {
  Observation o = deliverable();
  o.object.status.phase = api::Phase::kDelivering;
  o.object.meta.finalizers = {std::string(api::kFinalizer)};
  o.object.status.delivery =
      api::DeliveryStatus{.revision = 2, .fallback = 1, .port_answered = true, .started_at = o.now};
  return o;
}
// The Edge has taken it, a moment ago.
inline Observation observing() {
  Observation o = delivering();
  o.object.status.phase = api::Phase::kObserving;
  o.object.status.delivery->installed_at = o.now;
  o.pushed = 2;
  o.look = look(2, o.now);
  return o;
}
inline Observation rolling_back() {
  Observation o = observing();
  o.object.status.phase = api::Phase::kRollingBack;
  o.object.status.delivery->rolling_back_since = o.now;
  o.object.status.delivery->verdict = "the Edge reports SIP_DOWN";
  return o;
}
// After the rollback: revision 1 is live again, revision 2 rejected, the next try a day away.
inline Observation rolled_back() {
  Observation o = rolling_back();
  o.pushed = 1;
  o.look = look(1, o.now);
  o.object.status = decide::certificate::decide(o).status;
  o.object.meta.finalizers.clear();
  o.revisions[2].marked_rejected = true;
  return o;
}

// --- a certificate that somebody else renews

// The same object, fed by a Secret that holds this leaf, with no issuer.
inline Observation sourced(Observation o, ports::ChainFacts leaf) {
  o.object.spec.issuer_ref.reset();
  o.object.spec.dns_names.clear();
  o.object.spec.source_secret_ref = api::LocalRef{"from-elsewhere"};
  o.issuer.reset();
  for (auto& [number, revision] : o.revisions) {
    if (revision.chain) revision.source = revision.chain->fingerprint_sha256;
  }
  o.source = Source{.exists = true, .chain = std::move(leaf)};
  settle(o);
  return o;
}

// Everything that lives in the process is lost.
inline void crash(Observation& o) { static_cast<decide::certificate::Memory&>(o) = {}; }

// --- decisions in one line: "rule effect Phase/Reason +wake", with R for Reconciling and S for Stalled, e.g.
// "revision_issued CreateKey Issuing/CreatingKey R". The reason is that of the condition that says most.
inline std::string reason_in(const api::EdgeCertificateStatus& status) {
  for (const auto type : {api::condition::kStalled, api::condition::kReconciling, api::condition::kReady}) {
    if (const auto* condition = api::find(status.conditions, type)) return condition->reason;
  }
  return "-";
}
inline std::string summary(const Observation& o, const Decision& decision) {
  static constexpr std::array kPhases = {"Pending",  "Issuing",    "Waiting",   "AwaitingApproval",
                                         "Draining", "Delivering", "Observing", "RollingBack",
                                         "Ready",    "RolledBack", "Held",      "Failed"};
  const auto& status = decision.status;
  std::string line(decision.rule);
  if (decision.effect) line += " " + std::string(decide::certificate::name_of(*decision.effect));
  line += status.phase ? std::string(" ") + kPhases.at(static_cast<std::size_t>(*status.phase)) : " -";
  line += "/" + reason_in(status);
  if (api::find(status.conditions, api::condition::kReconciling) != nullptr) line += " R";
  if (api::find(status.conditions, api::condition::kStalled) != nullptr) line += " S";
  if (decision.wake_at && decision.wake_at == status.renewal_time) return line + " +renewal";
  if (decision.wake_at) line += " +" + format_duration(*decision.wake_at - o.now);
  return line;
}
inline std::string decided(const Observation& o) { return summary(o, decide::certificate::decide(o)); }

}  // namespace edgetrust::support
