#pragma once
// What the published API lists, as plain data.
#include "edgetrust/json/view.hpp"
#include "edgetrust/ports/edge_fleet.hpp"

namespace edgetrust::genesys::published {

// One page of a listing `{entities[], pageNumber, pageCount, …}`.
struct Page {
  json::Document document;
  bool last = true;
};
// Errors: kProtocol when it is no listing.
Result<Page> read_page(std::string_view body, int page_number, std::size_t max_bytes);

struct ListedEdge {
  ports::EdgeInfo info;
  std::string site_id;
};
// Empty when the entity has no id.
std::optional<ListedEdge> read_edge(json::View entity);
// GET /edges/{id}. Errors: kProtocol when it is no Edge, or another one.
Result<ports::EdgeInfo> read_edge(std::string_view body, const ports::EdgeId& wanted);

// A trunk's health as its SIP proxies see it. A trunk that is not in use is Unknown: it says nothing about the Edge.
ports::Trunk read_trunk(json::View entity);

// The Edge that a listed trunk belongs to, in lower case; empty when it names none.
std::string edge_of_trunk(json::View entity);

inline constexpr std::size_t kMostTimeServers = 16;
struct ListedSite {
  std::string id;
  std::string time_zone;                  // edgeAutoUpdateConfig.timeZone; empty when there is none
  std::vector<std::string> time_servers;  // ntpSettings.servers; at most kMostTimeServers
};
// Empty when the entity has no id.
std::optional<ListedSite> read_site(json::View entity);

// GET /oauth/clients/{id}: what it says of the client's end. Errors: kProtocol when it is no JSON object.
struct OAuthClient {
  std::string state;         // active, disabled, inactive
  std::string delete_after;  // dateToDelete, RFC 3339; empty: it is not to be deleted
};
Result<OAuthClient> read_oauth_client(std::string_view body);

}  // namespace edgetrust::genesys::published
