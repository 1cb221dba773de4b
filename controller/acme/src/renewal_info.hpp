#pragma once
// What a server says of the time at which a certificate should be renewed (RFC 9773).
#include "edgetrust/ports/certificate_authority.hpp"

#include <string>
#include <string_view>

namespace edgetrust::acme {

// The unique identifier of section 4.1: base64url of the key identifier, a dot, base64url of the serial number as DER
// has it. Errors: kInvalid when the certificate has none.
Result<std::string> certificate_id(const ports::CertificateId& certificate);

// Section 4.2, without Retry-After, which is a header. An explanation that is no https URL, or a long one, is left out.
// Errors: kProtocol.
Result<ports::RenewalInfo> parse_renewal_info(std::string_view json);

}  // namespace edgetrust::acme
