#pragma once
// The OAuth client that the user names and, if there is one, its standby: that is used while the first is refused, and
// not one login longer. Threads: any.
#include "edgetrust/genesys/oauth.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace edgetrust::genesys {

class Logins {
 public:
  explicit Logins(std::unique_ptr<TokenSource> first, std::unique_ptr<TokenSource> standby = nullptr)
      : first_(std::move(first)), standby_(std::move(standby)) {}

  // A token of the first client; of the standby while the first is refused. The first is asked again as often as
  // TokenSource lets it be. Errors: of the first; with a standby that is refused too, both are named.
  Result<Token> token(const std::stop_token& stop);
  void refused(const Token& token);

  struct InUse {
    std::string client_id;
    bool standby = false;
    std::string refusal;  // of the first; empty while it is good
  };
  [[nodiscard]] InUse in_use() const;

 private:
  Result<Token> from_standby(const Error& refusal, const std::stop_token& stop);

  const std::unique_ptr<TokenSource> first_;
  const std::unique_ptr<TokenSource> standby_;
  mutable std::mutex mutex_;
  std::optional<Error> refusal_;  // of the first, since its last good login
  bool standby_in_use_ = false;
};

}  // namespace edgetrust::genesys
