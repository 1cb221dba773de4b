#pragma once
// The simulator's own certificate authority, and the certificate of the pinned cloud endpoint. Errors: an exception of
// the test CA ends the program at start; later calls return nothing new.
#include "edgetrust/base/secret.hpp"
#include "support/test_ca.hpp"

#include <mutex>
#include <optional>
#include <string>

namespace edgetrust::sim {

struct Identity {
  std::string chain_pem;
  std::string key_pem;
  std::string fingerprint;  // SHA-256 of the leaf, "AA:BB:…"
};

class Authority {
 public:
  Authority();
  [[nodiscard]] const std::string& root_pem() const { return root_.certificate_pem(); }
  // For localhost and 127.0.0.1, with a key of that kind.
  [[nodiscard]] Identity issue(support::TestKey kind) const;
  // The same with the key of `other`.
  [[nodiscard]] Identity issue_again(const Identity& other) const;
  // What an Edge shows as it comes from the factory: signed by itself.
  [[nodiscard]] static support::TestCertificate factory(const std::string& host);

 private:
  [[nodiscard]] Identity issue(support::TestLeafSpec spec) const;
  support::TestCa root_;
};

// Which certificate the cloud shows, and which it has announced. RSA, as the real cloud's.
class CloudIdentity {
 public:
  explicit CloudIdentity(const Authority& authority) : authority_(authority), current_(fresh(false)) {}

  [[nodiscard]] Identity current() const;
  [[nodiscard]] std::optional<Identity> next() const;
  // Announces a next certificate and goes on with the present one.
  void announce(bool same_key);
  // Goes over to the announced one, or without notice to a fresh one.
  void rotate(bool same_key);

 private:
  [[nodiscard]] Identity fresh(bool same_key) const;

  const Authority& authority_;
  mutable std::mutex mutex_;
  Identity current_;
  std::optional<Identity> next_;
};

}  // namespace edgetrust::sim
