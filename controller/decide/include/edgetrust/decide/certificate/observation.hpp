#pragma once
// Everything that the rules of an EdgeCertificate may look at: plain data, the time included. Gathered by reconcile,
// built by hand in tests.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/decide/certificate/health.hpp"
#include "edgetrust/ports/certificate_authority.hpp"
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
  std::optional<ports::ChainFacts> chain;  // of the bundle; empty: none is stored, or it cannot be read
  std::optional<Error> defect;  // why it must not be pushed: a chain with a gap, a foreign key, a missing usage
};

// What importFrom holds.
struct Import {
  std::optional<ports::ChainFacts> chain;
  std::optional<Error> defect;
};

// The last effect that failed, and how often in a row. Lives in the process. A success clears it; but that of a look
// clears only a failure of the same look: between two tries of a push the Edge is looked at, and they are in a row all
// the same.
struct Failure {
  std::string effect;  // its name, see decision.hpp
  Error error;
  int count = 1;
  TimePoint at;
};

// The order as it was last read in this process.
struct OrderLook {
  ports::Order order;
  TimePoint at;
};

// Whether every authoritative server had all records of the order, at the last look in this process.
struct RecordsLook {
  bool everywhere = false;
  std::string missing;  // the first server that did not, and why
  TimePoint at;
};

struct Observation {
  TimePoint now;
  api::EdgeCertificate object;

  // What it refers to, as the watch cache has it; null when there is no such object.
  std::shared_ptr<const api::Edge> edge;
  std::shared_ptr<const api::AcmeIssuer> issuer;
  std::shared_ptr<const api::GenesysConnection> connection;
  std::shared_ptr<const api::RotationPolicy>
      policy;               // the one named, or `default`; null is no error unless one is named
  std::string edge_holder;  // name of the older EdgeCertificate that holds the same Edge; empty when this one does

  std::map<int, StoredRevision> revisions;
  std::optional<std::string> serving_fingerprint;  // of the leaf in secretName; empty optional: no such Secret
  bool serving_secret_foreign = false;             // it exists and is not ours
  std::optional<Import> import;                    // set when importFrom is asked for

  // Looks, as far as this process has made them.
  std::optional<EdgeLook> look;
  HealthRecord health;                       // what the looks since the delivery began add up to
  std::optional<int> key_made;               // the revision whose key this process made last
  std::optional<std::string> new_order_url;  // made by this process and not yet written down
  std::optional<OrderLook> order;
  std::set<std::string> presented;  // TXT records written by this process, "name value"
  std::set<std::string> removed;    // and removed
  std::optional<RecordsLook> records;
  std::set<std::string> answered;  // challenges answered by this process, by URL
  std::optional<int> pushed;       // the revision whose upload was answered last, by this process
  std::optional<Failure> failure;
};

inline std::string record_id(const api::TxtRecord& record) { return record.name + " " + record.value; }

}  // namespace edgetrust::decide::certificate
