#pragma once
// `inspect secret`: the certificates of a Secret, whether its key fits, and who uses it. Pure. The key is compared and
// never shown.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/plugin/style.hpp"
#include "edgetrust/ports/cluster.hpp"

#include <vector>

namespace edgetrust::plugin {

struct CertificateView {
  std::string subject;
  std::string issuer;
  std::string serial_number;
  TimePoint not_before;
  TimePoint not_after;
  std::vector<std::string> names;
  std::vector<std::string> usages;  // of a leaf
  bool is_ca = false;
  std::string key;  // "RSA 2048"
  std::string fingerprint_sha256;
  std::string public_key_sha256;
};
struct SecretView {
  api::ObjectKey secret;
  std::string type;
  std::vector<std::string> keys;             // of its data
  std::vector<CertificateView> chain;        // tls.crt, as it stands there
  std::string chain_trouble;                 // why nothing can be read of it, or what is wrong with the order
  std::vector<CertificateView> authorities;  // ca.crt
  std::string key_state;                     // "fits the certificate", or what is wrong
  bool is_good = false;
  std::vector<std::string> used_by;  // "EdgeCertificate edge01 (spec.secretName)"
};
SecretView inspect(const ports::SecretObject& secret, const std::vector<api::EdgeCertificate>& certificates);

std::string print(const SecretView& view, TimePoint now, Style style);
json::Value as_value(const SecretView& view);

}  // namespace edgetrust::plugin
