#include "oauth_desk.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"
#include "vendor.hpp"

namespace edgetrust::sim {
namespace {

// RFC 6749 section 5.2, with the vendor's `description` beside `error_description`.
http::Response refusal(int status, std::string_view error, std::string_view description) {
  return json_response(status, {{"error", error}, {"description", description}, {"error_description", description}});
}

struct Pair {
  std::string id;
  std::string secret;
};
std::optional<Pair> basic(const http::Headers& headers) {
  const std::string_view header = headers.get("Authorization").value_or("");
  constexpr std::string_view kScheme = "Basic ";
  if (!header.starts_with(kScheme)) return std::nullopt;
  const auto decoded = from_base64(header.substr(kScheme.size()));
  if (!decoded) return std::nullopt;
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Pair{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

std::string parameter(std::string_view form, std::string_view name) {
  const Query query = parse_query(form);
  const auto found = query.find(name);
  return found == query.end() ? std::string{} : found->second;
}

}  // namespace

OAuthDesk::OAuthDesk(const Config& config, const Clock& clock, Random& random)
    : config_(config), clock_(clock), random_(random) {
  clients_[config_.client_id].secret = config_.client_secret;
}

http::Response OAuthDesk::token(const http::ServerRequest& request) {
  const std::string grant = parameter(request.body, "grant_type");
  if ((grant.empty() ? parameter(request.query, "grant_type") : grant) != "client_credentials") {
    return refusal(400, "unsupported_grant_type", "grant_type must be client_credentials");
  }
  Pair client = basic(request.headers)
                    .value_or(Pair{parameter(request.body, "client_id"), parameter(request.body, "client_secret")});
  return judge(client.id, client.secret);
}

http::Response OAuthDesk::judge(const std::string& id, const std::string& secret) {
  const std::lock_guard lock(mutex_);
  const auto client = clients_.find(id);
  if (client == clients_.end()) return refusal(400, "invalid_client", "client not found");
  if (secret != client->second.secret) return refusal(401, "invalid_client", "authentication failed");
  if (client->second.state != "active") return refusal(400, "invalid_client", "client is " + client->second.state);
  std::erase_if(tokens_, [&](const auto& entry) { return entry.second.expires <= clock_.steady(); });
  const std::string token = random_text(64);
  tokens_[token] = {
      .client = id, .expires = clock_.steady() + config_.token_life, .minute = clock_.steady(), .calls = 0};
  return json_response(200,
                       {{"access_token", token}, {"token_type", "bearer"}, {"expires_in", config_.token_life.count()}});
}

OAuthDesk::Check OAuthDesk::check(const http::Headers& headers) {
  const std::string_view header = headers.get("Authorization").value_or("");
  constexpr std::string_view kScheme = "bearer ";
  if (lower(header.substr(0, kScheme.size())) != kScheme) return {};
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(std::string(header.substr(kScheme.size())));
  if (found == tokens_.end()) return {.verdict = Verdict::kUnknown};
  Issued& issued = found->second;
  const SteadyPoint now = clock_.steady();
  if (issued.expires <= now) return {.verdict = Verdict::kExpired};
  if (clients_[issued.client].state != "active") return {.verdict = Verdict::kUnknown};
  if (now - issued.minute >= std::chrono::minutes{1}) issued = {issued.client, issued.expires, now, 0};
  issued.calls += 1;
  const auto left = std::chrono::ceil<std::chrono::seconds>(issued.minute + std::chrono::minutes{1} - now);
  return {.verdict = Verdict::kGood, .calls_this_minute = issued.calls, .resets_in = left};
}

std::optional<OAuthDesk::Client> OAuthDesk::client(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = clients_.find(id);
  return found == clients_.end() ? std::nullopt : std::optional(found->second);
}

Status OAuthDesk::patch_client(const std::string& id, json::View patch) {
  const std::string state = patch["state"].string_or("active");
  if (state != "active" && state != "disabled" && state != "inactive") {
    return fail(ErrorKind::kInvalid, "state must be active, disabled or inactive");
  }
  const std::lock_guard lock(mutex_);
  const bool known = clients_.contains(id);
  if (!known && !patch["clientSecret"].string()) return fail(ErrorKind::kInvalid, "a new client needs a clientSecret");
  Client& client = clients_[id];
  client.secret = patch["clientSecret"].string_or(client.secret);
  client.state = patch["state"].string_or(client.state);
  client.delete_at = patch["dateToDelete"].string_or(client.delete_at);
  return {};
}

std::string OAuthDesk::rotate_secret(std::string wanted) {
  const std::lock_guard lock(mutex_);
  std::string& secret = clients_[config_.client_id].secret;
  secret = wanted.empty() ? random_text(32) : std::move(wanted);
  return secret;
}

void OAuthDesk::expire_tokens() {
  const std::lock_guard lock(mutex_);
  for (auto& [token, issued] : tokens_) issued.expires = clock_.steady();
}

void OAuthDesk::reset() {
  const std::lock_guard lock(mutex_);
  clients_ = {{config_.client_id, {.secret = config_.client_secret, .delete_at = {}}}};
  tokens_.clear();
}

std::string OAuthDesk::random_text(std::size_t octets) {
  std::string bytes;
  while (bytes.size() < octets) {
    const std::uint64_t word = random_.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return to_base64url(bytes);
}

}  // namespace edgetrust::sim
