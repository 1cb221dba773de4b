#pragma once
// When something may start: windows in the Edge's local time, and when a certificate is due. Pure: time and zone are
// arguments. Called by the rules of decide/certificate. Errors: kInvalid for an unknown time zone or a malformed
// window.
#include "edgetrust/api/common.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/time_text.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::decide {

// A stretch of time in which work may be done.
struct Slot {
  TimePoint opens;
  TimePoint closes;
};

// Whether the IANA name is known here.
bool is_time_zone(const std::string& name);

// The first slot in which work that takes `needed` and starts at `from` or later fits. Windows that touch or overlap
// are one slot, so that 00:00 + 24h every day is always open. A window belongs to the local day it starts on; a start
// that the spring night skips is the first moment after the gap, a start that the autumn night has twice is the first
// of the two. Empty when no window is long enough.
Result<std::optional<Slot>> next_slot(const std::vector<api::Window>& windows, const std::string& zone, TimePoint from,
                                      api::Duration needed);

// "Tue 02:00 America/New_York", for people.
std::string describe_start(const Slot& slot, const std::string& zone);

// When a certificate should be replaced: `renew_before` its end, or 30 days, or a third of its lifetime if that is
// less; never earlier than half of its lifetime, whatever was asked for; less a fixed share of min(672h, lifetime / 6),
// so that a fleet is not due in one hour. `share` in [0, 1) is drawn once from the object's UID.
TimePoint renewal_time(TimePoint not_before, TimePoint not_after, std::optional<api::Duration> renew_before,
                       double share);

}  // namespace edgetrust::decide
