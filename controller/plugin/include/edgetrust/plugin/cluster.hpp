#pragma once
// The objects of a cluster, as the plugin asks for them. Threads: one. Errors: ApiClient's; kNotFound names what may
// have been meant.
#include "edgetrust/kube/client.hpp"
#include "edgetrust/kube/kinds.hpp"
#include "edgetrust/plugin/names.hpp"
#include "edgetrust/plugin/request.hpp"
#include "edgetrust/plugin/timeline.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace edgetrust::plugin {

class Cluster {
 public:
  // `client` must outlive it.
  Cluster(kube::ApiClient& client, std::string ns) : client_(client), ns_(std::move(ns)) {}

  [[nodiscard]] const std::string& ns() const { return ns_; }
  [[nodiscard]] kube::ApiClient& client() { return client_; }

  // Of the namespace, or of all.
  template <class Kind>
  Result<std::vector<Kind>> list(bool of_all_namespaces = false) {
    std::vector<Kind> found;
    EDGETRUST_TRY(
        client_.list_all({.resource = kube::resource_of<Kind>(), .ns = of_all_namespaces ? std::string{} : ns_},
                         [&](json::View object) {
                           found.push_back(kube::decode_kind<Kind>(api::decode_meta(object["metadata"]), object));
                         },
                         {}));
    return found;
  }

  template <class Kind>
  Result<Kind> get(const std::string& name) {
    const auto document = client_.get(kube::resource_of<Kind>(), ns_, name, {});
    if (document) {
      const json::View root = document->root();
      return kube::decode_kind<Kind>(api::decode_meta(root["metadata"]), root);
    }
    if (document.error().kind != ErrorKind::kNotFound) return fail(document.error());
    EDGETRUST_TRY_ASSIGN(const auto all, list<Kind>());
    std::vector<std::string> names;
    for (const Kind& one : all) names.push_back(one.meta.name);
    return fail(ErrorKind::kNotFound, not_found(api::kKind<Kind>.kind, name, ns_, names));
  }

  // By its own name, or by that of its Edge.
  Result<api::EdgeCertificate> certificate(const std::string& name);
  // With what is known about it. What may not be read, or is not there, is left out.
  Result<view::Subject> subject(api::EdgeCertificate certificate);

  // Judges the object as it is and patches it; when somebody else was faster, once more as it is then.
  template <class Kind>
  Result<ChangeRequest> change(const std::function<Result<Kind>()>& read,
                               const std::function<Result<ChangeRequest>(const Kind&)>& judge) {
    constexpr int kTries = 5;
    for (int left = kTries;; --left) {
      EDGETRUST_TRY_ASSIGN(const Kind object, read());
      EDGETRUST_TRY_ASSIGN(ChangeRequest request, judge(object));
      const auto patched = client_.patch(kube::resource_of<Kind>(), object.meta.ns, object.meta.name,
                                         {.type = kube::PatchType::kMerge, .body = request.patch}, {});
      if (patched) return request;
      if (patched.error().kind != ErrorKind::kConflict || left == 1) return fail(patched.error());
    }
  }

  // The name by which the API server knows us; empty where it does not say (before Kubernetes 1.28).
  std::string whoami();

 private:
  kube::ApiClient& client_;
  std::string ns_;
};

}  // namespace edgetrust::plugin
