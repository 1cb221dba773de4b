#pragma once
// When something may start: windows in the Edge's local time, and when a certificate is due. Pure: time and zone are
// arguments. Called by the rules of decide/certificate. Errors: kInvalid for an unknown time zone or a malformed
// window.
#include "edgetrust/api/kinds.hpp"
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

// One upload with its retries; what fails for longer is put off.
inline constexpr std::chrono::seconds kLongestUpload{60};
// The longest time from the beginning to the end of a rollback: a drain where one is asked for, two uploads, with what
// the Edge needs after each. A window must
// have room for it.
api::Duration time_needed(const api::EffectiveRotation& rotation);

// The zone of an Edge's windows: its own, else the site's as the API reports it, else the connection's, which may be
// null. Empty when none is known: it is never guessed.
std::string time_zone_of(const api::Edge& edge, const api::GenesysConnection* connection);

// Whether the IANA name is known here.
bool is_time_zone(const std::string& name);

// The first slot in which work that takes `needed` and starts at `from` or later fits. Windows that touch or overlap
// are one slot, so that 00:00 + 24h every day is always open. A window belongs to the local day it starts on; a start
// that the spring night skips is the first moment after the gap, a start that the autumn night has twice is the first
// of the two. Nothing reaches into a freeze: what is left of a slot before one is a slot, and what is left after it.
// Empty when no window is long enough.
Result<std::optional<Slot>> next_slot(const std::vector<api::Window>& windows, const std::string& zone, TimePoint from,
                                      api::Duration needed, const std::vector<api::Freeze>& freezes = {});

// The same where no window has to be waited for: only the freezes are left.
Slot next_gap(TimePoint from, api::Duration needed, const std::vector<api::Freeze>& freezes);

// The freeze that a moment is in; of several the one that lasts longest. nullptr: none.
const api::Freeze* freeze_at(const std::vector<api::Freeze>& freezes, TimePoint at);
const api::Freeze* freeze_at(std::vector<api::Freeze>&& freezes, TimePoint at) = delete;  // it would point nowhere

// "Tue 02:00 America/New_York", for people.
std::string describe_start(const Slot& slot, const std::string& zone);
// "Tue 2027-01-05 02:00 America/New_York", for people.
std::string describe_moment(TimePoint at, const std::string& zone);

// When a certificate should be replaced: `renew_before` its end, or 30 days, or a third of its lifetime if that is
// less; never earlier than half of its lifetime, whatever was asked for; less a fixed share of min(`spread`,
// lifetime / 6), so that a fleet is not due in one hour. `share` in [0, 1) is drawn once from the object's UID.
TimePoint renewal_time(TimePoint not_before, TimePoint not_after, std::optional<api::Duration> renew_before,
                       api::Duration spread, double share);

// The moment of a window that is drawn by `share` in [0, 1): uniform where shares are (RFC 9773 section 4.2).
TimePoint moment_in(TimePoint start, TimePoint end, double share);

// The shortest and the longest pause between two questions for renewal information, and the usual one (RFC 9773
// sections 4.3.2 and 4.3.3).
inline constexpr std::chrono::minutes kShortestRenewalInfoPause{1};
inline constexpr std::chrono::hours kLongestRenewalInfoPause{24};
inline constexpr std::chrono::hours kRenewalInfoPause{6};
// The pause that a server wishes, within these bounds.
api::Duration renewal_info_pause(std::optional<std::chrono::seconds> retry_after);

// From when on a certificate is close to its end: `before` it, or a tenth of its lifetime if that is less, so that one
// of six days is not urgent all its life.
TimePoint urgent_time(TimePoint not_before, TimePoint not_after, api::Duration before);

}  // namespace edgetrust::decide
