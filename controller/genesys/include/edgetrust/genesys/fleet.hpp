#pragma once
// The Edges of one Genesys organisation: ports::EdgeFleet over the published API (lists, trunks, sites) and the two
// calls of guides/acme-rotation.txt (status, upload), which live on a host of their own.
//
// Called by: main/wiring, once for each GenesysConnection, anew when its spec or Secret changes. Threads: every call of
// the fleet may come from any thread; none sleeps. What holds for all of them:
// - Only the calls named in calls.hpp can leave; any other method and path is kInternal.
// - One budget of requests_per_minute for the whole connection. It is a token bucket that holds a quarter of a minute's
//   requests, so no minute sees more than 1.25 times the number. It learns from `inin-ratelimit-*` of every answer and
//   stays at 0.6 of what the vendor allows, however much is configured. When it is empty, a host's own count is there,
//   or a host has answered 429 and its time is not over, the call returns kRateLimited with retry_after and sends
//   nothing. An upload may overdraw the bucket by as much again: a rollback does not queue behind polls. It does not
//   override a host's 429.
// - 401 on a call: exactly one new login and one more try (a 401 is an answer, so the first try was not executed).
//   Nothing else is repeated here: a caller may repeat a POST whose error does not say `maybe_executed` (429, nothing
//   sent), and has to look first after any other.
// - The standby's client is used while the first is refused, for every call, and until the first logs in again.
// - Errors: 401 kUnauthorized, 403 kForbidden, 404/410 kNotFound, 409 kConflict, 400/413/415/422 kInvalid, 408/504
//   kTimeout, 429 kRateLimited, other 5xx kUnavailable, anything else that is not 2xx kProtocol. `code` is the
//   vendor's, or kCertificateRefused, the context holds method and path, the correlation id is beside it.
//   `maybe_executed` is set on an upload that ended in 5xx, 408 or without an answer. Vendor text is cut, and withheld
//   when it repeats a secret.
// - A private key is sent only to upload.url, only over https, and only after the status call has answered with 200 for
//   that Edge through this fleet: where `health` has not been asked, `install` asks first, and sends nothing when the
//   call does not answer.
// - check() proves both OAuth clients where the upload has its own.
// - Without `upload`, health and install are kUnsupported.
#include "edgetrust/genesys/oauth.hpp"
#include "edgetrust/ports/edge_fleet.hpp"

#include <memory>
#include <optional>
#include <string>

namespace edgetrust::genesys {

// The guide's calls. They are not in the published API, so they have an endpoint that the user names.
struct UploadConfig {
  std::string url;  // https; nothing defaults to the API's host
  std::string upload_path = "/api/v2/telephony/providers/edges/certificates";
  std::string status_path = "/api/v2/telephony/providers/edges/{id}/status";
  std::optional<Credentials> credentials;  // empty: the connection's
};

struct Config {
  std::string api_url;    // https://api.<region>
  std::string login_url;  // https://login.<region>
  Credentials credentials;
  std::optional<Credentials> standby;  // used while `credentials` are refused
  std::string standby_trouble;         // why there is none although one is named
  std::optional<UploadConfig> upload;
  int requests_per_minute = 180;
};

struct Transports {
  std::shared_ptr<http::Transport> api;     // for api_url and login_url
  std::shared_ptr<http::Transport> upload;  // for upload.url, which may have roots of its own; null without upload
};

// Errors: kInvalid, naming the field. The clock outlives the fleet.
Result<std::unique_ptr<ports::EdgeFleet>> make_fleet(Config config, Transports transports, const Clock& clock);

}  // namespace edgetrust::genesys
