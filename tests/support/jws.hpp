#pragma once
// Reads and verifies flattened JWS (RFC 7515 section 7.2.2) the way a server does: with the public key as JWK, by code
// that shares nothing with the signer's but OpenSSL.
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/json/view.hpp"

#include <memory>
#include <string>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

namespace edgetrust::support {

struct Jws {
  std::string input;  // what is signed
  std::string protected_header;
  std::string payload;
  std::string signature;
};

inline Result<Jws> read_jws(std::string_view text) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(text));
  const json::View root = document.root();
  if (root.size() != 3) return fail(ErrorKind::kProtocol, "a flattened JWS has three members");
  const std::string header = root["protected"].string_or("");
  const std::string payload = root["payload"].string_or("");
  Jws jws{.input = header + "." + payload, .protected_header = {}, .payload = {}, .signature = {}};
  EDGETRUST_TRY_ASSIGN(jws.protected_header, from_base64url(header));
  EDGETRUST_TRY_ASSIGN(jws.payload, from_base64url(payload));
  EDGETRUST_TRY_ASSIGN(jws.signature, from_base64url(root["signature"].string_or("")));
  return jws;
}

class PublicJwk {
 public:
  static Result<PublicJwk> parse(json::View jwk) {
    const auto number = [&](const char* name) {
      const std::string bytes = from_base64url(jwk[name].string_or("")).value_or("");
      return Number(
          BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
          BN_free);
    };
    const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> build(OSSL_PARAM_BLD_new(),
                                                                                OSSL_PARAM_BLD_free);
    const bool rsa = jwk["kty"].string() == "RSA";
    const Number n = number("n");
    const Number e = number("e");
    std::string point;
    std::string curve = jwk["crv"].string_or("");
    if (rsa) {
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    } else {
      point = "\x04" + from_base64url(jwk["x"].string_or("")).value_or("") +
              from_base64url(jwk["y"].string_or("")).value_or("");
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0);
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    }
    const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(OSSL_PARAM_BLD_to_param(build.get()),
                                                                             OSSL_PARAM_free);
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, rsa ? "RSA" : "EC", nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
      return fail(ErrorKind::kInvalid, "not a public JWK");
    }
    PublicJwk parsed;
    parsed.key_.reset(key, EVP_PKEY_free);
    parsed.algorithm_ = rsa ? "RS256" : curve == "P-384" ? "ES384" : "ES256";
    return parsed;
  }

  [[nodiscard]] const std::string& algorithm() const { return algorithm_; }

  [[nodiscard]] bool verifies(const Jws& jws) const {
    const std::string signature = algorithm_ == "RS256" ? jws.signature : der_of(jws.signature);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const EVP_MD* hash = algorithm_ == "ES384" ? EVP_sha384() : EVP_sha256();
    const auto octets = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    return !signature.empty() && EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(jws.input), jws.input.size()) ==
               1;
  }

 private:
  using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

  // Empty unless the signature has exactly the width that RFC 7518 section 3.4 asks for.
  [[nodiscard]] std::string der_of(const std::string& signature) const {
    const std::size_t half = algorithm_ == "ES384" ? 48 : 32;
    if (signature.size() != 2 * half) return {};
    const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes, static_cast<int>(half), nullptr),
                   BN_bin2bn(bytes + half, static_cast<int>(half), nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &der);
    std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return text;
  }

  std::shared_ptr<EVP_PKEY> key_;
  std::string algorithm_;
};

// HS256, HS384 or HS512, by the hash: an external account binding.
inline bool verifies_mac(const EVP_MD* hash, const Jws& jws, std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(hash, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(jws.input.data()),
       jws.input.size(), mac.data(), &size);
  return jws.signature == std::string_view(reinterpret_cast<const char*>(mac.data()), size);
}

}  // namespace edgetrust::support
