#include "edgetrust/kube/config_maps.hpp"

#include "meta.hpp"

namespace edgetrust::kube {

Result<ConfigMap> read_config_map(ApiClient& client, const api::ObjectKey& key, const Call& call) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, client.get(config_maps(), key.ns, key.name, call));
  ConfigMap map{.meta = read_meta(document.root()), .data = {}};
  document.root()["data"].for_each_member([&](std::string_view name, json::View value) {
    map.data.emplace(name, value.string_or(""));
    return true;
  });
  return map;
}

}  // namespace edgetrust::kube
