#pragma once
// The two writes that the operator makes to its own kinds: status, and finalizers. Threads: any. Errors: ApiClient's;
// kConflict/Conflict means that the object is another than the one that was looked at: look again, decide again.
#include "edgetrust/api/object.hpp"
#include "edgetrust/kube/client.hpp"

#include <string>

namespace edgetrust::kube {

// Server-side apply of `status` (JSON, as api::encode_status writes it) with our field manager, so that fields we no
// longer say go away and those of others stay. Carries resourceVersion: an apply does not mind a wrong uid, and creates
// what is missing, but a stale version is 409. The new resourceVersion.
Result<std::string> apply_status(ApiClient& client, const Resource& resource, const api::ObjectMeta& meta,
                                 const std::string& status, const Call& call);

// By JSON patch with tests of uid and resourceVersion; never by apply, which would create a missing object. Nothing is
// sent when `meta` says that it is so already. The metadata as stored.
Result<api::ObjectMeta> add_finalizer(ApiClient& client, const Resource& resource, const api::ObjectMeta& meta,
                                      const std::string& finalizer, const Call& call);
Result<api::ObjectMeta> remove_finalizer(ApiClient& client, const Resource& resource, const api::ObjectMeta& meta,
                                         const std::string& finalizer, const Call& call);

}  // namespace edgetrust::kube
