#pragma once
// What an X.509 certificate says, as plain data.
#include "edgetrust/crypto/certificate.hpp"

namespace edgetrust::crypto {

// Errors: kInvalid when its names, dates or extensions are malformed.
Result<CertificateFacts> read_facts(x509_st* certificate);

}  // namespace edgetrust::crypto
