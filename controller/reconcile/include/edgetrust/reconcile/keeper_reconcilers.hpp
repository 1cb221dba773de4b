#pragma once
// The engines of the kinds that EdgeCertificates lean on. Each looks at its object, asks outside and changes nothing
// there, and writes what it found to the object's status. What fails is asked again by the rule of retries.hpp. Called
// by the workers of runtime, one pass a key at a time. Threads: different keys at once.
#include "edgetrust/reconcile/outcome.hpp"
#include "edgetrust/reconcile/retries.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <map>
#include <mutex>
#include <stop_token>

namespace edgetrust::reconcile {

// AcmeIssuer: makes the account's key where that is asked for, and registers or finds the account (RFC 8555
// section 7.3).
class IssuerReconciler {
 public:
  explicit IssuerReconciler(const World& world) : world_(world) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

 private:
  Status make_account_key(const api::AcmeIssuer& issuer, std::stop_token stop);
  World world_;
  Retries retries_;
};

// GenesysConnection: proves the credentials, and that the endpoint offers the guide's calls.
class ConnectionReconciler {
 public:
  explicit ConnectionReconciler(const World& world) : world_(world) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

 private:
  World world_;
  Retries retries_;
};

// Edge: what the cloud and the SIP-TLS port say of it. One listing serves all Edges of a connection for a minute, one
// that failed for a few seconds.
class EdgeReconciler {
 public:
  explicit EdgeReconciler(const World& world) : world_(world) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

 private:
  struct Listing {
    std::string version;  // of the connection: uid and generation
    TimePoint at;
    Result<std::vector<ports::EdgeInfo>> edges;
  };
  std::shared_ptr<const Listing> listing_of(const api::GenesysConnection& connection, std::stop_token stop);

  World world_;
  Retries retries_;
  std::mutex mutex_;
  std::map<api::ObjectKey, std::shared_ptr<const Listing>> listings_;  // by connection
};

// RotationPolicy: whether it can be read and is served.
class PolicyReconciler {
 public:
  explicit PolicyReconciler(const World& world) : world_(world) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

 private:
  World world_;
};

}  // namespace edgetrust::reconcile
