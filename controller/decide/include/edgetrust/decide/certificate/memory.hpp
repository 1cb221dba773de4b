#pragma once
// What this process has seen and done about one EdgeCertificate, and how each answer changes it. All of it may be lost
// at any time: the rules then look again. Pure, so that the engine and every test of the rules share it.
#include "edgetrust/decide/certificate/decision.hpp"
#include "edgetrust/decide/certificate/health.hpp"
#include "edgetrust/ports/certificate_authority.hpp"

#include <optional>
#include <set>
#include <string>

namespace edgetrust::decide::certificate {

// The last effect that failed, and how often in a row. A success clears it; but that of a look clears only a failure of
// the same look: between two tries of a push the Edge is looked at, and they are in a row all the same.
struct Failure {
  std::string effect;  // its name, see decision.hpp
  Error error;
  int count = 1;
  TimePoint at;
};

// The order as it was last read.
struct OrderLook {
  ports::Order order;
  TimePoint at;
};

// Whether every authoritative server had all records of the order, at the last look.
struct RecordsLook {
  bool everywhere = false;
  std::string missing;  // the first server that did not, and why
  TimePoint at;
};

inline std::string record_id(const api::TxtRecord& record) { return record.name + " " + record.value; }

struct Memory {
  std::optional<EdgeLook> look;
  HealthRecord health;                       // what the looks since the delivery was installed add up to
  std::optional<int> key_made;               // the revision whose key this process made last
  bool order_asked_for = false;              // a newOrder went out since then: its answer may be lost
  std::optional<std::string> new_order_url;  // answered, and not yet written down
  std::optional<OrderLook> order;
  std::set<std::string> presented;  // TXT records written, "name value"
  std::set<std::string> removed;    // and removed
  std::optional<RecordsLook> records;
  std::set<std::string> answered;  // challenges answered, by URL
  std::optional<int> pushed;       // the revision whose upload was answered last, in the delivery under way
  std::optional<Failure> failure;
};

// What an effect that succeeded brought back; which member is set depends on the effect.
struct Learned {
  std::optional<EdgeLook> look;
  std::optional<ports::Order> order;  // of NewOrder, LookAtOrder and FinalizeOrder
  std::optional<RecordsLook> records;
};

struct Observation;

// The status was written: what belonged to an order or a delivery that is over is forgotten with it.
void note_written(Memory& memory, const api::EdgeCertificateStatus& before, const api::EdgeCertificateStatus& after);
// An effect is about to be executed: what an earlier one proved of the same thing holds no longer.
void note_begun(Memory& memory, const Effect& effect);
// It was, and this came back. `o` is what was decided upon, its status as it was written then.
void note_success(Memory& memory, const Effect& effect, Learned learned, const Observation& o, TimePoint now);
// It failed, or nobody knows; kCancelled is no failure.
void note_failure(Memory& memory, const Effect& effect, const Error& error, TimePoint now);

}  // namespace edgetrust::decide::certificate
