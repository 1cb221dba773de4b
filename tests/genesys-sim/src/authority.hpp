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
  // For localhost and 127.0.0.1; with the key of `same_key` where given. As the real cloud's: RSA.
  [[nodiscard]] Identity issue(const Identity* same_key = nullptr) const;
  // What an Edge shows as it comes from the factory: signed by itself.
  [[nodiscard]] static support::TestCertificate factory(const std::string& host);

 private:
  support::TestCa root_;
};

// Which certificate the cloud shows, and which it has announced.
class CloudIdentity {
 public:
  explicit CloudIdentity(const Authority& authority) : authority_(authority), current_(authority.issue()) {}

  [[nodiscard]] Identity current() const;
  [[nodiscard]] std::optional<Identity> next() const;
  // Announces a next certificate and goes on with the present one.
  void announce(bool same_key);
  // Goes over to the announced one, or without notice to a fresh one.
  void rotate(bool same_key);

 private:
  const Authority& authority_;
  mutable std::mutex mutex_;
  Identity current_;
  std::optional<Identity> next_;
};

}  // namespace edgetrust::sim
