#pragma once
// One rotation: what happened, what is waited for and until when. Pure: objects, Events and a time in, plain data
// out. Called by: plugin (`status`), page.
#include "edgetrust/api/kinds.hpp"

#include <vector>

namespace edgetrust::view {

// An Event about it, as the API server keeps it.
struct SeenEvent {
  TimePoint at;  // the last time that it was said
  bool warning = false;
  std::string reason;
  std::string note;
  int count = 1;
};

// One EdgeCertificate and what is known about it; what could not be read is null.
struct Subject {
  api::EdgeCertificate certificate;
  std::optional<api::Edge> edge;
  std::optional<api::RotationPolicy> policy;  // the one it names, else `default`
  std::vector<SeenEvent> events;              // about it, in any order
};

struct Moment {
  TimePoint at;
  bool warning = false;
  std::string what;  // a reason, as in the Events
  std::string text;
  int count = 1;
};
struct Wait {
  std::string what;
  std::optional<TimePoint> until;
  std::string command;  // by which a person ends it; empty: none
};
struct Timeline {
  api::ObjectKey certificate;
  std::string edge;
  std::string site;
  std::string phase;
  std::string reason;
  std::string message;
  bool stalled = false;
  bool quiet = false;           // nothing is under way and nothing stalled
  std::optional<int> revision;  // that the Edge serves
  std::string serial_number;
  std::string fingerprint_sha256;  // lower-case hex
  std::string issuer;
  std::optional<TimePoint> not_before;
  std::optional<TimePoint> not_after;
  std::optional<TimePoint> renewal;
  std::string trace_id;         // of that rotation, as in the operator's log, its Events and the audit
  std::vector<Moment> moments;  // of the rotation under way, else of the last one; oldest first
  std::vector<Wait> waits;
};

// Events live for an hour where the API server is not told otherwise, so what the status knows fills their gaps.
Timeline timeline(const Subject& subject, TimePoint now);

}  // namespace edgetrust::view
