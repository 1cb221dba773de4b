#pragma once
// What is written down for auditors: what the operator intends and what came of it, as the difference of two statuses.
// A status is written before each effect, so whatever is to happen is told before it does. Pure. Called by:
// audit/watched_objects.hpp.
#include "edgetrust/api/kinds.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::audit {

// Empty members are left out of what is written.
struct Record {
  std::string action;  // see the functions below
  std::string kind;
  api::ObjectKey object;
  std::string uid;
  std::string edge;
  std::string trace_id;  // telemetry/trace.hpp: that of the log's lines and the Events about the same change
  std::optional<int> revision;
  std::string change;      // number of the change that an approval named
  std::string by;          // who approved, as the approval says
  std::string old_serial;  // of what the Edge served before
  std::string new_serial;
  std::string result;
  std::string evidence;
  std::string message;
};

// Plan (a new revision is begun), Approve, Push, Prove, RollBack (begun), RolledBack, Reject, Adopt, Revoke.
std::vector<Record> records(const api::EdgeCertificate& before, const api::EdgeCertificate& after);
// PushPins, ProvePins, RollBackPins, of the pin file of an Edge: the last two only of what was proved, or has been seen
// to be gone.
std::vector<Record> records(const api::Edge& before, const api::Edge& after);
// Override, EndOverride.
std::vector<Record> records(const api::PinPolicy& before, const api::PinPolicy& after);
// Halt, Resume.
std::vector<Record> records(const api::RotationPolicy& before, const api::RotationPolicy& after);

}  // namespace edgetrust::audit
