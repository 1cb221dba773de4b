#pragma once
// A kind as the API server's URLs name it, and those URLs. Plain values; threads: any.
#include "edgetrust/base/result.hpp"

#include <string>
#include <string_view>

namespace edgetrust::kube {

struct Resource {
  std::string group;  // empty for the core group
  std::string version;
  std::string plural;
  std::string kind;
  bool namespaced = true;

  [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  bool operator==(const Resource&) const = default;
};

Resource secrets();
Resource config_maps();
Resource events();  // events.k8s.io/v1
Resource leases();  // coordination.k8s.io/v1

// "/apis/edgetrust.io/v1alpha1/namespaces/voice/edges"; an empty namespace means all of them. Errors: kInvalid.
Result<std::string> collection_path(const Resource& resource, std::string_view ns);
// The path of one object or of its subresource. Errors: kInvalid for names that would lead to another path: empty, ".",
// "..", or with "/" or "%" in them, and for a missing namespace. An object's own name never looks so, but references to
// objects are typed by users.
Result<std::string> object_path(const Resource& resource, std::string_view ns, std::string_view name,
                                std::string_view subresource = {});

}  // namespace edgetrust::kube
