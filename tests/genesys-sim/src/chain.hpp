#pragma once
// Certificates as an Edge looks at them when they are uploaded. Pure; OpenSSL inside. The simulator does this itself
// rather than by the operator's own code: the two must not share a mistake.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::sim {

struct LeafFacts {
  std::string fingerprint;  // SHA-256 of the DER certificate, lower-case hex
  std::string subject;
  std::string issuer;
  TimePoint not_before;
  TimePoint not_after;
};
// Errors: kInvalid unless `chain_pem` holds 1 to 10 certificates.
Result<LeafFacts> read_leaf(const std::string& chain_pem);

// Of each certificate, in the order in which they stand.
struct ChainEntry {
  LeafFacts facts;
  bool signature_valid = false;  // it was issued by another of them, or signed itself
};
// Errors: as read_leaf.
Result<std::vector<ChainEntry>> read_chain(const std::string& chain_pem);

struct Complaint {
  std::string code;
  std::string field;  // of the upload
  std::string message;
};
// Why an Edge refuses this upload; empty when it takes it. It refuses what is no certificate or key, a key of another
// certificate, a chain with a gap, a lone leaf whose issuer is not among `trust_pem`, a leaf that is not valid now or
// names nothing. It does not judge names, usages and roots: that is what its peers do.
std::optional<Complaint> complaint_about(const std::string& chain_pem, const Secret& key_pem,
                                         const std::string& trust_pem, TimePoint now);

}  // namespace edgetrust::sim
