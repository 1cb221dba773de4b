#pragma once
// Tokens of Microsoft's identity platform for an application: by a client secret, or by the token of a pod that the
// tenant trusts (workload identity, a federated credential).
// Made by: AzureDnsZone. Threads: any; one logs in while the others wait. A token is kept until shortly before it ends.
// Errors: kUnauthorized (the client is refused; the place of its credential is named), kRateLimited, kUnavailable,
// kTimeout, kCancelled, kProtocol, and those of reading the pod's token.
#include "edgetrust/dns/rest/rest.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace edgetrust::dns {

struct AzureLoginOptions {
  std::string authority{};  // "https://login.microsoftonline.com"
  std::string tenant{};
  std::string client_id{};
  std::string scope{};  // "https://management.azure.com/.default"
  Secret client_secret{};
  // The pod's token, read anew each time, for it changes; used when there is no secret.
  std::function<Result<Secret>()> federated_token{};
};

class AzureLogin {
 public:
  using Token = std::shared_ptr<const Secret>;

  // kInvalid when an option cannot be used.
  static Result<std::unique_ptr<AzureLogin>> create(AzureLoginOptions options, Rest rest);

  Result<Token> token(const Until& until);
  // It was not taken: the next one is fetched anew.
  void refused(const Token& token);

 private:
  AzureLogin(AzureLoginOptions options, http::Url url, Rest rest)
      : options_(std::move(options)), url_(std::move(url)), rest_(std::move(rest)) {}
  [[nodiscard]] Result<std::string> form() const;

  const AzureLoginOptions options_;
  const http::Url url_;
  const Rest rest_;
  std::mutex mutex_;
  Token current_;
  SteadyPoint ends_{};
};

}  // namespace edgetrust::dns
