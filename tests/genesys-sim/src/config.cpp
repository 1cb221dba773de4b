#include "config.hpp"

#include <fstream>
#include <iterator>

namespace edgetrust::sim {
namespace {

using json::View;

tl::unexpected<Error> bad(std::string_view field, std::string_view why) {
  return fail(ErrorKind::kInvalid, "config: " + std::string(field) + " " + std::string(why));
}

Result<std::int64_t> number(View parent, std::string_view field, std::int64_t otherwise, std::int64_t most) {
  const View value = parent[field];
  if (!value.present()) return otherwise;
  const auto read = value.integer();
  if (!read || *read < 0 || *read > most) return bad(field, "must be a whole number up to " + std::to_string(most));
  return *read;
}

Result<std::uint16_t> port(View parent, std::string_view field) {
  EDGETRUST_TRY_ASSIGN(const std::int64_t value, number(parent, field, 0, 65'535));
  return static_cast<std::uint16_t>(value);
}

Result<milliseconds> wait(View parent, std::string_view field, milliseconds otherwise) {
  EDGETRUST_TRY_ASSIGN(const std::int64_t value, number(parent, field, otherwise.count(), 3'600'000));
  return milliseconds{value};
}

Result<std::vector<EdgeConfig>> parse_edges(View list) {
  std::vector<EdgeConfig> edges;
  Status status;
  list.for_each_element([&](View value) {
    auto edge = parse_edge(value);
    if (edge) {
      edges.push_back(std::move(*edge));
    } else {
      status = fail(edge.error());
    }
    return status.has_value();
  });
  EDGETRUST_TRY(status);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (edges[i].id == edges[j].id) return bad("edges[].id", "occurs twice: " + edges[i].id);
    }
  }
  return edges;
}

KeyPairFiles files(View value, std::string_view chain, std::string_view key) {
  return {value[chain].string_or(""), value[key].string_or("")};
}

Status parse_behaviour(View root, Config& config) {
  EDGETRUST_TRY_ASSIGN(config.restart, wait(root, "restartMs", config.restart));
  EDGETRUST_TRY_ASSIGN(config.slow_restart, wait(root, "slowRestartMs", config.restart * 10));
  EDGETRUST_TRY_ASSIGN(config.call_ends_every, wait(root, "callEndsEveryMs", config.call_ends_every));
  EDGETRUST_TRY_ASSIGN(const std::int64_t life, number(root, "tokenSeconds", 86'400, 172'800));
  config.token_life = std::chrono::seconds{life};
  EDGETRUST_TRY_ASSIGN(const std::int64_t rate, number(root, "ratePerMinute", config.rate_per_minute, 1'000'000));
  config.rate_per_minute = static_cast<int>(rate);
  config.enforce_rate = root["enforceRate"].boolean().value_or(false);
  config.guide_api = root["guideApi"].boolean().value_or(true);
  config.published_api = root["publishedApi"].boolean().value_or(true);
  return {};
}

Status parse_sbc(View value, SbcConfig& sbc) {
  sbc.trust_file = value["trustFile"].string_or("");
  sbc.server_name = value["serverName"].string_or(sbc.server_name);
  EDGETRUST_TRY_ASSIGN(sbc.interval, wait(value, "intervalMs", sbc.interval));
  if (sbc.interval.count() == 0) return bad("sbc.intervalMs", "must not be 0");
  return {};
}

}  // namespace

Result<EdgeConfig> parse_edge(View value) {
  EdgeConfig edge;
  edge.id = value["id"].string_or("");
  if (edge.id.empty()) return bad("edges[].id", "is missing");
  edge.name = value["name"].string_or(edge.id);
  edge.site = value["site"].string_or("site-1");
  edge.site_name = value["siteName"].string_or(edge.site);
  edge.time_zone = value["timeZone"].string_or("");
  value["timeServers"].for_each_element([&](View server) {
    edge.time_servers.push_back(server.string_or(""));
    return true;
  });
  edge.host = value["host"].string_or(edge.name);
  EDGETRUST_TRY_ASSIGN(edge.sip_port, port(value, "sipPort"));
  edge.factory = value["factory"].boolean().value_or(false);
  return edge;
}

Result<Config> parse_config(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document) return fail(within("config", document.error()));
  const View root = document->root();
  if (root.kind() != json::Kind::kObject) return bad("file", "must hold a JSON object");
  Config config;
  EDGETRUST_TRY_ASSIGN(config.api_port, port(root["api"], "port"));
  EDGETRUST_TRY_ASSIGN(config.control_port, port(root["control"], "port"));
  EDGETRUST_TRY_ASSIGN(config.cloud_port, port(root["cloud"], "port"));
  config.api_tls = files(root["api"], "certFile", "keyFile");
  if (config.api_tls.chain_file.empty() != config.api_tls.key_file.empty()) {
    return bad("api", "needs both certFile and keyFile, or neither");
  }
  config.client_id = root["credentials"]["clientId"].string_or(config.client_id);
  config.client_secret = root["credentials"]["clientSecret"].string_or(config.client_secret);
  EDGETRUST_TRY_ASSIGN(config.edges, parse_edges(root["edges"]));
  EDGETRUST_TRY(parse_sbc(root["sbc"], config.sbc));
  if (config.sbc.trust_file.empty()) config.sbc.trust_file = root["sbcTrustFile"].string_or("");
  root["initialCertificates"].for_each_member([&](std::string_view id, View value) {
    config.initial_certificates[std::string(id)] = files(value, "chainFile", "keyFile");
    return true;
  });
  EDGETRUST_TRY(parse_behaviour(root, config));
  return config;
}

Result<std::string> read_file(const std::string& path) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::kNotFound, "cannot read " + path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.size() > kMost) return fail(ErrorKind::kInvalid, path + " is larger than a megabyte");
  return text;
}

}  // namespace edgetrust::sim
