#pragma once
// Keys and chains, as the engine needs them: a port, so that the simulation can run on tokens. Implemented by pki/ on
// crypto/. Threads: any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::ports {

enum class KeyAlgorithm { kRsa, kEcdsa };
struct KeySpec {
  KeyAlgorithm algorithm = KeyAlgorithm::kRsa;
  int size = 2048;  // RSA: bits; ECDSA: 256 or 384
  bool operator==(const KeySpec&) const = default;
};

struct SubjectNames {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};

// What a leaf and its chain say.
struct ChainFacts {
  std::string serial_number;       // lower-case hex without colons
  std::string fingerprint_sha256;  // of the leaf's DER, lower-case hex
  std::string public_key_sha256;   // of its SubjectPublicKeyInfo, lower-case hex
  std::string issuer;              // the issuer's common name, or its whole name when it has none
  TimePoint not_before;
  TimePoint not_after;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool server_auth = false;  // extended key usage allows it (absent extension: all allowed)
  bool client_auth = false;
  KeySpec key;
  int certificates = 0;  // in the chain, the leaf included
};

struct ChainRequirements {
  SubjectNames names;
  bool server_auth = true;
  bool client_auth = false;
  TimePoint at;
  std::string roots_pem;  // where the issuer's roots are known; empty: public roots
  bool public_roots = true;
};

class Pki {
 public:
  virtual ~Pki() = default;
  virtual Result<Secret> generate_key(const KeySpec& spec) = 0;  // PEM, PKCS #8
  virtual Result<KeySpec> key_spec(const Secret& key_pem) = 0;
  virtual Result<std::string> public_key_sha256(const Secret& key_pem) = 0;               // lower-case hex
  virtual Result<std::string> csr(const Secret& key_pem, const SubjectNames& names) = 0;  // DER
  // Errors: kInvalid when it is no chain of certificates, or beyond the bounds (95 kB, 10 certificates).
  virtual Result<ChainFacts> inspect(const std::string& chain_pem) = 0;
  // The chain as it must be sent: leaf first, then every intermediate in order, no root, nothing else. Errors:
  // kInvalid, naming what is missing. A leaf straight under a root that `roots_pem` holds is complete alone.
  virtual Result<std::string> arrange(const std::string& chain_pem, const ChainRequirements& requirements) = 0;
  // Everything that must hold before a push: complete to a root without fetching, names, dates, usages, key. Errors:
  // kInvalid with the reason.
  virtual Status check(const std::string& chain_pem, const Secret& key_pem, const ChainRequirements& requirements) = 0;
};

}  // namespace edgetrust::ports
