#pragma once
// Calls before a change of the pin file: where the RotationPolicy drains, the Edge is out of service until its calls
// have ended, and back in service whatever becomes of the change. Called by the engine of the pins of Edges. Pure.
//
//   (may begin) ──> out, waiting ──> ended_at, with a change ──> (over) ──> back ──> gone
//                        └────────── called off: ended_at, without one ──────^
#include "edgetrust/api/edge.hpp"
#include "edgetrust/decide/drain.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::decide::pins {

struct CallsSituation {
  const std::optional<api::DrainStatus>& drain;
  std::optional<ports::EdgeInfo> seen;  // what the vendor says just now, or why it does not
  std::string trouble;
  bool may_begin = false;  // a change would begin now
  bool changes = false;    // one is under way
  bool asked_out = false;  // by this process, of this drain; may be lost
  bool asked_back = false;
  bool waits_for_software = true;
  api::Duration timeout{};   // how long calls may last
  api::Duration interval{};  // between two looks
  TimePoint now;
};

// How an Edge on its way back is spoken of.
inline constexpr std::string_view kGoesBack = "the Edge goes back into service";

enum class CallsStep {
  kChange,   // nothing stands in the way of the change
  kTakeOut,  // the drain is written, then the Edge is taken out of service
  kPutBack,
  kWait,
  kGone  // it is back in service
};
struct CallsDecision {
  CallsStep step = CallsStep::kChange;
  std::optional<api::DrainStatus> drain;  // to be written first
  std::string why;                        // what is waited for
  std::optional<TimePoint> wake_at;
  bool called_off = false;  // no change begins before the next window
};
CallsDecision decide(const CallsSituation& situation);

}  // namespace edgetrust::decide::pins
