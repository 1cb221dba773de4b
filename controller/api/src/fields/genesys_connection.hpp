#pragma once
// Field lists of GenesysConnection.
#include "edgetrust/api/genesys_connection.hpp"
#include "fields/common.hpp"

namespace edgetrust::json {

template <>
struct EnumNames<api::DiscoveryMode> {
  static constexpr std::array<std::pair<api::DiscoveryMode, std::string_view>, 2> kNames = {
      {{api::DiscoveryMode::kReport, "Report"}, {api::DiscoveryMode::kDisabled, "Disabled"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::api {

// clang-format off
template <class V>
void fields(V& v, Endpoints& endpoints) {
  using namespace json;
  v("api", endpoints.api, required, max_length(1024), pattern(kHttpsPattern), doc("URL of the API."));
  v("login", endpoints.login, required, max_length(1024), pattern(kHttpsPattern), doc("URL of the login server."));
  v("caBundleRef", endpoints.ca_bundle_ref, doc("CA certificates that both are checked against. Default: the public roots."));
}

template <class V>
void fields(V& v, CertificateUploadSpec& upload) {
  using namespace json;
  v("endpoint", upload.endpoint, required, max_length(1024), pattern(kHttpsPattern), doc("URL of the server that takes certificates. Private keys go to this host and no other."));
  v("caBundleRef", upload.ca_bundle_ref, doc("CA certificates that it is checked against. Default: the connection's."));
  v("credentialsRef", upload.credentials_ref, doc("Secret with clientId and clientSecret for it. Default: the connection's."));
  v("uploadPath", upload.upload_path, max_length(512), pattern(R"(^/[^\s?#]*$)"), preset("\"/api/v2/telephony/providers/edges/certificates\""), doc("Path of the upload call."));
  v("statusPath", upload.status_path, max_length(512), pattern(R"(^/[^\s?#]*\{id\}[^\s?#]*$)"), preset("\"/api/v2/telephony/providers/edges/{id}/status\""), doc("Path of the status call; {id} stands for the Edge's id."));
}

template <class V>
void fields(V& v, TrustAnchors& anchors) {
  using namespace json;
  v("sync", anchors.sync, doc("Whether the CAs below are kept as REMOTE certificate authorities."));
  v("services", anchors.services, max_items(3), item_max_length(32), doc("Services that trust them, e.g. SIP."));
  v("bundleRefs", anchors.bundle_refs, max_items(16), doc("CA certificates of the peers."));
}

template <class V>
void fields(V& v, Discovery& discovery) {
  using namespace json;
  v("mode", discovery.mode, doc("Report: Edges in Genesys without an Edge object are reported. Disabled."));
}

template <class V>
void fields(V& v, Heartbeat& heartbeat) {
  using namespace json;
  v("urlRef", heartbeat.url_ref, required, doc("URL to ping while every rotation is on schedule."));
  v("interval", heartbeat.interval, doc("How often. Default 24h."));
}

template <class V>
void fields(V& v, GenesysConnectionSpec& spec) {
  using namespace json;
  v("region", spec.region, max_length(253), pattern(kHostNamePattern), doc("Domain of the published API, e.g. mypurecloud.ie; the hosts are api.<region> and login.<region>."));
  v("endpoints", spec.endpoints, doc("The URLs themselves, instead of a region."));
  v("credentialsRef", spec.credentials_ref, required, doc("Secret with the keys clientId and clientSecret of an OAuth client (client credentials)."));
  v("standbyCredentialsRef", spec.standby_credentials_ref, later, doc("A second client, tried when the first is refused."));
  v("certificateUpload", spec.certificate_upload, doc("The calls that install a certificate and tell an Edge's health. They are not part of the published API. Without it nothing is delivered."));
  v("requestsPerMinute", spec.requests_per_minute, minimum(1), maximum(10000), preset("180"), doc("Budget of requests for all Edges of this connection."));
  v("timeZone", spec.time_zone, max_length(64), pattern(kTimeZonePattern), doc("IANA time zone for Edges that name none."));
  v("trustAnchors", spec.trust_anchors, later, doc("CAs that the Edges shall trust."));
  v("discovery", spec.discovery, later, doc("What happens with Edges that have no object."));
  v("heartbeat", spec.heartbeat, later, doc("A dead man's switch."));
  v.rule("(has(self.region) && self.region.size() > 0) != has(self.endpoints)", "set exactly one of region and endpoints");
}

template <class V>
void fields(V& v, EdgeCounts& counts) {
  using namespace json;
  v("total", counts.total, doc("Edge objects of this connection."));
  v("ready", counts.ready, doc("Of these, ready. Not filled in by this version."));
  v("rotating", counts.rotating, doc("Of these, rotating. Not filled in by this version."));
  v("rolledBack", counts.rolled_back, doc("Of these, rolled back. Not filled in by this version."));
  v("unmanaged", counts.unmanaged, doc("Edges in Genesys without an object. Not filled in by this version."));
}

template <class V>
void fields(V& v, CredentialState& credentials) {
  using namespace json;
  v("client", credentials.client, doc("The OAuth client in use."));
  v("state", credentials.state, doc("Its state."));
  v("deleteAfter", credentials.delete_after, doc("When the vendor deletes it."));
}

template <class V>
void fields(V& v, GenesysConnectionStatus& status) {
  using namespace json;
  v("observedGeneration", status.observed_generation, doc("The metadata.generation that this status is about."));
  v("conditions", status.conditions, map_key("type"), max_items(16), doc("Ready, CredentialsValid, EndpointsAvailable."));
  v("edges", status.edges, doc("How many Edges, in which state."));
  v("credentials", status.credentials, doc("The OAuth client in use. Not filled in by this version."));
  v("uploadHost", status.upload_host, doc("Host of certificateUpload.endpoint, or - when there is none."));
}
// clang-format on

}  // namespace edgetrust::api
