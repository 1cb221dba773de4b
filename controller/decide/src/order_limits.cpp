#include "edgetrust/decide/order_limits.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>
#include <array>

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;

constexpr api::Duration kOrdersWindow = 3h;
constexpr api::Duration kWeek = 7 * 24h;
// The CA counts from when it sees an order, which may be so long after it was recorded.
constexpr api::Duration kRequestTakes = 1min;

constexpr auto kShortestRefusal = 15min;
constexpr auto kLongestRefusal = 24h;

// Of https://acme-v02.api.letsencrypt.org/directory and the like.
bool is_lets_encrypt(std::string_view server) {
  constexpr std::string_view kScheme = "https://";
  constexpr std::string_view kDomain = ".letsencrypt.org";
  if (!server.starts_with(kScheme)) return false;
  server.remove_prefix(kScheme.size());
  return lower(server.substr(0, server.find_first_of(":/"))).ends_with(kDomain);
}

std::set<std::string> domains_of(const std::set<std::string>& names) {
  std::set<std::string> domains;
  for (const auto& name : names) domains.insert(registered_domain(name));
  return domains;
}

bool is_same_place(const OrderRecord& a, const OrderRecord& b) { return a.holder == b.holder && a.names == b.names; }

// A limit, and the orders that it counts.
struct Budget {
  std::string_view reason;
  std::string message;
  int limit = 0;
  api::Duration window{};
  std::vector<TimePoint> taken;
};

// From when one more has room. An order counts from its own time on, so that one that has to come later holds up none
// that comes before.
TimePoint free_from(Budget& budget, TimePoint now) {
  auto& taken = budget.taken;
  std::ranges::sort(taken);
  const api::Duration counts_for = budget.window + kRequestTakes;
  const auto used_at = [&](TimePoint at) {
    const auto first = std::ranges::upper_bound(taken, at - counts_for);
    return std::ranges::upper_bound(taken, at) - first;
  };
  if (used_at(now) < budget.limit) return now;
  for (const TimePoint order : taken) {
    const TimePoint over = order + counts_for;
    if (over > now && used_at(over) < budget.limit) return over;
  }
  return now;
}

std::vector<Budget> budgets_for(const OrderLog& log, const OrderRecord& order, const OrderLimits& limits) {
  std::vector<Budget> budgets;
  if (order.kind == OrderKind::kReplacement) return budgets;
  const auto count = [&](Budget budget, auto counts) {
    if (budget.limit <= 0) return;
    for (const auto& other : log) {
      if (counts(other)) budget.taken.push_back(other.at);
    }
    budgets.push_back(std::move(budget));
  };
  count({.reason = kOrdersLimit,
         .message = "limits.newOrdersPer3Hours " + std::to_string(limits.orders_per_3_hours) + " is used up",
         .limit = limits.orders_per_3_hours,
         .window = kOrdersWindow},
        [&](const OrderRecord& other) {
          return other.kind != OrderKind::kReplacement && other.account == order.account;
        });
  count({.reason = kDuplicatesLimit,
         .message = "limits.duplicatesPerWeek " + std::to_string(limits.duplicates_per_week) +
                    " is used up for these names (" + join({order.names.begin(), order.names.end()}, ", ") + ")",
         .limit = limits.duplicates_per_week,
         .window = kWeek},
        [&](const OrderRecord& other) {
          return other.kind != OrderKind::kLost && other.names == order.names && !is_same_place(other, order);
        });
  if (order.kind != OrderKind::kNew || limits.per_domain_per_week <= 0) return budgets;
  for (const auto& domain : domains_of(order.names)) {
    count({.reason = kDomainLimit,
           .message = "limits.certificatesPerDomainPerWeek " + std::to_string(limits.per_domain_per_week) +
                      " is used up for " + domain,
           .limit = limits.per_domain_per_week,
           .window = kWeek},
          [&](const OrderRecord& other) {
            return other.kind == OrderKind::kNew && !is_same_place(other, order) &&
                   std::ranges::any_of(other.names,
                                       [&](const auto& name) { return registered_domain(name) == domain; });
          });
  }
  return budgets;
}

// The budget that holds it up for longest.
std::optional<OrderWait> longest_wait(const OrderLog& log, const OrderRecord& order, const OrderLimits& limits,
                                      TimePoint now) {
  std::optional<OrderWait> longest;
  TimePoint at = now;
  auto budgets = budgets_for(log, order, limits);
  // What is free in one may be used up in another by then.
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& budget : budgets) {
      const TimePoint from = free_from(budget, at);
      if (from <= at) continue;
      at = from;
      moved = true;
      longest = OrderWait{budget.reason, budget.message, std::chrono::ceil<std::chrono::seconds>(from)};
    }
  }
  return longest;
}

// What a clock has recorded that ran ahead was ordered before now, nobody knows when. What lies further ahead than
// anything counts is no time at all.
OrderLog sane(OrderLog log, TimePoint now) {
  std::erase_if(log, [&](const OrderRecord& order) { return order.at > now + kWeek; });
  for (auto& order : log) order.at = std::min(order.at, now);
  return log;
}

constexpr std::array<std::pair<OrderKind, std::string_view>, 4> kKinds = {{{OrderKind::kNew, "new"},
                                                                           {OrderKind::kRenewal, "renewal"},
                                                                           {OrderKind::kReplacement, "replacement"},
                                                                           {OrderKind::kLost, "lost"}}};

std::optional<OrderRecord> read_line(std::string_view line) {
  const auto pieces = split(line, ' ');
  if (pieces.size() != 5) return std::nullopt;
  const auto at = parse_rfc3339(pieces[0]);
  const auto* kind = std::ranges::find(kKinds, pieces[1], &std::pair<OrderKind, std::string_view>::second);
  if (!at || kind == kKinds.end()) return std::nullopt;
  const auto names = split(pieces[4], ',');
  return OrderRecord{
      .at = *at, .kind = kind->first, .account = pieces[2], .holder = pieces[3], .names = {names.begin(), names.end()}};
}

}  // namespace

OrderLimits limits_of(const api::AcmeIssuerSpec& issuer) {
  const OrderLimits standard =
      is_lets_encrypt(issuer.server)
          ? OrderLimits{.orders_per_3_hours = 300, .per_domain_per_week = 50, .duplicates_per_week = 5}
          : OrderLimits{};
  const api::IssuerLimits set = issuer.limits.value_or(api::IssuerLimits{});
  return {.orders_per_3_hours = set.new_orders_per_3_hours.value_or(standard.orders_per_3_hours),
          .per_domain_per_week = set.certificates_per_domain_per_week.value_or(standard.per_domain_per_week),
          .duplicates_per_week = set.duplicates_per_week.value_or(standard.duplicates_per_week)};
}

std::set<std::string> ordered_names(const api::EdgeCertificateSpec& spec) {
  std::set<std::string> names(spec.ip_addresses.begin(), spec.ip_addresses.end());
  for (const auto& name : spec.dns_names) names.insert(lower(name));
  return names;
}

std::string account_of(const api::AcmeIssuerSpec& issuer) {
  return issuer.account_key_ref.name + "/" + issuer.account_key_ref.key;
}

std::optional<OrderWait> wait_for_order(const OrderLog& log, const OrderRecord& order, const OrderLimits& limits,
                                        const std::vector<OrderRecord>& ahead, TimePoint now) {
  OrderLog granted = sane(log, now);
  for (OrderRecord first : ahead) {
    const auto wait = longest_wait(granted, first, limits, now);
    first.at = wait ? wait->until : now;
    granted.push_back(std::move(first));
  }
  return longest_wait(granted, order, limits, now);
}

void take_place(OrderLog& log, OrderRecord order, TimePoint now) {
  log = sane(std::move(log), now);
  for (auto& other : log) {
    if (is_same_place(other, order)) other.kind = OrderKind::kLost;
  }
  std::erase_if(log, [&](const OrderRecord& other) {
    const auto window = other.kind == OrderKind::kLost ? kOrdersWindow : kWeek;
    return other.at + window + kRequestTakes <= now;
  });
  log.push_back(std::move(order));
}

void give_back(OrderLog& log, const OrderRecord& order) {
  const auto found = std::ranges::find(log, order);
  if (found == log.end()) return;
  log.erase(found);
  // It is again the one before it that may have come about.
  const auto before =
      std::find_if(log.rbegin(), log.rend(), [&](const OrderRecord& other) { return is_same_place(other, order); });
  if (before != log.rend()) before->kind = order.kind;
}

std::string as_text(const OrderLog& log) {
  std::string text;
  for (const auto& order : log) {
    const auto* kind = std::ranges::find(kKinds, order.kind, &std::pair<OrderKind, std::string_view>::first);
    text += format_rfc3339(order.at) + " " + std::string(kind->second) + " " + order.account + " " + order.holder +
            " " + join({order.names.begin(), order.names.end()}, ",") + "\n";
  }
  return text;
}

OrderLog read_order_log(std::string_view text) {
  OrderLog log;
  for (const auto& line : split(text, '\n')) {
    if (auto order = read_line(line)) log.push_back(std::move(*order));
  }
  return log;
}

api::RefusalStatus refusal(const std::optional<api::RefusalStatus>& last,
                           std::optional<std::chrono::seconds> retry_after, TimePoint now) {
  const TimePoint at = std::chrono::floor<std::chrono::seconds>(now);
  if (retry_after) return {at, at + std::clamp<api::Duration>(*retry_after, 1s, kWeek), {}};
  api::Duration pause = kShortestRefusal;
  if (last && last->at <= now) {
    const api::Duration before = last->until - last->at;
    if (now < last->until + before) pause = std::clamp<api::Duration>(2 * before, kShortestRefusal, kLongestRefusal);
  }
  return {at, at + pause, {}};
}

std::optional<TimePoint> limited_until(const api::AcmeIssuer& issuer, TimePoint now) {
  const auto& refused = issuer.status.last_refusal;
  const bool holds = refused && now < refused->until && refused->until <= now + kWeek + 1h;
  return holds ? std::optional(refused->until) : std::nullopt;
}

}  // namespace edgetrust::decide
