#pragma once
// What a pass leaves behind for the queue.
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/error.hpp"
#include "edgetrust/runtime/key.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::reconcile {

struct Outcome {
  std::optional<TimePoint> wake_at;   // empty: when something changes
  std::optional<runtime::Rank> rank;  // of the next pass; empty: as it was
  std::optional<Error> error;         // the pass itself failed (the API server, mostly): again after a backoff
  std::string rule;                   // which rule spoke, for the log
  std::string effect;                 // what was done, or tried; empty for nothing
  std::optional<Error> effect_error;  // why that failed; the pass itself went well and has said when it tries again
  bool wrote_status = false;
  struct Said {
    bool warning = false;
    std::string reason;
    std::string message;
  };
  std::vector<Said> said;                    // the Events of this pass, for the log
  std::vector<std::string> in_question;      // Edges of the namespace whose own state is worth a look now
  bool pins_changed = false;                 // of a PinPolicy: its Edges have to be looked at
  std::optional<api::RevisionResult> ended;  // a revision of an EdgeCertificate came to its end in this pass
  std::optional<std::chrono::milliseconds>
      delivered_for;     // of that one: since its push began; empty: it was not pushed
  std::string trace_id;  // of the change that the object is about (telemetry/trace.hpp); empty: of none
  // Of the pins of an Edge: how far its clock is from the right time, either way; empty: nobody has seen.
  std::optional<std::chrono::milliseconds> clock_offset;
};

}  // namespace edgetrust::reconcile
