#include "control.hpp"

#include "edgetrust/json/value.hpp"

#include <charconv>

namespace edgetrust::sim {
namespace {

using json::Value;

constexpr std::size_t kMostEdges = 5'000;

http::Response done() { return {.status = 204, .headers = {}, .body = {}}; }
http::Response refusal(int status, const std::string& why) { return json_response(status, {{"error", why}}); }
http::Response from(const Status& status) {
  if (status) return done();
  return refusal(status.error().kind == ErrorKind::kNotFound ? 404 : 400, status.error().message());
}
http::Response no_such_call() { return refusal(404, "no such call"); }

std::uint64_t number(std::string_view query, std::string_view name) {
  const Query parsed = parse_query(query);
  const auto found = parsed.find(name);
  std::uint64_t value = 0;
  if (found != parsed.end()) std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

// The body as JSON; an empty body is an empty object.
Result<json::Document> read(std::string_view body) { return json::Document::parse(body.empty() ? "{}" : body); }

std::string padded(std::size_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

// The n-th Edge that is made at run time.
EdgeConfig made_edge(std::size_t n) {
  EdgeConfig edge;
  edge.id = "10000000-0000-4000-8000-" + padded(n, 12);
  edge.name = "edge" + padded(n, 4);
  edge.site = "site-" + padded(n % 10, 2);
  edge.site_name = edge.site;
  edge.time_zone = "Etc/UTC";
  edge.host = edge.name + ".edges.test";
  return edge;
}

Value entry_json(const JournalEntry& entry) {
  Value body = {
      {"n", entry.n},       {"time", time_text(entry.time)}, {"port", entry.port},     {"method", entry.method},
      {"path", entry.path}, {"query", entry.query},          {"status", entry.status}, {"executed", entry.executed}};
  if (!entry.fault.empty()) body["fault"] = entry.fault;
  if (!entry.edge_id.empty()) body["edgeId"] = entry.edge_id;
  if (!entry.fingerprint.empty()) body["fingerprintSha256"] = entry.fingerprint;
  return body;
}

}  // namespace

http::Response Control::answer(const http::ServerRequest& request) {
  const Segments path = path_segments(request.path);
  if (path.size() < 3 || path[0] != "sim" || path[1] != "v1") return no_such_call();
  const std::string& what = path[2];
  if (what == "edges") return answer_about_edges(request, path);
  if (what == "faults") return answer_about_faults(request);
  if (what == "cloud") return answer_about_cloud(request, path);
  if (what == "oauth") return answer_about_oauth(request, path);
  if (what == "journal" && request.method == "GET") return journal(request.query);
  if (what == "sbc-trust" && request.method == "PUT") return from(parts_.book.set_trust(request.body));
  if (what == "ca" && request.method == "GET") {
    return {
        .status = 200, .headers = {{"Content-Type", "application/x-pem-file"}}, .body = parts_.authority.root_pem()};
  }
  if (what == "reset" && request.method == "POST") return from(acts_.reset());
  return no_such_call();
}

http::Response Control::journal(std::string_view query) const {
  Value entries = Value::array();
  for (const JournalEntry& entry : parts_.journal.since(number(query, "since"))) entries.push_back(entry_json(entry));
  return json_response(200, {{"entries", entries}, {"last", parts_.journal.last()}});
}

http::Response Control::answer_about_edges(const http::ServerRequest& request, const Segments& path) {
  if (path.size() == 3 && request.method == "GET") {
    Value edges = Value::array();
    for (const EdgeRecord& edge : parts_.book.all()) edges.push_back(truth(edge));
    return json_response(200, {{"edges", edges}});
  }
  if (path.size() == 3 && request.method == "POST") return more_edges(request.body);
  if (path.size() == 4 && request.method == "GET") {
    const auto edge = parts_.book.find(path[3]);
    return edge ? json_response(200, truth(*edge)) : refusal(404, "no such Edge");
  }
  if (path.size() == 4 && request.method == "PATCH") return patch_edge(path[3], request.body);
  return no_such_call();
}

http::Response Control::patch_edge(const std::string& id, std::string_view body) {
  const auto document = read(body);
  if (!document) return refusal(400, document.error().message());
  return from(parts_.book.patch(id, document->root()));
}

http::Response Control::more_edges(std::string_view body) {
  const auto document = read(body);
  if (!document) return refusal(400, document.error().message());
  const std::int64_t count = document->root()["count"].integer().value_or(-1);
  const std::lock_guard lock(adding_);
  const std::size_t present = parts_.book.size();
  if (count < 1 || static_cast<std::size_t>(count) + present > kMostEdges) {
    return refusal(400, "count must be at least 1, and all Edges together at most " + std::to_string(kMostEdges));
  }
  std::vector<EdgeConfig> edges;
  for (std::size_t n = 1; edges.size() < static_cast<std::size_t>(count); ++n) {
    EdgeConfig edge = made_edge(n);
    if (!parts_.book.find(edge.id)) edges.push_back(std::move(edge));
  }
  if (const Status added = acts_.add_edges(edges); !added) return from(added);
  Value made = Value::array();
  for (const EdgeConfig& edge : edges) {
    const auto record = parts_.book.find(edge.id);
    if (record)
      made.push_back({{"id", edge.id}, {"name", edge.name}, {"host", edge.host}, {"sipPort", record->sip_port}});
  }
  return json_response(200, {{"edges", made}});
}

http::Response Control::answer_about_faults(const http::ServerRequest& request) {
  if (request.method == "DELETE") {
    parts_.faults.clear();
    return done();
  }
  if (request.method == "GET") return json_response(200, {{"planned", parts_.faults.size()}});
  if (request.method != "POST") return no_such_call();
  const auto document = read(request.body);
  if (!document) return refusal(400, document.error().message());
  auto fault = parse_fault(document->root());
  if (!fault) return refusal(400, fault.error().message());
  parts_.faults.add(std::move(*fault));
  return done();
}

http::Response Control::answer_about_cloud(const http::ServerRequest& request, const Segments& path) {
  if (path.size() == 3 && request.method == "GET") {
    Value body = {{"fingerprint", parts_.cloud.current().fingerprint}, {"caPem", parts_.authority.root_pem()}};
    if (const auto next = parts_.cloud.next()) body["nextFingerprint"] = next->fingerprint;
    return json_response(200, body);
  }
  if (path.size() != 4 || path[3] != "rotate" || request.method != "POST") return no_such_call();
  const auto document = read(request.body);
  if (!document) return refusal(400, document.error().message());
  const auto asks = [&](std::string_view field) { return document->root()[field].boolean().value_or(false); };
  return from(acts_.rotate_cloud(asks("notify"), asks("sameKey")));
}

http::Response Control::answer_about_oauth(const http::ServerRequest& request, const Segments& path) {
  if (path.size() == 5 && path[3] == "clients" && request.method == "PATCH") {
    const auto document = read(request.body);
    if (!document) return refusal(400, document.error().message());
    return from(parts_.oauth.patch_client(path[4], document->root()));
  }
  if (path.size() != 4 || request.method != "POST") return no_such_call();
  if (path[3] == "expire-tokens") {
    parts_.oauth.expire_tokens();
    return done();
  }
  if (path[3] != "rotate-secret") return no_such_call();
  const auto document = read(request.body);
  if (!document) return refusal(400, document.error().message());
  return json_response(200,
                       {{"clientSecret", parts_.oauth.rotate_secret(document->root()["clientSecret"].string_or(""))}});
}

Value Control::truth(const EdgeRecord& edge) const {
  const GuideStatus status = guide_status(edge);
  Value body = {
      {"id", edge.config.id},
      {"name", edge.config.name},
      {"site", edge.config.site},
      {"host", edge.config.host},
      {"sipPort", edge.sip_port},
      {"sip",
       {{"state", edge.sbc.up ? "UP" : "DOWN"}, {"cause", edge.sbc.cause}, {"since", time_text(edge.sbc_changed)}}},
      {"state", status.state},
      {"online", edge.online},
      {"inService", edge.in_service},
      {"calls", calls_at(edge, parts_.clock.steady(), parts_.config.call_ends_every)},
      {"restarts", edge.restarts},
      {"restarting", edge.restarting},
      {"uploads", edge.uploads},
      {"onApply", to_string(edge.on_apply)},
      {"softwareUpdate", edge.software_update}};
  if (edge.installed) {
    body["installed"] = {{"fingerprintSha256", edge.installed->leaf.fingerprint},
                         {"subject", edge.installed->leaf.subject},
                         {"issuer", edge.installed->leaf.issuer},
                         {"notAfter", time_text(edge.installed->leaf.not_after)},
                         {"chainPem", edge.installed->chain_pem},
                         {"at", time_text(edge.installed->at)}};
  }
  return body;
}

}  // namespace edgetrust::sim
