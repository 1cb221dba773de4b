#include "api.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::sim {
namespace {

// The {id} of `pattern` in `path`; empty optional when they do not match.
std::optional<std::string> match(std::string_view pattern, const std::vector<std::string>& path) {
  const std::vector<std::string> wanted = split(pattern, '/');
  if (wanted.size() != path.size()) return std::nullopt;
  std::string id;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (wanted[i] == "{id}") {
      id = path[i];
    } else if (wanted[i] != path[i]) {
      return std::nullopt;
    }
  }
  return id;
}

http::Response unauthorized(OAuthDesk::Verdict verdict) {
  switch (verdict) {
    case OAuthDesk::Verdict::kExpired:
      return vendor_error(
          {.status = 401, .code = "credentials.expired", .message = "The supplied credentials have expired."});
    case OAuthDesk::Verdict::kUnknown:
      return vendor_error({.status = 401, .code = "bad.credentials", .message = "Invalid login credentials."});
    case OAuthDesk::Verdict::kMissing:
    case OAuthDesk::Verdict::kGood: break;
  }
  return vendor_error({.status = 401,
                       .code = "authentication.required",
                       .message = "No authentication bearer token specified in authorization header."});
}

http::Response too_many(int allowed, std::chrono::seconds reset) {
  http::Response response = vendor_error(
      {.status = 429,
       .code = "too.many.requests",
       .message = "Rate limit exceeded the maximum [" + std::to_string(allowed) + "] requests within [60] seconds"});
  response.headers.set("Retry-After", std::to_string(reset.count()));
  return response;
}

}  // namespace

Api::Api(const Config& config, EdgeBook& book, OAuthDesk& oauth, std::string managed_ca_pem, const Clock& clock)
    : config_(config),
      book_(book),
      oauth_(oauth),
      authorities_(std::move(managed_ca_pem), clock),
      clock_(clock),
      started_(clock.steady()) {}

// Below /api/v2/telephony/providers/edges unless it starts with a slash. The first that fits wins.
const std::vector<Api::Route>& Api::routes() {
  static const std::vector<Route> kRoutes = {
      {Surface::kGuide, "POST", "certificates", &Api::post_certificate},
      {Surface::kGuide, "GET", "{id}/status", &Api::get_status},
      {Surface::kPublished, "GET", "/api/v2/date", &Api::get_date},
      {Surface::kPublished, "GET", "/api/v2/oauth/clients/{id}", &Api::get_oauth_client},
      {Surface::kPublished, "POST", "/api/v2/certificate/details", &Api::post_certificate_details},
      {Surface::kPublished, "GET", "", &Api::list_edges},
      {Surface::kPublished, "GET", "sites", &Api::list_sites},
      {Surface::kPublished, "GET", "sites/{id}", &Api::get_site},
      {Surface::kPublished, "GET", "certificateauthorities", &Api::list_authorities},
      {Surface::kPublished, "GET", "certificateauthorities/{id}", &Api::get_authority},
      {Surface::kPublished, "POST", "certificateauthorities", &Api::post_authority},
      {Surface::kPublished, "PUT", "certificateauthorities/{id}", &Api::put_authority},
      {Surface::kPublished, "DELETE", "certificateauthorities/{id}", &Api::delete_authority},
      {Surface::kPublished, "GET", "trunks", &Api::list_trunks},
      {Surface::kPublished, "GET", "trunks/metrics", &Api::list_trunk_metrics},
      {Surface::kPublished, "GET", "trunks/{id}", &Api::get_trunk},
      {Surface::kPublished, "GET", "trunks/{id}/metrics", &Api::get_trunk_metrics},
      {Surface::kPublished, "GET", "metrics", &Api::list_edge_metrics},
      {Surface::kPublished, "GET", "{id}", &Api::get_edge},
      {Surface::kPublished, "PUT", "{id}", &Api::put_edge},
      {Surface::kPublished, "POST", "{id}/statuscode", &Api::post_status_code},
      {Surface::kPublished, "GET", "{id}/trunks", &Api::list_trunks_of_edge},
      {Surface::kPublished, "GET", "{id}/metrics", &Api::get_edge_metrics},
  };
  return kRoutes;
}

bool Api::offers(Surface surface) const {
  return surface == Surface::kGuide ? config_.guide_api : config_.published_api;
}

Answer Api::answer(const http::ServerRequest& request) {
  if (request.path == "/oauth/token" && request.method == "POST") return {oauth_.token(request)};
  for (const Route& route : routes()) {
    if (route.method != request.method || !offers(route.surface)) continue;
    const bool absolute = route.path.starts_with('/');
    std::string pattern(absolute ? route.path : kEdgesUri);
    if (!absolute && !route.path.empty()) pattern += "/" + std::string(route.path);
    const auto id = match(pattern.substr(1), path_segments(request.path));
    if (id) return call(route, {.request = request, .id = *id, .query = parse_query(request.query)});
  }
  return {not_found(request.path)};
}

Answer Api::call(const Route& route, const ApiCall& call) {
  const OAuthDesk::Check check = oauth_.check(call.request.headers);
  if (check.verdict != OAuthDesk::Verdict::kGood) return {unauthorized(check.verdict)};
  const bool over = config_.enforce_rate && check.calls_this_minute > config_.rate_per_minute;
  Answer answer = over ? Answer{too_many(config_.rate_per_minute, check.resets_in)} : (this->*route.handler)(call);
  http::Headers& headers = answer.response.headers;
  headers.set("inin-ratelimit-count", std::to_string(check.calls_this_minute));
  headers.set("inin-ratelimit-allowed", std::to_string(config_.rate_per_minute));
  headers.set("inin-ratelimit-reset", std::to_string(check.resets_in.count()));
  return answer;
}

}  // namespace edgetrust::sim
