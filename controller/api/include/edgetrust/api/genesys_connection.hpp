#pragma once
// GenesysConnection: one Genesys Cloud organisation, and the endpoint that takes certificates for its Edges.
#include "edgetrust/api/common.hpp"
#include "edgetrust/api/object.hpp"

namespace edgetrust::api {

struct Endpoints {
  std::string api;
  std::string login;
  std::optional<CaBundleRef> ca_bundle_ref;
};
struct CertificateUploadSpec {
  std::string endpoint;
  std::optional<CaBundleRef> ca_bundle_ref;
  std::optional<LocalRef> credentials_ref;
  std::string upload_path = "/api/v2/telephony/providers/edges/certificates";
  std::string status_path = "/api/v2/telephony/providers/edges/{id}/status";
};
struct TrustAnchors {
  bool sync = false;
  std::vector<std::string> services;
  std::vector<CaBundleRef> bundle_refs;
};
enum class DiscoveryMode { kReport, kDisabled };
struct Discovery {
  std::optional<DiscoveryMode> mode;
};
struct Heartbeat {
  SecretKeyRef url_ref;
  std::optional<CaBundleRef> ca_bundle_ref;
  std::optional<Duration> interval;  // default kDefaultInterval
  static constexpr Duration kDefaultInterval = std::chrono::hours{24};
};
struct GenesysConnectionSpec {
  std::string region;
  std::optional<Endpoints> endpoints;
  LocalRef credentials_ref;
  std::optional<LocalRef> standby_credentials_ref;
  std::optional<CertificateUploadSpec> certificate_upload;
  int requests_per_minute = 180;
  std::string time_zone;
  std::optional<TrustAnchors> trust_anchors;
  std::optional<Discovery> discovery;
  std::optional<Heartbeat> heartbeat;

  [[nodiscard]] bool reports_unmanaged() const {
    return !discovery || discovery->mode.value_or(DiscoveryMode::kReport) == DiscoveryMode::kReport;
  }
  [[nodiscard]] std::string api_url() const { return endpoints ? endpoints->api : "https://api." + region; }
  [[nodiscard]] std::string login_url() const { return endpoints ? endpoints->login : "https://login." + region; }
};
struct EdgeCounts {
  std::optional<int> total;
  std::optional<int> ready;
  std::optional<int> rotating;
  std::optional<int> rolled_back;
  std::optional<int> unmanaged;
};
struct CredentialState {
  std::string client;
  std::string state;
  std::string delete_after;
};
struct HeartbeatState {
  std::optional<TimePoint> at;
};
struct GenesysConnectionStatus {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::optional<EdgeCounts> edges;
  std::optional<CredentialState> credentials;
  std::optional<HeartbeatState> heartbeat;
  std::string upload_host;  // for the UPLOAD column: the host, or "-"
};

using GenesysConnection = Object<GenesysConnectionSpec, GenesysConnectionStatus>;

}  // namespace edgetrust::api
