#pragma once
// What a transport trusts and shows in TLS: parsed once, lent to each new connection. Private to the room; the only
// place of it that knows OpenSSL's verification.
#include "edgetrust/base/freed.hpp"
#include "edgetrust/http/transport.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <openssl/ssl.h>

namespace edgetrust::http {

struct Link;

using StorePtr = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// Every certificate of a PEM text, at least one. `what` names the text in the error.
Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem, const std::string& what);

// The trust anchors of a transport.
Result<std::shared_ptr<X509_STORE>> make_store(const TlsOptions& options);

// Why a certificate was refused, in words that say what to change.
std::string explain_refusal(X509_STORE_CTX* context, const std::string& host);

class TlsClient {
 public:
  static Result<std::shared_ptr<const TlsClient>> create(const TlsOptions& options);

  // Makes a fresh context ours: roots, name to verify, client certificate, versions. It reports to `link`, which must
  // outlive every use of the context.
  void prepare(SSL_CTX* context, Link& link) const;

 private:
  TlsClient() = default;
  std::shared_ptr<X509_STORE> store_;
  std::vector<CertificatePtr> chain_;
  KeyPtr key_;
};

}  // namespace edgetrust::http
