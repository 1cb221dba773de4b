#include "nonce_pool.hpp"

#include <algorithm>

namespace edgetrust::acme {

bool NoncePool::is_nonce(std::string_view text) {
  constexpr std::size_t kMaxNonce = 512;
  return !text.empty() && text.size() <= kMaxNonce && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void NoncePool::put(std::optional<std::string_view> nonce) {
  if (!nonce || !is_nonce(*nonce)) return;
  const std::lock_guard lock(mutex_);
  nonces_.emplace_back(*nonce);
  if (nonces_.size() > kMax) nonces_.pop_front();
}

std::optional<std::string> NoncePool::take() {
  const std::lock_guard lock(mutex_);
  if (nonces_.empty()) return std::nullopt;
  std::string nonce = std::move(nonces_.back());
  nonces_.pop_back();
  return nonce;
}

}  // namespace edgetrust::acme
