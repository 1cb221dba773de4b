#include "edgetrust/dns/rest/rest.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/http/forbidden_host.hpp"

#include <algorithm>

namespace edgetrust::dns {
namespace {

constexpr std::size_t kMostTold = 300;
constexpr std::size_t kMaxAnswer = std::size_t{1} << 20;

ErrorKind kind_of(int status) {
  switch (status) {
    case 400:
    case 422: return ErrorKind::kInvalid;
    case 401: return ErrorKind::kUnauthorized;
    case 403: return ErrorKind::kForbidden;
    case 404:
    case 410: return ErrorKind::kNotFound;
    case 408: return ErrorKind::kTimeout;
    case 409:
    case 412: return ErrorKind::kConflict;
    case 429: return ErrorKind::kRateLimited;
    default: break;
  }
  return status >= 500 && status <= 599 ? ErrorKind::kUnavailable : ErrorKind::kProtocol;
}

std::string what_of(ErrorKind kind, int status, const Rest::Options& options) {
  switch (kind) {
    case ErrorKind::kUnauthorized: return options.peer + " refuses the credential in " + options.credential;
    case ErrorKind::kForbidden: return options.peer + " does not allow it to the credential in " + options.credential;
    case ErrorKind::kRateLimited: return options.peer + " wants fewer requests";
    case ErrorKind::kUnavailable: return options.peer + " cannot serve it now (" + std::to_string(status) + ")";
    default: return options.peer + " answers " + std::to_string(status);
  }
}

// A long run of base64 is a token or a piece of one. (A slash ends it: paths are no secrets.)
bool holds_a_token(std::string_view text) {
  constexpr std::size_t kLong = 48;
  std::size_t run = 0;
  for (const char c : text) {
    const bool is_base64 = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                           c == '_' || c == '+' || c == '=';
    run = is_base64 ? run + 1 : 0;
    if (run >= kLong) return true;
  }
  return false;
}

}  // namespace

Result<http::Response> Rest::send(http::Request request, const Until& until) const {
  const auto left = until.deadline - clock_.steady();
  if (left <= std::chrono::milliseconds{0})
    return fail(ErrorKind::kTimeout,
                options_.peer + " did not answer everything in " + std::to_string(options_.timeout.count()) + " ms");
  request.timeout = left;
  request.max_body = kMaxAnswer;
  auto response = transport_->send(request, until.stop);
  if (!response) return fail(within(options_.peer, std::move(response).error()));
  return response;
}

Error Rest::refusal(const http::Response& response, std::string_view said, std::string code) const {
  return refusal(kind_of(response.status), response, said, std::move(code));
}

Error Rest::refusal(ErrorKind kind, const http::Response& response, std::string_view said, std::string code) const {
  Error error = fail(kind, what_of(kind, response.status, options_)).value();
  if (!said.empty()) error.what += ": " + std::string(said);
  error.code = std::move(code);
  error.retry_after = http::retry_after(response.headers, clock_.now());
  return error;
}

Error Rest::broken(std::string_view what) const {
  return fail(ErrorKind::kProtocol, options_.peer + " answers what it should not: " + std::string(what)).value();
}

std::string told(std::string_view text, std::initializer_list<std::string_view> secrets) {
  const bool repeats = std::ranges::any_of(
      secrets, [&](std::string_view secret) { return !secret.empty() && text.find(secret) != std::string_view::npos; });
  return repeats || holds_a_token(text) ? std::string{} : printable(trim(text), kMostTold);
}

Result<http::Url> api_url(std::string_view text, std::string_view option) {
  const std::string name(option);
  auto url = http::Url::parse(text);
  if (!url) return fail(ErrorKind::kInvalid, name + ": " + url.error().what);
  if (!url->is_https()) return fail(ErrorKind::kInvalid, name + " must be an https URL");
  if (url->target.find('?') != std::string::npos) return fail(ErrorKind::kInvalid, name + " must have no query");
  if (http::is_forbidden_host(url->host))
    return fail(ErrorKind::kInvalid, name + " leads to a link-local or metadata address");
  while (url->target.ends_with('/')) url->target.pop_back();
  return url;
}

http::Url under(const http::Url& base, const std::string& path) { return base.with_target(base.target + path); }

}  // namespace edgetrust::dns
