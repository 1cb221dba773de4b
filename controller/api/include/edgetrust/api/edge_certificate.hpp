#pragma once
// EdgeCertificate: the certificate of one Edge, from order to proof.
#include "edgetrust/api/common.hpp"
#include "edgetrust/api/object.hpp"
#include "edgetrust/api/rotation_policy.hpp"

#include <set>

namespace edgetrust::api {

enum class KeyAlgorithm { kRsa, kEcdsa };
enum class KeyRotation { kAlways, kNever };
struct PrivateKeySpec {
  KeyAlgorithm algorithm = KeyAlgorithm::kRsa;
  std::optional<int> size;  // 2048 for RSA, 256 for ECDSA
  KeyRotation rotation_policy = KeyRotation::kAlways;
};
enum class Usage { kServerAuth, kClientAuth };
enum class ForeignCertificate { kHold, kReplace, kReplaceNearExpiry };
struct Adoption {
  std::optional<ForeignCertificate> on_foreign_certificate;  // default Hold
  std::optional<LocalRef> import_from;
};
enum class DeletionPolicy { kRetain, kDelete };
struct Fallback {
  LocalRef issuer_ref;
  Duration when_remaining{};
};
struct IssuerRef {
  std::string kind = "AcmeIssuer";
  std::string name;
};
struct EdgeCertificateSpec {
  LocalRef edge_ref;
  std::optional<IssuerRef> issuer_ref;
  std::optional<Fallback> fallback;
  std::optional<LocalRef> source_secret_ref;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::string common_name;
  std::optional<PrivateKeySpec> private_key;
  std::vector<Usage> required_usages;  // empty: ServerAuth
  std::optional<Duration> renew_before;
  std::string secret_name;  // empty: <name>-tls
  std::optional<int> revision_history_limit;
  std::optional<Adoption> adoption;
  std::optional<LocalRef> policy_ref;
  std::optional<RotationOverrides> rotation;
  std::optional<DeletionPolicy> deletion_policy;
  bool suspend = false;
};

enum class Phase {
  kPending,
  kIssuing,
  kWaiting,
  kAwaitingApproval,
  kDraining,
  kDelivering,
  kObserving,
  kRollingBack,
  kReady,
  kRolledBack,
  kHeld,
  kFailed
};
std::string_view to_string(Phase phase);
enum class RevisionResult { kActive, kSuperseded, kRolledBack, kRejected, kAdopted };
std::string_view to_string(RevisionResult result);

struct TxtRecord {
  std::string name;
  std::string value;
  bool operator==(const TxtRecord&) const = default;
};
// Bytes of what is said of a revision, at the most; what is longer is cut.
inline constexpr std::size_t kLongestNote = 512;
// In one order, at the most: one a name, and as many again for the tokens of another account key.
inline constexpr std::size_t kMostRecords = 200;
// What a CA looks for while the order lasts: http://<host>/.well-known/acme-challenge/<token> (RFC 8555 section 8.3).
// No secret: whoever may ask the host may read it.
struct HttpAnswer {
  std::string host;  // the name or the address that it proves
  std::string token;
  bool operator==(const HttpAnswer&) const = default;
};
inline constexpr std::string_view kAcmeChallengePath = "/.well-known/acme-challenge/";
// An authorization that an order given up has left pending at its CA.
struct AbandonedAuthorization {
  std::string url;
  std::string name;  // what it proves
  bool operator==(const AbandonedAuthorization&) const = default;
};
// The order under way: what a crashed operator comes back to, and what it must clean up.
struct OrderStatus {
  int revision = 0;
  std::string issuer;  // the AcmeIssuer that it is asked of, once another than issuerRef's was; empty: that
  std::string url;
  std::string server;  // the directory of the CA that has it
  std::optional<TimePoint> expires;
  std::vector<TxtRecord> records;          // TXT records that this order has written or is about to write
  std::optional<TimePoint> records_since;  // when they were written: the floor of the propagation wait counts from here
  std::optional<int> failures;             // orders in a row that came to nothing
  std::string last_error;                  // why the last of them did
  bool replaces_refused = false;           // the CA does not take it as the replacement of an earlier certificate
  std::vector<AbandonedAuthorization> abandoned;
  std::vector<HttpAnswer> http_answers;  // one a host; answered from here by every operator that watches the object
  std::string account_thumbprint;        // of the key that they name, see key_authorization()
};
// Certificates that a person wants revoked. Written before the CA is told.
struct RevocationStatus {
  std::vector<int> revisions;  // still to be revoked
  std::string reason;          // as RFC 5280 section 5.3.1 names it
};
// When the CA would have a revision renewed (RFC 9773), and the moment that was drawn for it. Written when the window
// is new, not each time that the CA is asked.
struct RenewalInfoStatus {
  int revision = 0;
  TimePoint start;
  TimePoint end;
  TimePoint time;
  std::string explanation_url;
  bool operator==(const RenewalInfoStatus&) const = default;
};
// What worked right before a push: only that can be missed afterwards.
struct Baseline {
  bool options_answered = false;    // SIP OPTIONS over TLS
  std::vector<std::string> peers;   // that could complete a handshake, by name
  std::vector<std::string> trunks;  // that were Up, by name; at most 32
  bool operator==(const Baseline&) const = default;
};
// A delivery under way. Written before the push, so that after a crash it is known what to watch and what to return to.
struct DeliveryStatus {
  int revision = 0;
  int fallback = -1;  // the revision to put back; -1: none
  bool port_answered =
      false;  // the SIP-TLS port completed a handshake before the change: only then is its silence evidence
  TimePoint started_at;
  std::optional<TimePoint> installed_at;  // the upload was answered, or the Edge was seen serving it
  std::optional<TimePoint> rolling_back_since;
  std::string verdict;   // why it is rolled back, for people
  std::string evidence;  // what was seen when that was decided
  std::optional<Baseline> baseline;
};
// What a person allowed by annotation, as it was first seen.
struct ApprovalStatus {
  int revision = 0;
  std::string change;
  std::string by;
  std::string request;  // the annotation's text: another text is another approval
  TimePoint at;
};
struct HandledRequests {
  std::string renew;
  std::string rotate;
  std::string rollback;
  std::string revoke;
};
struct HistoryEntry {
  int revision = 0;
  std::string serial_number;
  std::string fingerprint_sha256;
  std::optional<TimePoint> not_after;
  RevisionResult result = RevisionResult::kActive;
  std::optional<TimePoint> at;
  std::string change;
  std::string approved_by;
  std::string evidence;
  std::string message;
  std::string variant;                  // what a wave guards against: see decide/wave.hpp
  std::optional<TimePoint> live_since;  // when it was proved
  std::string revoked;                  // why it was revoked, as RFC 5280 names it; empty: it was not
};
struct EdgeCertificateStatus {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::optional<Phase> phase;
  std::optional<int> revision;  // the one that the Edge serves, as far as proved
  std::string serial_number;
  std::optional<TimePoint> not_before;
  std::optional<TimePoint> not_after;
  std::string fingerprint_sha256;
  std::string issuer;
  std::string expires;  // for the EXPIRES column
  std::string next;     // for the NEXT column
  std::optional<TimePoint> renewal_time;
  std::optional<RenewalInfoStatus> renewal_info;
  std::string next_window;
  std::optional<OrderStatus> order;
  std::optional<RevocationStatus> revocation;
  std::optional<DeliveryStatus> delivery;
  std::optional<DrainStatus> drain;
  std::optional<SlotsStatus> slots;
  std::string variant;  // of the revision that waits for a wave
  std::optional<ApprovalStatus> approval;
  std::optional<int> failures;  // revisions in a row that were rolled back or refused
  std::optional<TimePoint> next_attempt;
  std::optional<HandledRequests> handled_requests;
  std::vector<HistoryEntry> history;  // newest first, at most 10
};

using EdgeCertificate = Object<EdgeCertificateSpec, EdgeCertificateStatus>;

// `<name>-tls` unless named.
std::string serving_secret_name(const EdgeCertificate& certificate);
// The AcmeIssuer that orders are asked of now: that of issuerRef, or that of fallback while status.order says so. Empty
// with sourceSecretRef.
std::string issuer_in_use(const EdgeCertificate& certificate);
bool uses_fallback(const EdgeCertificate& certificate);
// What the certificate is asked for with: names and addresses, each in the one form that they are compared in.
std::set<std::string> wanted_identifiers(const EdgeCertificateSpec& spec);
// What the CA finds at a token, the whole body (RFC 8555 section 8.1): `thumbprint` is that of the account's key (RFC
// 7638).
std::string key_authorization(std::string_view token, std::string_view thumbprint);
// The immutable Secrets of a revision: `<name>-r<revision>-key` and `<name>-r<revision>`.
std::string key_secret_name(const std::string& certificate_name, int revision);
std::string bundle_secret_name(const std::string& certificate_name, int revision);
// Whether a change of that Secret concerns it: its serving Secret, one of its revisions, what it imports,
// what somebody else renews for it.
bool names_secret(const EdgeCertificate& certificate, std::string_view secret_name);

}  // namespace edgetrust::api
