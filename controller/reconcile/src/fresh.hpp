#pragma once
// The newest form of an object that this process knows: the cache's, or what it wrote itself a moment ago and the watch
// has not brought back yet.
#include "edgetrust/api/object.hpp"

#include <memory>

namespace edgetrust::reconcile {

template <class Kind>
std::shared_ptr<const Kind> newest(const std::shared_ptr<const Kind>& cached,
                                   const std::shared_ptr<const Kind>& written) {
  if (!cached || !written || cached->meta.uid != written->meta.uid) return cached;
  return api::is_older(cached->meta.resource_version, written->meta.resource_version) ? written : cached;
}

}  // namespace edgetrust::reconcile
