// What an order waits for at the CA: rules/limits.cpp, ca_limits.cpp.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using testing::HasSubstr;

void limit(Observation& o, api::IssuerLimits limits) {
  change(o.issuer, [&](api::AcmeIssuer& issuer) { issuer.spec.limits = limits; });
}
void log(Observation& o, OrderLog orders) { o.orders = std::make_shared<const OrderLog>(std::move(orders)); }
// So many orders for these names, all of them then.
OrderLog orders_before(const Observation& o, int count, TimePoint at, OrderKind kind = OrderKind::kRenewal) {
  OrderLog all;
  for (int i = 0; i < count; ++i)
    all.push_back(
        {.at = at, .kind = kind, .account = account_of(o.issuer->spec), .holder = std::to_string(i), .names = {kName}});
  return all;
}
// Two were ordered an hour ago, which is as many as may be.
Observation used_up(Observation o) {
  limit(o, {.duplicates_per_week = 2});
  log(o, orders_before(o, 2, o.now - 1h));
  return o;
}
Observation with_refusal(Observation o, api::Duration left) {
  change(o.issuer, [&](api::AcmeIssuer& issuer) {
    issuer.status.last_refusal =
        api::RefusalStatus{.at = o.now - 1h, .until = o.now + left, .message = "too many new orders"};
  });
  return o;
}

TEST(WaitForIssuer, NothingIsBegunWithoutAPlace) {
  check({{"before the key is made", used_up(due()), "revision_issued Waiting/IssuerLimitDuplicates +167h1m"},
         {"a first certificate", used_up(with(fresh(), [](auto& o) { o.look = empty_look(); })),
          "revision_issued Waiting/IssuerLimitDuplicates R +167h1m"},
         {"with its key", used_up(ordering()), "revision_issued Waiting/IssuerLimitDuplicates +167h1m"},
         {"asked for by annotation", used_up(with(ready(), [](auto& o) { annotate(o, api::kRenewRequestedAt); })),
          "revision_issued Waiting/IssuerLimitDuplicates +167h1m"},
         {"an order that the CA has goes on", used_up(ordered(ports::OrderStatus::kReady)),
          "revision_issued FinalizeOrder Issuing/Finalizing R"},
         {"one that is answered and not written down",
          used_up(with(ordering(), [](auto& o) { o.new_order_url = kOrderUrl; })),
          "revision_issued Issuing/Ordered R +0s"},
         {"with a place left", with(used_up(ordering()), [](auto& o) { limit(o, {.duplicates_per_week = 3}); }),
          "revision_issued NewOrder Issuing/Ordering R"},
         {"without limits", with(used_up(ordering()), [](auto& o) { limit(o, {}); }),
          "revision_issued NewOrder Issuing/Ordering R"},
         {"a quiet one asks nothing", used_up(ready()), "rest Ready/Ready +renewal"}});
}

TEST(WaitForIssuer, SaysWhichLimitAndFromWhenItCanBeOrdered) {
  const Observation o = used_up(due());
  const Decision decision = decide(o);
  const std::string from = format_rfc3339(o.now + 167h + 1min);
  const auto* said = api::said(decision.status.conditions);
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->message, "AcmeIssuer ca: limits.duplicatesPerWeek 2 is used up for these names (" + kName +
                               "); it can be ordered from " + from + " on");
  EXPECT_EQ(decision.status.next, "orders " + from);
  EXPECT_FALSE(decision.status.order) << "nothing is begun";
}

TEST(WaitForIssuer, ARequestStandsUntilItIsActedOn) {
  Observation o = used_up(with(ready(), [](auto& made) { annotate(made, api::kRenewRequestedAt); }));
  o.object.status = decide(o).status;
  EXPECT_FALSE(o.object.status.handled_requests);
  o.now += 167h + 1min;
  EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R");
}

TEST(WaitForIssuer, ACaThatWantsNoOrdersGetsNone) {
  check({{"before the key is made", with_refusal(due(), 2h), "revision_issued Waiting/IssuerLimited +2h"},
         {"with its key", with_refusal(ordering(), 2h), "revision_issued Waiting/IssuerLimited +2h"},
         {"an order that the CA has goes on", with_refusal(ordered(ports::OrderStatus::kReady), 2h),
          "revision_issued FinalizeOrder Issuing/Finalizing R"},
         {"it is over", with_refusal(ordering(), 0h), "revision_issued NewOrder Issuing/Ordering R"}});
  EXPECT_THAT(api::said(decide(with_refusal(due(), 2h)).status.conditions)->message,
              HasSubstr("the CA of AcmeIssuer ca wants no orders: too many new orders"));
}

OrderRecord place_of(const Observation& o) {
  return std::get<effect::NewOrder>(decide(o).effect.value()).place.value();
}
OrderKind kind_of_order(const Observation& o) { return place_of(o).kind; }

TEST(NewOrder, IsRecordedAsWhatTheCaWillTakeItFor) {
  Observation o = ordering();
  limit(o, {.duplicates_per_week = 5});
  log(o, {});
  EXPECT_EQ(kind_of_order(o), OrderKind::kNew) << "nobody knows that this CA has issued what is served";
  o.revisions[1].server = o.issuer->spec.server;
  o.revisions[1].asked_for = {"EDGE01.example.com"};
  EXPECT_EQ(kind_of_order(o), OrderKind::kRenewal) << "it is not known that the CA takes replacements";
  o.object.status.renewal_info = api::RenewalInfoStatus{.revision = 1};
  EXPECT_EQ(kind_of_order(o), OrderKind::kReplacement);
  o.object.status.order->replaces_refused = true;
  EXPECT_EQ(kind_of_order(o), OrderKind::kRenewal) << "this one it does not take";
  o.revisions[1].asked_for = {"sip.example.com"};
  EXPECT_EQ(kind_of_order(o), OrderKind::kNew) << "the names are others";
  limit(o, {});
  EXPECT_FALSE(std::get<effect::NewOrder>(decide(o).effect.value()).place) << "without limits nothing is recorded";
}

TEST(NewOrder, EachTryThatTheCaHasTakenIsAPlaceOfItsOwn) {
  Observation o = ordering();
  limit(o, {.duplicates_per_week = 5});
  log(o, {});
  const std::string first = place_of(o).holder;
  o.now += 1h;
  EXPECT_EQ(place_of(o).holder, first) << "tried again without an answer";
  o.object.status.order->failures = 1;
  EXPECT_NE(place_of(o).holder, first) << "the first came to nothing";
}

// --- the line

std::shared_ptr<const api::EdgeCertificate> waiting(const std::string& name, std::optional<TimePoint> expires,
                                                    std::string_view reason) {
  auto one = std::make_shared<api::EdgeCertificate>(named<api::EdgeCertificate>(name));
  one->meta.uid = "uid-" + name;
  one->spec.issuer_ref = api::IssuerRef{.name = "ca"};
  one->spec.dns_names = {name + ".example.com"};
  one->status.phase = api::Phase::kWaiting;
  one->status.not_after = expires;
  api::set(one->status.conditions,
           {.type = "Ready", .status = api::Truth::kFalse, .reason = std::string(reason), .message = "waits"}, kNow);
  return one;
}

TEST(WaitForIssuer, WhatExpiresFirstGoesFirst) {
  Observation o = ordering();
  limit(o, {.new_orders_per_3_hours = 1});
  log(o, {});
  const auto with_other = [&](std::optional<TimePoint> expires, std::string_view reason) {
    Observation seen = o;
    seen.fleet.members = {{.certificate = waiting("other", expires, reason), .edge = nullptr, .issuer = o.issuer}};
    return seen;
  };
  const TimePoint end = *o.object.status.not_after;
  EXPECT_EQ(decided(with_other(end - 1h, kOrdersLimit)), "revision_issued Waiting/IssuerLimitOrders +3h1m");
  EXPECT_EQ(decided(with_other(end - 1h, kIssuerLimited)), "revision_issued Waiting/IssuerLimitOrders +3h1m");
  EXPECT_EQ(decided(with_other({}, kOrdersLimit)), "revision_issued Waiting/IssuerLimitOrders +3h1m")
      << "what serves nothing of ours comes first";
  EXPECT_EQ(decided(with_other(end + 1h, kOrdersLimit)), "revision_issued NewOrder Issuing/Ordering R");
  EXPECT_EQ(decided(with_other(end - 1h, "WaitingForWindow")), "revision_issued NewOrder Issuing/Ordering R");
  Observation stuck = with_other(end - 1h, kOrdersLimit);
  stuck.fleet.members[0].stuck = true;
  EXPECT_EQ(decided(stuck), "revision_issued NewOrder Issuing/Ordering R");
  Observation elsewhere = with_other(end - 1h, kOrdersLimit);
  change(elsewhere.fleet.members[0].issuer,
         [](api::AcmeIssuer& issuer) { issuer.spec.server = "https://other.example/dir"; });
  EXPECT_EQ(decided(elsewhere), "revision_issued NewOrder Issuing/Ordering R");
  Observation shared = with_other(end - 1h, kOrdersLimit);
  change(shared.fleet.members[0].issuer, [](api::AcmeIssuer& issuer) { issuer.meta.name = "the-same-account"; });
  EXPECT_EQ(decided(shared), "revision_issued Waiting/IssuerLimitOrders +3h1m");
}

// --- too late

TEST(Infeasible, TheCaTakesItsOrderOnlyAfterTheExpiry) {
  Observation o = used_up(due());
  EXPECT_EQ(api::find(decide(o).status.conditions, api::condition::kInfeasible), nullptr);
  o.now = *o.object.status.not_after - 6 * 24h;
  log(o, orders_before(o, 2, o.now - 1h));
  const auto status = decide(o).status;
  const auto* said = api::find(status.conditions, api::condition::kInfeasible);
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->reason, "IssuerLimitDuplicates");
  EXPECT_THAT(said->message, HasSubstr("expires before it could be replaced"));
}

// --- who asks

TEST(AsksForOrders, OnlyWhoWantsToOrderOfACaWithLimits) {
  EXPECT_FALSE(asks_for_orders(due()));
  const auto limited = [](Observation o) {
    limit(o, {.duplicates_per_week = 5});
    return asks_for_orders(o);
  };
  EXPECT_TRUE(limited(due()));
  EXPECT_TRUE(limited(ordering()));
  EXPECT_TRUE(limited(fresh()));
  EXPECT_FALSE(limited(ready()));
  EXPECT_FALSE(limited(ordered(ports::OrderStatus::kPending)));
  EXPECT_FALSE(limited(deliverable()));
  EXPECT_FALSE(limited(sourced(ready(), chain(1))));
}

}  // namespace
}  // namespace edgetrust::decide::certificate
