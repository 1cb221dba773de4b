#pragma once
// CustomResourceDefinitions, from the types. Used by crdgen alone.
#include <string>
#include <vector>

namespace edgetrust::api {

struct CrdFile {
  std::string name;  // "edgecertificates.edgetrust.io"
  std::string json;  // the CustomResourceDefinition; members in the order of the field lists
};
std::vector<CrdFile> custom_resource_definitions();

}  // namespace edgetrust::api
