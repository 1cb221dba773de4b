#include "kind.hpp"

#include "openssl.hpp"

#include <array>

#include <openssl/core_names.h>

namespace edgetrust::crypto {
namespace {

std::string text_of(const evp_pkey_st* key, const char* parameter) {
  std::array<char, 32> text{};
  const bool got = EVP_PKEY_get_utf8_string_param(key, parameter, text.data(), text.size(), nullptr) == 1;
  return got ? std::string(text.data()) : std::string{};
}

}  // namespace

std::optional<KeyKind> kind_of(const evp_pkey_st* key, bool any_size) {
  if (key == nullptr) return std::nullopt;
  const int bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    if (!any_size && (bits < 2048 || bits > 4096)) return std::nullopt;
    return KeyKind{.family = KeyFamily::kRsa, .bits = bits};
  }
  if (EVP_PKEY_is_a(key, "EC") != 1) return std::nullopt;
  // OpenSSL knows a curve again that is given by its parameters, but would write it so too, and CAs refuse that (RFC
  // 5480 section 2.1.1).
  if (text_of(key, OSSL_PKEY_PARAM_EC_ENCODING) != OSSL_PKEY_EC_ENCODING_GROUP) return std::nullopt;
  const std::string name = text_of(key, OSSL_PKEY_PARAM_GROUP_NAME);
  if (name == "prime256v1") return KeyKind{.family = KeyFamily::kEcdsa, .bits = 256};
  if (name == "secp384r1") return KeyKind{.family = KeyFamily::kEcdsa, .bits = 384};
  if (any_size && name == "secp521r1") return KeyKind{.family = KeyFamily::kEcdsa, .bits = 521};
  return std::nullopt;
}

}  // namespace edgetrust::crypto
