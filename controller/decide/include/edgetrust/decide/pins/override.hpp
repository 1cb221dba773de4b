#pragma once
// The emergency override of a PinPolicy: pinning is switched off on its Edges until a date, and comes back by itself.
// What is accepted goes on being followed meanwhile, so that the set that comes back is the present one. Called by the
// engines of pins. Pure. Errors: none.
#include "edgetrust/api/pin_policy.hpp"

#include <optional>
#include <string>

namespace edgetrust::decide::pins {

// A longer one is alarmed: an emergency that lasts is a decision that somebody has to make.
inline constexpr std::chrono::hours kLongestOverride{72};

// Whether pinning is switched off at that time.
bool is_overridden(const api::PinPolicySpec& spec, TimePoint now);

struct OverrideView {
  api::Truth active = api::Truth::kFalse;
  std::string reason;                // of the condition OverrideActive
  std::string message;               // for people; the same as long as it is the same
  std::string column;                // "until 2026-12-01T00:00:00Z"; empty: none
  std::optional<TimePoint> wake_at;  // when it ends
};
// Empty: none is declared, nor was one known. `before` is the condition as it stands: it has the time at which it
// began.
std::optional<OverrideView> override_view(const api::PinPolicySpec& spec, const api::Condition* before, TimePoint now);

}  // namespace edgetrust::decide::pins
