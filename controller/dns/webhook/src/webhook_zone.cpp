#include "edgetrust/dns/webhook/webhook_zone.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/dns/name.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::dns {
namespace {

constexpr std::string_view kBasic = "Basic ";

}  // namespace

Result<std::unique_ptr<WebhookZone>> WebhookZone::create(WebhookOptions options,
                                                         std::shared_ptr<http::Transport> transport,
                                                         const Clock& clock) {
  EDGETRUST_TRY_ASSIGN(http::Url url, api_url(options.url, "webhook.url"));
  Secret authorization;
  Secret password;
  if (options.basic_auth) {
    const auto& [user, pass] = *options.basic_auth;
    if (user.expose().find(':') != std::string_view::npos)  // RFC 7617 section 2
      return fail(ErrorKind::kInvalid, "webhook: the username in " + options.credential + " must have no colon");
    Secret pair(user.expose());
    pair.append(":");
    pair.append(pass.expose());
    authorization.append(kBasic);
    authorization.append(secret_to_base64(pair).expose());
    password = pass.clone();
  }
  Rest rest(std::move(transport), clock,
            {.peer = "the webhook at " + url.host,
             .credential = options.credential.empty() ? "no Secret (set basicAuthRef)" : options.credential});
  return std::unique_ptr<WebhookZone>(
      new WebhookZone(std::move(url), std::move(authorization), std::move(password), std::move(rest)));
}

Status WebhookZone::present(const std::string& name, const std::string& value, std::stop_token stop) {
  return ask("/present", name, value, std::move(stop));
}
Status WebhookZone::remove(const std::string& name, const std::string& value, std::stop_token stop) {
  return ask("/cleanup", name, value, std::move(stop));
}

Status WebhookZone::ask(const std::string& path, const std::string& name, const std::string& value,
                        std::stop_token stop) const {
  http::Request request{.method = http::Method::kPost,
                        .url = under(url_, path),
                        .headers = {},
                        .body = json::dump(json::Value{{"fqdn", canonical_name(name) + "."}, {"value", value}})};
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Accept", "application/json");
  if (!authorization_.empty()) request.headers.set("Authorization", std::string(authorization_.expose()));
  const auto done = [&]() -> Status {
    EDGETRUST_TRY_ASSIGN(const http::Response response, rest_.send(std::move(request), rest_.until(std::move(stop))));
    if (response.ok()) return {};
    const std::string_view pair = authorization_.expose().substr(std::min(kBasic.size(), authorization_.size()));
    return fail(rest_.refusal(response, told(response.body, {pair, password_.expose()})));
  }();
  return Status(done).map_error([&](Error error) { return within("TXT record at " + name, std::move(error)); });
}

}  // namespace edgetrust::dns
