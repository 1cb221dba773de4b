#pragma once
// The bodies of the guide's two calls. The guide names the calls, not their bodies: these are ours, and what comes back
// is read tolerantly (unknown fields ignored, unknown words are Unknown).
#include "edgetrust/ports/edge_fleet.hpp"

namespace edgetrust::genesys::guide {

// {"id","state","sip","certificateFingerprintSha256","updatedAt"}. Errors: kProtocol when it is no JSON object, or
// names another Edge: such an answer does not come from the guide's call.
Result<ports::EdgeHealth> read_status(std::string_view body, const ports::EdgeId& edge);

// {"certificate","edgeId","name","privateKey"}: PEM files, base64-coded whole.
Secret upload_body(const ports::CertificateUpload& upload, const Secret& key_base64);

// {"fingerprintSha256", …} or nothing. Errors: kProtocol when it names another certificate than was sent.
Status check_upload_answer(std::string_view body, const std::string& fingerprint_sha256);

}  // namespace edgetrust::genesys::guide
