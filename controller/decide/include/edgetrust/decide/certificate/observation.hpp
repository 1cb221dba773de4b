#pragma once
// Everything that the rules of an EdgeCertificate may look at: plain data, the time included. Gathered by reconcile,
// built by hand in tests.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/decide/budget.hpp"
#include "edgetrust/decide/certificate/memory.hpp"
#include "edgetrust/ports/pki.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace edgetrust::decide::certificate {

// A revision as its two immutable Secrets show it.
struct StoredRevision {
  int number = 0;
  bool has_key = false;
  bool marked_rejected = false;     // on the bundle itself: it outlives a status that is lost
  std::set<std::string> asked_for;  // the names that it was ordered with; empty: not known
  std::string server;  // the directory of the CA that issued it; empty: not known, or none of an AcmeIssuer's
  std::string source;  // fingerprint of the leaf that it was taken from somebody else's Secret for; empty: it was not
  std::optional<ports::ChainFacts> chain;  // of the bundle; empty: none is stored, or it cannot be read
  std::optional<Error> defect;    // why it must not be pushed: a chain with a gap, a foreign key, a missing usage
  std::optional<Error> unjudged;  // why nobody can tell yet: roots that cannot be read

  [[nodiscard]] bool has_bundle() const { return chain || defect; }
};

// What importFrom holds.
struct Import {
  std::optional<ports::ChainFacts> chain;
  std::optional<Error> defect;
};

// What the Secret of sourceSecretRef holds, from one read of it.
struct Source {
  bool exists = false;
  std::string lacks;  // why it is no Secret of a certificate yet: its type, or a key that it has not; empty: it is one
  std::optional<ports::ChainFacts> chain;  // also of what is refused, as far as it can be read
  std::optional<Error> defect;             // why it is not taken, naming the key: no pair, a broken chain, a wrong name
  std::optional<Error> unjudged;           // why nobody can tell now: it cannot be fetched, or the roots cannot be read
};

struct Observation : Memory {
  TimePoint now;
  api::EdgeCertificate object;

  // What it refers to, as the watch cache has it; null when there is no such object.
  std::shared_ptr<const api::Edge> edge;
  std::shared_ptr<const api::AcmeIssuer> issuer;                  // that orders are asked of now: api::issuer_in_use()
  std::shared_ptr<const api::AcmeIssuer> other_issuer = nullptr;  // of issuerRef and fallback the one that is not
  std::shared_ptr<const api::GenesysConnection> connection;
  std::shared_ptr<const api::RotationPolicy>
      policy;  // the one named, or `default`; null is no error unless one is named
  // While it is delivered to: the other Edges of the same site and connection that nobody touches.
  std::vector<std::shared_ptr<const api::Edge>> neighbours;
  std::string edge_holder;  // the EdgeCertificate that holds the same Edge (api/claim.hpp); empty when this one does

  std::string operator_version;
  bool serves_http01 = false;              // answers to http-01 are given from here
  Fleet fleet;                             // gathered where asks_for_fleet(), else empty
  std::shared_ptr<const OrderLog> orders;  // of the issuer's server; gathered where asks_for_orders(), else null

  std::map<int, StoredRevision> revisions;
  std::optional<std::string> serving_fingerprint;  // of the leaf in secretName; empty optional: no such Secret
  std::optional<Import> import;                    // set when importFrom is asked for
  std::optional<Source> source;                    // set when there is a sourceSecretRef
};

// Whether the rules may ask what the other EdgeCertificates do: not of a quiet object. Needs everything but the fleet.
bool asks_for_fleet(const Observation& o);
// Whether an order is wanted that the limits of the CA may hold up. Needs everything but the orders.
bool asks_for_orders(const Observation& o);

}  // namespace edgetrust::decide::certificate
