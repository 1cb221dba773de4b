#pragma once
// What the published API says of certificates: DomainCertificateAuthority.certificateDetails, and the answer of
// /certificate/details. Pure.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/json/value.hpp"

#include <optional>
#include <string>

namespace edgetrust::sim {

// An array, one entry a certificate; empty when `pem` is not 1 to 10 certificates. A signature is valid when an issuer
// among them vouches for it: of a chain without its root the last one has none.
std::optional<json::Value> certificate_details(const std::string& pem, TimePoint now);

}  // namespace edgetrust::sim
