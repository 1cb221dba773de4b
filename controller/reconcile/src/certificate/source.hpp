#pragma once
// The Secret of sourceSecretRef, which somebody else renews: read in one piece and judged. Key and certificate always
// come from the same read; a pair that is put together from two is never seen, let alone stored.
#include "edgetrust/decide/certificate/observation.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>

namespace edgetrust::reconcile {

struct SourceContent {
  decide::certificate::Source facts;
  std::string chain_pem;  // arranged as it must be sent; empty unless the facts are good
  std::string roots_pem;  // ca.crt, as it came
  Secret key_pem;
};

// Never fails: why it cannot be read or must not be taken is among the facts.
SourceContent read_source(const World& world, const api::EdgeCertificate& object, std::stop_token stop);

}  // namespace edgetrust::reconcile
