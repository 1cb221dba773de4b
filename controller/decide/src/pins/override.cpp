#include "edgetrust/decide/pins/override.hpp"

#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::pins {

bool is_overridden(const api::PinPolicySpec& spec, TimePoint now) {
  const auto& wanted = spec.emergency_override;
  return wanted && wanted->disable_pinning && now < wanted->until;
}

std::optional<OverrideView> override_view(const api::PinPolicySpec& spec, const api::Condition* before, TimePoint now) {
  const auto& wanted = spec.emergency_override;
  if (!is_overridden(spec, now)) {
    if (!wanted && before == nullptr) return std::nullopt;
    OverrideView view{.active = api::Truth::kFalse, .reason = "Ended", .message = {}, .column = {}, .wake_at = {}};
    if (!wanted) {
      view.reason = "NotSet";
      view.message = "pinning is not overridden";
    } else if (!wanted->disable_pinning) {
      view.reason = "NotSet";
      view.message = "emergencyOverride does not disable pinning";
    } else {
      view.message = "the override ended " + format_rfc3339(wanted->until) + "; remove emergencyOverride";
    }
    return view;
  }
  const bool was_active = before != nullptr && before->status == api::Truth::kTrue;
  const TimePoint began = was_active ? before->last_transition_time : now;
  const bool is_long = wanted->until - began > kLongestOverride;
  const std::string until = format_rfc3339(wanted->until);
  return OverrideView{.active = api::Truth::kTrue,
                      .reason = is_long ? "TooLong" : "Active",
                      .message = "pinning is switched off until " + until + ": " + wanted->reason +
                                 (is_long ? "; that is longer than 72h" : ""),
                      .column = "until " + until,
                      .wake_at = wanted->until};
}

}  // namespace edgetrust::decide::pins
