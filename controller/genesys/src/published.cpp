#include "published.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::genesys::published {
namespace {

constexpr std::size_t kMaxName = 256;

std::string text(json::View value) { return printable(value.string().value_or(""), kMaxName); }
bool is(json::View value, std::string_view word) { return lower(value.string().value_or("")) == lower(word); }

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
  return edge;
}

std::string edge_of_trunk(json::View entity) { return lower(text(entity["edge"]["id"])); }

std::optional<ListedSite> read_site(json::View entity) {
  ListedSite site{.id = text(entity["id"]), .time_zone = text(entity["edgeAutoUpdateConfig"]["timeZone"])};
  if (site.id.empty()) return std::nullopt;
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
