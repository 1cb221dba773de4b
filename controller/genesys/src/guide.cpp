#include "guide.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::genesys::guide {
namespace {

using ports::EdgeState;
using ports::SipState;

EdgeState state_of(const std::string& word) {
  if (word == "ok") return EdgeState::kOk;
  if (word == "warning") return EdgeState::kWarning;
  if (word == "critical") return EdgeState::kCritical;
  return EdgeState::kUnknown;
}

SipState sip_of(const std::string& word) {
  if (word == "sip_up") return SipState::kUp;
  if (word == "sip_down") return SipState::kDown;
  return SipState::kUnknown;
}

// SHA-256 in hex, with or without colons, as lower-case hex; empty when it is something else.
std::string fingerprint_of(json::View text) {
  const auto octets = from_hex(lower(text.string().value_or("")));
  return octets && octets->size() == 32 ? to_hex(*octets) : std::string{};
}

}  // namespace

Result<ports::EdgeHealth> read_status(std::string_view body, const ports::EdgeId& edge) {
  const auto document = json::Document::parse(body, {.max_bytes = std::size_t{256} << 10, .max_depth = 16});
  if (!document || document->root().kind() != json::Kind::kObject) {
    return fail(ErrorKind::kProtocol, "the answer is no JSON object");
  }
  const json::View root = document->root();
  if (root["id"].present() && lower(root["id"].string().value_or("")) != lower(edge.value)) {
    return fail(ErrorKind::kProtocol, "the answer is about another Edge");
  }
  ports::EdgeHealth health;
  health.state = state_of(lower(root["state"].string().value_or("")));
  health.sip = sip_of(lower(root["sip"].string().value_or("")));
  health.fingerprint_sha256 = fingerprint_of(root["certificateFingerprintSha256"]);
  if (const auto at = parse_rfc3339(root["updatedAt"].string().value_or(""))) health.updated_at = *at;
  return health;
}

Secret upload_body(const ports::CertificateUpload& upload, const Secret& key_base64) {
  const std::string open =
      json::dump({{"certificate", to_base64(upload.chain_pem)}, {"edgeId", upload.edge.value}, {"name", upload.name}});
  // The key does not pass through the JSON library, which would leave copies of it. Base64 needs no escaping.
  Secret body(std::string_view(open).substr(0, open.size() - 1));
  body.append(R"(,"privateKey":")");
  body.append(key_base64.expose());
  body.append("\"}");
  return body;
}

Status check_upload_answer(std::string_view body, const std::string& fingerprint_sha256) {
  const auto document = json::Document::parse(body, {.max_bytes = std::size_t{256} << 10, .max_depth = 16});
  if (!document) return {};  // 2xx is the answer; its body is a courtesy
  const std::string installed = fingerprint_of(document->root()["fingerprintSha256"]);
  if (installed.empty() || installed == lower(fingerprint_sha256)) return {};
  auto error = fail(ErrorKind::kProtocol, "the endpoint says that it has installed another certificate: " + installed);
  error.value().maybe_executed = true;
  return error;
}

}  // namespace edgetrust::genesys::guide
