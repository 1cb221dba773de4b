// The two calls of the guide. It names them but not their bodies: these are ours.
#include "api.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::sim {
namespace {

VendorFault bad_field(std::string_view field, std::string_view why) {
  return {.status = 400,
          .code = "bad.request",
          .message = std::string(field) + " " + std::string(why),
          .detail_code = "field.invalid",
          .detail_field = std::string(field)};
}

struct Request {
  std::string edge_id;
  Upload upload;
};
tl::expected<Request, VendorFault> parse_upload(std::string_view body) {
  const auto document = json::Document::parse(body);
  if (!document) return tl::unexpected(bad_field("The body", "is not JSON"));
  const json::View root = document->root();
  Request request;
  request.edge_id = root["edgeId"].string_or("");
  if (request.edge_id.empty()) return tl::unexpected(bad_field("edgeId", "is missing"));
  auto chain = from_base64(root["certificate"].string().value_or(""));
  if (!chain || chain->empty()) return tl::unexpected(bad_field("certificate", "is not base64 of a PEM file"));
  auto key = secret_from_base64(root["privateKey"].string().value_or(""));
  if (!key || key->empty()) return tl::unexpected(bad_field("privateKey", "is not base64 of a PEM file"));
  request.upload = {.chain_pem = std::move(*chain), .key_pem = std::move(*key)};
  return request;
}

}  // namespace

Answer Api::get_status(const ApiCall& call) {
  const auto edge = book_.find(call.id);
  if (!edge) {
    const std::string id = printable(call.id, 100);
    return {vendor_error(
                {.status = 404, .code = "not.found", .message = "The requested Edge was not found", .entity_id = id}),
            id};
  }
  const GuideStatus status = guide_status(*edge);
  json::Value body = {
      {"id", call.id}, {"state", status.state}, {"sip", status.sip}, {"updatedAt", time_text(status.updated_at)}};
  if (!status.fingerprint.empty()) body["certificateFingerprintSha256"] = status.fingerprint;
  if (!status.cause.empty()) body["sipCause"] = status.cause;
  return {json_response(200, body), call.id};
}

Answer Api::post_certificate(const ApiCall& call) {
  auto request = parse_upload(call.request.body);
  if (!request) return {vendor_error(request.error())};
  const std::string id = printable(request->edge_id, 100);
  const auto leaf = read_leaf(request->upload.chain_pem);
  const std::string fingerprint = leaf ? leaf->fingerprint : "";
  const auto done = book_.upload(request->edge_id, std::move(request->upload));
  if (!done) return {vendor_error(done.error()), id, fingerprint};
  return {json_response(200, {{"id", "certificate-" + done->fingerprint.substr(0, 16)},
                              {"edgeId", id},
                              {"fingerprintSha256", done->fingerprint},
                              {"installedAt", time_text(done->at)}}),
          id, fingerprint};
}

}  // namespace edgetrust::sim
