#pragma once
// Signed requests (RFC 8555 section 6.2 to 6.5): nonces, the account's URL, and the two answers that are tried again.
#include "account.hpp"
#include "directory.hpp"
#include "nonce_pool.hpp"
#include "url_policy.hpp"

#include <mutex>
#include <string>

namespace edgetrust::acme {

struct Call {
  std::string url;
  std::string payload = {};  // empty: POST-as-GET (section 6.3), which changes nothing
  std::string accept = "application/json";
  std::size_t max_body = std::size_t{1} << 18;
};

// Threads: any.
class Session {
 public:
  struct Parts {
    UrlPolicy policy;
    AccountKey key;
    Registration registration;
    std::string user_agent;
  };
  Session(Parts parts, std::shared_ptr<http::Transport> transport, const Clock& clock);

  // The account's URL, registered if need be.
  Result<std::string> account(std::stop_token stop);
  // A 2xx answer; anything else is its Error.
  Result<http::Response> post(const Call& call, std::stop_token stop);
  // An unsigned GET; as above.
  Result<http::Response> get(const std::string& url, std::size_t max_body, std::stop_token stop);
  Result<std::shared_ptr<const Directory>> directory(std::stop_token stop);

  [[nodiscard]] const UrlPolicy& policy() const { return parts_.policy; }
  [[nodiscard]] const AccountKey& key() const { return parts_.key; }
  [[nodiscard]] TimePoint now() const { return clock_.now(); }

 private:
  Result<std::string> register_account(std::stop_token stop);
  void forget_account(const std::string& kid);
  Result<std::string> nonce(std::stop_token stop);
  Result<http::Response> post_signed(const Call& call, const std::string& kid, std::stop_token stop);
  Result<http::Response> send(const Call& call, const http::Url& url, const std::string& jws, std::stop_token stop);

  const Parts parts_;
  const std::shared_ptr<http::Transport> transport_;
  const Clock& clock_;
  DirectoryCache directory_;
  NoncePool nonces_;
  std::mutex mutex_;
  std::string kid_;  // guarded by mutex_; empty: not known
};

}  // namespace edgetrust::acme
