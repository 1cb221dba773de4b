#include "edgetrust/kube/status.hpp"

#include "edgetrust/json/value.hpp"
#include "edgetrust/kube/api_error.hpp"
#include "meta.hpp"

#include <algorithm>

namespace edgetrust::kube {
namespace {

Status need_version(const api::ObjectMeta& meta) {
  if (!meta.resource_version.empty() && !meta.uid.empty()) return {};
  return fail(ErrorKind::kInternal,
              "a write without uid and resourceVersion could hit another state than was looked at");
}

Result<api::ObjectMeta> patch_finalizers(ApiClient& client, const Resource& resource, const api::ObjectMeta& meta,
                                         const std::vector<std::string>& finalizers, const Call& call) {
  EDGETRUST_TRY(need_version(meta));
  const json::Value operations{
      {{"op", "test"}, {"path", "/metadata/uid"}, {"value", meta.uid}},
      {{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", meta.resource_version}},
      {{"op", "add"}, {"path", "/metadata/finalizers"}, {"value", finalizers}}};
  const auto stored =
      client.patch(resource, meta.ns, meta.name, {.type = PatchType::kJson, .body = json::dump(operations)}, call);
  if (stored) return read_meta(stored->root());
  Error error = stored.error();
  // A test that fails is 422 (RFC 6902 section 4.6 leaves it open). Nothing else of this patch can be invalid.
  if (error.kind == ErrorKind::kInvalid) {
    error.kind = ErrorKind::kConflict;
    error.code = kConflict;
  }
  return fail(std::move(error));
}

}  // namespace

Result<std::string> apply_status(ApiClient& client, const Resource& resource, const api::ObjectMeta& meta,
                                 const std::string& status, const Call& call) {
  EDGETRUST_TRY(need_version(meta));
  json::Value metadata{{"name", meta.name}, {"resourceVersion", meta.resource_version}};
  if (resource.namespaced) metadata["namespace"] = meta.ns;
  std::string body =
      json::dump({{"apiVersion", resource.api_version()}, {"kind", resource.kind}, {"metadata", metadata}});
  body.pop_back();
  body += ",\"status\":" + status + "}";
  EDGETRUST_TRY_ASSIGN(
      const json::Document stored,
      client.patch(resource, meta.ns, meta.name,
                   {.type = PatchType::kApply, .body = std::move(body), .subresource = "status"}, call));
  return stored.root()["metadata"]["resourceVersion"].string_or("");
}

Result<api::ObjectMeta> add_finalizer(ApiClient& client, const Resource& resource, const api::ObjectMeta& meta,
                                      const std::string& finalizer, const Call& call) {
  std::vector<std::string> finalizers = meta.finalizers;
  if (std::find(finalizers.begin(), finalizers.end(), finalizer) != finalizers.end()) return meta;
  finalizers.push_back(finalizer);
  return patch_finalizers(client, resource, meta, finalizers, call);
}

Result<api::ObjectMeta> remove_finalizer(ApiClient& client, const Resource& resource, const api::ObjectMeta& meta,
                                         const std::string& finalizer, const Call& call) {
  std::vector<std::string> finalizers = meta.finalizers;
  if (std::erase(finalizers, finalizer) == 0) return meta;
  return patch_finalizers(client, resource, meta, finalizers, call);
}

}  // namespace edgetrust::kube
