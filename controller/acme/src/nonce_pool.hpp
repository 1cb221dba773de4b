#pragma once
// Nonces that the server gave and nobody has used yet (RFC 8555 section 6.5). Threads: any.
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::acme {

class NoncePool {
 public:
  // Ignores what is no nonce (section 6.5.1: base64url; clients must ignore others). Of too many the oldest is dropped.
  void put(std::optional<std::string_view> nonce);
  // The newest: servers forget the old ones first.
  std::optional<std::string> take();

  static bool is_nonce(std::string_view text);

 private:
  static constexpr std::size_t kMax = 32;
  std::mutex mutex_;
  std::deque<std::string> nonces_;  // guarded by mutex_
};

}  // namespace edgetrust::acme
