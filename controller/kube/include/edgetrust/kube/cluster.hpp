#pragma once
// The cluster as the engine's ports see it: one watched store a kind and namespace, consistent reads and writes through
// the client.
//
// Called by: main's wiring. Threads: start() and stop() come from the owner's thread, the ports from any. Errors: those
// of ApiClient.
#include "edgetrust/base/random.hpp"
#include "edgetrust/kube/client.hpp"
#include "edgetrust/kube/events.hpp"
#include "edgetrust/kube/kinds.hpp"
#include "edgetrust/kube/reflector.hpp"
#include "edgetrust/ports/budget_slots.hpp"
#include "edgetrust/ports/cluster.hpp"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace edgetrust::kube {

// An object came (before is null), changed, or went (after is null). Where a deletion was missed both are set, and
// their uids differ.
template <class T>
struct Change {
  api::ObjectKey key;
  std::shared_ptr<const T> before;
  std::shared_ptr<const T> after;
};
using AnyChange = std::variant<Change<api::EdgeCertificate>, Change<api::Edge>, Change<api::RotationPolicy>,
                               Change<api::AcmeIssuer>, Change<api::GenesysConnection>, Change<api::PinPolicy>,
                               Change<MetadataOnly>, Change<ports::BudgetSlot>>;

struct ClusterOptions {
  std::vector<std::string> namespaces;  // those that are watched; at least one
  std::string indexed_label;            // of Secrets: the label that Secrets::list is asked for
  EventOptions events = {};
  // An object of ours, a slot of a budget, or any Secret of a watched namespace (MetadataOnly); our own writes are told
  // of too. On the reflectors' threads, those of one kind and namespace in their order; must not block.
  std::function<void(const AnyChange&)> changed;
  std::function<void(const WatchNote&)> note = {};
};

class Cluster {
 public:
  // All references must outlive the cluster.
  Cluster(ApiClient& client, const Clock& clock, Random& random, Pauser& pauser, const ClusterOptions& options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  void start();
  // Waits until every kind has been read once; false when `stop` came first.
  bool wait_synced(std::stop_token stop);
  [[nodiscard]] bool synced() const;
  // When the watch that has been silent for the longest last brought something. An API server says something each
  // minute or so, also of a kind that does not change, and where it does not, a watch looks at everything again after
  // twice ReflectorOptions::idle: what is much older than that is a watch that fails. Of meaning once synced.
  [[nodiscard]] SteadyPoint heard() const;
  void stop();

  ports::Objects<api::EdgeCertificate>& certificates();
  ports::Objects<api::Edge>& edges();
  ports::Objects<api::RotationPolicy>& policies();
  ports::Objects<api::AcmeIssuer>& issuers();
  ports::Objects<api::GenesysConnection>& connections();
  ports::Objects<api::PinPolicy>& pin_policies();
  ports::Secrets& secrets();
  ports::BudgetSlots& slots();
  ports::Events& events();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace edgetrust::kube
