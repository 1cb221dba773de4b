#include "edgetrust/crypto/jws.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "openssl.hpp"

#include <array>
#include <vector>

#include <openssl/core_names.h>

namespace edgetrust::crypto {
namespace {

tl::unexpected<Error> cannot(const char* what) {
  return fail(ErrorKind::kInternal, std::string("OpenSSL could not ") + what);
}

std::size_t coordinate_size(const PrivateKey& key) { return static_cast<std::size_t>(key.kind().bits) / 8; }

// A number of the public key, big-endian; `size` 0: as short as it is.
Result<std::string> number(const PrivateKey& key, const char* name, std::size_t size = 0) {
  BIGNUM* raw = nullptr;
  const bool got = EVP_PKEY_get_bn_param(key.handle(), name, &raw) == 1;
  const BigNumber value(raw);
  if (!got) return cannot("read a public key");
  std::vector<unsigned char> bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(raw)) : size);
  if (BN_bn2binpad(raw, bytes.data(), static_cast<int>(bytes.size())) < 0) return cannot("read a public key");
  return to_text(bytes.data(), bytes.size());
}

// ECDSA's two numbers side by side instead of DER (RFC 7518 section 3.4).
Result<std::string> fixed_width(const std::string& der, std::size_t size) {
  const unsigned char* at = octets(der);
  const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return cannot("sign");
  std::vector<unsigned char> bytes(2 * size);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes.data(), static_cast<int>(size)) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes.data() + size, static_cast<int>(size)) < 0) {
    return cannot("sign");
  }
  return to_text(bytes.data(), bytes.size());
}

Result<std::string> sign(const PrivateKey& key, const std::string& input) {
  const ErrorScope errors;
  const bool rsa = key.kind().family == KeyFamily::kRsa;
  const EVP_MD* hash = !rsa && key.kind().bits == 384 ? EVP_sha384() : EVP_sha256();
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key.handle()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, octets(input), input.size()) != 1) {
    return cannot("sign");
  }
  std::vector<unsigned char> bytes(size);
  if (EVP_DigestSign(context.get(), bytes.data(), &size, octets(input), input.size()) != 1) return cannot("sign");
  const std::string signature = to_text(bytes.data(), size);
  return rsa ? Result<std::string>(signature) : fixed_width(signature, coordinate_size(key));
}

// Every part is base64url, so nothing needs escaping.
std::string flattened(const std::string& header, const std::string& payload, const std::string& signature) {
  return R"({"protected":")" + header + R"(","payload":")" + payload + R"(","signature":")" + to_base64url(signature) +
         R"("})";
}

}  // namespace

std::string_view jws_algorithm(const PrivateKey& key) {
  if (key.kind().family == KeyFamily::kRsa) return "RS256";
  return key.kind().bits == 384 ? "ES384" : "ES256";
}

Result<std::string> public_jwk(const PrivateKey& key) {
  const ErrorScope errors;
  if (key.kind().family == KeyFamily::kRsa) {
    EDGETRUST_TRY_ASSIGN(const std::string e, number(key, OSSL_PKEY_PARAM_RSA_E));
    EDGETRUST_TRY_ASSIGN(const std::string n, number(key, OSSL_PKEY_PARAM_RSA_N));
    return R"({"e":")" + to_base64url(e) + R"(","kty":"RSA","n":")" + to_base64url(n) + R"("})";
  }
  EDGETRUST_TRY_ASSIGN(const std::string x, number(key, OSSL_PKEY_PARAM_EC_PUB_X, coordinate_size(key)));
  EDGETRUST_TRY_ASSIGN(const std::string y, number(key, OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_size(key)));
  const std::string curve = key.kind().bits == 384 ? "P-384" : "P-256";
  return R"({"crv":")" + curve + R"(","kty":"EC","x":")" + to_base64url(x) + R"(","y":")" + to_base64url(y) + R"("})";
}

Result<std::string> jwk_thumbprint(const PrivateKey& key) {
  EDGETRUST_TRY_ASSIGN(const std::string jwk, public_jwk(key));
  return to_base64url(sha256(jwk));
}

Result<std::string> sign_jws(const PrivateKey& key, std::string_view protected_header, std::string_view payload) {
  const std::string header = to_base64url(protected_header);
  const std::string body = to_base64url(payload);
  EDGETRUST_TRY_ASSIGN(const std::string signature, sign(key, header + "." + body));
  return flattened(header, body, signature);
}

Result<std::string> sign_jws(Hash hash, const Secret& mac_key, std::string_view protected_header,
                             std::string_view payload) {
  const std::string header = to_base64url(protected_header);
  const std::string body = to_base64url(payload);
  EDGETRUST_TRY_ASSIGN(const std::string signature, hmac(hash, mac_key, header + "." + body));
  return flattened(header, body, signature);
}

}  // namespace edgetrust::crypto
