#pragma once
// Which certificate authority of Genesys is made, changed or removed next, so that the Edges trust the CAs that a
// connection names. Pure.
//
// Called by: the reconciler of connections, a step a pass, each after a new list. Threads: any. Errors: none.
#include "edgetrust/ports/authorities.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace edgetrust::decide {

struct Anchor {
  std::string fingerprint_sha256;  // of its DER, lower-case hex
  std::string pem;
};
struct KnownAuthority {
  ports::TrustedAuthority authority;
  std::set<std::string> fingerprints;  // of the certificates that it holds
};
struct AnchorStep {
  enum class Kind { kCreate, kUpdate, kRemove };
  Kind kind = Kind::kCreate;
  ports::TrustedAuthority authority;
};

// The beginning of the name of every authority that is made for this connection: what bears it is ours.
std::string anchor_mark(const std::string& ns, const std::string& connection);

// Empty when all is as it shall be. Foreign authorities are never touched; one that holds a wanted CA for all services
// will do. Of ours, services are made right, and what is no longer wanted, or there twice, is removed.
std::optional<AnchorStep> next_anchor_step(const std::vector<Anchor>& wanted, const std::vector<KnownAuthority>& known,
                                           const std::vector<std::string>& services, const std::string& mark);

}  // namespace edgetrust::decide
