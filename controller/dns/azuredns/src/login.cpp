#include "edgetrust/dns/azuredns/login.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/view.hpp"

#include <algorithm>

namespace edgetrust::dns {
namespace {

using std::chrono::seconds;

constexpr seconds kShortestLife{60};
constexpr seconds kLongestLife{std::chrono::hours{24}};
constexpr seconds kMargin{300};  // a token is not used up to its end

// RFC 7523 section 2.2.
constexpr std::string_view kAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// The description ends with ids of this one exchange and a time.
std::string_view without_trace(std::string_view description) {
  return trim(description.substr(0, description.find("Trace ID:")));
}

seconds usable(std::optional<std::int64_t> expires_in) {
  const seconds life = std::clamp(seconds{expires_in.value_or(0)}, kShortestLife, kLongestLife);
  return life - std::min(kMargin, life / 2);
}

}  // namespace

Result<std::unique_ptr<AzureLogin>> AzureLogin::create(AzureLoginOptions options, Rest rest) {
  EDGETRUST_TRY_ASSIGN(const http::Url authority, api_url(options.authority, "the address of Azure's login"));
  if (options.tenant.empty())
    return fail(ErrorKind::kInvalid, "azureDns: no tenantId is set, and the operator's pod has no AZURE_TENANT_ID");
  if (options.client_id.empty())
    return fail(ErrorKind::kInvalid, "azureDns: no clientId is set, and the operator's pod has no AZURE_CLIENT_ID");
  if (options.client_secret.empty() && !options.federated_token)
    return fail(ErrorKind::kInvalid,
                "azureDns: there is no clientSecretRef, and the operator's pod has no workload identity "
                "(AZURE_FEDERATED_TOKEN_FILE)");
  http::Url url = under(authority, "/" + http::percent_encode(options.tenant) + "/oauth2/v2.0/token");
  return std::unique_ptr<AzureLogin>(new AzureLogin(std::move(options), std::move(url), std::move(rest)));
}

Result<std::string> AzureLogin::form() const {
  const std::string who = http::query_string(
      {{"grant_type", "client_credentials"}, {"client_id", options_.client_id}, {"scope", options_.scope}});
  if (!options_.client_secret.empty())
    return who + "&" + http::query_string({{"client_secret", options_.client_secret.expose()}});
  EDGETRUST_TRY_ASSIGN(const Secret assertion, options_.federated_token());
  return who + "&" +
         http::query_string({{"client_assertion_type", kAssertion}, {"client_assertion", assertion.expose()}});
}

Result<AzureLogin::Token> AzureLogin::token(const Until& until) {
  const std::scoped_lock lock(mutex_);
  if (current_ && rest_.clock().steady() < ends_) return current_;
  EDGETRUST_TRY_ASSIGN(std::string body, form());
  http::Request request{.method = http::Method::kPost, .url = url_, .headers = {}, .body = std::move(body)};
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.headers.set("Accept", "application/json");
  EDGETRUST_TRY_ASSIGN(http::Response response, rest_.send(std::move(request), until));
  const auto document = json::Document::parse(response.body);
  cleanse(response.body.data(), response.body.size());
  const json::View answer = document ? document->root() : json::View{};
  if (!response.ok()) {
    const std::string code = printable(answer["error"].string_or(""), 64);
    const std::string_view description = answer["error_description"].string().value_or("");
    const std::string said = told(without_trace(description), {options_.client_secret.expose()});
    const bool refused = response.status == 400 || response.status == 401;
    return fail(refused ? rest_.refusal(ErrorKind::kUnauthorized, response, said, code)
                        : rest_.refusal(response, said, code));
  }
  const auto token = answer["access_token"].string();
  if (!token || !is_token(*token)) return fail(rest_.broken("no access token"));
  current_ = std::make_shared<const Secret>(*token);
  ends_ = rest_.clock().steady() + usable(answer["expires_in"].integer());
  return current_;
}

void AzureLogin::refused(const Token& token) {
  const std::scoped_lock lock(mutex_);
  if (current_ == token) current_.reset();
}

}  // namespace edgetrust::dns
