#pragma once
// Whom a change of a watched object wakes. Most events are our own status writes that come back: they wake nobody, or a
// status with something new to say each time would be looked at without end. What counts is what others did to the
// object (uid, generation, annotations, deletion), and the few facts of a status that the other kinds read.
//
// Called by: wiring, with the object as it was (null: it is new) and as it is (null: it is gone). Pure. Threads: any.
// Errors: none. Of Secrets only the metadata is watched: any change of one counts, so they need no function.
#include "edgetrust/api/kinds.hpp"

namespace edgetrust {

enum class Rouse {
  kNobody,
  kWake,
  kForgive,  // and what failed before is tried again without waiting: its cause may be gone
};

struct Wake {
  bool itself = false;
  Rouse dependants = Rouse::kNobody;
  bool edge = false;  // of an EdgeCertificate: its Edge has something else to say of the peers
  bool operator==(const Wake&) const = default;
};

// Its dependants: the EdgeCertificates of its namespace, one of which may have been in Conflict with it.
Wake wake(const api::EdgeCertificate* before, const api::EdgeCertificate* after);
// Its dependants: the EdgeCertificates that name it.
Wake wake(const api::Edge* before, const api::Edge* after);
// Its dependants: the EdgeCertificates of its namespace.
Wake wake(const api::RotationPolicy* before, const api::RotationPolicy* after);
// Its dependants: the EdgeCertificates that name it.
Wake wake(const api::AcmeIssuer* before, const api::AcmeIssuer* after);
// Its dependants: the Edges that name it, and their EdgeCertificates.
Wake wake(const api::GenesysConnection* before, const api::GenesysConnection* after);
// Its dependants: the other PinPolicies of its namespace, one of which may have been in Conflict with it.
Wake wake(const api::PinPolicy* before, const api::PinPolicy* after);

// Whether what its RotationPolicy says of its fleet may be another thing now.
bool changes_fleet(const api::EdgeCertificate* before, const api::EdgeCertificate* after);
// Whether it had its turn, or waited for nothing else, and cannot use it: the turn is another's.
bool leaves_turn(const api::EdgeCertificate* before, const api::EdgeCertificate* after);
// Whether a connection counts otherwise for it, or its heartbeat does: the connections of its namespace then look again
// at what they count. Null as above.
bool counts_anew(const api::Edge* before, const api::Edge* after);
bool counts_anew(const api::EdgeCertificate* before, const api::EdgeCertificate* after);
// Whether the PinPolicies of its namespace count otherwise for it. Null as above.
bool counts_for_pins(const api::Edge* before, const api::Edge* after);
template <class Kind>
bool counts_anew(const Kind* /*before*/, const Kind* /*after*/) {
  return false;
}

}  // namespace edgetrust
