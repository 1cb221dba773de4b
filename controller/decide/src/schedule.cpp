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

}  // namespace

bool is_time_zone(const std::string& name) { return locate(name).has_value(); }

Result<std::optional<Slot>> next_slot(const std::vector<api::Window>& windows, const std::string& zone_name,
                                      TimePoint from, api::Duration needed) {
  EDGETRUST_TRY_ASSIGN(const date::time_zone* zone, locate(zone_name));
  const auto today = date::floor<date::days>(zone->to_local(date::floor<std::chrono::seconds>(from)));
  std::vector<Slot> slots;
  for (const api::Window& window : windows) {
    EDGETRUST_TRY_ASSIGN(const std::chrono::minutes start, minutes_of_day(window.start));
    for (int offset = -1; offset <= kHorizonDays; ++offset) {
      const date::local_days day = today + date::days{offset};
      if (!allows(window, day)) continue;
      const TimePoint opens = to_utc(*zone, day + start);
      // A day of 23 or 25 hours: a window that fills the day ends where the next day begins.
      const TimePoint closes =
          window.duration == 24h ? to_utc(*zone, day + date::days{1} + start) : opens + window.duration;
      slots.push_back({opens, closes});
    }
  }
  for (const Slot& slot : merged(std::move(slots))) {
    if (std::max(slot.opens, from) + needed <= slot.closes) return slot;
  }
  return std::nullopt;
}

std::string describe_start(const Slot& slot, const std::string& zone_name) {
  const auto zone = locate(zone_name);
  if (!zone) return format_rfc3339(slot.opens);
  const auto local = (*zone)->to_local(date::floor<std::chrono::seconds>(slot.opens));
  return date::format("%a %H:%M", local) + " " + zone_name;
}

TimePoint renewal_time(TimePoint not_before, TimePoint not_after, std::optional<api::Duration> renew_before,
                       double share) {
  const api::Duration lifetime = std::max(not_after - not_before, api::Duration{0});
  const api::Duration wanted = renew_before.value_or(std::min<api::Duration>(30 * 24h, lifetime / 3));
  const api::Duration before = std::min(wanted, lifetime / 2);
  const api::Duration spread = std::min<api::Duration>(672h, lifetime / 6);
  // Half of the lifetime is the wall: a share on top of it could make a fresh certificate due at once.
  const auto early = std::min(
      before + api::Duration{static_cast<std::int64_t>(static_cast<double>(spread.count()) * share)}, lifetime / 2);
  return not_after - early;
}

}  // namespace edgetrust::decide
