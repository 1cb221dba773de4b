#include "edgetrust/kube/api_error.hpp"

#include "edgetrust/base/text.hpp"

namespace edgetrust::kube {
namespace {

constexpr std::size_t kMaxStatus = 256 * 1024;

ErrorKind kind_of(int status) {
  switch (status) {
    case 400:
    case 413:
    case 422: return ErrorKind::kInvalid;
    case 401: return ErrorKind::kUnauthorized;
    case 403: return ErrorKind::kForbidden;
    case 404: return ErrorKind::kNotFound;
    case 405:
    case 406:
    case 415: return ErrorKind::kUnsupported;
    case 409:
    case 410: return ErrorKind::kConflict;
    case 408:
    case 504: return ErrorKind::kTimeout;
    case 429: return ErrorKind::kRateLimited;
    default: return status >= 500 && status <= 599 ? ErrorKind::kUnavailable : ErrorKind::kProtocol;
  }
}

bool has_cause(json::View status, std::string_view reason) {
  bool found = false;
  status["details"]["causes"].for_each_element([&](json::View cause) {
    found = found || cause["reason"].string() == reason;
    return !found;
  });
  return found;
}

std::string code_of(int http_status, json::View status) {
  std::string reason = status["reason"].string_or("");
  if (http_status == 410) return std::string(kExpired);  // "Gone" in old servers
  if (http_status == 409 && reason != kAlreadyExists) return std::string(kConflict);
  if (http_status == 404 && !status["details"]["name"].present()) return std::string(kNotServed);
  if (has_cause(status, kFromTheFuture)) return std::string(kFromTheFuture);
  return reason;
}

// "spec.dnsNames[0]: must be …; …", for those causes that the message does not hold already.
void append_causes(std::string& what, json::View status) {
  status["details"]["causes"].for_each_element([&](json::View cause) {
    const std::string text = cause["message"].string_or("");
    if (!text.empty() && what.find(text) == std::string::npos) {
      what += "; " + cause["field"].string_or("") + ": " + text;
    }
    return true;
  });
}

Error from_status(int http_status, json::View status) {
  std::string what = status["message"].string_or("");
  if (what.empty()) what = "the API server answers " + std::to_string(http_status);
  append_causes(what, status);
  Error error{.kind = kind_of(http_status), .what = printable(what), .code = code_of(http_status, status)};
  if (error.code == kNotServed) {  // says nothing about the object: a server that is starting answers so too
    error.kind = ErrorKind::kUnavailable;
    error.what = "the API server does not serve this kind: is its CRD installed? " + error.what;
  }
  if (const auto seconds = status["details"]["retryAfterSeconds"].integer(); seconds && *seconds > 0) {
    error.retry_after = std::chrono::seconds{*seconds};
  }
  return error;
}

}  // namespace

Error api_error(const http::Response& response, TimePoint now, bool mutation) {
  // A body that is no Status (a proxy's page, "404 page not found") tells nothing beyond the status.
  const auto body = json::Document::parse(response.body, {.max_bytes = kMaxStatus, .max_depth = 64});
  const bool is_status = body && body->root()["kind"].string() == "Status";
  Error error = from_status(response.status, is_status ? body->root() : json::View{});
  if (const auto wait = http::retry_after(response.headers, now)) error.retry_after = wait;
  error.maybe_executed = mutation && response.status >= 500;
  return error;
}

Error api_error(json::View status) {
  return from_status(static_cast<int>(status["code"].integer().value_or(0)), status);
}

}  // namespace edgetrust::kube
