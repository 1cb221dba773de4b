#include "edgetrust/decide/schedule.hpp"

#include <algorithm>

#include <date/tz.h>

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;

constexpr int kHorizonDays = 15;  // any weekday comes twice

Result<const date::time_zone*> locate(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return fail(ErrorKind::kInvalid, "unknown time zone \"" + name + "\": use an IANA name such as Europe/Berlin");
  }
}

Result<std::chrono::minutes> minutes_of_day(const std::string& start) {
  const auto is_digit = [&](std::size_t i) { return start[i] >= '0' && start[i] <= '9'; };
  const bool shaped = start.size() == 5 && start[2] == ':' && is_digit(0) && is_digit(1) && is_digit(3) && is_digit(4);
  if (!shaped) return fail(ErrorKind::kInvalid, "a window's start must be HH:MM");
  const int hours = (start[0] - '0') * 10 + (start[1] - '0');
  const int minutes = (start[3] - '0') * 10 + (start[4] - '0');
  if (hours > 23 || minutes > 59) return fail(ErrorKind::kInvalid, "a window's start must be HH:MM");
  return std::chrono::hours{hours} + std::chrono::minutes{minutes};
}

TimePoint to_utc(const date::time_zone& zone, date::local_seconds local) {
  const date::local_info info = zone.get_info(local);
  // In a gap the clock jumps from info.first.end; twice-told hours take the first telling.
  if (info.result == date::local_info::nonexistent) return TimePoint{info.first.end.time_since_epoch()};
  return TimePoint{local.time_since_epoch() - info.first.offset};
}

bool allows(const api::Window& window, date::local_days day) {
  if (window.days.empty()) return true;
  const unsigned from_monday = date::weekday{day}.iso_encoding() - 1;
  return std::ranges::find(window.days, static_cast<api::Day>(from_monday)) != window.days.end();
}

std::vector<Slot> merged(std::vector<Slot> slots) {
  std::ranges::sort(slots, {}, &Slot::opens);
  std::vector<Slot> result;
  for (const Slot& slot : slots) {
    if (!result.empty() && slot.opens <= result.back().closes) {
      result.back().closes = std::max(result.back().closes, slot.closes);
    } else {
      result.push_back(slot);
    }
  }
  return result;
}

// The first freeze that work from `start` on would reach into.
const api::Freeze* in_the_way(const std::vector<api::Freeze>& freezes, TimePoint start, api::Duration needed) {
  const api::Freeze* first = nullptr;
  for (const api::Freeze& freeze : freezes) {
    const bool hit = start < freeze.to && freeze.from < start + needed;
    if (hit && (first == nullptr || freeze.from < first->from)) first = &freeze;
  }
  return first;
}

// The first slot of the windows alone.
Result<std::optional<Slot>> next_window(const std::vector<api::Window>& windows, const date::time_zone& zone,
                                        TimePoint from, api::Duration needed) {
  const auto today = date::floor<date::days>(zone.to_local(date::floor<std::chrono::seconds>(from)));
  std::vector<Slot> slots;
  for (const api::Window& window : windows) {
    EDGETRUST_TRY_ASSIGN(const std::chrono::minutes start, minutes_of_day(window.start));
    for (int offset = -1; offset <= kHorizonDays; ++offset) {
      const date::local_days day = today + date::days{offset};
      if (!allows(window, day)) continue;
      const TimePoint opens = to_utc(zone, day + start);
      // A day of 23 or 25 hours: a window that fills the day ends where the next day begins.
      const TimePoint closes =
          window.duration == 24h ? to_utc(zone, day + date::days{1} + start) : opens + window.duration;
      slots.push_back({opens, closes});
    }
  }
  for (const Slot& slot : merged(std::move(slots))) {
    if (std::max(slot.opens, from) + needed <= slot.closes) return slot;
  }
  return std::nullopt;
}

// What is left of a slot that has room from `start` on, once freezes have cut into it.
Slot between_freezes(Slot slot, TimePoint start, const std::vector<api::Freeze>& freezes) {
  for (const api::Freeze& freeze : freezes) {
    if (freeze.to <= start) slot.opens = std::max(slot.opens, freeze.to);
    if (freeze.from > start) slot.closes = std::min(slot.closes, freeze.from);
  }
  return slot;
}

std::string in_words(TimePoint at, const std::string& zone_name, const char* format) {
  const auto zone = locate(zone_name);
  if (!zone) return format_rfc3339(at);
  return date::format(format, (*zone)->to_local(date::floor<std::chrono::seconds>(at))) + " " + zone_name;
}

}  // namespace

api::Duration time_needed(const api::EffectiveRotation& rotation) {
  return rotation.drain_timeout.value_or(0s) + kLongestUpload + rotation.settle + rotation.period + kLongestUpload +
         rotation.settle;
}

std::string time_zone_of(const api::Edge& edge, const api::GenesysConnection* connection) {
  if (!edge.spec.time_zone.empty()) return edge.spec.time_zone;
  if (!edge.status.time_zone.empty()) return edge.status.time_zone;
  return connection != nullptr ? connection->spec.time_zone : std::string{};
}

bool is_time_zone(const std::string& name) { return locate(name).has_value(); }

Result<std::optional<Slot>> next_slot(const std::vector<api::Window>& windows, const std::string& zone_name,
                                      TimePoint from, api::Duration needed, const std::vector<api::Freeze>& freezes) {
  EDGETRUST_TRY_ASSIGN(const date::time_zone* zone, locate(zone_name));
  // Each round leaves a freeze behind.
  for (;;) {
    EDGETRUST_TRY_ASSIGN(const std::optional<Slot> slot, next_window(windows, *zone, from, needed));
    if (!slot) return std::nullopt;
    const TimePoint start = std::max(slot->opens, from);
    const api::Freeze* freeze = in_the_way(freezes, start, needed);
    if (freeze == nullptr) return between_freezes(*slot, start, freezes);
    from = freeze->to;
  }
}

Slot next_gap(TimePoint from, api::Duration needed, const std::vector<api::Freeze>& freezes) {
  while (const api::Freeze* freeze = in_the_way(freezes, from, needed)) from = freeze->to;
  return between_freezes({TimePoint::min(), TimePoint::max()}, from, freezes);
}

const api::Freeze* freeze_at(const std::vector<api::Freeze>& freezes, TimePoint at) {
  const api::Freeze* longest = nullptr;
  for (const api::Freeze& freeze : freezes) {
    const bool inside = freeze.from <= at && at < freeze.to;
    if (inside && (longest == nullptr || freeze.to > longest->to)) longest = &freeze;
  }
  return longest;
}

std::string describe_start(const Slot& slot, const std::string& zone) { return in_words(slot.opens, zone, "%a %H:%M"); }

std::string describe_moment(TimePoint at, const std::string& zone) { return in_words(at, zone, "%a %Y-%m-%d %H:%M"); }

TimePoint renewal_time(TimePoint not_before, TimePoint not_after, std::optional<api::Duration> renew_before,
                       api::Duration spread, double share) {
  const api::Duration lifetime = std::max(not_after - not_before, api::Duration{0});
  const api::Duration wanted = renew_before.value_or(std::min<api::Duration>(30 * 24h, lifetime / 3));
  const api::Duration before = std::min(wanted, lifetime / 2);
  const api::Duration over = std::min<api::Duration>(spread, lifetime / 6);
  // Half of the lifetime is the wall: a share on top of it could make a fresh certificate due at once.
  const auto early = std::min(
      before + api::Duration{static_cast<std::int64_t>(static_cast<double>(over.count()) * share)}, lifetime / 2);
  return not_after - early;
}

TimePoint moment_in(TimePoint start, TimePoint end, double share) {
  const auto into = static_cast<double>((end - start).count()) * share;
  return start + api::Duration{static_cast<std::int64_t>(into)};
}

api::Duration renewal_info_pause(std::optional<std::chrono::seconds> retry_after) {
  return std::clamp<api::Duration>(retry_after.value_or(kRenewalInfoPause), kShortestRenewalInfoPause,
                                   kLongestRenewalInfoPause);
}

TimePoint urgent_time(TimePoint not_before, TimePoint not_after, api::Duration before) {
  return not_after - std::min<api::Duration>(before, std::max(not_after - not_before, api::Duration{0}) / 10);
}

}  // namespace edgetrust::decide
