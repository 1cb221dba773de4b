// The second issuer: issuer_changed_over, and what its peers do not trust.
#include "edgetrust/decide/order_limits.hpp"
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;

constexpr auto kBroken = ErrorKind::kUnavailable;

// With a second issuer that may be asked now, `o` being about an order of the first.
Observation with_second(Observation o) {
  o.object.spec.fallback = api::Fallback{.issuer_ref = {"second"}, .when_remaining = 60 * 24h};
  api::AcmeIssuer second = *o.issuer;
  second.meta.name = "second";
  second.spec.server = "https://second.example/dir";
  o.other_issuer = std::make_shared<const api::AcmeIssuer>(std::move(second));
  return o;
}
// The same, the second one being asked.
Observation asking_second(Observation o) {
  o = with_second(std::move(o));
  std::swap(o.issuer, o.other_issuer);
  o.object.status.order->issuer = "second";
  return o;
}
void fails(Observation& o, int count) { o.failures = failed("NewOrder", kBroken, o.now, count); }

TEST(Fallback, WhenItIsAsked) {
  const auto away = [](auto& o) { fails(o, 8); };
  const auto came_to_nothing = [](auto& o) {
    o.object.status.order->failures = 1;
    o.object.status.order->last_error = "no";
    o.object.status.next_attempt = o.now + 1h;
  };
  const auto asleep = [](auto& o) {
    change(o.issuer, [&](auto& issuer) {
      issuer.status.last_refusal = api::RefusalStatus{.at = o.now, .until = o.now + 24h, .message = "too many"};
    });
  };
  const auto time_left = [](auto& o) { o.object.spec.fallback->when_remaining = 24h; };
  const std::string changed = "revision_issued Issuing/AskingOtherIssuer R +0s";
  check({
      {"nothing fails", with_second(ordering()), "revision_issued NewOrder Issuing/Ordering R"},
      {"it cannot be reached", with(with_second(ordering()), away), changed},
      {"a blip", with(with_second(ordering()), [](auto& o) { fails(o, 7); }),
       "revision_issued Issuing/IssuerUnavailable R +58s624ms"},
      {"an order came to nothing", with(with_second(ordering()), came_to_nothing), changed},
      {"there is time", with(with(with_second(ordering()), came_to_nothing), time_left),
       "revision_issued Issuing/OrderFailed R +1h"},
      {"it wants no orders", with(with_second(due()), asleep), changed},
      {"it is gone", with(with_second(ordering()), [](auto& o) { o.issuer.reset(); }), changed},
      {"the second's own order has just come to nothing, and the first wants none",
       with(with(with_second(ordering()), came_to_nothing),
            [&](auto& o) {
              o.object.status.order->issuer = "ca";
              asleep(o);
            }),
       "revision_issued Issuing/OrderFailed R +1h"},
      {"its DNS fails",
       with(with_second(ordered(ports::OrderStatus::kPending)),
            [](auto& o) { o.failures = failed("PresentRecord", kBroken, o.now, 8); }),
       "revision_issued Issuing/OrderFailed R +0s"},
      {"the second wants no orders either",
       with(with(with_second(due()), asleep),
            [](auto& o) {
              change(o.other_issuer, [&](auto& issuer) {
                issuer.status.last_refusal =
                    api::RefusalStatus{.at = o.now, .until = o.now + 24h, .message = "too many"};
              });
            }),
       "revision_issued Waiting/IssuerLimited +24h"},
      {"there is no second", with(ordering(), came_to_nothing), "revision_issued Issuing/OrderFailed R +1h"},
      {"the second is not there",
       with(with(with_second(ordering()), came_to_nothing), [](auto& o) { o.other_issuer.reset(); }),
       "revision_issued Issuing/OrderFailed R +1h"},
      {"the second has no solver for a name",
       with(with(with_second(ordering()), came_to_nothing),
            [](auto& o) { change(o.other_issuer, [](auto& issuer) { issuer.spec.solvers.clear(); }); }),
       "revision_issued Issuing/OrderFailed R +1h"},
      {"a certificate of the second was rejected",
       with(with(with_second(ordering()), came_to_nothing),
            [](auto& o) {
              o.revisions[1].server = "https://second.example/dir";
              o.revisions[1].marked_rejected = true;
            }),
       "revision_issued Issuing/OrderFailed R +1h"},
      {"the second cannot be reached either", with(asking_second(ordering()), away), changed},
      {"the second fails now and then", with(asking_second(ordering()), [](auto& o) { fails(o, 1); }),
       "revision_issued Issuing/IssuerUnavailable R +916ms"},
  });
}

// What an issuer cannot prove is no work for it, whether it is the one that is asked now or the other.
TEST(Fallback, AnIssuerThatCannotProveTheNamesIsNoHelp) {
  const auto came_to_nothing = [](Observation o) {
    o.object.status.order->failures = 1;
    o.object.status.order->last_error = "no";
    o.object.status.next_attempt = o.now + 1h;
    return o;
  };
  const auto by_http = [](auto& issuer) { issuer.spec.solvers = {api::Solver{.http01 = api::Http01Solver{}}}; };
  const auto with_address = [&](Observation o, auto Observation::*proved_by) {
    o.object.spec.ip_addresses = {"192.0.2.7"};
    o.serves_http01 = true;
    change(o.*proved_by, by_http);
    return o;
  };
  const auto unserved = [&](Observation o, auto Observation::*issuer) {
    change(o.*issuer, by_http);
    return o;
  };
  const auto time_left = [](auto& o) { o.object.spec.fallback->when_remaining = 24h; };
  const std::string changed = "revision_issued Issuing/AskingOtherIssuer R +0s";
  const std::string waits = "revision_issued Issuing/OrderFailed R +1h";
  constexpr auto kAsked = &Observation::issuer;
  constexpr auto kOther = &Observation::other_issuer;
  check({
      {"the second proves no address", with_address(came_to_nothing(with_second(ordering())), kAsked), waits},
      {"nobody gives the second's answers", unserved(came_to_nothing(with_second(ordering())), kOther), waits},
      {"it was asked, and proves no address", with_address(asking_second(ordering()), kOther), changed},
      {"it was asked, and nobody gives its answers any more", unserved(asking_second(ordering()), kAsked), changed},
      {"neither can", unserved(unserved(asking_second(ordering()), kAsked), kOther),
       "revision_issued Issuing/NoHttpEndpoint R"},
      {"nobody gives the first's answers any more", unserved(with_second(due()), kAsked), changed},
      {"of an order that it has either", unserved(with_second(ordered(ports::OrderStatus::kPending)), kAsked),
       "revision_issued Issuing/OrderFailed R +0s"},
      {"and there is time", with(unserved(with_second(due()), kAsked), time_left),
       "revision_issued Issuing/NoHttpEndpoint R +432h"},
      {"it is gone, and there is time", with(with(with_second(due()), time_left), [](auto& o) { o.issuer.reset(); }),
       "revision_issued Issuing/IssuerNotFound R +432h"},
      {"the second has just failed, and a person wants one now",
       with(came_to_nothing(unserved(with_second(ordering()), kAsked)),
            [](auto& o) {
              o.object.status.order->issuer = "ca";
              annotate(o, api::kRenewRequestedAt);
            }),
       "revision_issued Issuing/NoHttpEndpoint R +1h"},
  });
}

// A limit that is kept here: the second one has room only where it has no limits, or both would be asked in turn.
TEST(Fallback, IsAskedForALimitOnlyWhereItHasNone) {
  Observation o = with_second(due());
  const auto limited = [](auto& issuer) { issuer.spec.limits = api::IssuerLimits{.duplicates_per_week = 1}; };
  change(o.issuer, limited);
  o.orders = std::make_shared<const OrderLog>(OrderLog{{.at = o.now - 1h,
                                                        .kind = OrderKind::kRenewal,
                                                        .account = account_of(o.issuer->spec),
                                                        .holder = "another",
                                                        .names = {kName}}});
  EXPECT_EQ(decided(o), "revision_issued Issuing/AskingOtherIssuer R +0s");
  change(o.other_issuer, limited);
  EXPECT_EQ(decided(o), "revision_issued Waiting/IssuerLimitDuplicates +167h1m");
}

TEST(Fallback, AfterAnOrderThatCameToNothingItIsTheOthersTurn) {
  const auto invalid = [](Observation o) {
    o.object.status.order->url = kOrderUrl;
    o.order = OrderLook{order(ports::OrderStatus::kInvalid), o.now};
    return decide(o).status.order->issuer;
  };
  EXPECT_EQ(invalid(with_second(ordering())), "") << "asked again, or the second at once";
  EXPECT_EQ(invalid(asking_second(ordering())), "ca");
}

TEST(Fallback, WhatItHasLeftIsCleanedUpWhereItWasOrdered) {
  Observation o = asking_second(ordering());
  o.object.status.order->records = {kRecord};
  const Decision cleaning = decide(o);
  EXPECT_EQ(name_of(*cleaning.effect), "RemoveRecord");
  EXPECT_EQ(cleaning.status.order->issuer, "second");
  o.removed = {record_id(kRecord)};
  EXPECT_EQ(decide(o).status.order->issuer, "ca");
}

TEST(Fallback, AnOrderThatNobodyCanGoOnWithIsGivenUp) {
  Observation o = with_second(ordering());
  o.object.status.order->url = kOrderUrl;
  o.failures = failed("LookAtOrder", kBroken, o.now, 8);
  const Decision decision = decide(o);
  EXPECT_EQ(reason_in(decision.status), "OrderFailed");
  EXPECT_TRUE(decision.status.order->url.empty());
  EXPECT_EQ(decision.status.order->failures, 1);
  EXPECT_EQ(decision.status.order->revision, 3) << "its key may have a certificate";
}

// The first one is deleted while it has the order.
TEST(Fallback, AnOrderOfAnIssuerThatIsGoneIsGivenUp) {
  Observation o = with_second(ordered(ports::OrderStatus::kPending));
  o.object.status.order->server = o.issuer->spec.server;
  o.issuer.reset();
  const Decision decision = decide(o);
  EXPECT_EQ(reason_in(decision.status), "OrderFailed");
  EXPECT_TRUE(decision.status.order->url.empty());
}

TEST(Fallback, WhatThePeersDoNotTrustIsGivenUpAndNotOrderedAgain) {
  Observation o = with_second(deliverable());
  o.revisions[2].server = "https://second.example/dir";
  change(o.edge, [](api::Edge& edge) { edge.spec.sip.peers = {{.name = "sbc-1"}}; });
  o.peers = PeersLook{.revision = 2,
                      .edge_generation = o.edge->meta.generation,
                      .peers = {{"sbc-1", Answer::kNo, "its root is missing"}},
                      .at = o.now};
  const Decision decision = decide(o);
  EXPECT_EQ(reason_in(decision.status), "FallbackNotTrusted");
  EXPECT_EQ(decision.status.history.front().result, api::RevisionResult::kRejected);
  EXPECT_EQ(decision.status.history.front().revision, 2);
  // Of the first one the same is waited for: a person loads the root.
  o.revisions[2].server = o.issuer->spec.server;
  EXPECT_EQ(reason_in(decide(o).status), "PeerDoesNotTrust");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
