#pragma once
// The REMOTE certificate authorities of the organisation: ports::TrustedAuthorities over /certificateauthorities.
// Threads: any.
#include "client.hpp"
#include "edgetrust/ports/authorities.hpp"

namespace edgetrust::genesys {

class AuthorityList final : public ports::TrustedAuthorities {
 public:
  explicit AuthorityList(Client& client) : client_(client) {}

  Result<std::vector<ports::TrustedAuthority>> list(std::stop_token stop) override;
  Status create(const ports::TrustedAuthority& authority, std::stop_token stop) override;
  Status update(const ports::TrustedAuthority& authority, std::stop_token stop) override;
  Status remove(const ports::TrustedAuthority& authority, std::stop_token stop) override;

 private:
  Status change(http::Method method, std::string path, const ports::TrustedAuthority* body, std::stop_token stop);

  Client& client_;
};

}  // namespace edgetrust::genesys
