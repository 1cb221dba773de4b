#include "vendor_error.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/view.hpp"
#include "vendor_rate.hpp"

namespace edgetrust::genesys {
namespace {

constexpr std::size_t kMaxMessage = 512;
constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10;
constexpr std::string_view kWithheld = "(text withheld: it repeats a secret)";

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_base64(char c) {
  return is_hex(c) || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '+' || c == '/' || c == '=' ||
         c == '-' || c == '_';
}

// A run of 48 or more octets of base64 that is not plain hex (a fingerprint): a token, a key, or a piece of one.
bool holds_encoded_block(std::string_view text) {
  constexpr std::size_t kBlock = 48;
  std::size_t run = 0;
  bool hex = true;
  for (const char c : text) {
    run = is_base64(c) ? run + 1 : 0;
    hex = run <= 1 ? is_hex(c) : hex && is_hex(c);
    if (run >= kBlock && !hex) return true;
  }
  return false;
}

std::string safe(std::string_view text, std::size_t limit, const std::vector<std::string_view>& secrets) {
  const auto repeated = [&](std::string_view secret) {
    return !secret.empty() && text.find(secret) != std::string_view::npos;
  };
  if (std::any_of(secrets.begin(), secrets.end(), repeated)) return std::string(kWithheld);
  if (text.find("PRIVATE KEY") != std::string_view::npos || holds_encoded_block(text)) return std::string(kWithheld);
  return printable(text, limit);
}

// The vendor may repeat in its sentence the id that it has given to this one exchange.
std::string without(std::string text, const std::string& id) {
  constexpr std::size_t kShortest = 8;  // what is shorter may be a word of the sentence
  if (id.size() < kShortest) return text;
  for (auto at = text.find(id); at != std::string::npos; at = text.find(id, at)) text.erase(at, id.size());
  return text;
}

ErrorKind kind_of(int status) {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422: return ErrorKind::kInvalid;
    case 401: return ErrorKind::kUnauthorized;
    case 403: return ErrorKind::kForbidden;
    case 404:
    case 410: return ErrorKind::kNotFound;
    case 408:
    case 504: return ErrorKind::kTimeout;
    case 409: return ErrorKind::kConflict;
    case 429: return ErrorKind::kRateLimited;
    default: return status >= 500 && status <= 599 ? ErrorKind::kUnavailable : ErrorKind::kProtocol;
  }
}

}  // namespace

std::string correlation_id(const http::Headers& headers) {
  return printable(headers.get("ININ-Correlation-Id").value_or(""), kMaxName);
}

VendorError read_vendor_error(const http::Response& response, const std::vector<std::string_view>& secrets) {
  VendorError said;
  said.correlation_id = correlation_id(response.headers);
  const auto document = json::Document::parse(response.body, {.max_bytes = kMaxErrorBody, .max_depth = 16});
  if (!document) return said;  // HTML, empty, too large: the status has to do
  const json::View body = document->root();
  const auto text = [&](std::string_view name, std::size_t limit) {
    return safe(body[name].string().value_or(""), limit, secrets);
  };
  said.message = text("message", kMaxMessage);
  if (said.message.empty()) said.message = text("description", kMaxMessage);
  if (said.message.empty()) said.message = text("error_description", kMaxMessage);
  said.code = text("code", kMaxName);
  if (said.code.empty()) said.code = text("error", kMaxName);
  said.entity_id = text("entityId", kMaxName);
  const std::string context_id = text("contextId", kMaxName);
  for (const std::string& id : {said.correlation_id, context_id}) said.message = without(std::move(said.message), id);
  if (said.correlation_id.empty()) said.correlation_id = context_id;
  return said;
}

Error error_of(const http::Response& response, const VendorError& said, TimePoint now) {
  Error error;
  error.kind = kind_of(response.status);
  error.what = "the answer is " + std::to_string(response.status);
  if (!said.code.empty()) error.what += " " + said.code;
  if (!said.message.empty()) error.what += ": " + said.message;
  error.code = said.code;
  error.correlation_id = said.correlation_id;
  error.retry_after = http::retry_after(response.headers, now);
  if (response.status == 429 && !error.retry_after) error.retry_after = rate_reset(response.headers);
  return error;
}

}  // namespace edgetrust::genesys
