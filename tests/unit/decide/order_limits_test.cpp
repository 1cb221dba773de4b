// The limits of a CA as budgets: order_limits.cpp, and what a fleet asks of them: capacity.cpp.
#include "edgetrust/decide/capacity.hpp"
#include "support/observations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;
using support::kNow;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kDay = 24h;
constexpr auto kMargin = 1min;  // a request may take so long
const OrderLimits kPublished{.orders_per_3_hours = 300, .per_domain_per_week = 50, .duplicates_per_week = 5};
const std::string kServer = "https://acme-v02.api.letsencrypt.org/directory";

OrderRecord order_for(const std::string& name, TimePoint at = kNow, OrderKind kind = OrderKind::kNew) {
  return {.at = at, .kind = kind, .account = "le/tls.key", .holder = "uid-" + name + "/1/0", .names = {name}};
}
OrderRecord renewal(const std::string& name, TimePoint at = kNow) { return order_for(name, at, OrderKind::kRenewal); }
std::string edge(int number) { return "edge" + std::to_string(number) + ".example.com"; }

// `count` of different names, all at that moment.
OrderLog ordered(int count, TimePoint at, OrderKind kind = OrderKind::kNew) {
  OrderLog log;
  for (int i = 0; i < count; ++i) log.push_back(order_for(edge(i), at, kind));
  return log;
}
// As often as this for one set of names, each for another revision.
OrderLog repeated(const std::string& name, const std::vector<TimePoint>& times) {
  OrderLog log;
  for (const TimePoint at : times) {
    log.push_back(renewal(name, at));
    log.back().holder += "/" + std::to_string(log.size());
  }
  return log;
}

std::string waits(const OrderLog& log, const OrderRecord& order, TimePoint now = kNow,
                  const OrderLimits& limits = kPublished, const std::vector<OrderRecord>& ahead = {}) {
  const auto wait = wait_for_order(log, order, limits, ahead, now);
  return wait ? std::string(wait->reason) + " " + format_duration(wait->until - now) : "";
}

// --- which limits hold

api::AcmeIssuerSpec issuer_at(const std::string& server, std::optional<api::IssuerLimits> limits = {}) {
  api::AcmeIssuerSpec spec;
  spec.server = server;
  spec.account_key_ref.name = "le";
  spec.limits = limits;
  return spec;
}
std::vector<int> limits_at(const std::string& server, std::optional<api::IssuerLimits> limits = {}) {
  const OrderLimits found = limits_of(issuer_at(server, limits));
  return {found.orders_per_3_hours, found.per_domain_per_week, found.duplicates_per_week};
}

TEST(OrderLimits, ThePublishedOnesHoldForLetsEncryptsOwnHostsUnlessSet) {
  const std::vector<int> published{300, 50, 5};
  const std::vector<int> none{0, 0, 0};
  EXPECT_EQ(limits_at(kServer), published);
  EXPECT_EQ(limits_at("https://ACME-v02.api.LetsEncrypt.org:443/directory"), published);
  EXPECT_EQ(limits_at("https://acme-staging-v02.api.letsencrypt.org/directory"), published);
  EXPECT_EQ(limits_at("https://vault.example.com/v1/pki/acme/directory"), none);
  EXPECT_EQ(limits_at("https://letsencrypt.org.example.com/directory"), none);
  EXPECT_EQ(limits_at("https://proxy.example.com/acme-v02.api.letsencrypt.org"), none);
  EXPECT_EQ(limits_at(kServer, api::IssuerLimits{.duplicates_per_week = 0}), (std::vector{300, 50, 0}));
  EXPECT_EQ(limits_at("https://vault.example.com/", api::IssuerLimits{.new_orders_per_3_hours = 10}),
            (std::vector{10, 0, 0}));
  EXPECT_FALSE(limits_of(issuer_at("https://vault.example.com/")).any());
}

TEST(RegisteredDomain, IsFoundByThePublicSuffixList) {
  EXPECT_EQ(registered_domain("edge01.example.com"), "example.com");
  EXPECT_EQ(registered_domain("a.b.Example.CO.UK"), "example.co.uk");
  EXPECT_EQ(registered_domain("*.voice.example.co.uk"), "example.co.uk");
  EXPECT_EQ(registered_domain("edge01.example.github.io"), "example.github.io") << "private suffixes count";
  EXPECT_EQ(registered_domain("edge01.voice.test"), "voice.test") << "a top-level domain that nobody knows";
  EXPECT_EQ(registered_domain("co.uk"), "co.uk") << "a suffix stands for itself";
  EXPECT_EQ(registered_domain("edge01"), "edge01");
  EXPECT_EQ(registered_domain("192.0.2.7"), "192.0.2.7") << "and so does an address";
}

// --- one more, or not now

TEST(WaitForOrder, NothingWaitsWithoutLimits) {
  EXPECT_EQ(waits(ordered(1000, kNow), order_for("new.example.com"), kNow, {}), "");
}

TEST(WaitForOrder, ThreeHundredOrdersOfAnAccountInThreeHours) {
  const auto log = [](int count, auto ago) { return ordered(count, kNow - ago, OrderKind::kRenewal); };
  EXPECT_EQ(waits(log(299, 0h), renewal("x.example.com")), "");
  EXPECT_EQ(waits(log(300, 0h), renewal("x.example.com")), "IssuerLimitOrders 3h1m");
  EXPECT_EQ(waits(log(300, 3h), renewal("x.example.com")), "IssuerLimitOrders 1m")
      << "the CA saw it later than we sent it";
  EXPECT_EQ(waits(log(300, 3h + kMargin - 1s), renewal("x.example.com")), "IssuerLimitOrders 1s");
  EXPECT_EQ(waits(log(300, 3h + kMargin), renewal("x.example.com")), "");
  OrderRecord anothers = renewal("x.example.com");
  anothers.account = "other/tls.key";
  EXPECT_EQ(waits(log(300, 0h), anothers), "") << "of another account";
}

TEST(WaitForOrder, FiftyFirstOrdersForARegisteredDomainInSevenDays) {
  EXPECT_EQ(waits(ordered(49, kNow), order_for("x.example.com")), "");
  EXPECT_EQ(waits(ordered(50, kNow - kDay), order_for("x.example.com")), "IssuerLimitDomain 144h1m");
  EXPECT_EQ(waits(ordered(50, kNow - 7 * kDay - kMargin + 1s), order_for("x.example.com")), "IssuerLimitDomain 1s");
  EXPECT_EQ(waits(ordered(50, kNow - 7 * kDay - kMargin), order_for("x.example.com")), "");
  EXPECT_EQ(waits(ordered(50, kNow), order_for("x.example.org")), "") << "of another domain";
  EXPECT_EQ(waits(ordered(50, kNow), renewal("x.example.com")), "") << "renewals are exempt";
  EXPECT_EQ(waits(ordered(50, kNow, OrderKind::kRenewal), order_for("x.example.com")), "") << "and do not count";
  OrderRecord anothers = order_for("x.example.com");
  anothers.account = "other/tls.key";
  EXPECT_EQ(waits(ordered(50, kNow), anothers), "IssuerLimitDomain 168h1m") << "all accounts of the server count";
  OrderRecord both = order_for("x.example.org");
  both.names.insert("y.example.com");
  EXPECT_EQ(waits(ordered(50, kNow), both), "IssuerLimitDomain 168h1m") << "each of its domains";
}

TEST(WaitForOrder, FiveOrdersForASetOfNamesInSevenDays) {
  const auto at = [](int count) {
    std::vector<TimePoint> times;
    for (int i = 0; i < count; ++i) times.push_back(kNow - 6 * kDay + i * kDay);
    return times;
  };
  EXPECT_EQ(waits(repeated(edge(1), at(4)), renewal(edge(1))), "");
  EXPECT_EQ(waits(repeated(edge(1), at(5)), renewal(edge(1))), "IssuerLimitDuplicates 24h1m");
  EXPECT_EQ(waits(repeated(edge(1), at(5)), renewal(edge(1)), kNow + kDay + kMargin - 1s), "IssuerLimitDuplicates 1s");
  EXPECT_EQ(waits(repeated(edge(1), at(5)), renewal(edge(1)), kNow + kDay + kMargin), "");
  EXPECT_EQ(waits(repeated(edge(1), at(5)), renewal(edge(2))), "") << "of other names";
  OrderRecord more = renewal(edge(1));
  more.names.insert(edge(2));
  EXPECT_EQ(waits(repeated(edge(1), at(5)), more), "") << "one more name is another set";
}

TEST(WaitForOrder, TheLongestWaitIsSaid) {
  OrderLog log = ordered(300, kNow);
  EXPECT_EQ(waits(log, order_for("x.example.com")), "IssuerLimitDomain 168h1m");
  EXPECT_EQ(waits(log, renewal("x.example.com")), "IssuerLimitOrders 3h1m");
  const auto wait = wait_for_order(log, order_for("x.example.com"), kPublished, {}, kNow);
  EXPECT_EQ(wait->message, "limits.certificatesPerDomainPerWeek 50 is used up for example.com");
}

TEST(WaitForOrder, WhatIsFreeInOneMayBeUsedUpInAnother) {
  // The domain has room in an hour; by then the account has none for two more.
  OrderLog log = ordered(50, kNow - 7 * kDay + 1h - kMargin);
  const OrderLog busy = ordered(300, kNow + 1h - 1min, OrderKind::kRenewal);
  const auto at = kNow + 1h;
  log.insert(log.end(), busy.begin(), busy.end());
  EXPECT_EQ(waits(log, order_for("x.example.com"), at), "IssuerLimitOrders 3h");
}

TEST(WaitForOrder, AReplacementIsHeldUpByNothing) {
  OrderLog log = ordered(300, kNow);
  const auto more = repeated("x.example.com", std::vector<TimePoint>(9, kNow));
  log.insert(log.end(), more.begin(), more.end());
  EXPECT_EQ(waits(log, order_for("x.example.com", kNow, OrderKind::kReplacement)), "");
  EXPECT_EQ(waits(ordered(300, kNow, OrderKind::kReplacement), renewal("x.example.com")), "") << "nor does it count";
}

TEST(WaitForOrder, WhoIsAheadIsGrantedFirst) {
  // Two places of 50 come free, an hour apart.
  OrderLog log = ordered(48, kNow);
  log.push_back(order_for("first.example.com", kNow - 7 * kDay + 1h - kMargin));
  log.push_back(order_for("second.example.com", kNow - 7 * kDay + 2h - kMargin));
  const auto line = [](int count) {
    std::vector<OrderRecord> ahead;
    for (int i = 0; i < count; ++i) ahead.push_back(order_for("ahead" + std::to_string(i) + ".example.com"));
    return ahead;
  };
  EXPECT_EQ(waits(log, order_for("x.example.com"), kNow, kPublished, line(0)), "IssuerLimitDomain 1h");
  EXPECT_EQ(waits(log, order_for("x.example.com"), kNow, kPublished, line(1)), "IssuerLimitDomain 2h");
  EXPECT_EQ(waits(log, order_for("x.example.com"), kNow, kPublished, line(2)), "IssuerLimitDomain 168h1m");
  EXPECT_EQ(waits(log, renewal("x.example.com"), kNow, kPublished, line(2)), "") << "they wait for something else";
  EXPECT_EQ(waits(ordered(49, kNow), order_for("x.example.com"), kNow, kPublished, line(1)), "IssuerLimitDomain 168h1m")
      << "the last free place is theirs";
}

TEST(WaitForOrder, AClockThatWentBackCountsWhatItWroteAndStopsNothingForLong) {
  EXPECT_EQ(waits(repeated(edge(1), std::vector<TimePoint>(5, kNow + 2h)), renewal(edge(1))),
            "IssuerLimitDuplicates 168h1m");
  EXPECT_EQ(waits(repeated(edge(1), std::vector<TimePoint>(5, kNow + 8 * kDay)), renewal(edge(1))), "")
      << "no time at all";
}

// --- what is recorded

TEST(TakePlace, CountsFromThenOnAndForgetsWhatNoLimitCounts) {
  OrderLog log = ordered(3, kNow - 7 * kDay - kMargin);
  log.push_back(renewal("kept.example.com", kNow - 7 * kDay - kMargin + 1s));
  take_place(log, renewal("x.example.com"), kNow);
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log.front().names, std::set<std::string>{"kept.example.com"});
  EXPECT_EQ(log.back(), renewal("x.example.com"));
}

TEST(TakePlace, AnOrderWhoseAnswerWasLostIsOneOrderMoreAndNoCertificate) {
  OrderLog log = repeated(edge(1), std::vector<TimePoint>(4, kNow - kDay));
  take_place(log, renewal(edge(1)), kNow);
  EXPECT_EQ(waits(log, renewal(edge(1))), "") << "its own place is there for it";
  take_place(log, renewal(edge(1), kNow + 1min), kNow + 1min);
  EXPECT_EQ(std::ranges::count(log, OrderKind::kLost, &OrderRecord::kind), 1);
  OrderRecord next = renewal(edge(1));
  next.holder = "uid-edge1.example.com/2/0";
  EXPECT_EQ(waits(log, next, kNow + 1min), "IssuerLimitDuplicates 144h") << "five, whatever became of the answer";
  EXPECT_EQ(waits(log, renewal("x.example.com"), kNow + 1min, {.orders_per_3_hours = 2}), "IssuerLimitOrders 3h")
      << "two requests";
  take_place(log, next, kNow + 4h);
  EXPECT_EQ(std::ranges::count(log, OrderKind::kLost, &OrderRecord::kind), 0) << "no longer than an order counts";
}

TEST(TakePlace, WhatHasFailedAtTheCaStaysCounted) {
  OrderLog log;
  for (int tries = 0; tries < 5; ++tries) {
    OrderRecord order = renewal(edge(1));
    order.holder = "uid/2/" + std::to_string(tries);
    EXPECT_EQ(waits(log, order), "") << tries;
    take_place(log, order, kNow);
  }
  OrderRecord sixth = renewal(edge(1));
  sixth.holder = "uid/2/5";
  EXPECT_EQ(waits(log, sixth), "IssuerLimitDuplicates 168h1m");
}

TEST(GiveBack, OnlyWhatWasCertainlyNotOrderedIsFreeAgain) {
  OrderLog log;
  take_place(log, order_for(edge(1)), kNow);
  give_back(log, order_for(edge(1)));
  EXPECT_THAT(log, IsEmpty());
  // The first answer was lost, the second said no: the first may have come about.
  take_place(log, order_for(edge(1)), kNow);
  take_place(log, order_for(edge(1), kNow + 1min), kNow + 1min);
  give_back(log, order_for(edge(1), kNow + 1min));
  EXPECT_THAT(log, testing::ElementsAre(order_for(edge(1))));
  give_back(log, order_for("x.example.com"));
  EXPECT_THAT(log, SizeIs(1));
}

TEST(OrderLogText, IsReadAsItWasWritten) {
  OrderLog log{order_for(edge(1)), renewal(edge(2)), order_for(edge(3), kNow, OrderKind::kReplacement),
               order_for(edge(4), kNow, OrderKind::kLost)};
  log.front().names.insert("*.example.com");
  EXPECT_EQ(read_order_log(as_text(log)), log);
  EXPECT_EQ(as_text({order_for(edge(1))}),
            "2026-11-22T12:00:00Z new le/tls.key uid-edge1.example.com/1/0 edge1.example.com\n");
  EXPECT_THAT(read_order_log(""), IsEmpty());
  EXPECT_THAT(
      read_order_log("rubbish\n" + as_text({order_for(edge(1))}) + "2026 new a b c\n2026-11-22T12:00:00Z old a b c\n"),
      SizeIs(1));
}

// --- a CA that wants no orders

TEST(Refusal, TheCasWordIsTaken) {
  EXPECT_EQ(refusal({}, 90s, kNow).until, kNow + 90s);
  EXPECT_EQ(refusal({}, 33h, kNow).until, kNow + 33h);
  EXPECT_EQ(refusal({}, 0s, kNow).until, kNow + 1s);
  EXPECT_EQ(refusal({}, 24h * 365, kNow).until, kNow + 7 * kDay);
}

TEST(Refusal, WithoutAWordItIsLongerEachTime) {
  std::optional<api::RefusalStatus> last;
  std::vector<std::string> pauses;
  TimePoint now = kNow;
  for (int i = 0; i < 9; ++i) {
    last = refusal(last, {}, now);
    pauses.push_back(format_duration(last->until - last->at));
    now = last->until + 1min;
  }
  EXPECT_THAT(pauses, testing::ElementsAre("15m", "30m", "1h", "2h", "4h", "8h", "16h", "24h", "24h"));
  EXPECT_EQ(refusal(last, {}, last->until + kDay).until, last->until + kDay + 15min) << "that was another time";
  EXPECT_EQ(refusal(last, {}, last->at - 1h).until, last->at - 1h + 15min) << "the clock went back";
}

TEST(Refusal, IsOverAtItsTime) {
  api::AcmeIssuer issuer;
  EXPECT_FALSE(limited_until(issuer, kNow));
  issuer.status.last_refusal = api::RefusalStatus{.at = kNow, .until = kNow + 1h};
  EXPECT_EQ(limited_until(issuer, kNow), kNow + 1h);
  EXPECT_EQ(limited_until(issuer, kNow + 1h - 1ms), kNow + 1h);
  EXPECT_FALSE(limited_until(issuer, kNow + 1h));
  issuer.status.last_refusal->until = kNow + 30 * kDay;
  EXPECT_FALSE(limited_until(issuer, kNow)) << "a clock that ran ahead";
}

// --- a fleet, and its CA

Demand first(const std::string& name) { return {.account = "le/tls.key", .names = {name}}; }
Demand renewed(const std::string& name, api::Duration every, api::Duration left) {
  return {
      .kind = OrderKind::kRenewal, .account = "le/tls.key", .names = {name}, .expires = kNow + left, .every = every};
}
api::AcmeIssuer lets_encrypt(std::optional<api::IssuerLimits> limits = {}) {
  api::AcmeIssuer issuer;
  issuer.meta.name = "le";
  issuer.spec = issuer_at(kServer, limits);
  return issuer;
}
std::string short_of(const std::vector<Demand>& fleet, const api::AcmeIssuer& issuer = lets_encrypt(),
                     const OrderLog& log = {}) {
  const auto found = order_shortage(fleet, issuer, log, kNow);
  return found ? found->reason + ": " + found->message : "";
}

TEST(OrderShortage, FirstOrdersOfADomainBeyondAWeeksRoom) {
  std::vector<Demand> fleet;
  for (int i = 0; i < 50; ++i) fleet.push_back(first(edge(i)));
  EXPECT_EQ(short_of(fleet), "");
  for (int i = 50; i < 60; ++i) fleet.push_back(first(edge(i)));
  EXPECT_EQ(
      short_of(fleet),
      "IssuerLimitDomain: 60 certificates of example.com are ordered for the first time, and "
      "limits.certificatesPerDomainPerWeek 50 of AcmeIssuer le lets no more of them through in 7 days: it has to be "
      "60 at least");
  EXPECT_EQ(short_of(fleet, lets_encrypt(api::IssuerLimits{.certificates_per_domain_per_week = 60})), "");
  EXPECT_EQ(short_of(fleet, lets_encrypt(api::IssuerLimits{.certificates_per_domain_per_week = 0})), "");

  const OrderLog log = ordered(50, kNow - kDay);
  EXPECT_THAT(short_of(fleet, lets_encrypt(), log), HasSubstr("60 certificates of example.com")) << "each counts once";
  fleet.erase(fleet.begin(), fleet.begin() + 50);
  EXPECT_THAT(short_of(fleet, lets_encrypt(), log), HasSubstr("60 certificates of example.com"))
      << "those were ordered";
  EXPECT_EQ(short_of({}, lets_encrypt(), ordered(60, kNow)), "") << "nobody waits";
  EXPECT_EQ(short_of(fleet, lets_encrypt(), ordered(50, kNow - 7 * kDay)), "") << "a week ago";
}

TEST(OrderShortage, OneSetOfNamesInManyCertificates) {
  // Six Edges under one name, each renewed every four weeks or every three days.
  const auto six = [](api::Duration every) { return std::vector<Demand>(6, renewed(edge(1), every, 30 * kDay)); };
  EXPECT_EQ(short_of(six(28 * kDay)), "");
  EXPECT_EQ(
      short_of(six(3 * kDay)),
      "IssuerLimitDuplicates: the certificates for edge1.example.com take 14 orders in 7 days, and "
      "limits.duplicatesPerWeek 5 of AcmeIssuer le allows no more for one set of names: it has to be 14 at least");
  EXPECT_THAT(short_of(std::vector<Demand>(6, first(edge(1)))), HasSubstr("take 6 orders in 7 days"));
}

std::vector<Demand> fleet_of(int count, api::Duration every, api::Duration left) {
  std::vector<Demand> fleet;
  for (int i = 0; i < count; ++i) fleet.push_back(renewed(edge(i), every, left));
  return fleet;
}

TEST(OrderShortage, MoreRenewalsThanOrders) {
  const auto one = lets_encrypt(api::IssuerLimits{.new_orders_per_3_hours = 1});
  EXPECT_EQ(short_of(fleet_of(56, 7 * kDay, 30 * kDay), one), "") << "56 times three hours are a week";
  EXPECT_EQ(short_of(fleet_of(57, 7 * kDay, 30 * kDay), one),
            "IssuerLimitOrders: 57 renewals come to be due in 7 days, and limits.newOrdersPer3Hours 1 of AcmeIssuer le "
            "leaves room for 56: it has to be 2 at least");
  // They expire in six hours: at once, in three hours, in six.
  EXPECT_EQ(short_of(fleet_of(3, 60 * kDay, 6h), one), "");
  EXPECT_EQ(short_of(fleet_of(4, 60 * kDay, 6h), one),
            "IssuerLimitOrders: 4 certificates expire until 2026-11-22T18:00:00Z, and limits.newOrdersPer3Hours 1 of "
            "AcmeIssuer le leaves room for 3 orders before: it has to be 2 at least");
  auto replaced = fleet_of(4, 60 * kDay, 6h);
  for (auto& each : replaced) each.kind = OrderKind::kReplacement;
  EXPECT_EQ(short_of(replaced, one), "");
}

TEST(DemandOnCa, IsWhatItsStatusTells) {
  auto o = support::ready();
  const auto quiet = demand_on_ca(o.object, *o.issuer);
  ASSERT_TRUE(quiet);
  EXPECT_EQ(quiet->kind, OrderKind::kRenewal);
  EXPECT_EQ(quiet->every, *o.object.status.renewal_time - *o.object.status.not_before);
  EXPECT_EQ(quiet->expires, o.object.status.not_after);
  o.object.status.renewal_info = api::RenewalInfoStatus{.revision = 1};
  EXPECT_EQ(demand_on_ca(o.object, *o.issuer)->kind, OrderKind::kReplacement);
  o.object.spec.suspend = true;
  EXPECT_FALSE(demand_on_ca(o.object, *o.issuer));
  const auto made = support::fresh();
  EXPECT_EQ(demand_on_ca(made.object, *made.issuer)->kind, OrderKind::kNew);
  EXPECT_FALSE(demand_on_ca(support::sourced(support::ready(), support::chain(1)).object, *made.issuer));
}

}  // namespace
}  // namespace edgetrust::decide
