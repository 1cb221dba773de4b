#pragma once
// What a pass leaves behind for the queue.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/error.hpp"

#include <optional>
#include <string>

namespace edgetrust::reconcile {

struct Outcome {
  std::optional<TimePoint> wake_at;  // empty: when something changes
  std::optional<Error> error;        // the pass itself failed (the API server, mostly): again after a backoff
  std::string rule;                  // which rule spoke, for the log
  std::string effect;                // what was done; empty for nothing
  bool wrote_status = false;
};

}  // namespace edgetrust::reconcile
