#include "edgetrust/decide/capacity.hpp"

#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/schedule.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;

// Every slot of these zones in which a rotation may start, overlaps made one.
std::vector<Slot> slots_of(const std::set<std::string>& zones, const api::EffectiveRotation& rotation, TimePoint from,
                           TimePoint until) {
  const api::Duration needed = time_needed(rotation);
  std::vector<Slot> all;
  for (const auto& zone : zones) {
    for (TimePoint at = from; at < until;) {
      const auto slot = next_slot(rotation.windows, zone, at, needed, rotation.freezes);
      if (!slot || !*slot || (*slot)->opens >= until) break;
      all.push_back({std::max((*slot)->opens, from), std::min((*slot)->closes, until)});
      at = std::max((*slot)->closes, at + 1s);
    }
  }
  std::ranges::sort(all, {}, &Slot::opens);
  std::vector<Slot> merged;
  for (const Slot& slot : all) {
    if (merged.empty() || slot.opens > merged.back().closes) {
      merged.push_back(slot);
    } else {
      merged.back().closes = std::max(merged.back().closes, slot.closes);
    }
  }
  return merged;
}

// How many rotations, one after the other, can have begun and ended well between two moments. The next may start when
// the one before is proved; the last must leave room for its rollback.
std::int64_t starts_in(const std::vector<Slot>& slots, const api::EffectiveRotation& rotation, TimePoint from,
                       TimePoint until) {
  const api::Duration needed = time_needed(rotation);
  const api::Duration each = std::max<api::Duration>({rotation.settle, rotation.period, 1s});
  std::int64_t starts = 0;
  for (const Slot& slot : slots) {
    const api::Duration room = std::min(slot.closes, until) - std::max(slot.opens, from);
    if (room >= needed) starts += (room - needed) / each + 1;
  }
  return starts;
}

// The moment at which most is wanted at a time.
struct Pinch {
  std::int64_t lanes = 0;  // rotations at a time without which it cannot be done
  std::int64_t due = 0;    // so many expire until then
  std::int64_t starts = 0;
  TimePoint until;
};
Pinch tightest(std::vector<Due> group, const api::EffectiveRotation& rotation, TimePoint now) {
  Pinch worst;
  if (group.empty()) return worst;
  std::ranges::sort(group, {}, &Due::expires);
  std::set<std::string> zones;
  for (const Due& one : group) zones.insert(one.zone);
  const auto slots = slots_of(zones, rotation, now, group.back().expires);
  TimePoint from = TimePoint::max();
  for (std::size_t i = 0; i < group.size(); ++i) {
    from = std::min(from, std::max(group[i].from, now));
    if (i + 1 < group.size() && group[i + 1].expires == group[i].expires) continue;
    const std::int64_t starts = starts_in(slots, rotation, from, group[i].expires);
    const auto due = static_cast<std::int64_t>(i + 1);
    if (starts == 0) continue;  // no window at all: each object says that by itself
    const std::int64_t lanes = (due + starts - 1) / starts;
    if (lanes > worst.lanes) worst = {.lanes = lanes, .due = due, .starts = starts, .until = group[i].expires};
  }
  return worst;
}

std::string describe(const Pinch& pinch, int limit, const std::string& field, const std::string& where) {
  return std::to_string(pinch.due) + " certificates" + where + " expire until " + format_rfc3339(pinch.until) +
         ", and budget." + field + " " + std::to_string(limit) + " leaves room for " +
         std::to_string(pinch.starts * limit) + " rotations before: it has to be " + std::to_string(pinch.lanes) +
         " at least, or the windows longer";
}

}  // namespace

std::optional<Due> due_under_policy(const api::EdgeCertificate& certificate, const api::Edge* edge,
                                    const api::GenesysConnection* connection) {
  const auto& [spec, status] = std::tie(certificate.spec, certificate.status);
  const bool own_windows = spec.rotation && !spec.rotation->windows.empty();
  if (edge == nullptr || spec.suspend || !status.not_after || own_windows) return std::nullopt;
  return Due{.from = status.renewal_time.value_or(status.not_before.value_or(TimePoint{})),
             .expires = *status.not_after,
             .zone = time_zone_of(*edge, connection),
             .site = std::string(api::site_of(*edge))};
}

std::optional<Shortage> shortage(std::vector<Due> fleet, const api::EffectiveRotation& rotation, TimePoint now) {
  std::erase_if(fleet, [&](const Due& one) { return one.expires <= now || one.zone.empty(); });
  const Pinch all = tightest(fleet, rotation, now);
  if (all.lanes > rotation.max_concurrent)
    return Shortage{"Budget", describe(all, rotation.max_concurrent, "maxConcurrent", "")};
  std::map<std::string, std::vector<Due>> sites;
  for (Due& one : fleet) sites[one.site].push_back(std::move(one));
  for (auto& [site, group] : sites) {
    const Pinch here = tightest(std::move(group), rotation, now);
    if (here.lanes <= rotation.max_concurrent_per_site) continue;
    return Shortage{"SiteBudget", describe(here, rotation.max_concurrent_per_site, "maxConcurrentPerSite",
                                           site.empty() ? " of Edges whose site is not known" : " of site " + site)};
  }
  return std::nullopt;
}

}  // namespace edgetrust::decide
