#pragma once
// The certificate authorities of others that an organisation's Edges trust (REMOTE). What the vendor manages itself is
// never listed here and never changed. Implemented by genesys/. Threads: any.
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

struct TrustedAuthority {
  std::string id;  // empty: not made yet
  std::string name;
  std::int64_t version = 0;
  std::vector<std::string> services;  // sorted
  std::string certificate_pem;
  bool operator==(const TrustedAuthority&) const = default;
};

class TrustedAuthorities {
 public:
  virtual ~TrustedAuthorities() = default;
  virtual Result<std::vector<TrustedAuthority>> list(std::stop_token stop) = 0;
  // `maybe_executed` on a lost answer: list before another try.
  virtual Status create(const TrustedAuthority& authority, std::stop_token stop) = 0;
  // kConflict when somebody has changed it since it was listed.
  virtual Status update(const TrustedAuthority& authority, std::stop_token stop) = 0;
  // Success when it is gone already.
  virtual Status remove(const TrustedAuthority& authority, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
