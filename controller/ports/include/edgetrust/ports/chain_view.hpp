#pragma once
// A chain as a client of the endpoint sees it: what each certificate is, and which way it validates. Implemented by
// pki/. Threads: any. Errors: kInvalid when it is no chain of certificates; kUnavailable when the public roots cannot
// be read.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <string>
#include <vector>

namespace edgetrust::ports {

struct SeenCertificate {
  std::string subject;
  std::string issuer;
  TimePoint not_before;
  TimePoint not_after;
  std::string certificate_sha256;  // of the DER, lower-case hex
  std::string public_key_sha256;   // of its SubjectPublicKeyInfo
  std::string pem;                 // the same text for the same certificate
};

struct ChainView {
  std::vector<SeenCertificate> presented;  // as it came; at least one
  // From the leaf to a known root, by the certificates presented and no others. A root that was presented cross-signed
  // stands here as the one that is known. Empty when it does not validate.
  std::vector<SeenCertificate> validated;
  std::string problem;   // why it does not; empty: it does
  std::string leaf_pem;  // the leaf alone
};

struct ViewRequirements {
  std::string server_name;  // that the leaf must cover
  TimePoint at;
  std::string roots_pem;  // the only roots; empty: the public ones
};

class ChainViewer {
 public:
  virtual ~ChainViewer() = default;
  // A chain that does not validate is no error. kInvalid with code kRootsUnreadable (pki.hpp): no root can be taken
  // from `roots_pem`.
  virtual Result<ChainView> view(const std::string& chain_pem, const ViewRequirements& requirements) = 0;
};

}  // namespace edgetrust::ports
