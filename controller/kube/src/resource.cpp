#include "edgetrust/kube/resource.hpp"

#include "edgetrust/http/url.hpp"

namespace edgetrust::kube {
namespace {

// k8s.io/apimachinery pkg/api/validation/path: what no name may be or hold.
bool is_segment(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text != "." && text != ".." &&
         text.find_first_of("/%") == std::string_view::npos;
}

}  // namespace

Resource secrets() { return {.group = "", .version = "v1", .plural = "secrets", .kind = "Secret"}; }
Resource config_maps() { return {.group = "", .version = "v1", .plural = "configmaps", .kind = "ConfigMap"}; }
Resource events() { return {.group = "events.k8s.io", .version = "v1", .plural = "events", .kind = "Event"}; }
Resource leases() { return {.group = "coordination.k8s.io", .version = "v1", .plural = "leases", .kind = "Lease"}; }

Result<std::string> collection_path(const Resource& resource, std::string_view ns) {
  std::string path = resource.group.empty() ? "/api/" : "/apis/" + resource.group + "/";
  path += resource.version;
  if (resource.namespaced && !ns.empty()) {
    if (!is_segment(ns)) return fail(ErrorKind::kInvalid, "this cannot be the name of a namespace");
    path += "/namespaces/" + http::percent_encode(ns);
  }
  return path + "/" + resource.plural;
}

Result<std::string> object_path(const Resource& resource, std::string_view ns, std::string_view name,
                                std::string_view subresource) {
  if (resource.namespaced && ns.empty()) return fail(ErrorKind::kInvalid, "a " + resource.kind + " has a namespace");
  if (!is_segment(name)) return fail(ErrorKind::kInvalid, "this cannot be the name of a " + resource.kind);
  EDGETRUST_TRY_ASSIGN(std::string path, collection_path(resource, ns));
  path += "/" + http::percent_encode(name);
  if (!subresource.empty()) path += "/" + http::percent_encode(subresource);
  return path;
}

}  // namespace edgetrust::kube
