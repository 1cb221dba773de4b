// The published calls about trunks and metrics. Each Edge has one EXTERNAL trunk to the simulated SBC; its health is
// what that SBC really saw, unless the leaf is one that takes the trunk down (`onApply: trunk-down`).
#include "api.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::sim {
namespace {

using json::Value;

constexpr std::size_t kMostIds = 100;

Answer missing(const ApiCall& call, std::string_view what) {
  return {vendor_error({.status = 404,
                        .code = "not.found",
                        .message = "The requested " + std::string(what) + " was not found",
                        .entity_id = printable(call.id, 100)}),
          printable(call.id, 100)};
}

std::string trunks_uri() { return std::string(kEdgesUri) + "/trunks"; }

Value edge_reference(const EdgeRecord& edge) {
  return {
      {"id", edge.config.id}, {"name", edge.config.name}, {"selfUri", std::string(kEdgesUri) + "/" + edge.config.id}};
}

Value trunk_reference(const EdgeRecord& edge) {
  return {
      {"id", edge.trunk_id}, {"name", "SBC " + edge.config.site_name}, {"selfUri", trunks_uri() + "/" + edge.trunk_id}};
}

Value trunk_json(const EdgeRecord& edge) {
  const TrunkView seen = trunk_of(edge);
  const bool up = seen.up;
  const std::string since = time_text(seen.since);
  const std::string proxy = "sbc." + edge.config.site + ".example:5061";
  Value options = {{"proxyAddress", proxy}, {"optionState", up}, {"optionStateTime", since}};
  if (!up) options["errorInfo"] = {{"text", seen.cause}, {"code", "options.failed"}};
  Value body = trunk_reference(edge);
  body.update({{"version", 1},
               {"trunkType", "EXTERNAL"},
               {"state", "active"},
               {"inService", true},
               {"enabled", edge.in_service},
               {"edge", edge_reference(edge)},
               {"connectedStatus", {{"connected", up}, {"connectedStateTime", since}}},
               {"optionsEnabledStatus", "ENABLED"},
               {"registersEnabledStatus", "DISABLED"},
               {"registersStatus", Value::array()},
               {"family", 2}});
  body["optionsStatus"] = Value::array({options});
  body["proxyAddressList"] = Value::array({proxy});
  return body;
}

std::vector<std::string> ids(const ApiCall& call, std::string_view name) {
  const auto found = call.query.find(name);
  if (found == call.query.end()) return {};
  std::vector<std::string> wanted = split(found->second, ',');
  wanted.resize(std::min(wanted.size(), kMostIds));
  return wanted;
}

std::vector<Value> trunks_of(const std::vector<EdgeRecord>& edges, const ApiCall& call) {
  std::vector<Value> trunks;
  const auto type = call.query.find("trunkType");
  if (type != call.query.end() && type->second != "EXTERNAL") return trunks;
  for (const EdgeRecord& edge : edges) trunks.push_back(trunk_json(edge));
  return trunks;
}

}  // namespace

Answer Api::list_trunks_of_edge(const ApiCall& call) {
  const auto edge = book_.find(call.id);
  if (!edge) return missing(call, "Edge");
  const std::string uri = std::string(kEdgesUri) + "/" + call.id + "/trunks";
  return {json_response(200, listing(trunks_of({*edge}, call), call.query, uri, true)), call.id};
}

Answer Api::list_trunks(const ApiCall& call) {
  std::vector<EdgeRecord> edges = book_.all();
  if (const auto wanted = call.query.find("edgeId"); wanted != call.query.end()) {
    std::erase_if(edges, [&](const EdgeRecord& edge) { return edge.config.id != wanted->second; });
  }
  return {json_response(200, listing(trunks_of(edges, call), call.query, trunks_uri(), true))};
}

Answer Api::get_trunk(const ApiCall& call) {
  const auto edge = book_.find_by_trunk(call.id);
  if (!edge) return missing(call, "Trunk");
  return {json_response(200, trunk_json(*edge)), edge->config.id};
}

Value Api::trunk_metrics_json(const EdgeRecord& edge) const {
  const int calls = calls_at(edge, clock_.steady(), config_.call_ends_every);
  return {{"eventTime", time_text(clock_.now())},
          {"trunk", trunk_reference(edge)},
          {"calls", {{"inboundCallCount", calls}, {"outboundCallCount", 0}}},
          {"qos", {{"mismatchCount", 0}}}};
}

Answer Api::get_trunk_metrics(const ApiCall& call) {
  const auto edge = book_.find_by_trunk(call.id);
  if (!edge) return missing(call, "Trunk");
  return {json_response(200, trunk_metrics_json(*edge)), edge->config.id};
}

Answer Api::list_trunk_metrics(const ApiCall& call) {
  Value all = Value::array();
  for (const std::string& id : ids(call, "trunkIds")) {
    if (const auto edge = book_.find_by_trunk(id)) all.push_back(trunk_metrics_json(*edge));
  }
  return {json_response(200, all)};
}

Value Api::edge_metrics_json(const EdgeRecord& edge) const {
  const auto up = std::chrono::duration_cast<milliseconds>(clock_.steady() - started_);
  return {{"edge", edge_reference(edge)}, {"eventTime", time_text(clock_.now())},
          {"upTimeMsec", up.count()},     {"processors", Value::array()},
          {"memory", Value::array()},     {"disks", Value::array()},
          {"subsystems", Value::array()}, {"networks", Value::array()}};
}

Answer Api::get_edge_metrics(const ApiCall& call) {
  const auto edge = book_.find(call.id);
  if (!edge) return missing(call, "Edge");
  return {json_response(200, edge_metrics_json(*edge)), call.id};
}

Answer Api::list_edge_metrics(const ApiCall& call) {
  Value all = Value::array();
  for (const std::string& id : ids(call, "edgeIds")) {
    if (const auto edge = book_.find(id)) all.push_back(edge_metrics_json(*edge));
  }
  return {json_response(200, all)};
}

}  // namespace edgetrust::sim
