#pragma once
// PinPolicy: which certificate or key the cloud endpoint must present to an Edge, and how a change of it is followed.
#include "edgetrust/api/common.hpp"
#include "edgetrust/api/edge.hpp"
#include "edgetrust/api/object.hpp"

namespace edgetrust::api {

enum class PinMode { kDisabled, kReportOnly, kEnforce };
enum class PinVantage { kOperator, kEdge };
enum class PinType { kCertificate, kPublicKey };
enum class PinMatch { kLeaf, kAnyInChain };
enum class PinPreset { kNone, kAmazonTrustServices };
enum class PinSource { kStatus, kHandshake };

struct PinEndpoint {
  std::string host;
  int port = 443;
  std::string server_name;  // empty: the host
  std::optional<CaBundleRef> ca_bundle_ref;
};
struct PinsSpec {
  PinType type = PinType::kCertificate;
  PinMatch match = PinMatch::kLeaf;
  std::vector<std::string> static_pins;  // as written: colon hex or base64
  std::vector<std::string> next;
  PinPreset preset = PinPreset::kNone;
  bool require_backup = true;
};
struct PinRotation {
  bool allow = true;
  std::vector<PinSource> sources;  // which changes are followed; empty: all
  int confirmations = 2;
  Duration interval = std::chrono::minutes{5};
  Duration overlap = std::chrono::hours{72};

  [[nodiscard]] bool follows(PinSource source) const;
};
struct PinTls {
  TlsVersion min_version = TlsVersion::kTls12;
  std::vector<std::string> cipher_suites;  // empty: the two of the guide
  bool strict_validation = true;
};
struct TrustedIntermediary {
  std::string name;
  CaBundleRef ca_ref;
  TimePoint until;
};
struct PinClock {
  Duration max_offset = std::chrono::seconds{5};
  std::vector<std::string> servers;
};
enum class PinnedService { kPurecloudEdge };
enum class ServiceRestart { kGraceful, kImmediate };
struct PinService {
  PinnedService name = PinnedService::kPurecloudEdge;
  ServiceRestart restart = ServiceRestart::kGraceful;
};
struct EmergencyOverride {
  bool disable_pinning = false;
  TimePoint until;
  std::string reason;
};
enum class PinDeletionPolicy { kDisable, kKeep };

struct PinPolicySpec {
  PinEndpoint endpoint;
  std::optional<LabelSelector> edge_selector;
  std::vector<std::string> edges;
  PinMode mode = PinMode::kReportOnly;
  std::vector<PinVantage> observe_from;  // empty: the operator alone
  PinsSpec pins;
  PinRotation rotation;
  PinTls tls;
  bool log_validation_failures = true;
  std::vector<TrustedIntermediary> trusted_intermediaries;
  PinClock clock;
  PinService service;
  std::optional<LocalRef> policy_ref;
  std::optional<EmergencyOverride> emergency_override;
  PinDeletionPolicy deletion_policy = PinDeletionPolicy::kDisable;
};

// What was seen of the endpoint. One line a hash, so that it can be copied into spec.pins.
struct ObservedPin {
  std::string fingerprint;  // colon hex
  PinType type = PinType::kCertificate;
  std::string issuer;
  std::string root;
  std::optional<TimePoint> not_after;
  PinSource source = PinSource::kHandshake;
  std::string vantage;
  std::optional<TimePoint> at;  // when this vantage first saw it
};
// Why a pin is accepted.
enum class PinOrigin { kStatic, kNext, kPreset, kStatus, kHandshake };
struct AcceptedPin {
  std::string fingerprint;  // colon hex
  PinType type = PinType::kCertificate;
  PinOrigin origin = PinOrigin::kStatic;
  std::string certificate;         // of a public key: the certificate hash of the leaf that it was seen in
  std::optional<TimePoint> since;  // when it was accepted
  std::optional<TimePoint> until;  // accepted no longer than this; empty: as long as it is served or declared
  bool operator==(const AcceptedPin&) const = default;
};
struct PinSummary {
  int total = 0;
  int matched = 0;
  int drifted = 0;
  int intercepted = 0;
  int blocked = 0;
  int unreachable = 0;
  int not_observed = 0;
  int changing = 0;  // Applying or Restarting
  int rolled_back = 0;
  int refusing = 0;
};
struct UnmatchedEdge {
  std::string name;
  EdgePinState state = EdgePinState::kNotObserved;
  std::string message;
};
struct PinPolicyStatus {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::vector<ObservedPin> observed;
  std::vector<AcceptedPin> current;
  std::vector<AcceptedPin> next;
  std::optional<PinSummary> summary;
  std::string matched_of_total;
  std::string pins;           // for the PINS column
  std::string override_text;  // for the OVERRIDE column
  std::vector<UnmatchedEdge> not_matched;
};

using PinPolicy = Object<PinPolicySpec, PinPolicyStatus>;

// Whether its spec names that Edge, by name or by labels.
bool selects(const PinPolicySpec& policy, const ObjectMeta& edge);
// The name in SNI, and for which the certificate must be good.
std::string_view server_name(const PinEndpoint& endpoint);
// Those of the guide unless the spec names others.
std::vector<std::string> cipher_suites(const PinTls& tls);
// Whether a change of that Secret concerns it: its endpoint's roots, the CAs of its trusted intermediaries.
bool names_secret(const PinPolicy& policy, std::string_view secret_name);

}  // namespace edgetrust::api
