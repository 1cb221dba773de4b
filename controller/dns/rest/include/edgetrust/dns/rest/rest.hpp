#pragma once
// What the providers with an HTTP API share: one deadline over all requests of a call, statuses as errors that say what
// to change, and what a peer says made fit for a message.
// Called by: the providers. Threads: any. No credential is ever in an error: what a peer says is left out when it
// repeats one.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/http/transport.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace edgetrust::dns {

// Until when a call of several requests may last.
struct Until {
  SteadyPoint deadline;
  std::stop_token stop;
};

class Rest {
 public:
  struct Options {
    std::string peer;                           // for messages: "Cloudflare"
    std::string credential;                     // for messages: "Secret cf key token"
    std::chrono::milliseconds timeout{30'000};  // of a whole call
  };
  // `clock` must outlive this.
  Rest(std::shared_ptr<http::Transport> transport, const Clock& clock, Options options)
      : transport_(std::move(transport)), clock_(clock), options_(std::move(options)) {}

  [[nodiscard]] Until until(std::stop_token stop) const {
    return {clock_.steady() + options_.timeout, std::move(stop)};
  }

  // An answer of at most 1 MiB, whatever its status. Errors: those of http::Transport, and kTimeout when no time is
  // left; the peer is named.
  [[nodiscard]] Result<http::Response> send(http::Request request, const Until& until) const;

  // What a status that is no success means: kUnauthorized (401), kForbidden (403), kNotFound, kConflict (409, 412),
  // kRateLimited (429), kUnavailable (5xx), kTimeout (408), kInvalid (400, 422), else kProtocol; with Retry-After.
  // `said` is the peer's own explanation, as told() gives it, and `code` the peer's own code; both may be empty.
  [[nodiscard]] Error refusal(const http::Response& response, std::string_view said = {}, std::string code = {}) const;
  // The same where the kind is known from what the peer says.
  [[nodiscard]] Error refusal(ErrorKind kind, const http::Response& response, std::string_view said,
                              std::string code) const;
  [[nodiscard]] Error broken(std::string_view what) const;  // kProtocol: an answer that cannot be understood

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  const std::shared_ptr<http::Transport> transport_;
  const Clock& clock_;
  const Options options_;
};

// What a peer says, printable and cut; nothing when one of the secrets is in it, or what looks like a token.
std::string told(std::string_view text, std::initializer_list<std::string_view> secrets);

// The base of a provider's API: https, no query, no trailing slash, no link-local or metadata address. Errors:
// kInvalid, which names `option`.
Result<http::Url> api_url(std::string_view text, std::string_view option);
// `path` below it, with its query.
http::Url under(const http::Url& base, const std::string& path);

}  // namespace edgetrust::dns
