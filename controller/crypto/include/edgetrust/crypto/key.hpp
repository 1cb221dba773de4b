#pragma once
// A private key: made here, or read from PEM. RSA of 2048 to 4096 bits, ECDSA on P-256 and P-384; nothing else.
//
// Called by: pki (the Edge's keys), acme (the account's key), ssh and http only through their own libraries. Threads:
// an immutable value; copies share one key, and any number of threads may sign with it. Errors: kInvalid (not a key, of
// another kind, encrypted, broken), kInternal (OpenSSL could not make one). No message holds a byte of the key.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <cstddef>
#include <memory>
#include <string>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace edgetrust::crypto {

enum class KeyFamily { kRsa, kEcdsa };
struct KeyKind {
  KeyFamily family = KeyFamily::kRsa;
  int bits = 2048;  // RSA: of the modulus; ECDSA: 256 or 384
  bool operator==(const KeyKind&) const = default;
};

inline constexpr std::size_t kMaxKeyPem = 13'000;  // octets

class PrivateKey {
 public:
  // RSA 2048, 3072, 4096; ECDSA 256, 384.
  static Result<PrivateKey> generate(KeyKind kind);
  // PKCS #8, PKCS #1 or SEC 1; text around the block is allowed. The two halves of the key must fit each other. An
  // encrypted key is refused: a passphrase is never asked for.
  static Result<PrivateKey> from_pem(const Secret& pem);

  [[nodiscard]] Result<Secret> to_pem() const;  // PKCS #8, not encrypted
  [[nodiscard]] KeyKind kind() const { return kind_; }
  // SHA-256 of the public half's SubjectPublicKeyInfo, lower-case hex.
  [[nodiscard]] const std::string& spki_sha256() const { return spki_sha256_; }
  [[nodiscard]] evp_pkey_st* handle() const { return key_.get(); }  // for this room

 private:
  PrivateKey() = default;
  static Result<PrivateKey> wrap(std::shared_ptr<evp_pkey_st> key);
  std::shared_ptr<evp_pkey_st> key_;
  KeyKind kind_;
  std::string spki_sha256_;
};

}  // namespace edgetrust::crypto
