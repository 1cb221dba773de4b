#include "edgetrust/dns/cloudflare/cloudflare_zone.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/name.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>

namespace edgetrust::dns {
namespace {

constexpr int kMostPages = 20;
constexpr int kPageSize = 100;
constexpr int kTtl = 60;  // seconds; the least that every plan allows

// https://developers.cloudflare.com/api: codes of the errors that mean something else than their status.
constexpr std::int64_t kNoSuchRecord = 81044;
constexpr std::int64_t kRecordExists = 81057;
constexpr std::int64_t kSameRecordExists = 81058;
constexpr std::array<std::int64_t, 5> kBadToken{1000, 6003, 6111, 9106, 10001};  // invalid or malformed

// Ids go into paths: what Cloudflare gives is 32 digits of hex.
bool is_id(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

// TXT content is shown in quotes or, where it was written without them, bare.
std::string quoted(const std::string& value) { return '"' + value + '"'; }
bool holds(std::string_view content, const std::string& value) { return content == value || content == quoted(value); }

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<std::unique_ptr<CloudflareZone>> CloudflareZone::create(CloudflareOptions options,
                                                               std::shared_ptr<http::Transport> transport,
                                                               FindZone find_zone, const Clock& clock) {
  EDGETRUST_TRY_ASSIGN(http::Url api, api_url(options.api, "the address of Cloudflare's API"));
  Secret token(trim(options.token.expose()));
  if (!is_token(token.expose()))
    return fail(ErrorKind::kInvalid, "cloudflare: " + options.credential + " holds no API token");
  Rest rest(std::move(transport), clock, {.peer = "Cloudflare", .credential = options.credential});
  return std::unique_ptr<CloudflareZone>(
      new CloudflareZone(std::move(api), std::move(token), std::move(rest), std::move(find_zone)));
}

Status CloudflareZone::present(const std::string& name, const std::string& value, std::stop_token stop) {
  const Until until = rest_.until(std::move(stop));
  const auto done = [&]() -> Status {
    EDGETRUST_TRY_ASSIGN(const Found found, find(canonical_name(name), value, until));
    if (!found.records.empty()) return {};
    const json::Value record{
        {"type", "TXT"}, {"name", canonical_name(name)}, {"content", quoted(value)}, {"ttl", kTtl}};
    EDGETRUST_TRY_ASSIGN(const http::Response response,
                         ask(http::Method::kPost, "/zones/" + found.zone + "/dns_records", json::dump(record), until));
    const auto read_back = read(response);
    const bool there = !read_back && (read_back.error().code == std::to_string(kRecordExists) ||
                                      read_back.error().code == std::to_string(kSameRecordExists));
    if (!read_back && !there) return fail(read_back.error());
    return {};
  }();
  return Status(done).map_error([&](Error error) { return within("TXT record at " + name, std::move(error)); });
}

Status CloudflareZone::remove(const std::string& name, const std::string& value, std::stop_token stop) {
  const Until until = rest_.until(std::move(stop));
  const auto done = [&]() -> Status {
    EDGETRUST_TRY_ASSIGN(const Found found, find(canonical_name(name), value, until));
    for (const auto& record : found.records) {
      EDGETRUST_TRY_ASSIGN(const http::Response response,
                           ask(http::Method::kDelete, "/zones/" + found.zone + "/dns_records/" + record, {}, until));
      const auto removed = read(response);
      const bool gone = !removed && removed.error().code == std::to_string(kNoSuchRecord);
      if (!removed && !gone) return fail(removed.error());
    }
    return {};
  }();
  return Status(done).map_error([&](Error error) { return within("TXT record at " + name, std::move(error)); });
}

Result<CloudflareZone::Found> CloudflareZone::find(const std::string& name, const std::string& value,
                                                   const Until& until) const {
  Found found;
  EDGETRUST_TRY_ASSIGN(found.zone, zone_id(name, until));
  for (int page = 1; page <= kMostPages; ++page) {
    const std::string query = http::query_string({{"type", "TXT"},
                                                  {"name.exact", name},
                                                  {"page", std::to_string(page)},
                                                  {"per_page", std::to_string(kPageSize)}});
    EDGETRUST_TRY_ASSIGN(const http::Response response,
                         ask(http::Method::kGet, "/zones/" + found.zone + "/dns_records?" + query, {}, until));
    EDGETRUST_TRY_ASSIGN(const json::Document document, read(response));
    const json::View root = document.root();
    if (root["result"].kind() != json::Kind::kArray) return fail(rest_.broken("no list of records"));
    bool good = true;
    root["result"].for_each_element([&](json::View record) {
      const bool is_ours = record["type"].string() == "TXT" && canonical_name(record["name"].string_or("")) == name &&
                           holds(record["content"].string_or(""), value);
      if (is_ours) found.records.push_back(record["id"].string_or(""));
      good = !is_ours || is_id(found.records.back());
      return good;
    });
    if (!good) return fail(rest_.broken("a record without an id"));
    if (page >= root["result_info"]["total_pages"].integer().value_or(1)) return found;
  }
  return fail(ErrorKind::kConflict,
              "there are more TXT records at the name than " + std::to_string(kMostPages * kPageSize));
}

Result<std::string> CloudflareZone::zone_id(const std::string& name, const Until& until) const {
  EDGETRUST_TRY_ASSIGN(const std::string zone, find_zone_(name, until.stop));
  EDGETRUST_TRY_ASSIGN(const http::Response response,
                       ask(http::Method::kGet, "/zones?" + http::query_string({{"name", zone}}), {}, until));
  EDGETRUST_TRY_ASSIGN(const json::Document document, read(response));
  std::string id;
  document.root()["result"].for_each_element([&](json::View candidate) {
    if (canonical_name(candidate["name"].string_or("")) == zone) id = candidate["id"].string_or("");
    return id.empty();
  });
  if (id.empty())
    return fail(ErrorKind::kNotFound, "Cloudflare shows no zone " + zone + " to the token in " +
                                          rest_.options().credential +
                                          ": the zone must be in its account, and the token needs Zone:Read for it");
  if (!is_id(id)) return fail(rest_.broken("a zone without an id"));
  return id;
}

Result<http::Response> CloudflareZone::ask(http::Method method, const std::string& path, std::string body,
                                           const Until& until) const {
  http::Request request{.method = method, .url = under(api_, path), .headers = {}, .body = std::move(body)};
  request.headers.set("Authorization", "Bearer " + std::string(token_.expose()));
  request.headers.set("Accept", "application/json");
  if (!request.body.empty()) request.headers.set("Content-Type", "application/json");
  return rest_.send(std::move(request), until);
}

Result<json::Document> CloudflareZone::read(const http::Response& response) const {
  auto document = json::Document::parse(response.body);
  if (!document) {
    if (response.ok()) return fail(rest_.broken(document.error().what));
    return fail(rest_.refusal(response));
  }
  const json::View root = document->root();
  if (response.ok() && root["success"].boolean().value_or(false)) return document;
  std::int64_t code = 0;
  std::string said;
  root["errors"].for_each_element([&](json::View error) {
    code = error["code"].integer().value_or(0);
    said = told(error["message"].string_or(""), {token_.expose()});
    return false;
  });
  const std::string number = code == 0 ? "" : std::to_string(code);
  if (!number.empty()) said += said.empty() ? "(code " + number + ")" : " (code " + number + ")";
  if (response.status == 401 || (response.status < 500 && std::ranges::find(kBadToken, code) != kBadToken.end()))
    return fail(rest_.refusal(ErrorKind::kUnauthorized, response, said, number));
  if (response.status == 403)
    said += (said.empty() ? "" : "; ") + std::string("it needs Zone:Zone:Read and Zone:DNS:Edit for the zone");
  return fail(rest_.refusal(response, said, number));
}

}  // namespace edgetrust::dns
