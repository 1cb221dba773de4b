#include "edgetrust/api/codec.hpp"

#include "edgetrust/json/decode.hpp"
#include "edgetrust/json/encode.hpp"
#include "fields/acme_issuer.hpp"
#include "fields/edge.hpp"
#include "fields/edge_certificate.hpp"
#include "fields/genesys_connection.hpp"
#include "fields/pin_policy.hpp"

namespace edgetrust::api {

std::string_view to_string(Phase phase) { return json::enum_name(phase); }
std::string_view to_string(EdgePinState state) { return json::enum_name(state); }
std::string_view to_string(Truth truth) { return json::enum_name(truth); }
std::string_view to_string(RevisionResult result) { return json::enum_name(result); }

ObjectMeta decode_meta(json::View metadata) {
  // Metadata is the API server's own work; what cannot be read of it is left empty.
  return json::decode<ObjectMeta>(metadata, "metadata").value_or(ObjectMeta{});
}

template <class Kind>
Kind decode(json::View object) {
  Kind result;
  result.meta = decode_meta(object["metadata"]);
  auto spec = json::decode<typename Kind::Spec>(object["spec"], "spec");
  if (spec) {
    result.spec = std::move(*spec);
  } else {
    result.broken = std::move(spec).error();
  }
  if (const json::View status = object["status"]; status.present()) {
    auto decoded = json::decode<typename Kind::Status>(status, "status");
    if (decoded) {
      result.status = std::move(*decoded);
    } else if (!result.broken) {
      result.broken = std::move(decoded).error();
    }
  }
  return result;
}

template <class Kind>
std::string encode_for_create(const Kind& object) {
  json::Value metadata = {{"name", object.meta.name}, {"namespace", object.meta.ns}};
  if (!object.meta.labels.empty()) metadata["labels"] = object.meta.labels;
  if (!object.meta.annotations.empty()) metadata["annotations"] = object.meta.annotations;
  return json::dump({{"apiVersion", kApiVersion},
                     {"kind", kKind<Kind>.kind},
                     {"metadata", metadata},
                     {"spec", json::encode(object.spec)}});
}

template <class Kind>
std::string encode_status(const Kind& object) {
  return json::dump(json::encode(object.status));
}

#define EDGETRUST_CODEC(Kind)                                \
  template Kind decode<Kind>(json::View);                    \
  template std::string encode_for_create<Kind>(const Kind&); \
  template std::string encode_status<Kind>(const Kind&)
EDGETRUST_CODEC(EdgeCertificate);
EDGETRUST_CODEC(Edge);
EDGETRUST_CODEC(RotationPolicy);
EDGETRUST_CODEC(AcmeIssuer);
EDGETRUST_CODEC(GenesysConnection);
EDGETRUST_CODEC(PinPolicy);
#undef EDGETRUST_CODEC

}  // namespace edgetrust::api
