#pragma once
// The engines of the kinds that EdgeCertificates lean on. Each looks at its object, asks outside and changes nothing
// there (a heartbeat is a GET; an ACME account is changed on request), and writes what it found to the object's status.
// What fails is asked again by the rule of retries.hpp. Called by the workers of runtime, one pass a key at a time.
// Threads: different keys at once.
#include "edgetrust/reconcile/fleet_listings.hpp"
#include "edgetrust/reconcile/outcome.hpp"
#include "edgetrust/reconcile/retries.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>

namespace edgetrust::reconcile {

struct Finding;

// AcmeIssuer: makes the account's key where that is asked for, registers or finds the account (RFC 8555 section 7.3),
// gives it another key or ends it as an annotation says, and tells what the CA offers.
class IssuerReconciler {
 public:
  explicit IssuerReconciler(const World& world) : world_(world) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

 private:
  Status make_account_key(const api::AcmeIssuer& issuer, std::stop_token stop);
  Status keep_binding(const api::AcmeIssuer& issuer, std::stop_token stop);
  Status roll_over(const api::AcmeIssuer& issuer, ports::CertificateAuthority& authority, const std::string& request,
                   std::stop_token stop);
  Status see_to_account(const api::AcmeIssuer& issuer, api::AcmeIssuer& next, Finding& finding, std::stop_token stop);
  World world_;
  Retries retries_;
};

// GenesysConnection: proves the credentials and that the endpoint offers the guide's calls, counts its Edges, says
// which of those in Genesys have no object, pings the heartbeat while every rotation is on schedule, and keeps
// the CAs of trustAnchors.
class ConnectionReconciler {
 public:
  // `namespaces`: all that are watched. An Edge object in any of them is one for its Edge.
  ConnectionReconciler(const World& world, FleetListings& listings, std::vector<std::string> namespaces)
      : world_(world), listings_(listings), namespaces_(std::move(namespaces)) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

  // Only what it counts has changed: what was asked outside not long ago need not be asked again.
  void recount(const api::ObjectKey& key);

 private:
  struct Pass;
  // What the last pass that asked outside has left.
  struct Asked {
    std::string uid;
    std::int64_t generation = 0;
    std::weak_ptr<ports::EdgeFleet> fleet;
    bool had_edges = false;
    TimePoint again;  // when it is asked next
  };
  struct FailedPing {
    std::weak_ptr<ports::Heartbeat> driver;  // another one has another URL
    SteadyPoint at;
  };
  void take_census(Pass& pass);
  // When it is asked again, if not in this pass.
  std::optional<TimePoint> not_before(const Pass& pass, const std::shared_ptr<ports::EdgeFleet>& fleet);
  void remember(const Pass& pass, const std::shared_ptr<ports::EdgeFleet>& fleet, TimePoint again);
  Status check(Pass& pass, ports::EdgeFleet& fleet, const std::stop_token& stop);
  TimePoint failed_check(Pass& pass, const Error& error);
  void describe_client(Pass& pass, const ports::ClientInfo& client);
  void ask_endpoint(Pass& pass, ports::EdgeFleet& fleet, const std::stop_token& stop);
  void discover(Pass& pass, const std::stop_token& stop);
  // When the next ping is due; empty: not before something changes.
  std::optional<TimePoint> beat(Pass& pass, const std::stop_token& stop);
  std::optional<TimePoint> ping(Pass& pass, std::chrono::milliseconds interval, const std::stop_token& stop);
  // When the next step is due; empty: when it is asked next.
  std::optional<TimePoint> keep_anchors(Pass& pass, ports::EdgeFleet& fleet, const std::stop_token& stop);
  Outcome conclude(Pass& pass, TimePoint again, const std::stop_token& stop);
  void forget(const api::ObjectKey& key);

  World world_;
  FleetListings& listings_;
  const std::vector<std::string> namespaces_;
  Retries retries_;
  std::mutex mutex_;
  std::set<api::ObjectKey> to_recount_;
  std::map<api::ObjectKey, Asked> asked_;
  std::set<api::ObjectKey> syncing_;                   // trust anchors, half-way
  std::map<api::ObjectKey, int> anchor_conflicts_;     // in a row
  std::map<api::ObjectKey, FailedPing> failed_pings_;  // since the last good one
};

// Edge: what the cloud and the SIP-TLS port say of it.
class EdgeReconciler {
 public:
  EdgeReconciler(const World& world, FleetListings& listings) : world_(world), listings_(listings) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

  // Something was done to the Edge just now: until a listing is newer than that, its trunks are asked for themselves.
  void look_closely(const api::ObjectKey& edge);

 private:
  bool is_too_old(const api::ObjectKey& edge, SteadyPoint listed);
  Result<std::vector<ports::Trunk>> trunks_of(const api::Edge& edge, const api::GenesysConnection& connection,
                                              const ports::EdgeId& id, std::stop_token stop);

  World world_;
  FleetListings& listings_;
  Retries retries_;
  std::mutex mutex_;
  std::map<api::ObjectKey, SteadyPoint> looked_for_;
};

class OrderBook;

// RotationPolicy: what it makes of its fleet: who rotates, whether it is halted or frozen, what cannot be done in time.
class PolicyReconciler {
 public:
  explicit PolicyReconciler(const World& world);
  ~PolicyReconciler();
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

 private:
  World world_;
  std::unique_ptr<OrderBook> orders_;
};

}  // namespace edgetrust::reconcile
