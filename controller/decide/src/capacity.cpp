#include "edgetrust/decide/capacity.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/schedule.hpp"

#include <algorithm>
#include <cmath>
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

// --- what the CA's limits leave room for

constexpr api::Duration kWeek = 7 * 24h;
constexpr api::Duration kOrdersWindow = 3h;

double renewals_a_week(const Demand& demand) {
  return demand.every > 0ms ? std::chrono::duration<double>(kWeek) / std::chrono::duration<double>(demand.every) : 0;
}

// Rounded up, but for what adding up has made of a whole number.
std::int64_t rounded_up(double number) { return static_cast<std::int64_t>(std::ceil(number - 1e-6)); }

std::string at_least(std::int64_t number) { return ": it has to be " + std::to_string(number) + " at least"; }

std::string limit_text(const api::AcmeIssuer& issuer, const char* field, int limit) {
  return "limits." + std::string(field) + " " + std::to_string(limit) + " of AcmeIssuer " + issuer.meta.name;
}

std::optional<Shortage> domain_shortage(const std::vector<Demand>& fleet, const api::AcmeIssuer& issuer, int limit,
                                        const OrderLog& log, TimePoint now) {
  std::map<std::string, std::set<std::set<std::string>>> ordered;  // sets of names, by domain
  std::set<std::string> waited_for;
  const auto count = [&](const std::set<std::string>& names, bool waits) {
    for (const auto& name : names) {
      const std::string domain = registered_domain(name);
      ordered[domain].insert(names);
      if (waits) waited_for.insert(domain);
    }
  };
  std::set<std::set<std::string>> taken;
  for (const auto& order : log) {
    if (order.kind != OrderKind::kNew || order.at + kWeek <= now) continue;
    taken.insert(order.names);
    count(order.names, false);
  }
  for (const auto& one : fleet) {
    if (one.kind == OrderKind::kNew && !taken.contains(one.names)) count(one.names, true);
  }
  for (const auto& domain : waited_for) {
    const auto wanted = std::ssize(ordered[domain]);
    if (wanted <= limit) continue;
    return Shortage{std::string(kDomainLimit), std::to_string(wanted) + " certificates of " + domain +
                                                   " are ordered for the first time, and " +
                                                   limit_text(issuer, "certificatesPerDomainPerWeek", limit) +
                                                   " lets no more of them through in 7 days" + at_least(wanted)};
  }
  return std::nullopt;
}

std::optional<Shortage> duplicates_shortage(const std::vector<Demand>& fleet, const api::AcmeIssuer& issuer,
                                            int limit) {
  std::map<std::set<std::string>, double> a_week;
  for (const auto& one : fleet) {
    if (one.kind == OrderKind::kNew) a_week[one.names] += 1;
    if (one.kind == OrderKind::kRenewal) a_week[one.names] += renewals_a_week(one);
  }
  for (const auto& [names, orders] : a_week) {
    const auto wanted = rounded_up(orders);
    if (wanted <= limit) continue;
    return Shortage{std::string(kDuplicatesLimit), "the certificates for " + join({names.begin(), names.end()}, ", ") +
                                                       " take " + std::to_string(wanted) + " orders in 7 days, and " +
                                                       limit_text(issuer, "duplicatesPerWeek", limit) +
                                                       " allows no more for one set of names" + at_least(wanted)};
  }
  return std::nullopt;
}

std::optional<Shortage> orders_shortage(const std::vector<Demand>& fleet, const api::AcmeIssuer& issuer, int limit,
                                        TimePoint now) {
  constexpr auto kWindowsAWeek = kWeek / kOrdersWindow;
  const std::string what = limit_text(issuer, "newOrdersPer3Hours", limit);
  double a_week = 0;
  std::vector<TimePoint> ends;
  for (const auto& one : fleet) {
    if (one.kind != OrderKind::kRenewal || one.account != account_of(issuer.spec)) continue;
    a_week += renewals_a_week(one);
    if (one.expires && *one.expires > now) ends.push_back(*one.expires);
  }
  const auto steady = rounded_up(a_week / static_cast<double>(kWindowsAWeek));
  if (steady > limit) {
    return Shortage{std::string(kOrdersLimit),
                    std::to_string(rounded_up(a_week)) + " renewals come to be due in 7 days, and " + what +
                        " leaves room for " + std::to_string(limit * kWindowsAWeek) + at_least(steady)};
  }
  std::ranges::sort(ends);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::int64_t windows = 1 + (ends[i] - now) / kOrdersWindow;
    const auto due = static_cast<std::int64_t>(i + 1);
    if (due <= windows * limit) continue;
    return Shortage{std::string(kOrdersLimit), std::to_string(due) + " certificates expire until " +
                                                   format_rfc3339(ends[i]) + ", and " + what + " leaves room for " +
                                                   std::to_string(windows * limit) + " orders before" +
                                                   at_least((due + windows - 1) / windows)};
  }
  return std::nullopt;
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

std::optional<Demand> demand_on_ca(const api::EdgeCertificate& certificate, const api::AcmeIssuer& issuer) {
  const auto& [spec, status] = std::tie(certificate.spec, certificate.status);
  if (certificate.broken || issuer.broken || !spec.issuer_ref || spec.suspend) return std::nullopt;
  Demand demand{.account = account_of(issuer.spec), .names = ordered_names(spec), .expires = status.not_after};
  const auto* issued = api::find(status.conditions, api::condition::kIssued);
  const bool had_one = status.revision || (issued != nullptr && issued->status == api::Truth::kTrue);
  // A CA that says when to renew is told what an order replaces, and counts it against nothing.
  if (had_one) demand.kind = status.renewal_info ? OrderKind::kReplacement : OrderKind::kRenewal;
  if (status.not_before && status.not_after) {
    const api::Duration lifetime = *status.not_after - *status.not_before;
    demand.every = std::max(status.renewal_time.value_or(*status.not_before) - *status.not_before, lifetime / 2);
  }
  return demand;
}

std::optional<Shortage> order_shortage(const std::vector<Demand>& fleet, const api::AcmeIssuer& issuer,
                                       const OrderLog& log, TimePoint now) {
  const OrderLimits limits = limits_of(issuer.spec);
  std::optional<Shortage> found;
  if (limits.duplicates_per_week > 0) found = duplicates_shortage(fleet, issuer, limits.duplicates_per_week);
  if (!found && limits.orders_per_3_hours > 0) found = orders_shortage(fleet, issuer, limits.orders_per_3_hours, now);
  if (!found && limits.per_domain_per_week > 0)
    found = domain_shortage(fleet, issuer, limits.per_domain_per_week, log, now);
  return found;
}

}  // namespace edgetrust::decide
