#pragma once
// ConfigMaps, read when used. Threads: any. Errors: ApiClient's.
#include "edgetrust/api/object.hpp"
#include "edgetrust/kube/client.hpp"

#include <map>
#include <string>

namespace edgetrust::kube {

struct ConfigMap {
  api::ObjectMeta meta;
  std::map<std::string, std::string> data;  // not binaryData
};

// A consistent read.
Result<ConfigMap> read_config_map(ApiClient& client, const api::ObjectKey& key, const Call& call);

}  // namespace edgetrust::kube
