#pragma once
// Keys and chains, as the engine needs them: a port, so that the simulation can run on tokens. Implemented by pki/ on
// crypto/. Threads: any. Errors beside those named below: kUnavailable when the public roots cannot be read.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <optional>
#include <set>
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
  std::string authority_key_id;    // the key identifier of its issuer as it names it, lower-case hex; empty for none
  std::string issuer;              // the issuer's common name, or its whole name when it has none
  std::string root;                // the same of the last certificate in the chain: whom a peer has to know
  TimePoint not_before;
  TimePoint not_after;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool server_auth = false;  // extended key usage allows it (absent extension: all allowed)
  bool client_auth = false;
  KeySpec key;
  int certificates = 0;                    // in the chain, the leaf included
  std::vector<std::string> others_sha256;  // of the certificates after the leaf, as the leaf's fingerprint
};

// Which roots are known: the self-signed certificates of `roots_pem`, and the public ones where `public_roots` says so.
// An intermediate in `roots_pem` is no root, and never stands in for one that the chain lacks.
//
// Not every private CA tells its root: with `require_known_root` off, a chain that ends below an unknown root is judged
// by its structure alone. It then needs at least one intermediate, every signature in it must verify, and no CA
// certificate may be left over. What this cannot see is an intermediate missing at the upper end, below the root:
// whoever can name the root should. A leaf straight under a root is complete only when that root is known.
struct ChainRequirements {
  SubjectNames names;  // each must be covered, the common name too
  // The names that a leaf may have, lower case: others that nobody asked for are a reason to refuse it. Empty: any.
  std::set<std::string> only_names = {};
  bool server_auth = true;
  bool client_auth = false;
  TimePoint at;
  std::string roots_pem;
  bool public_roots = true;
  bool require_known_root = true;
};

// How a peer that dials in judges what an Edge presents: by its own roots alone, and it fetches nothing.
struct PeerRequirements {
  std::string roots_pem;     // its self-signed certificates are the roots, as above
  std::string server_name;   // that it dials; empty: it does not look at the name
  bool client_auth = false;  // it also wants the leaf to be good for a client
  TimePoint at;
};
// Error::code when the roots are at fault, and nothing is said about the chain.
inline constexpr std::string_view kRootsUnreadable = "RootsUnreadable";

class Pki {
 public:
  virtual ~Pki() = default;
  virtual Result<Secret> generate_key(const KeySpec& spec) = 0;  // PEM, PKCS #8
  virtual Result<KeySpec> key_spec(const Secret& key_pem) = 0;
  virtual Result<std::string> public_key_sha256(const Secret& key_pem) = 0;               // lower-case hex
  virtual Result<std::string> csr(const Secret& key_pem, const SubjectNames& names) = 0;  // DER
  // What the first certificate says, in whatever order the rest is. Errors: kInvalid when it is no chain of
  // certificates, or beyond the bounds (95 kB, 10 certificates), or its key is neither RSA nor ECDSA.
  virtual Result<ChainFacts> inspect(const std::string& chain_pem) = 0;
  // The chain as it must be sent, whatever order it came in: leaf first, then every intermediate in order, no root,
  // nothing else. Errors: kInvalid, naming what is missing. A leaf straight under a known root is complete alone.
  virtual Result<std::string> arrange(const std::string& chain_pem, const ChainRequirements& requirements) = 0;
  // Everything that must hold before a push: arranged as above, complete without fetching, names, dates (not_before <=
  // at < not_after, every certificate), usages, strength (RSA of 2048 bits, SHA-2), the leaf is for this key and is no
  // CA.
  // Errors: kInvalid with the reason.
  virtual Status check(const std::string& chain_pem, const Secret& key_pem, const ChainRequirements& requirements) = 0;
  // Would this peer go on with a handshake that presents this chain, in whatever order its issuers come? Errors:
  // kInvalid with the reason, which names the root that the peer lacks; with code kRootsUnreadable when `roots_pem`
  // cannot be read or holds no root.
  virtual Status accepted_by(const PeerRequirements& peer, const std::string& chain_pem) = 0;
};

}  // namespace edgetrust::ports
