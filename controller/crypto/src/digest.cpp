#include "edgetrust/crypto/digest.hpp"

#include "openssl.hpp"

#include <array>

#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace edgetrust::crypto {
namespace {

const EVP_MD* function_of(Hash hash) {
  switch (hash) {
    case Hash::kSha256: return EVP_sha256();
    case Hash::kSha384: return EVP_sha384();
    case Hash::kSha512: return EVP_sha512();
  }
  return EVP_sha256();
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(octets(bytes), bytes.size(), digest.data());
  return to_text(digest.data(), digest.size());
}

Result<std::string> hmac(Hash hash, const Secret& key, std::string_view bytes) {
  const ErrorScope errors;
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  const std::string_view raw = key.empty() ? std::string_view("") : key.expose();  // a null key means "the last one"
  if (HMAC(function_of(hash), raw.data(), static_cast<int>(raw.size()), octets(bytes), bytes.size(), mac.data(),
           &size) == nullptr) {
    return fail(ErrorKind::kInternal, "OpenSSL could not make a message authentication code");
  }
  return to_text(mac.data(), size);
}

}  // namespace edgetrust::crypto
