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

// A trunk's health as its SIP proxies see it. A trunk that is not in use is Unknown: it says nothing about the Edge.
ports::Trunk read_trunk(json::View entity);

// Site.edgeAutoUpdateConfig.timeZone; empty when there is none. Errors: kProtocol when it is no JSON object.
Result<std::string> read_time_zone(std::string_view body);

}  // namespace edgetrust::genesys::published
