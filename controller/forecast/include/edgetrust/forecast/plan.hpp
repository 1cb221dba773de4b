#pragma once
// What will happen to a fleet until a moment, if all goes well from now on: who is rotated when, who is not and why,
// what expires. Made by the rules that act (run.hpp), so it says what they will do. Called by: `edgetrust plan`. Pure.
// Errors: none.
#include "edgetrust/forecast/run.hpp"

namespace edgetrust::forecast {

// Where a certificate is delivered to.
struct Place {
  api::ObjectKey certificate;
  std::string edge;
  std::string site;
  std::string time_zone;
  std::string policy;
  std::string wave;  // of the policy; empty: none
};
struct PlannedRotation {
  Place place;
  int revision = 0;
  TimePoint starts;               // the push
  std::optional<TimePoint> ends;  // its proof; empty: after the end of the plan
};
// Not at rest at the end of the plan: what it waits for, and since when it has said so.
struct Unfinished {
  Place place;
  std::string phase;
  std::string reason;
  std::string message;
  TimePoint since;
  std::optional<TimePoint> expires;  // what it serves
};
struct Expiry {
  Place place;
  TimePoint at;
};
// What cannot be done with the settings as they are: an EdgeCertificate or a whole RotationPolicy.
struct Obstacle {
  std::string kind;
  api::ObjectKey object;
  std::string reason;
  std::string message;
};
struct Plan {
  TimePoint from;
  TimePoint until;
  std::vector<std::string> namespaces;  // that were read; filled in by whoever reads them
  int certificates = 0;
  std::vector<PlannedRotation> rotations;  // in the order of their start
  std::vector<Unfinished> unfinished;
  std::vector<Expiry> expiries;
  std::vector<Obstacle> infeasible;  // now
  std::vector<std::string>
      unread;  // EdgeCertificates that are left out, each with why; filled in by whoever reads them
};

Plan plan(Situation situation, TimePoint until);

// For people; times are the Edge's own.
std::string as_table(const Plan& plan);
// An object with the members of Plan; times RFC 3339 in UTC.
std::string as_json(const Plan& plan);
// iCalendar (RFC 5545): an event for each rotation, one for each expiry.
std::string as_calendar(const Plan& plan);

}  // namespace edgetrust::forecast
