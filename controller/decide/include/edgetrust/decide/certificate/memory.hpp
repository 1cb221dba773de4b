#pragma once
// What this process has seen and done about one EdgeCertificate, and how each answer changes it. All of it may be lost
// at any time: the rules then look again. Pure, so that the engine and every test of the rules share it.
#include "edgetrust/decide/certificate/decision.hpp"
#include "edgetrust/decide/certificate/health.hpp"
#include "edgetrust/ports/certificate_authority.hpp"
#include "edgetrust/ports/edge_fleet.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace edgetrust::decide::certificate {

// The last failure of an effect, and how often it failed in a row. A success of that effect clears it.
struct Failure {
  std::string effect;  // its name, see decision.hpp
  Error error;
  int count = 1;
  TimePoint at;
  bool forgiven = false;  // something changed since: only what the server itself asked for is still waited for
};
// By the effect's name: each has a wait of its own, so that one that fails for long holds up no other.
using Failures = std::map<std::string, Failure, std::less<>>;

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

// How the answers to http-01 look from here. Nobody can tell where no server is reached, or where the way to it is
// another than the CA's: a redirect, a name that resolves only elsewhere.
enum class AnswersSeen { kRight, kWrong, kNobodyCanTell };
struct AnswersLook {
  AnswersSeen seen = AnswersSeen::kNobodyCanTell;  // of all of them: kRight, or the worst
  std::string trouble;                             // of that one, with its URL; for people
  TimePoint at;
  TimePoint since;  // the first of those in a row that saw them right, or in a row that did not
};

// What the vendor said of the Edge.
struct ServiceLook {
  ports::EdgeInfo edge;
  TimePoint at;
};
// The last answered request to take the Edge out of service or to put it back.
struct ServiceCall {
  bool in_service = false;
  TimePoint at;
  TimePoint since;  // of the first of those in a row that asked for the same
};

// What the CA said of the renewal of a revision; without `info` it offers no such thing.
struct RenewalInfoLook {
  int revision = 0;
  std::optional<ports::RenewalInfo> info;
  TimePoint at;
};

// What the vendor's own parser makes of a chain, by its leaf.
struct VendorLook {
  std::string fingerprint_sha256;
  std::string objection;  // for people; empty: it has none, or there is nobody to ask
  TimePoint at;
};

inline std::string record_id(const api::TxtRecord& record) { return record.name + " " + record.value; }

struct Memory {
  std::optional<TimePoint> known_since;  // when this process first worked on the object
  std::optional<EdgeLook> look;
  std::optional<PeersLook> peers;            // what the peers make of a revision that is not pushed yet
  std::optional<VendorLook> vendor;          // what the vendor makes of it
  HealthRecord health;                       // what the looks since the delivery was installed add up to
  std::optional<int> key_made;               // the revision whose key this process made last
  bool order_asked_for = false;              // a newOrder went out since then: its answer may be lost
  std::optional<std::string> new_order_url;  // answered, and not yet written down
  std::optional<OrderLook> order;
  std::set<std::string> presented;  // TXT records written, "name value"
  std::set<std::string> removed;    // and removed
  std::optional<RecordsLook> records;
  std::optional<AnswersLook> answers;
  std::optional<RenewalInfoLook> renewal_info;
  std::set<std::string> answered;              // challenges answered, by URL
  std::set<std::string> deactivated;           // of status.order.abandoned
  std::set<int> revoked;                       // of status.revocation
  std::optional<int> pushed;                   // the revision whose upload was answered last, in the delivery under way
  std::optional<ServiceLook> service;          // since the last request to change it
  std::optional<ServiceCall> service_call;     // in the drain of status.drain
  std::optional<TimePoint> slots_claimed_for;  // those of status.slots, for the delivery that began then
  bool slots_released = false;                 // those of status.slots, after it
  bool pushed_since_look = false;  // a push has begun since the last look: that says nothing about what it left
  Failures failures;
};

// What an effect that succeeded brought back; which member is set depends on the effect.
struct Learned {
  std::optional<EdgeLook> look;
  std::optional<ServiceLook> service;
  std::optional<PeersLook> peers;
  std::optional<VendorLook> vendor;
  std::optional<ports::Order> order;  // of NewOrder, LookAtOrder and FinalizeOrder
  std::optional<RecordsLook> records;
  std::optional<AnswersLook> answers;
  std::optional<ports::RenewalInfo> renewal_info;
};

struct Observation;

// A pass begins.
void note_pass(Memory& memory, TimePoint now);
// Something that may be why effects fail has changed: they are tried again at once, and so is a look at an Edge whose
// status call was not answered; the peers are asked anew. What is known of failures stays.
void forgive(Memory& memory);
// The status was written: what belonged to an order or a delivery that is over is forgotten with it, and all failures
// with another spec.
void note_written(Memory& memory, const api::EdgeCertificateStatus& before, const api::EdgeCertificateStatus& after);
// An effect is about to be executed: what an earlier one proved of the same thing holds no longer.
void note_begun(Memory& memory, const Effect& effect);
// It was, and this came back. `o` is what was decided upon, its status as it was written then.
void note_success(Memory& memory, const Effect& effect, Learned learned, const Observation& o, TimePoint now);
// It failed, or nobody knows; kCancelled is no failure.
void note_failure(Memory& memory, const Effect& effect, const Error& error, TimePoint now);

}  // namespace edgetrust::decide::certificate
