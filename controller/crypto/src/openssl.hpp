#pragma once
// OpenSSL's objects with owners, and its error queue kept clean.
#include "edgetrust/base/freed.hpp"

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace edgetrust::crypto {

inline void free_openssl(void* p) { OPENSSL_free(p); }

using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using BigNumber = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;
template <class T>
using Buffer = std::unique_ptr<T, Freed<free_openssl>>;

// What OpenSSL complains about in this scope stays in it: a TLS connection of the same thread would read a stale
// complaint as its own.
class ErrorScope {
 public:
  ErrorScope() { ERR_set_mark(); }
  ~ErrorScope() { ERR_pop_to_mark(); }
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
};

inline const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
inline std::string to_text(const unsigned char* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Reads from `text` without a copy; the caller has bounded it.
inline Bio reader(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }
inline std::string_view written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string_view(data, static_cast<std::size_t>(size)) : std::string_view{};
}

// The DER of something that has an i2d function.
template <class T>
std::string to_der(const T* object, int (*write)(const T*, unsigned char**)) {
  unsigned char* raw = nullptr;
  const int size = write(object, &raw);
  const Buffer<unsigned char> owner(raw);
  return size > 0 ? to_text(raw, static_cast<std::size_t>(size)) : std::string{};
}

}  // namespace edgetrust::crypto
