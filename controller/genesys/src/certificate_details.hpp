#pragma once
// The bodies of POST /api/v2/certificate/details, by which the vendor's own parser says what it makes of certificates:
// `{certificate: PEM}` is answered with `{certificateDetails: [{subject, issuer, expired, …}]}`, "the details of the
// certificates that were parsed correctly" (vendor's SDK, ParsedCertificate). It needs no permission.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <string>
#include <string_view>

namespace edgetrust::genesys::details {

// The call's body. Errors: kInternal for a text that holds a private key: nothing of it leaves.
Result<Secret> question_about(const std::string& chain_pem);

// What is wrong with `chain_pem` by this answer to it, for people: a certificate that was not parsed, or has expired;
// empty: nothing. `valid` and `signatureValid` are not asked: nobody has published what they mean for a chain without
// its root, and a fleet must not stop for a misunderstanding. pki has judged the signatures.
// Errors: kProtocol when it is no answer to that call.
Result<std::string> read_objection(std::string_view answer, std::string_view chain_pem);

}  // namespace edgetrust::genesys::details
