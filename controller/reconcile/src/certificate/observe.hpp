#pragma once
// Gathers the Observation of one EdgeCertificate from caches and notes; reads a Secret only when its facts are not
// known yet.
#include "certificate/notebook.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>

namespace edgetrust::reconcile {

Result<decide::certificate::Observation> observe(const World& world, std::shared_ptr<const api::EdgeCertificate> object,
                                                 Notes& notes, std::stop_token stop);

// What a chain of this object must fulfil before it is pushed.
Result<ports::ChainRequirements> requirements(const World& world, const api::EdgeCertificate& object,
                                              const std::string& server, std::stop_token stop);
// Roots that came with a certificate, a private CA's; empty: it came with none. They need not hold the one that issues.
void trust(ports::ChainRequirements& required, const std::string& roots_pem);
// The moment at which a chain is judged: dates are the rules' to judge.
TimePoint moment_within(const ports::ChainFacts& facts, TimePoint now);

}  // namespace edgetrust::reconcile
