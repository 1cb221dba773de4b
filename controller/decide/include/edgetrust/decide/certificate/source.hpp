#pragma once
// What a certificate that somebody else renews must be for. Asked by the rules and by whoever judges the Secret. Pure.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/ports/pki.hpp"

namespace edgetrust::decide::certificate {

// The names in the spec, and the name by which the Edge is reached. An address is none: it is where the operator
// connects to, and public CAs put no such thing into a certificate.
ports::SubjectNames names_to_cover(const api::EdgeCertificateSpec& spec, const api::Edge* edge);

}  // namespace edgetrust::decide::certificate
