#include "vendor.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"

#include <charconv>

namespace edgetrust::sim {
namespace {

int number(const Query& query, std::string_view name, int otherwise) {
  const auto found = query.find(name);
  if (found == query.end()) return otherwise;
  int value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [at, error] = std::from_chars(found->second.data(), end, value);
  return error == std::errc{} && at == end && value > 0 ? value : otherwise;
}

}  // namespace

http::Response json_response(int status, const json::Value& body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = json::dump(body)};
}

http::Response vendor_error(const VendorFault& fault) {
  json::Value body = {{"message", fault.message},
                      {"code", fault.code},
                      {"status", fault.status},
                      {"messageParams", json::Value::object()},
                      {"contextId", ""},
                      {"details", json::Value::array()},
                      {"errors", json::Value::array()}};
  if (!fault.entity_id.empty()) body["entityId"] = fault.entity_id;
  if (!fault.detail_code.empty()) {
    body["details"].push_back({{"errorCode", fault.detail_code}, {"fieldName", fault.detail_field}});
  }
  return json_response(fault.status, body);
}

http::Response not_found(std::string_view path) {
  return vendor_error(
      {.status = 404, .code = "not.found", .message = "The requested resource was not found: " + printable(path, 200)});
}

std::string_view code_for(int status) {
  switch (status) {
    case 400: return "bad.request";
    case 401: return "authentication.required";
    case 403: return "missing.any.permissions";
    case 404: return "not.found";
    case 408: return "request.timeout";
    case 409: return "conflict";
    case 413: return "request.too.large";
    case 415: return "unsupported.media.type";
    case 429: return "too.many.requests";
    case 503: return "service.unavailable";
    case 504: return "request.timeout";
    default: return "internal.server.error";
  }
}

std::string time_text(TimePoint time) {
  constexpr std::size_t kMilliseconds = 23;  // of "2026-11-22T01:02:03.456789Z"
  return format_rfc3339_micro(time).substr(0, kMilliseconds) + "Z";
}

std::string url_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto octet = from_hex(text.substr(i + 1, 2))) {
        decoded += *octet;
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

Query parse_query(std::string_view text) {
  Query query;
  for (const std::string& pair : split(text, '&')) {
    if (pair.empty()) continue;
    std::string plain = pair;
    std::replace(plain.begin(), plain.end(), '+', ' ');
    const auto equals = plain.find('=');
    query[url_decode(plain.substr(0, equals))] =
        equals == std::string::npos ? std::string{} : url_decode(std::string_view(plain).substr(equals + 1));
  }
  return query;
}

std::vector<std::string> path_segments(std::string_view path) {
  std::vector<std::string> segments = split(path, '/');
  if (!segments.empty() && segments.front().empty()) segments.erase(segments.begin());
  for (std::string& segment : segments) segment = url_decode(segment);
  return segments;
}

json::Value listing(const std::vector<json::Value>& all, const Query& query, std::string_view uri, bool total_again) {
  const int size = std::min(number(query, "pageSize", 25), 100);
  const int page = number(query, "pageNumber", 1);
  const int total = static_cast<int>(all.size());
  const int pages = std::max(1, (total + size - 1) / size);
  const auto link = [&](int which) {
    return std::string(uri) + "?pageSize=" + std::to_string(size) + "&pageNumber=" + std::to_string(which);
  };
  json::Value body = {{"entities", json::Value::array()},
                      {"pageSize", size},
                      {"pageNumber", page},
                      {"total", total},
                      {"pageCount", pages},
                      {"firstUri", link(1)},
                      {"selfUri", link(page)},
                      {"lastUri", link(pages)}};
  if (page < pages) body["nextUri"] = link(page + 1);
  if (page > 1) body["previousUri"] = link(page - 1);
  if (total_again) body["totalNumberOfEntities"] = total;
  for (int i = (page - 1) * size; i < std::min(total, page * size); ++i) {
    body["entities"].push_back(all[static_cast<std::size_t>(i)]);
  }
  return body;
}

}  // namespace edgetrust::sim
