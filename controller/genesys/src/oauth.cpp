#include "edgetrust/genesys/oauth.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/view.hpp"
#include "endpoint.hpp"
#include "vendor_error.hpp"

namespace edgetrust::genesys {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kShortestLife{300};  // what a client of the vendor may have at least; used when none is told
constexpr seconds kLongestLife{std::chrono::hours{48}};
constexpr std::size_t kMaxToken = std::size_t{8} << 10;

// A tenth of the life is left unused, a minute at most: a token must not expire on its way.
milliseconds usable(std::optional<std::int64_t> expires_in) {
  const seconds life = expires_in ? std::clamp(seconds{*expires_in}, seconds{1}, kLongestLife) : kShortestLife;
  return life - std::min<milliseconds>(std::chrono::minutes{1}, milliseconds{life} / 10);
}

bool is_token(std::string_view text) {  // RFC 6750 section 2.1, loosely: nothing that could break out of a header
  return !text.empty() && text.size() <= kMaxToken &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Error refused_client(const VendorError& said, const std::string& origin) {
  Error error;
  error.kind = ErrorKind::kUnauthorized;
  error.what = "the login refuses the OAuth client";
  if (!origin.empty()) error.what += " of " + origin;
  if (!said.code.empty()) error.what += " (" + said.code + (said.message.empty() ? "" : ": " + said.message) + ")";
  error.what += ": check clientId and clientSecret, and that the client is active";
  error.code = said.code;
  error.correlation_id = said.correlation_id;
  return error;
}

}  // namespace

TokenSource::TokenSource(const http::Url& login, Credentials credentials, std::shared_ptr<http::Transport> transport,
                         const Clock& clock)
    : endpoint_(under(login, "/oauth/token")),
      credentials_(std::move(credentials)),
      transport_(std::move(transport)),
      clock_(clock) {}

Result<Token> TokenSource::token(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (current_ && clock_.steady() < expires_) return current_;
    if (auto refusal = remembered()) return fail(std::move(*refusal));
    if (!attempt_) break;
    const std::shared_ptr<Attempt> other = attempt_;
    if (!changed_.wait(lock, stop, [&] { return other->done; })) {
      return fail(ErrorKind::kCancelled, "stopped while waiting for a login");
    }
    // Its error is ours too, unless it was only its caller that was stopped.
    if (other->error && other->error->kind != ErrorKind::kCancelled) return fail(*other->error);
  }
  const auto attempt = std::make_shared<Attempt>();
  attempt_ = attempt;
  lock.unlock();
  return finish(attempt, log_in(stop));
}

void TokenSource::refused(const Token& token) {
  const std::lock_guard lock(mutex_);
  if (current_ == token) current_.reset();
}

Result<Token> TokenSource::finish(const std::shared_ptr<Attempt>& attempt, Result<Login> answer) {
  const std::lock_guard lock(mutex_);
  attempt_.reset();
  attempt->done = true;
  changed_.notify_all();
  if (answer) {
    current_ = answer->token;
    expires_ = clock_.steady() + answer->usable_for;
    refusal_.reset();
    refusals_ = 0;
    return current_;
  }
  attempt->error = answer.error();
  remember(answer.error());
  return fail(answer.error());
}

void TokenSource::remember(const Error& refusal) {
  seconds hold{0};
  if (refusal.kind == ErrorKind::kUnauthorized) {
    constexpr int kDoublings = 5;
    hold = std::min<seconds>(kRefusalHold * (1 << std::min(refusals_, kDoublings)), kLongestRefusalHold);
    ++refusals_;
  }
  if (refusal.kind == ErrorKind::kRateLimited) {
    hold = std::clamp<seconds>(refusal.retry_after.value_or(seconds{1}), seconds{1}, kLongestPause);
  }
  if (hold == seconds{0}) return;
  refusal_ = refusal;
  refusal_ends_ = clock_.steady() + hold;
}

std::optional<Error> TokenSource::remembered() const {
  const auto left = refusal_ends_ - clock_.steady();
  if (!refusal_ || left <= milliseconds{0}) return std::nullopt;
  Error error = *refusal_;
  if (error.kind == ErrorKind::kRateLimited) error.retry_after = std::chrono::ceil<seconds>(left);
  return error;
}

Result<TokenSource::Login> TokenSource::log_in(const std::stop_token& stop) const {
  Secret pair(credentials_.client_id + ":");
  pair.append(credentials_.client_secret.expose());
  http::Request request;
  request.method = http::Method::kPost;
  request.url = endpoint_;
  request.headers = {{"Authorization", "Basic " + std::string(secret_to_base64(pair).expose())},
                     {"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  request.body = "grant_type=client_credentials";
  request.timeout = std::chrono::seconds{15};
  request.max_body = std::size_t{64} << 10;
  request.name = "login";
  auto response = transport_->send(request, stop);
  if (!response) {
    Error error = within("OAuth login", std::move(response).error());
    error.maybe_executed = false;
    return fail(std::move(error));
  }
  if (!response->ok()) return fail(login_error(*response));
  const Secret body = Secret::take(response->body);
  const auto document = json::Document::parse(body.expose(), {.max_bytes = request.max_body, .max_depth = 16});
  const json::View answer = document ? document->root() : json::View{};
  const std::string_view token = answer["access_token"].string().value_or("");
  if (!is_token(token) || lower(answer["token_type"].string_or("bearer")) != "bearer") {
    return fail(within("OAuth login", fail(ErrorKind::kProtocol, "the answer holds no bearer token").value()));
  }
  return Login{.token = std::make_shared<const Secret>(token), .usable_for = usable(answer["expires_in"].integer())};
}

Error TokenSource::login_error(const http::Response& response) const {
  const VendorError said = read_vendor_error(response, {credentials_.client_secret.expose()});
  const bool client_refused =
      response.status == 401 ||
      (response.status == 400 && (said.code == "invalid_client" || said.code == "unauthorized_client"));
  return within("OAuth login",
                client_refused ? refused_client(said, credentials_.origin) : error_of(response, said, clock_.now()));
}

}  // namespace edgetrust::genesys
