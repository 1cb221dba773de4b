#pragma once
// The Edges of one Genesys organisation, as the engine sees them. Implemented by genesys/. Threads: any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/id.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/ports/authorities.hpp"

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

using EdgeId = Id<struct EdgeIdTag>;  // UUID in Genesys

enum class EdgeState { kOk, kWarning, kCritical, kUnknown };
enum class SipState { kUp, kDown, kUnknown };

// The guide's status call. What the answer does not say, or says in words we do not know, is Unknown.
struct EdgeHealth {
  EdgeState state = EdgeState::kUnknown;
  SipState sip = SipState::kUnknown;
  std::string fingerprint_sha256;  // of the installed leaf, lower-case hex; empty when not told
  std::optional<TimePoint> updated_at;
  std::string correlation_id;  // the vendor's support asks for it
};

// How far an Edge that was taken out of service is with the calls that were up (callDrainingState).
enum class CallDraining {
  kNone,      // NONE: it does not wait for calls
  kWaiting,   // WAIT
  kCutting,   // WAIT_TIMEOUT, TERMINATE: the vendor's own wait is over, and it ends them
  kComplete,  // COMPLETE: none is left
  kUnknown
};

// What the published API says of an Edge.
struct EdgeInfo {
  EdgeId id;
  std::string name;
  std::string site;
  bool online = false;
  bool in_service = false;                // statusCode ACTIVE
  bool active = false;                    // state active
  std::string software_status;            // NONE, INIT, IN_PROGRESS, …
  std::string time_zone;                  // of the site's auto-update configuration; empty when it has none
  std::vector<std::string> time_servers;  // of the site (ntpSettings), the first first; asked for as the time zone is
  bool appliance = true;                  // a machine of the customer's (HARDWARE, LDM), not the vendor's cloud media
  CallDraining draining = CallDraining::kUnknown;
  int conversations = 0;  // calls that are up; told only of one that drains
};

// Which OAuth client speaks for us, as far as anybody tells.
struct ClientInfo {
  std::string id;
  bool standby = false;      // the second one does, for the first is refused
  std::string trouble;       // with the one that does not speak; empty when there is none
  std::string state;         // the vendor's word: active, disabled, inactive; empty where it may not be asked
  std::string delete_after;  // RFC 3339; empty when the vendor does not mean to delete it
};

enum class TrunkState { kUp, kDown, kUnknown };
struct Trunk {
  std::string name;
  std::string peer;
  TrunkState state = TrunkState::kUnknown;
  std::optional<TimePoint> since;
  std::string error;
};

struct CertificateUpload {
  EdgeId edge;
  std::string name;
  std::string chain_pem;  // leaf, then intermediates; no root
  Secret key_pem;
  std::string fingerprint_sha256;  // of the leaf: the upload's identity
};

// Error::code when the vendor, having understood the upload, will not have this certificate.
inline constexpr std::string_view kCertificateRefused = "CertificateRefused";

class EdgeFleet {
 public:
  virtual ~EdgeFleet() = default;

  // Proves that the credentials work and that the API answers.
  virtual Status check(std::stop_token stop) = 0;
  // After check(). What cannot be asked stays empty. Asks at most once an hour.
  virtual ClientInfo client(std::stop_token stop) = 0;
  virtual Result<std::vector<EdgeInfo>> edges(std::stop_token stop) = 0;
  // One of them, as it is now. Its site is not asked for.
  virtual Result<EdgeInfo> edge(const EdgeId& edge, std::stop_token stop) = 0;
  // Takes an Edge out of service or back (the published `statuscode` call). Out of service it takes no new calls; those
  // that are up may last for `calls_may_last`, then the vendor cuts them. To be asked for the state that it is in
  // already changes nothing but that the time for calls begins anew. `maybe_executed` on a lost answer.
  virtual Status set_service(const EdgeId& edge, bool in_service, std::chrono::seconds calls_may_last,
                             std::stop_token stop) = 0;
  // What the Edges trust. Lives as long as this.
  virtual TrustedAuthorities& authorities() = 0;
  // Of one Edge, as they are now.
  virtual Result<std::vector<Trunk>> trunks(const EdgeId& edge, std::stop_token stop) = 0;
  // Of all Edges, by listings: a request for a hundred. By the Edge's id in lower case; an Edge without any is absent.
  virtual Result<std::map<EdgeId, std::vector<Trunk>>> all_trunks(std::stop_token stop) = 0;
  // kNotFound when the endpoint does not have the call, or not this Edge.
  virtual Result<EdgeHealth> health(const EdgeId& edge, std::stop_token stop) = 0;
  // What the vendor's own parser finds wrong with a chain (PEM, certificates only); empty: nothing. It changes nothing.
  // kNotFound when the API does not have the call, kForbidden when it may not be asked.
  virtual Result<std::string> objection_to(const std::string& chain_pem, std::stop_token stop) = 0;
  // Uploads and thereby installs. Refuses to send a key before `health` has answered for that Edge in this process.
  // The same leaf again is a success without effect. kInvalid with code kCertificateRefused when the vendor refuses the
  // certificate; kInvalid alone is a mistake on our side. `maybe_executed` on a lost answer.
  virtual Status install(const CertificateUpload& upload, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
