#pragma once
// Signed requests (RFC 8555 section 6.2 to 6.5): nonces, the account's URL, and the answers that are tried again.
#include "account.hpp"
#include "directory.hpp"
#include "nonce_pool.hpp"
#include "problem.hpp"
#include "url_policy.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::acme {

struct Call {
  std::string url;
  std::string_view name;  // as the metrics call it
  Purpose purpose = Purpose::kOrder;
  std::string payload = {};  // empty: POST-as-GET (section 6.3), which changes nothing
  std::string accept = "application/json";
  std::size_t max_body = std::size_t{1} << 18;
};

// Who signs: a key, and the account's URL, which is empty while that is not known.
struct Signer {
  std::shared_ptr<const AccountKey> key;
  std::string kid;
};

// The account as the server showed it when it was found.
struct KnownAccount {
  std::string url;
  std::optional<std::vector<std::string>> contacts;  // empty: it did not say
};

// Threads: any.
class Session {
 public:
  struct Parts {
    UrlPolicy policy;
    std::shared_ptr<const AccountKey> key;
    std::shared_ptr<const AccountKey> next_key;  // null: no change of keys was under way
    Registration registration;
    std::string user_agent;
  };
  Session(Parts parts, std::shared_ptr<http::Transport> transport, const Clock& clock);

  // The account's URL, registered if need be; asked for anew after six days.
  Result<std::string> account(std::stop_token stop);
  // As it was when it was found; not asked for again.
  Result<KnownAccount> known_account(std::stop_token stop);
  void contacts_told();
  // The account of a key, which is not made (section 7.3.1). Empty: it has none.
  Result<std::optional<KnownAccount>> account_of(const std::shared_ptr<const AccountKey>& key, std::stop_token stop);
  // From now on this key signs for that account.
  void adopt(std::shared_ptr<const AccountKey> key, KnownAccount account);
  // The account is no more: the server is asked again before it is used.
  void forget_account();

  // A 2xx answer; anything else is its Error.
  Result<http::Response> post(const Call& call, std::stop_token stop);
  // The same, signed with a key that is no account's (section 7.6).
  Result<http::Response> post_as(const std::shared_ptr<const AccountKey>& key, const Call& call, std::stop_token stop);
  // An unsigned GET; as above.
  Result<http::Response> get(const std::string& url, std::string_view name, std::size_t max_body, std::stop_token stop);
  Result<std::shared_ptr<const Directory>> directory(std::stop_token stop);

  [[nodiscard]] const UrlPolicy& policy() const { return parts_.policy; }
  [[nodiscard]] std::shared_ptr<const AccountKey> key();
  [[nodiscard]] const Registration& registration() const { return parts_.registration; }
  [[nodiscard]] TimePoint now() const { return clock_.now(); }

 private:
  struct Found {
    std::shared_ptr<const AccountKey> key;
    KnownAccount account;
  };
  Result<Signer> signer(const std::stop_token& stop);
  Status prove_again(const std::stop_token& stop);
  Result<Found> find_or_register(const std::stop_token& stop);
  Result<KnownAccount> new_account(const std::shared_ptr<const AccountKey>& key, std::string payload,
                                   const std::stop_token& stop);
  void forget_account(const std::string& kid);
  Result<std::string> nonce(std::stop_token stop);
  Result<http::Response> post_signed(const Call& call, const Signer& signer, std::stop_token stop);
  Result<http::Response> send(const Call& call, const http::Url& url, const std::string& jws, std::stop_token stop);

  const Parts parts_;
  const std::shared_ptr<http::Transport> transport_;
  const Clock& clock_;
  DirectoryCache directory_;
  NoncePool nonces_;
  std::mutex mutex_;
  std::shared_ptr<const AccountKey> key_;  // guarded by mutex_, as is what follows
  KnownAccount account_;                   // its URL is empty: not known
  SteadyPoint proved_at_;                  // when the server last said that it is one
};

}  // namespace edgetrust::acme
