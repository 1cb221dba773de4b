#pragma once
// OAuth 2.0 client credentials (RFC 6749 section 4.4) as the vendor's SDKs speak it: POST <login>/oauth/token, Basic
// authentication, body `grant_type=client_credentials`. There is no refresh token: a token is used until shortly before
// it expires or is refused, then there is a new login.
//
// Called by: the fleet of this room, for every call. Threads: any; callers that need a login at the same time share
// one. Errors of token(): kUnauthorized when the client itself is refused (permanent until the Secret changes),
// kInvalid for another refusal of the request, kRateLimited, kUnavailable, kTimeout, kProtocol, kCancelled. A fleet
// does not hammer the login: a refused client is remembered for kRefusalHold, twice as long after each further refusal
// in a row up to kLongestRefusalHold, a 429 for the time that it names, a second to kLongestPause. `maybe_executed` is
// never set: a login has no effect on any Edge.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/http/transport.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace edgetrust::genesys {

struct Credentials {
  std::string client_id;
  Secret client_secret;
  std::string origin;  // where the user finds them, for messages: "Secret genesys-oauth"
};

using Token = std::shared_ptr<const Secret>;  // its identity tells one login from the next

class TokenSource {
 public:
  static constexpr std::chrono::seconds kRefusalHold{30};
  static constexpr std::chrono::minutes kLongestRefusalHold{10};
  static constexpr std::chrono::minutes kLongestPause{5};

  // `login` is the login host, e.g. https://login.mypurecloud.ie, perhaps with a gateway's path. The clock outlives
  // this.
  TokenSource(const http::Url& login, Credentials credentials, std::shared_ptr<http::Transport> transport,
              const Clock& clock);

  // A token that should work; logs in when there is none.
  Result<Token> token(const std::stop_token& stop);
  // `token` was answered with 401: it is not handed out again. Another one that has replaced it meanwhile stays.
  void refused(const Token& token);
  [[nodiscard]] const std::string& client_id() const { return credentials_.client_id; }

 private:
  struct Login {
    Token token;
    std::chrono::milliseconds usable_for{0};
  };
  struct Attempt {
    bool done = false;
    std::optional<Error> error;
  };
  Result<Login> log_in(const std::stop_token& stop) const;
  [[nodiscard]] Error login_error(const http::Response& response) const;
  Result<Token> finish(const std::shared_ptr<Attempt>& attempt, Result<Login> answer);
  void remember(const Error& refusal);
  [[nodiscard]] std::optional<Error> remembered() const;

  const http::Url endpoint_;
  const Credentials credentials_;
  const std::shared_ptr<http::Transport> transport_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<Attempt> attempt_;  // set while a login is under way
  Token current_;
  SteadyPoint expires_{};
  std::optional<Error> refusal_;
  int refusals_ = 0;  // of the client, in a row
  SteadyPoint refusal_ends_{};
};

}  // namespace edgetrust::genesys
