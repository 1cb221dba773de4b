#pragma once
// The Kubernetes cluster, as the engine sees it: cached reads that cost nothing, consistent reads and writes that cost
// one request each. Implemented by kube/. Threads: every call may come from any thread.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

// The objects of one kind.
template <class Kind>
class Objects {
 public:
  virtual ~Objects() = default;
  // From the watch cache: may be older than what was just written.
  [[nodiscard]] virtual std::shared_ptr<const Kind> get(const api::ObjectKey& key) const = 0;
  [[nodiscard]] virtual std::vector<std::shared_ptr<const Kind>> list(const std::string& ns) const = 0;
  // From the API server, as it is now. kNotFound when it is gone.
  virtual Result<Kind> read(const api::ObjectKey& key, std::stop_token stop) = 0;
  // Replaces our part of the status (server-side apply); refused with kConflict when object.meta.resource_version is
  // not the newest. Returns the new resourceVersion.
  virtual Result<std::string> write_status(const Kind& object, std::stop_token stop) = 0;
  // Adds or removes one finalizer; refused with kConflict when uid or resourceVersion differ. Returns the new
  // resourceVersion.
  virtual Result<std::string> set_finalizer(const api::ObjectMeta& meta, const std::string& finalizer, bool present,
                                            std::stop_token stop) = 0;
};

struct SecretObject {
  api::ObjectMeta meta;
  std::string type = "Opaque";
  std::map<std::string, Secret> data;
  bool immutable = false;
};

// Secrets of the watched namespaces.
class Secrets {
 public:
  virtual ~Secrets() = default;
  // Metadata of those with a label, from the watch cache.
  [[nodiscard]] virtual std::vector<api::ObjectMeta> list(const std::string& ns, const std::string& label,
                                                          const std::string& value) const = 0;
  // Metadata of one of them, from the watch cache; empty: there is none.
  [[nodiscard]] virtual std::optional<api::ObjectMeta> find(const api::ObjectKey& key) const = 0;
  // kNotFound when there is none.
  virtual Result<SecretObject> read(const api::ObjectKey& key, std::stop_token stop) = 0;
  // kConflict with code AlreadyExists when the name is taken. Returns the metadata as stored.
  virtual Result<api::ObjectMeta> create(const SecretObject& secret, std::stop_token stop) = 0;
  // kConflict when meta.resource_version is not the newest.
  virtual Result<api::ObjectMeta> update(const SecretObject& secret, std::stop_token stop) = 0;
  // Success when it is gone already; kConflict when another object has its name.
  virtual Status remove(const api::ObjectMeta& meta, std::stop_token stop) = 0;
  // A CA bundle from a Secret or a ConfigMap. kNotFound names what is missing.
  virtual Result<std::string> read_bundle(const std::string& ns, const api::CaBundleRef& ref, std::stop_token stop) = 0;
};

// Events about objects. Never blocks and never fails: an Event is a courtesy.
struct EventSubject {
  std::string kind;
  api::ObjectMeta meta;
  std::string trace_id = {};  // of the change that it is about (telemetry/trace.hpp); empty: of none
};
class Events {
 public:
  virtual ~Events() = default;
  virtual void emit(const EventSubject& about, bool warning, const std::string& reason, const std::string& message) = 0;
};

}  // namespace edgetrust::ports
