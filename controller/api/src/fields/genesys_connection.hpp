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

// A field a line, with all that is said of it.
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
  v("sync", anchors.sync, doc("Whether the CAs below are kept as REMOTE certificate authorities of the organisation. Those that were made for this connection and are no longer named are removed; others are never touched."));
  v("services", anchors.services, max_items(3), item_max_length(32), item_pattern("^(SIP|PROVISION|PROVISION_PHONE)$"), doc("Services that trust them: SIP, PROVISION, PROVISION_PHONE. Default SIP."));
  v("bundleRefs", anchors.bundle_refs, max_items(16), doc("CA certificates of the peers; at most 64 in all."));
}

template <class V>
void fields(V& v, Discovery& discovery) {
  using namespace json;
  v("mode", discovery.mode, doc("Report (the default): Edges in Genesys without an Edge object in the watched namespaces are counted in the status, and told of in an Event and a metric. Disabled."));
}

template <class V>
void fields(V& v, Heartbeat& heartbeat) {
  using namespace json;
  v("urlRef", heartbeat.url_ref, required, doc("URL to ping while every rotation is on schedule: https. It is a secret."));
  v("caBundleRef", heartbeat.ca_bundle_ref, doc("CA certificates that its server is checked against. Default: the public roots."));
  v("interval", heartbeat.interval, doc("How often, at most: from 1m to 720h. Default 24h."));
  v.rule("!has(self.interval) || (duration(self.interval) >= duration('1m') && duration(self.interval) <= duration('720h'))", "interval must be from 1m to 720h");
}

template <class V>
void fields(V& v, GenesysConnectionSpec& spec) {
  using namespace json;
  v("region", spec.region, max_length(253), pattern(kHostNamePattern), doc("Domain of the published API, e.g. mypurecloud.ie; the hosts are api.<region> and login.<region>."));
  v("endpoints", spec.endpoints, doc("The URLs themselves, instead of a region."));
  v("credentialsRef", spec.credentials_ref, required, doc("Secret with the keys clientId and clientSecret of an OAuth client (client credentials)."));
  v("standbyCredentialsRef", spec.standby_credentials_ref, doc("Secret of a second client, used while the first is refused."));
  v("certificateUpload", spec.certificate_upload, doc("The calls that install a certificate and tell an Edge's health. They are not part of the published API. Without it nothing is delivered."));
  v("requestsPerMinute", spec.requests_per_minute, minimum(1), maximum(10000), preset("180"), doc("Budget of requests for all Edges of this connection."));
  v("timeZone", spec.time_zone, max_length(64), pattern(kTimeZonePattern), doc("IANA time zone for Edges that name none."));
  v("trustAnchors", spec.trust_anchors, doc("CAs of others, e.g. of SBCs, that the Edges of the organisation shall trust."));
  v("discovery", spec.discovery, doc("What happens with Edges that have no object."));
  v("heartbeat", spec.heartbeat, doc("A dead man's switch: pinged only while every EdgeCertificate of this connection is on schedule."));
  v.rule("(has(self.region) && self.region.size() > 0) != has(self.endpoints)", "set exactly one of region and endpoints");
}

template <class V>
void fields(V& v, EdgeCounts& counts) {
  using namespace json;
  v("total", counts.total, doc("Edge objects of this connection."));
  v("ready", counts.ready, doc("Of these, ready."));
  v("rotating", counts.rotating, doc("Of these, those on which a certificate is being installed, watched or put back."));
  v("rolledBack", counts.rolled_back, doc("Of these, those whose last rotation was rolled back."));
  v("unmanaged", counts.unmanaged, doc("Edges in Genesys without an Edge object in the watched namespaces. Absent where they are not looked for."));
}

template <class V>
void fields(V& v, CredentialState& credentials) {
  using namespace json;
  v("client", credentials.client, doc("The OAuth client in use."));
  v("state", credentials.state, doc("Its state, as far as the API tells: active, disabled or inactive."));
  v("deleteAfter", credentials.delete_after, doc("When the vendor deletes it; absent when it does not mean to, or does not tell."));
}

template <class V>
void fields(V& v, HeartbeatState& heartbeat) {
  using namespace json;
  v("at", heartbeat.at, doc("When it was."));
}

template <class V>
void fields(V& v, GenesysConnectionStatus& status) {
  using namespace json;
  v("observedGeneration", status.observed_generation, doc("The metadata.generation that this status is about."));
  v("conditions", status.conditions, map_key("type"), max_items(16), doc("Ready, CredentialsValid, EndpointsAvailable, HeartbeatSent, TrustAnchorsSynced."));
  v("edges", status.edges, doc("How many Edges, in which state."));
  v("credentials", status.credentials, doc("The OAuth client in use."));
  v("heartbeat", status.heartbeat, doc("The last ping."));
  v("uploadHost", status.upload_host, doc("Host of certificateUpload.endpoint, or - when there is none."));
}
// clang-format on

}  // namespace edgetrust::api
