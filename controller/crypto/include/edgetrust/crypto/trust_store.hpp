#pragma once
// Roots: the self-signed certificates that a chain may end at.
//
// Called by: pki. Threads: a TrustStore is immutable; PublicRoots may be asked from any thread. Errors: kInvalid (not
// certificates, or beyond a bound), kUnavailable (the file cannot be read).
#include "edgetrust/crypto/certificate.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::crypto {

class TrustStore {
 public:
  TrustStore() = default;  // no roots
  // Text around the blocks is allowed, as in bundles for people. What is not self-signed is left out: an intermediate
  // in a bundle is no root, and taking it for one would hide that the server does not send it. 1 MiB, 1,000
  // certificates.
  static Result<TrustStore> from_pem(std::string_view pem);

  [[nodiscard]] std::size_t size() const { return roots_.size(); }
  [[nodiscard]] bool contains(const Certificate& certificate) const;
  // The roots whose key verifies the signature of `certificate`; several when a root was reissued with its old key.
  [[nodiscard]] std::vector<Certificate> issuers_of(const Certificate& certificate) const;

 private:
  std::multimap<unsigned long, Certificate> roots_;  // by the hash of the subject
};

// Debian's ca-certificates, read when first asked for and shared from then on. A failure is not remembered.
class PublicRoots {
 public:
  explicit PublicRoots(std::string path = "/etc/ssl/certs/ca-certificates.crt") : path_(std::move(path)) {}
  Result<std::shared_ptr<const TrustStore>> get();

 private:
  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<const TrustStore> store_;
};

}  // namespace edgetrust::crypto
