#pragma once
// What the server offers and where (RFC 8555 section 7.1.1).
#include "edgetrust/base/clock.hpp"
#include "edgetrust/http/transport.hpp"
#include "url_policy.hpp"

#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::acme {

struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string renewal_info;  // RFC 9773 section 3, not checked yet: nothing else depends on it; empty: not offered
  std::string key_change;    // empty: not offered; checked when it is used, as is the next
  std::string revoke_cert;
  std::string terms_of_service;  // for people, https; empty for none
  bool external_account_required = false;
  std::vector<std::string> profiles;  // empty when the server names none
};

// Errors: kProtocol, also when one of the URLs is not allowed.
Result<Directory> parse_directory(std::string_view json, const UrlPolicy& policy);

// Fetched when first needed, kept for an hour, fetched again after forget(). Threads: any; two that need it at once may
// both fetch it.
class DirectoryCache {
 public:
  DirectoryCache(http::Transport& transport, const Clock& clock, const UrlPolicy& policy, std::string user_agent)
      : transport_(transport), clock_(clock), policy_(policy), user_agent_(std::move(user_agent)) {}

  Result<std::shared_ptr<const Directory>> get(std::stop_token stop);
  void forget();

 private:
  http::Transport& transport_;
  const Clock& clock_;
  const UrlPolicy& policy_;
  const std::string user_agent_;
  std::mutex mutex_;
  std::shared_ptr<const Directory> directory_;  // guarded by mutex_, as is what follows
  SteadyPoint fetched_;
};

}  // namespace edgetrust::acme
