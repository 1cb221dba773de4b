#pragma once
// Roots that a user names. Room-private.
#include "edgetrust/crypto/trust_store.hpp"

#include <string>

namespace edgetrust::pki {

// kInvalid with code ports::kRootsUnreadable and the reason, also where no certificate among them is a root.
Result<crypto::TrustStore> given_roots(const std::string& pem);

}  // namespace edgetrust::pki
