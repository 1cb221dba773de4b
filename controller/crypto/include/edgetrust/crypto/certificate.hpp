#pragma once
// An X.509 certificate, read once into plain data. All of it comes from outside: bounded before it is parsed, refused
// when its names or extensions are malformed.
//
// Called by: pki. Threads: an immutable value; copies share one certificate. Errors: kInvalid.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/crypto/key.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;  // OpenSSL's X509

namespace edgetrust::crypto {

struct CertificateFacts {
  std::string serial_number;  // lower-case hex without colons, an even number of digits
  std::string subject;        // RFC 4514, made printable: for messages
  std::string issuer;         // the issuer's common name, or its whole name when it has none
  TimePoint not_before;
  TimePoint not_after;
  std::vector<std::string> dns_names;  // lower case, as in the subject alternative name
  std::vector<std::string> ip_addresses;
  bool is_ca = false;
  bool self_signed = false;  // its own key verifies its signature
  bool server_auth = false;  // the extended key usage allows it; without that extension all are allowed
  bool client_auth = false;
  std::string fingerprint_sha256;  // of the DER, lower-case hex
  std::string spki_sha256;         // of the SubjectPublicKeyInfo, lower-case hex
  std::string authority_key_id;    // lower-case hex, empty for none
  std::string subject_key_id;
  std::optional<KeyKind> key;  // RSA of any size, ECDSA on P-256, P-384 and P-521; empty for other kinds
};

inline constexpr std::size_t kMaxCertificate = 36'500;  // octets of DER
inline constexpr std::size_t kMaxChainPem = 95'000;
inline constexpr std::size_t kMaxChainLength = 10;

class Certificate {
 public:
  static Result<Certificate> from_der(std::string_view der);
  [[nodiscard]] const CertificateFacts& facts() const { return *facts_; }
  [[nodiscard]] std::string to_pem() const;
  [[nodiscard]] std::string to_der() const;
  // The subject for a message: never empty.
  [[nodiscard]] std::string name() const;
  // Does its subject alternative name cover this DNS name or IP address? A wildcard covers one label, and itself; the
  // common name never counts (RFC 9525 section 6).
  [[nodiscard]] bool covers(const std::string& name) const;
  [[nodiscard]] x509_st* handle() const { return certificate_.get(); }  // for this room
  bool operator==(const Certificate& other) const {
    return facts_->fingerprint_sha256 == other.facts_->fingerprint_sha256;
  }

 private:
  Certificate() = default;
  std::shared_ptr<x509_st> certificate_;
  std::shared_ptr<const CertificateFacts> facts_;
};

// At least one certificate, in the order given, within the three bounds above; nothing but CERTIFICATE blocks and white
// space (RFC 8555 section 9.1: whoever expects a chain takes no private key and no other text along).
Result<std::vector<Certificate>> parse_chain(std::string_view pem);
std::string to_pem(const std::vector<Certificate>& chain);

}  // namespace edgetrust::crypto
