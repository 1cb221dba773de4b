// The published calls about Edges and sites. Fields and shapes: facts about the SDK's models; no field ever carries a
// value outside its published enum.
#include "api.hpp"
#include "certificate_details.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::sim {
namespace {

using json::Value;

std::string uri(std::string_view what, std::string_view id) {
  return std::string(kEdgesUri) + "/" + std::string(what) + std::string(id);
}

Answer missing(const ApiCall& call, std::string_view what) {
  return {vendor_error({.status = 404,
                        .code = "not.found",
                        .message = "The requested " + std::string(what) + " was not found",
                        .entity_id = printable(call.id, 100)}),
          printable(call.id, 100)};
}

Answer bad_request(const std::string& message) {
  return {vendor_error({.status = 400, .code = "bad.request", .message = message})};
}

std::string query(const ApiCall& call, std::string_view name) {
  const auto found = call.query.find(name);
  return found == call.query.end() ? std::string{} : found->second;
}

Value reference(const std::string& id, const std::string& name, const std::string& self) {
  return {{"id", id}, {"name", name}, {"selfUri", self}};
}

}  // namespace

Value Api::edge_json(const EdgeRecord& edge, bool expand_site) const {
  const EdgeConfig& config = edge.config;
  const SteadyPoint now = clock_.steady();
  Value body = {{"id", config.id},
                {"name", config.name},
                {"version", edge.version},
                {"dateModified", time_text(edge.modified)},
                {"state", "active"},
                {"statusCode", edge.in_service ? "ACTIVE" : "INACTIVE"},
                {"onlineStatus", edge.online ? "ONLINE" : "OFFLINE"},
                {"edgeDeploymentType", edge.cloud_media ? "CDM" : "HARDWARE"},
                {"certType", "PureCloud"},
                {"callDrainingState", draining_state(edge, now, config_.call_ends_every)},
                {"managed", false},
                {"physicalEdge", true},
                {"softwareVersion", "1.0.0.12345"},
                {"softwareStatus", {{"status", edge.software_update ? "IN_PROGRESS" : "NONE"}}},
                {"selfUri", uri("", config.id)}};
  if (edge.drain) body["conversationCount"] = calls_at(edge, now, config_.call_ends_every);
  body["site"] = expand_site ? site_json(edge) : reference(config.site, config.site_name, uri("sites/", config.site));
  return body;
}

Value Api::site_json(const EdgeRecord& edge) const {
  Value body = {{"id", edge.config.site},
                {"name", edge.config.site_name},
                {"version", 1},
                {"state", "active"},
                {"managed", false},
                {"coreSite", false},
                {"mediaModel", "Premises"},
                {"location", reference("location-" + edge.config.site, edge.config.site_name,
                                       "/api/v2/locations/location-" + edge.config.site)},
                {"selfUri", uri("sites/", edge.config.site)}};
  if (!edge.config.time_zone.empty()) {
    body["edgeAutoUpdateConfig"] = {{"timeZone", edge.config.time_zone},
                                    {"rrule", "FREQ=DAILY"},
                                    {"start", "2026-01-01T02:00:00.000"},
                                    {"end", "2026-01-01T05:00:00.000"}};
  }
  if (!edge.config.time_servers.empty()) body["ntpSettings"] = {{"servers", edge.config.time_servers}};
  return body;
}

Answer Api::list_edges(const ApiCall& call) {
  std::vector<Value> edges;
  for (const EdgeRecord& edge : book_.all()) {
    const std::string site = query(call, "siteId");
    const std::string name = query(call, "name");
    if (edge.cloud_media && query(call, "showCloudMedia") == "false") continue;
    if (query(call, "managed") == "true" || (!site.empty() && site != edge.config.site)) continue;
    if (!name.empty() && name != edge.config.name) continue;
    edges.push_back(edge_json(edge, false));
  }
  return {json_response(200, listing(edges, call.query, kEdgesUri, true))};
}

Answer Api::get_edge(const ApiCall& call) {
  const auto edge = book_.find(call.id);
  if (!edge) return missing(call, "Edge");
  return {json_response(200, edge_json(*edge, query(call, "expand") == "site")), call.id};
}

Answer Api::put_edge(const ApiCall& call) {
  if (!book_.find(call.id)) return missing(call, "Edge");
  const auto body = json::Document::parse(call.request.body);
  const auto version = body ? body->root()["version"].integer() : std::nullopt;
  const std::string name = body ? body->root()["name"].string_or("") : "";
  if (!version || name.empty()) return bad_request("name and version are required");
  const auto changed = book_.rename(call.id, *version, name);
  if (!changed) return {vendor_error(changed.error()), call.id};
  return {json_response(200, edge_json(*changed, false)), call.id};
}

Answer Api::post_status_code(const ApiCall& call) {
  if (!book_.find(call.id)) return missing(call, "Edge");
  const auto body = json::Document::parse(call.request.body);
  const auto in_service = body ? body->root()["inService"].boolean() : std::nullopt;
  if (!in_service) return bad_request("inService is required");
  const std::int64_t wait = body->root()["callDrainingWaitTimeSeconds"].integer().value_or(0);
  book_.set_service(call.id, *in_service, std::chrono::seconds{std::clamp<std::int64_t>(wait, 0, 86'400)});
  return {json_response(200, "OK"), call.id};
}

Answer Api::list_sites(const ApiCall& call) {
  std::map<std::string, Value> sites;
  for (const EdgeRecord& edge : book_.all()) sites.try_emplace(edge.config.site, site_json(edge));
  std::vector<Value> all;
  for (auto& [id, site] : sites) all.push_back(std::move(site));
  return {json_response(200, listing(all, call.query, std::string(kEdgesUri) + "/sites", false))};
}

Answer Api::get_site(const ApiCall& call) {
  for (const EdgeRecord& edge : book_.all()) {
    if (edge.config.site == call.id) return {json_response(200, site_json(edge))};
  }
  return missing(call, "Site");
}

Answer Api::list_authorities(const ApiCall& call) {
  return {json_response(
      200, listing(authorities_.all(), call.query, std::string(kEdgesUri) + "/certificateauthorities", false))};
}

Answer Api::get_authority(const ApiCall& call) {
  const auto found = authorities_.find(call.id);
  return found ? Answer{json_response(200, *found)} : missing(call, "certificate authority");
}

Answer Api::post_authority(const ApiCall& call) {
  const auto body = json::Document::parse(call.request.body);
  const auto made = authorities_.create(body ? body->root() : json::View{});
  return {made ? json_response(200, *made) : vendor_error(made.error())};
}

Answer Api::put_authority(const ApiCall& call) {
  const auto body = json::Document::parse(call.request.body);
  const auto changed = authorities_.change(call.id, body ? body->root() : json::View{});
  return {changed ? json_response(200, *changed) : vendor_error(changed.error())};
}

Answer Api::delete_authority(const ApiCall& call) {
  const auto fault = authorities_.remove(call.id);
  return {fault ? vendor_error(*fault) : json_response(200, Value::object())};
}

Answer Api::post_certificate_details(const ApiCall& call) {
  const auto body = json::Document::parse(call.request.body);
  auto details = certificate_details(body ? body->root()["certificate"].string_or("") : "", clock_.now());
  if (!details) return bad_request("certificate is not a PEM certificate");
  return {json_response(200, {{"certificateDetails", std::move(*details)}})};
}

Answer Api::get_date(const ApiCall& /*call*/) {
  return {json_response(200, {{"currentDate", time_text(clock_.now())}})};
}

Answer Api::get_oauth_client(const ApiCall& call) {
  const auto client = oauth_.client(call.id);
  if (!client) return missing(call, "OAuth client");
  Value body = {{"id", call.id},
                {"name", call.id},
                {"accessTokenValiditySeconds", config_.token_life.count()},
                {"authorizedGrantType", "CLIENT-CREDENTIALS"},
                {"state", client->state},
                {"selfUri", "/api/v2/oauth/clients/" + call.id}};
  if (!client->delete_at.empty()) body["dateToDelete"] = client->delete_at;
  return {json_response(200, body)};
}

}  // namespace edgetrust::sim
