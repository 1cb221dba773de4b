#include "edgetrust/crypto/key.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "kind.hpp"
#include "openssl.hpp"
#include "pem.hpp"

#include <algorithm>
#include <array>

#include <openssl/pem.h>

namespace edgetrust::crypto {
namespace {

// OpenSSL asks on the terminal unless it is given a function to ask; this one never answers.
int refuse_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

constexpr std::size_t kMaxBlocks = 8;  // a key beside its parameters or certificates
constexpr std::array<std::string_view, 3> kKeyLabels = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"};

Result<PemBlock> key_block(std::string_view pem) {
  EDGETRUST_TRY_ASSIGN(const PemText text, scan_pem(pem, kMaxBlocks));
  std::vector<PemBlock> keys;
  for (const auto& block : text.blocks) {
    const bool encrypted = block.label == "ENCRYPTED PRIVATE KEY" || block.text.find("\nProc-Type:") != block.text.npos;
    if (encrypted) return fail(ErrorKind::kInvalid, "the private key is encrypted: store it without a passphrase");
    if (std::find(kKeyLabels.begin(), kKeyLabels.end(), block.label) != kKeyLabels.end()) keys.push_back(block);
  }
  if (keys.empty()) return fail(ErrorKind::kInvalid, "the PEM holds no private key");
  if (keys.size() > 1) return fail(ErrorKind::kInvalid, "the PEM holds more than one private key");
  return keys.front();
}

// Do the private and the public half belong together?
bool halves_fit(EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_public_check_quick(context.get()) == 1 && EVP_PKEY_pairwise_check(context.get()) == 1;
}

}  // namespace

Result<PrivateKey> PrivateKey::wrap(std::shared_ptr<evp_pkey_st> key) {
  const auto kind = kind_of(key.get());
  if (!kind) {
    return fail(ErrorKind::kInvalid, "the private key is neither RSA of 2048 to 4096 bits nor ECDSA on P-256 or P-384");
  }
  PrivateKey wrapped;
  wrapped.kind_ = *kind;
  wrapped.spki_sha256_ = to_hex(sha256(to_der(key.get(), i2d_PUBKEY)));
  wrapped.key_ = std::move(key);
  return wrapped;
}

Result<PrivateKey> PrivateKey::generate(KeyKind kind) {
  const ErrorScope errors;
  const bool rsa = kind.family == KeyFamily::kRsa;
  if (rsa ? kind.bits != 2048 && kind.bits != 3072 && kind.bits != 4096 : kind.bits != 256 && kind.bits != 384) {
    return fail(ErrorKind::kInvalid, "a new key is RSA of 2048, 3072 or 4096 bits, or ECDSA of 256 or 384");
  }
  KeyPtr key(rsa ? EVP_RSA_gen(static_cast<unsigned>(kind.bits)) : EVP_EC_gen(kind.bits == 256 ? "P-256" : "P-384"));
  if (!key) return fail(ErrorKind::kInternal, "OpenSSL could not make a key");
  return wrap(std::move(key));
}

Result<PrivateKey> PrivateKey::from_pem(const Secret& pem) {
  const ErrorScope errors;
  if (pem.size() > kMaxKeyPem) {
    return fail(ErrorKind::kInvalid, "the private key is larger than " + std::to_string(kMaxKeyPem) + " octets");
  }
  EDGETRUST_TRY_ASSIGN(const PemBlock block, key_block(pem.expose()));
  const Bio in = reader(block.text);
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, nullptr));
  if (!key) return fail(ErrorKind::kInvalid, "the private key cannot be read");
  EDGETRUST_TRY_ASSIGN(PrivateKey wrapped, wrap(std::move(key)));
  if (!halves_fit(wrapped.handle())) {
    return fail(ErrorKind::kInvalid, "the private key is broken: its two halves do not fit each other");
  }
  return wrapped;
}

Result<Secret> PrivateKey::to_pem() const {
  const ErrorScope errors;
  const Bio out(BIO_new(BIO_s_mem()));  // wiped by OpenSSL when freed
  if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(ErrorKind::kInternal, "OpenSSL could not write a key");
  }
  return Secret(written(out.get()));
}

}  // namespace edgetrust::crypto
