#pragma once
// A fleet between two scripted transports: the API with its login, and the guide's endpoint.
#include "edgetrust/genesys/fleet.hpp"
#include "scripted_transport.hpp"
#include "support/fake_clock.hpp"

namespace edgetrust::genesys::testing {

inline const ports::EdgeId kEdge{"7f3c0000-0000-4000-8000-000000000001"};
inline const std::string kEdges = "https://api.example.com/api/v2/telephony/providers/edges";
inline const std::string kStatusCall =
    "GET https://upload.example.com/api/v2/telephony/providers/edges/" + kEdge.value + "/status";
inline const std::string kUploadCall = "POST https://upload.example.com/api/v2/telephony/providers/edges/certificates";

inline Credentials client(std::string_view id) {
  return {.client_id = std::string(id), .client_secret = Secret("s3cret")};
}

inline Config config() {
  Config config;
  config.api_url = "https://api.example.com";
  config.login_url = "https://login.example.com";
  config.credentials = client("client-1");
  config.upload.emplace();
  config.upload->url = "https://upload.example.com";
  return config;
}

inline bool is_login(const http::Request& request) { return request.url.target.ends_with("/oauth/token"); }

struct FleetFixture {
  FleetFixture(ScriptedTransport::Answer api_answer, ScriptedTransport::Answer upload_answer, Config with = config())
      : api(std::make_shared<ScriptedTransport>([this, api_answer](const http::Request& request) {
          return is_login(request) ? Result<http::Response>(desk()) : api_answer(request);
        })),
        upload(std::make_shared<ScriptedTransport>(std::move(upload_answer))),
        fleet(make_fleet(std::move(with), {api, upload}, clock).value()) {}
  explicit FleetFixture(const ScriptedTransport::Answer& answer, Config with = config())
      : FleetFixture(answer, answer, std::move(with)) {}

  support::FakeClock clock;
  LoginDesk desk;
  std::shared_ptr<ScriptedTransport> api;
  std::shared_ptr<ScriptedTransport> upload;
  std::unique_ptr<ports::EdgeFleet> fleet;
};

inline const std::string kFingerprint = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
inline const std::string kKeyPem =
    "-----BEGIN PRIVATE KEY-----\nTUlJRXZRSUJBREFOQmdrcWhraUc5dzBCQVFFRkFBU0NCS2N3Z2dTakFnRUFBb0lC\nQ0FOQVJZ\n-----END "
    "PRIVATE KEY-----\n";

inline ports::CertificateUpload certificate_upload(const ports::EdgeId& edge = kEdge) {
  return {.edge = edge,
          .name = "edge01-tls r3",
          .chain_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          .key_pem = Secret(kKeyPem),
          .fingerprint_sha256 = kFingerprint};
}

}  // namespace edgetrust::genesys::testing
