#pragma once
// Secrets: read when used, never watched with their data. Called by: the engine's stores of keys and bundles, and
// whoever follows a secretRef. Threads: any. Errors: ApiClient's; kInvalid for data that is not base64 or has an
// impossible key. No message holds data.
#include "edgetrust/api/object.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/kube/client.hpp"
#include "edgetrust/ports/cluster.hpp"

#include <map>
#include <string>
#include <vector>

namespace edgetrust::kube {

using ports::SecretObject;

class SecretClient {
 public:
  explicit SecretClient(ApiClient& client) : client_(client) {}

  // A consistent read.
  Result<SecretObject> read(const api::ObjectKey& key, const Call& call);
  // The metadata as stored. kConflict/AlreadyExists when the name is taken: look at what is there before adopting it.
  Result<api::ObjectMeta> create(const SecretObject& secret, const Call& call);
  // Sets labels, annotations and data of what was read, and removes the keys named; all that is not mentioned stays as
  // it is, as do owners and finalizers. meta.resource_version is required. kConflict/Conflict when someone was faster.
  Result<api::ObjectMeta> update(const SecretObject& secret, const std::vector<std::string>& removed_keys,
                                 const Call& call);
  // Removes exactly the object that was looked at: meta.uid and meta.resource_version are required. Success when the
  // object is gone already.
  Status remove(const api::ObjectMeta& meta, const Call& call);
  // The metadata alone, by label; the data does not leave the server.
  Result<std::vector<api::ObjectMeta>> list(const std::string& ns, const std::string& label_selector, const Call& call);

 private:
  ApiClient& client_;
};

// What a metadata-only watch of the Secrets with these labels in one namespace selects.
Selection secret_metadata(std::string ns, std::string label_selector);

}  // namespace edgetrust::kube
