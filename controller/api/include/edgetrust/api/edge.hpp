#pragma once
// Edge: one appliance, where it is reached and who dials in.
#include "edgetrust/api/common.hpp"
#include "edgetrust/api/object.hpp"

namespace edgetrust::api {

enum class SipProbe { kTls, kOptions, kNone };
enum class TlsVersion { kTls12, kTls13 };
struct Peer {
  std::string name;
  std::string server_name;
  CaBundleRef trust_bundle_ref;
  bool requires_client_auth = false;
  TlsVersion min_version = TlsVersion::kTls12;
};
struct SipEndpoint {
  std::string host;
  int port = 5061;
  SipProbe probe = SipProbe::kTls;
  std::vector<Peer> peers;
};
struct SshEndpoint {
  std::string host;
  int port = 22;
  std::string user = "root";
  SecretKeyRef private_key_ref;
  std::vector<std::string> host_keys;
};
struct EdgeSpec {
  LocalRef connection_ref;
  std::string edge_id;
  std::string site;
  std::string time_zone;
  SipEndpoint sip;
  std::optional<SshEndpoint> ssh;
};

struct ServedCertificate {
  std::string serial_number;
  std::optional<TimePoint> not_after;
  std::string fingerprint_sha256;
  std::string issuer;
  bool chain_complete = false;
  std::optional<TimePoint> at;  // when this certificate was first seen there
};
enum class TrunkStateText { kUp, kDown, kUnknown };
struct TrunkStatus {
  std::string name;
  std::string peer;
  TrunkStateText state = TrunkStateText::kUnknown;
  std::optional<TimePoint> since;
  std::string error;
};
// How an Edge stands to its PinPolicy.
enum class EdgePinState {
  kMatched,      // what the endpoint presents is accepted, and the Edge has the file that it should have
  kDrifted,      // the file on the Edge is another one
  kApplying,     // a new file is being put in place
  kRestarting,   // the service is being restarted with it
  kRolledBack,   // the previous file is back; nothing more is tried with the refused one
  kUnreachable,  // by SSH
  kIntercepted,  // the Edge is presented a chain that does not lead where the operator's does
  kBlocked,      // something must be changed by a person first
  kNotObserved
};
// A change of the pin file, as far as it has come: written before each step, so that a crash at any point resumes it.
enum class PinStep { kInstalling, kRestarting, kProving, kConfirming, kRestoring };
struct PinChange {
  PinStep step = PinStep::kInstalling;
  std::string file_sha256;      // of the new file
  std::string previous_sha256;  // of the one before it; empty: there was none
  std::string invocation;       // of the service before its restart (systemd's InvocationID)
  std::optional<TimePoint> at;  // when the change began
  bool online = false;          // the cloud saw the Edge then: it must see it again
};
// What the endpoint presents to the Edge itself.
struct EdgePinSight {
  std::string fingerprint;  // SHA-256 of the leaf, colon hex
  std::string public_key;   // of its SubjectPublicKeyInfo
  std::string issuer;
  std::string root;  // empty: the chain does not validate
  std::optional<TimePoint> at;
};
struct EdgePins {
  std::string policy;
  EdgePinState state = EdgePinState::kNotObserved;
  std::string file_sha256;              // of the file that the Edge was last seen to have
  std::optional<TimePoint> applied_at;  // when that was put there by the operator, or first found there
  std::string message;
  std::optional<EdgePinSight> observed;
  std::optional<PinChange> change;
  std::vector<TimePoint> restarts;  // those of the last hour, whoever made them for a change
  std::string rejected_sha256;      // of the file that was rolled back
  std::optional<TimePoint> rolled_back_at;
  std::optional<TimePoint> rejected_until;  // that file is tried again then; empty: never
  std::string unconfirmed_sha256;  // of a file that the timer on the Edge took back: a second time it is rejected
  // A file that pins was put there by the operator, or is about to be: it is not left behind without somebody who
  // follows the endpoint.
  bool enforced = false;
  std::string machine;   // where that is: spec.ssh as it was, "10.0.0.5:22"
  std::string set;       // which pins the file has: the same text for the same pins
  std::string endpoint;  // what the pins of the file were last seen to accept, and by which match
  std::optional<SlotsStatus> slots;
  std::optional<DrainStatus> drain;
  std::optional<TimePoint> not_before;  // no change begins before then: its calls did not end
  std::string handled_retry;            // the last value of the annotation retry-requested-at that was acted on
};
struct EdgeStatus {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::string online_status;
  std::string edge_status;
  std::string software_update;
  std::string service_state;  // InService or OutOfService; empty while nobody knows
  std::string site;
  std::string time_zone;
  std::vector<std::string> time_servers;  // of the site, as the API reports them
  std::optional<ServedCertificate> served_certificate;
  std::vector<TrunkStatus> trunks;
  std::optional<EdgePins> pins;
};

using Edge = Object<EdgeSpec, EdgeStatus>;

// The failure domain: the one that it names, else the one that the API reports; empty when neither is known.
std::string_view site_of(const Edge& edge);
// The name that a peer dials and looks for in the certificate: its own, else the Edge's host. Empty when that is an
// address: then it does not look at the name.
std::string name_dialled(const Edge& edge, const Peer& peer);
// Whether a change of that Secret concerns it: what its peers trust.
bool names_secret(const Edge& edge, std::string_view secret_name);

}  // namespace edgetrust::api
