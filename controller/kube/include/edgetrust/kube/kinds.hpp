#pragma once
// What a reflector and its store need to know of a kind of ours, and of objects of which only the metadata is watched.
// Threads: any. Errors: none; what cannot be read is in `broken`.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/kube/resource.hpp"

#include <string>

namespace edgetrust::kube {

template <class Kind>
Resource resource_of() {
  return {.group = std::string(api::kGroup),
          .version = std::string(api::kVersion),
          .plural = std::string(api::kKind<Kind>.plural),
          .kind = std::string(api::kKind<Kind>.kind)};
}

// Store<Kind>'s decoder.
template <class Kind>
Kind decode_kind(const api::ObjectMeta& meta, const Result<json::View>& object) {
  Kind kind;
  if (object) {
    kind = api::decode<Kind>(*object);
  } else {
    kind.broken = object.error();
  }
  kind.meta = meta;
  return kind;
}

// An object of which nothing else is known: a Secret, watched as PartialObjectMetadata.
struct MetadataOnly {
  api::ObjectMeta meta;
};
inline MetadataOnly decode_metadata(const api::ObjectMeta& meta, const Result<json::View>& /*object*/) {
  return {meta};
}

}  // namespace edgetrust::kube
