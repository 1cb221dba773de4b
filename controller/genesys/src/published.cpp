#include "published.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::genesys::published {
namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::int64_t kMostCalls = 1'000'000;

std::string text(json::View value) { return printable(value.string().value_or(""), kMaxName); }
bool is(json::View value, std::string_view word) { return lower(value.string().value_or("")) == lower(word); }

ports::CallDraining read_draining(json::View value) {
  using ports::CallDraining;
  if (is(value, "NONE")) return CallDraining::kNone;
  if (is(value, "WAIT")) return CallDraining::kWaiting;
  if (is(value, "WAIT_TIMEOUT") || is(value, "TERMINATE")) return CallDraining::kCutting;
  return is(value, "COMPLETE") ? CallDraining::kComplete : CallDraining::kUnknown;
}

}  // namespace

Result<Page> read_page(std::string_view body, int page_number, std::size_t max_bytes) {
  auto document = json::Document::parse(body, {.max_bytes = max_bytes, .max_depth = 32});
  if (!document) return fail(std::move(document).error());
  const json::View entities = document->root()["entities"];
  if (entities.kind() != json::Kind::kArray) return fail(ErrorKind::kProtocol, "the answer is no listing");
  const auto pages = document->root()["pageCount"].integer();
  const bool last = entities.size() == 0 || !pages || page_number >= *pages;
  return Page{std::move(*document), last};
}

std::optional<ListedEdge> read_edge(json::View entity) {
  ListedEdge edge;
  edge.info.id = ports::EdgeId(text(entity["id"]));
  if (edge.info.id.empty()) return std::nullopt;
  edge.info.name = text(entity["name"]);
  edge.site_id = text(entity["site"]["id"]);
  edge.info.site = text(entity["site"]["name"]);
  if (edge.info.site.empty()) edge.info.site = edge.site_id;
  edge.info.online = is(entity["onlineStatus"], "ONLINE");
  edge.info.in_service = is(entity["statusCode"], "ACTIVE");
  edge.info.active = is(entity["state"], "active");
  edge.info.software_status = text(entity["softwareStatus"]["status"]);
  const json::View deployment = entity["edgeDeploymentType"];
  edge.info.appliance = !deployment.present() || is(deployment, "HARDWARE") || is(deployment, "LDM");
  edge.info.draining = read_draining(entity["callDrainingState"]);
  edge.info.conversations =
      static_cast<int>(std::clamp<std::int64_t>(entity["conversationCount"].integer().value_or(0), 0, kMostCalls));
  return edge;
}

Result<ports::EdgeInfo> read_edge(std::string_view body, const ports::EdgeId& wanted) {
  const auto document = json::Document::parse(body, {.max_bytes = std::size_t{1} << 20, .max_depth = 32});
  auto edge = document ? read_edge(document->root()) : std::nullopt;
  if (!edge || lower(edge->info.id.value) != lower(wanted.value))
    return fail(ErrorKind::kProtocol, "the answer is not that Edge");
  return std::move(edge->info);
}

std::string edge_of_trunk(json::View entity) { return lower(text(entity["edge"]["id"])); }

std::optional<ListedSite> read_site(json::View entity) {
  ListedSite site{
      .id = text(entity["id"]), .time_zone = text(entity["edgeAutoUpdateConfig"]["timeZone"]), .time_servers = {}};
  if (site.id.empty()) return std::nullopt;
  entity["ntpSettings"]["servers"].for_each_element([&](json::View server) {
    if (std::string name = text(server); !name.empty()) site.time_servers.push_back(std::move(name));
    return site.time_servers.size() < kMostTimeServers;
  });
  return site;
}

Result<OAuthClient> read_oauth_client(std::string_view body) {
  const auto document = json::Document::parse(body, {.max_bytes = std::size_t{1} << 20, .max_depth = 32});
  if (!document || document->root().kind() != json::Kind::kObject) {
    return fail(ErrorKind::kProtocol, "the answer is no JSON object");
  }
  OAuthClient client{.state = lower(text(document->root()["state"])), .delete_after = {}};
  const auto at = parse_rfc3339(document->root()["dateToDelete"].string().value_or(""));
  if (at) client.delete_after = format_rfc3339(*at);
  return client;
}

}  // namespace edgetrust::genesys::published
