#pragma once
// The CAs that a connection names, and those that Genesys has, by fingerprint.
#include "edgetrust/decide/trust_anchors.hpp"
#include "edgetrust/reconcile/world.hpp"

namespace edgetrust::reconcile {

// Each certificate of a PEM text by itself.
std::vector<std::string> certificates_in(std::string_view pem);

// Errors: kNotFound and kInvalid, naming the bundle.
Result<std::vector<decide::Anchor>> wanted_anchors(const World& world, const std::string& ns,
                                                   const api::TrustAnchors& spec, std::stop_token stop);

std::vector<decide::KnownAuthority> known_authorities(ports::Pki& pki,
                                                      const std::vector<ports::TrustedAuthority>& listed);

}  // namespace edgetrust::reconcile
