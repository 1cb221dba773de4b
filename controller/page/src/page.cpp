#include "edgetrust/page/page.hpp"

#include "assets.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/page/document.hpp"
#include "edgetrust/view/text.hpp"

#include <algorithm>

namespace edgetrust::page {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostListeners = 32;
constexpr auto kBetweenRenderings = 1s;
constexpr auto kLongestUnchanged = 30s;  // what is due changes with time alone
constexpr std::string_view kRotations = "/rotations/";

// The page may use nothing but what comes from here, may not be framed, and tells nobody where it was.
http::Headers with_headers(std::initializer_list<std::pair<std::string, std::string>> more) {
  http::Headers headers{{"Content-Security-Policy",
                         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "
                         "data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Resource-Policy", "same-origin"}};
  for (const auto& [name, value] : more) headers.add(name, value);
  return headers;
}

http::Response text(int status, std::string body) {
  return {.status = status,
          .headers = with_headers({{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}}),
          .body = std::move(body)};
}

http::Response document(const json::Value& value) {
  return {.status = 200,
          .headers = with_headers({{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}),
          .body = json::dump(value)};
}

std::string etag_of(std::string_view content) { return "W/\"" + to_hex(crypto::sha256(content).substr(0, 16)) + "\""; }

// RFC 9110 section 13.1.2, with the weak comparison.
bool is_known(const http::ServerRequest& request, const std::string& etag) {
  const auto known = request.headers.get("If-None-Match");
  if (!known) return false;
  const auto tags = split(*known, ',');
  return std::ranges::any_of(tags, [&](std::string_view tag) { return trim(tag) == etag || trim(tag) == "*"; });
}

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

std::optional<http::Response> file(const http::ServerRequest& request) {
  for (const auto& [name, content] : assets()) {
    if (request.path != (name == "index.html" ? "/" : "/" + std::string(name))) continue;
    const std::string etag = etag_of(content);
    http::Headers headers =
        with_headers({{"Content-Type", std::string(type_of(name))}, {"Cache-Control", "no-cache"}, {"ETag", etag}});
    if (is_known(request, etag)) return http::Response{.status = 304, .headers = std::move(headers)};
    return http::Response{.status = 200, .headers = std::move(headers), .body = std::string(content)};
  }
  return std::nullopt;
}

// Of "name:port", "[::1]:port".
std::string host_of(std::string_view authority) {
  const auto end = authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':');
  return lower(authority.substr(0, end));
}

}  // namespace

http::ServerOptions server_options(std::string address, std::uint16_t port) {
  http::ServerOptions options{.address = std::move(address), .port = port};
  options.max_body = 1024;
  options.max_connections = 4 * kMostListeners;
  return options;
}

Page::Page(Source source, const std::vector<std::string>& hosts, const Clock& clock)
    : source_(std::move(source)),
      hosts_{"localhost", "127.0.0.1", "[::1]"},
      clock_(clock),
      channel_(http::EventChannel::create(kMostListeners)),
      process_(std::to_string(clock.now().time_since_epoch().count())) {
  for (const auto& host : hosts) hosts_.push_back(lower(host));
  channel_->say(name_of(0));
}

std::string Page::name_of(std::uint64_t version) const { return process_ + "." + std::to_string(version); }

void Page::changed() {
  const std::lock_guard lock(telling_);  // the last word is the last version
  channel_->say(name_of(++version_));
}

bool Page::is_ours(const http::ServerRequest& request) const {
  const auto host = request.headers.get("Host");
  return host && std::ranges::find(hosts_, host_of(*host)) != hosts_.end();
}

http::Answer Page::answer(const http::ServerRequest& request) {
  if (!is_ours(request)) return text(421, "this name is not served here; --page-hosts takes those that are\n");
  if (request.method != "GET" && request.method != "HEAD") {
    http::Response refused = text(405, "only GET and HEAD\n");
    refused.headers.add("Allow", "GET, HEAD");
    return refused;
  }
  if (auto asset = file(request)) return std::move(*asset);
  const bool is_rotation = request.path.starts_with(kRotations);
  if (request.path != "/fleet.json" && request.path != "/events" && !is_rotation)
    return text(404, "there is no such page\n");
  if (!source_.synced()) {
    http::Response later = text(503, "the operator has not read the cluster yet\n");
    later.headers.add("Retry-After", "2");
    return later;
  }
  if (is_rotation) return rotation(request.path.substr(kRotations.size()));
  if (request.path == "/events") return events();
  return fleet(request);
}

std::shared_ptr<const Page::Rendered> Page::rendered() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t version = version_;
  const SteadyPoint now = clock_.steady();
  if (rendered_) {
    const auto age = now - rendered_->at;
    if (age < kBetweenRenderings || (rendered_->version == version && age < kLongestUnchanged)) return rendered_;
  }
  const json::Value items = as_value(rows(source_.fleet(), clock_.now()));
  std::string text = json::dump(items);
  std::string etag = etag_of(text);
  rendered_ = std::make_shared<const Rendered>(Rendered{version, now, std::move(text), std::move(etag)});
  return rendered_;
}

// Which version it is of is said beside it: whoever was told of a later one asks again.
http::Response Page::fleet(const http::ServerRequest& request) {
  const auto shown = rendered();
  http::Headers headers = with_headers({{"Content-Type", "application/json"},
                                        {"Cache-Control", "no-store"},
                                        {"ETag", shown->etag},
                                        {"Edgetrust-Version", name_of(shown->version)}});
  if (const auto since = source_.silent_since()) headers.add("Edgetrust-Silent-Since", format_rfc3339(*since));
  if (is_known(request, shown->etag)) return {.status = 304, .headers = std::move(headers)};
  return {.status = 200,
          .headers = std::move(headers),
          .body = R"({"time":")" + format_rfc3339(clock_.now()) + R"(","items":)" + shown->items + "}"};
}

// Names of objects are DNS labels and need no decoding (RFC 1123).
http::Response Page::rotation(const std::string& key) {
  const auto parts = split(key, '/');
  if (parts.size() == 2) {
    if (const auto subject = source_.rotation({parts[0], parts[1]}))
      return document(page::rotation(*subject, clock_.now()));
  }
  return text(404, "there is no such EdgeCertificate\n");
}

http::Answer Page::events() {
  if (auto listener = channel_->listen())
    return {{.status = 200, .headers = with_headers({}), .body = {}}, std::move(listener)};
  http::Response later = text(503, "too many listen already\n");
  later.headers.add("Retry-After", "30");
  return later;
}

}  // namespace edgetrust::page
