#pragma once
// metadata of any object. Reading cannot fail: when some of it is odd, what names the object is there nevertheless.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/json/view.hpp"

namespace edgetrust::kube {

inline api::ObjectMeta read_meta(json::View object) {
  const json::View view = object["metadata"];
  api::ObjectMeta meta = api::decode_meta(view);
  if (!meta.name.empty()) return meta;
  meta.ns = view["namespace"].string_or("");
  meta.name = view["name"].string_or("");
  meta.uid = view["uid"].string_or("");
  meta.resource_version = view["resourceVersion"].string_or("");
  return meta;
}

}  // namespace edgetrust::kube
