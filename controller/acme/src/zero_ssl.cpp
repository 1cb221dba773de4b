#include "edgetrust/acme/zero_ssl.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/view.hpp"

#include <algorithm>

namespace edgetrust::acme {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{1} << 14;

// Letters and digits; nothing else needs to be escaped in a query, nor ends up in one.
bool is_api_key(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

// {"success": false, "error": {"code": 101, "type": "invalid_access_key"}}; the status is 200 all the same.
Error refusal(const http::Response& response, json::View answer) {
  const std::string type = printable(answer["error"]["type"].string_or(""), 128);
  const bool of_key = type.find("access_key") != std::string::npos || response.status == 401 || response.status == 403;
  Error error{.kind = of_key                   ? ErrorKind::kUnauthorized
                      : response.status == 429 ? ErrorKind::kRateLimited
                                               : ErrorKind::kUnavailable,
              .what = "ZeroSSL gives no external account binding: " +
                      (type.empty() ? "HTTP " + std::to_string(response.status) : type)};
  return error;
}

}  // namespace

Result<ports::ExternalBinding> zero_ssl_binding(const Secret& api_key, http::Transport& transport,
                                                std::stop_token stop) {
  const std::string_view key = trim(api_key.expose());
  if (!is_api_key(key)) return fail(ErrorKind::kInvalid, "ZeroSSL's API key is letters and digits, nothing else");
  EDGETRUST_TRY_ASSIGN(const http::Url url, http::Url::parse(std::string(kZeroSslApi) +
                                                             "/acme/eab-credentials?access_key=" + std::string(key)));
  const http::Request request{.method = http::Method::kPost,
                              .url = url,
                              .headers = {{"Accept", "application/json"}, {"User-Agent", "edgetrust"}},
                              .body = {},
                              .max_body = kMaxAnswer,
                              .name = "externalAccount"};
  auto response = transport.send(request, std::move(stop));
  if (!response) return fail(within("ZeroSSL", std::move(response).error()));
  const auto document = json::Document::parse(response->body);
  if (!document) return fail(refusal(*response, {}));
  const json::View answer = document->root();
  const std::string key_id = answer["eab_kid"].string_or("");
  const auto hmac_key = answer["eab_hmac_key"].string();
  if (!response->ok() || key_id.empty() || !hmac_key || hmac_key->empty()) return fail(refusal(*response, answer));
  return ports::ExternalBinding{.key_id = key_id, .hmac_key = Secret(*hmac_key)};
}

}  // namespace edgetrust::acme
