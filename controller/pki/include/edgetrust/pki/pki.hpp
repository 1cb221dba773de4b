#pragma once
// ports::Pki and ports::ChainViewer over crypto: what a key, a request and a chain must be before they go to an Edge.
//
// Called by: main makes one, reconcile uses it. Threads: any. Errors: as the port says.
#include "edgetrust/crypto/trust_store.hpp"
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/ports/pki.hpp"

#include <memory>

namespace edgetrust::pki {

std::unique_ptr<ports::Pki> make_pki(std::shared_ptr<crypto::PublicRoots> public_roots);
std::unique_ptr<ports::ChainViewer> make_chain_viewer(std::shared_ptr<crypto::PublicRoots> public_roots);

}  // namespace edgetrust::pki
