#pragma once
// A certificate authority for tests: roots, intermediates, leaves with DNS and IP SANs, valid, expired or not yet
// valid. Everything is made in memory with fresh keys; nothing is trusted by anything that is not handed its root.
//
//   support::TestCa ca("root");
//   const auto inter = ca.intermediate("inter");
//   const auto leaf = inter.issue({.dns = {"a.example"}, .ips = {"127.0.0.1"}});
//   // trust ca.certificate_pem(), serve leaf.chain_pem with leaf.key_pem
//
// Threads: const calls from any. Errors: std::runtime_error, which fails the test.
#include "edgetrust/base/clock.hpp"

#include <memory>
#include <string>
#include <vector>

namespace edgetrust::support {

enum class TestKey { kEc256, kEc384, kRsa2048, kRsa1024 };  // the last is too weak to be accepted, on purpose

// Valid at any time a test may run or pretend to run at.
inline constexpr TimePoint kTestNotBefore = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
inline constexpr TimePoint kTestNotAfter = std::chrono::sys_days{std::chrono::year{2049} / 1 / 1};

struct TestCaSpec {
  TestKey key = TestKey::kEc256;
  TimePoint not_before = kTestNotBefore;
  TimePoint not_after = kTestNotAfter;
  int path_length = -1;  // of basicConstraints; -1: none
};

struct TestLeafSpec {
  std::string common_name = {};  // empty: an empty subject
  std::vector<std::string> dns = {};
  std::vector<std::string> ips = {};
  TimePoint not_before = kTestNotBefore;
  TimePoint not_after = kTestNotAfter;
  TestKey key = TestKey::kEc256;
  std::string key_pem = {};  // an existing key instead of a fresh one
  bool server_auth = true;   // with both usages off the extension is left out
  bool client_auth = true;
  bool is_ca = false;
  std::string serial = {};  // hex; empty: random, 16 octets
};

struct TestCertificate {
  std::string certificate_pem;
  std::string chain_pem;  // the certificate, then every intermediate up to the root, which is left out
  std::string key_pem;    // PKCS #8; empty when the key is not ours
};

class TestCa {
 public:
  explicit TestCa(const std::string& name, const TestCaSpec& spec = {});
  ~TestCa();
  TestCa(TestCa&&) noexcept;
  TestCa& operator=(TestCa&&) noexcept;

  // An authority under this one, whose leaves' chains include it.
  [[nodiscard]] TestCa intermediate(const std::string& name, const TestCaSpec& spec = {}) const;
  // A certificate with the name and key of `other`, issued by this one: the other way up from its leaves.
  [[nodiscard]] std::string cross_sign(const TestCa& other, const TestCaSpec& spec = {}) const;

  [[nodiscard]] TestCertificate issue(const TestLeafSpec& spec) const;
  // A certificate for the key of a certificate request (DER or PEM); names come from `spec`, or from the request when
  // `spec` has none.
  [[nodiscard]] TestCertificate sign_request(const std::string& csr, const TestLeafSpec& spec = {}) const;

  [[nodiscard]] const std::string& certificate_pem() const;  // its own
  [[nodiscard]] const std::string& key_pem() const;

 private:
  struct Impl;
  explicit TestCa(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A leaf that signed itself.
TestCertificate self_signed(const TestLeafSpec& spec);
// A fresh private key, PEM, PKCS #8.
std::string test_key_pem(TestKey key);

}  // namespace edgetrust::support
