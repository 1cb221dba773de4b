#include "client.hpp"

#include "endpoint.hpp"

namespace edgetrust::genesys {
namespace {

// A request whose body is wiped when it is done with: an upload's holds a private key.
struct WipedRequest {
  http::Request request;
  WipedRequest() = default;
  WipedRequest(const WipedRequest&) = delete;
  WipedRequest& operator=(const WipedRequest&) = delete;
  ~WipedRequest() { cleanse(request.body.data(), request.body.size()); }
};

std::string name_of(const Outgoing& outgoing) {
  return std::string(http::to_string(outgoing.method)) + " " + outgoing.path;
}

void fill(http::Request& request, const http::Url& endpoint, const Outgoing& outgoing) {
  request.method = outgoing.method;
  request.url = under(endpoint, outgoing.query.empty() ? outgoing.path : outgoing.path + "?" + outgoing.query);
  request.headers = {{"Accept", "application/json"}};
  if (outgoing.method != http::Method::kGet) request.headers.add("Content-Type", "application/json");
  request.body.assign(outgoing.body.expose());
  request.timeout = outgoing.timeout;
  request.max_body = outgoing.max_body;
}

tl::unexpected<Refusal> refuse(const Outgoing& outgoing, Error error) {
  return tl::unexpected<Refusal>(Refusal{.error = within(name_of(outgoing), std::move(error)), .said = {}});
}

}  // namespace

Client::Client(Site api, std::optional<Site> upload, AllowList allowed, int requests_per_minute, const Clock& clock)
    : api_(std::move(api)),
      upload_(std::move(upload)),
      allowed_(std::move(allowed)),
      clock_(clock),
      budget_(requests_per_minute, clock) {}

tl::expected<http::Response, Refusal> Client::call(const Outgoing& outgoing, const std::stop_token& stop) {
  const Call* allowed = allowed_.find(outgoing.host, outgoing.method, outgoing.path);
  if (allowed == nullptr) {
    return refuse(outgoing, fail(ErrorKind::kInternal, "not among the calls that this program may make").value());
  }
  if (outgoing.host == Host::kUpload && !upload_) {
    return refuse(outgoing, fail(ErrorKind::kUnsupported, "the connection names no certificateUpload").value());
  }
  const Site& site = outgoing.host == Host::kUpload ? *upload_ : api_;
  auto token = site.tokens->token(stop);
  if (!token) return refuse(outgoing, std::move(token).error());
  WipedRequest wiped;
  fill(wiped.request, site.url, outgoing);
  wiped.request.name = allowed->name;
  auto answer = attempt(site, wiped.request, *token, outgoing, stop);
  if (answer || answer.error().status != 401) return answer;
  // An answer of 401 was not executed, so the same request may go once more.
  site.tokens->refused(*token);
  token = site.tokens->token(stop);
  if (!token) return refuse(outgoing, std::move(token).error());
  return attempt(site, wiped.request, *token, outgoing, stop);
}

Status Client::prove_upload_login(const std::stop_token& stop) {
  if (!upload_) return {};
  return upload_->tokens->token(stop).map([](const Token&) {}).map_error([](Error error) {
    return within("certificateUpload", std::move(error));
  });
}

tl::expected<http::Response, Refusal> Client::attempt(const Site& site, http::Request& request, const Token& token,
                                                      const Outgoing& outgoing, const std::stop_token& stop) {
  const bool changes = outgoing.method != http::Method::kGet;
  if (auto granted = budget_.take(site.url.origin(), outgoing.urgency); !granted) {
    return refuse(outgoing, std::move(granted).error());
  }
  request.headers.set("Authorization", "Bearer " + std::string(token->expose()));
  auto response = site.transport->send(request, stop);
  if (!response) {
    Error error = std::move(response).error();
    error.maybe_executed = changes && error.maybe_executed;
    return refuse(outgoing, std::move(error));
  }
  if (const auto rate = vendor_rate(response->headers)) budget_.learn(site.url.origin(), *rate);
  if (response->ok()) return std::move(*response);
  Refusal refused = refusal(*response, outgoing, token);
  if (response->status == 429) {
    budget_.pause(site.url.origin(), refused.error.retry_after.value_or(std::chrono::seconds{1}));
  }
  return tl::unexpected<Refusal>(std::move(refused));
}

Refusal Client::refusal(const http::Response& response, const Outgoing& outgoing, const Token& token) {
  std::vector<std::string_view> secrets = outgoing.secrets;
  secrets.push_back(token->expose());
  Refusal refused{.error = {}, .said = read_vendor_error(response, secrets), .status = response.status};
  refused.error = error_of(response, refused.said, clock_.now());
  refused.error.context = name_of(outgoing);
  // A gateway may answer for a server that went on.
  refused.error.maybe_executed =
      outgoing.method != http::Method::kGet && (response.status == 408 || response.status >= 500);
  return refused;
}

}  // namespace edgetrust::genesys
