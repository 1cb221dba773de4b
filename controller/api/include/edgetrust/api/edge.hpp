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
struct EdgeStatus {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::string online_status;
  std::string edge_status;
  std::string software_update;
  std::string service_state;  // InService or OutOfService; empty while nobody knows
  std::string site;
  std::string time_zone;
  std::optional<ServedCertificate> served_certificate;
  std::vector<TrunkStatus> trunks;
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
