// The limits of a CA, with the real engine: many EdgeCertificates that want to be ordered at once, an outage, a CA that
// wants no orders, crashes, two operators. The CA of these stories counts by itself, over windows that slide.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/order_limits.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "simulation/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using When = Moments::When;

constexpr auto kDay = 24h;
const api::ObjectKey kIssuer{"voice", "le"};

Error rate_limited(std::optional<std::chrono::seconds> retry_after) {
  return {.kind = ErrorKind::kRateLimited,
          .what = "rateLimited: too many",
          .code = "urn:ietf:params:acme:error:rateLimited",
          .retry_after = retry_after};
}

// A CA as strict as it may be.
class Counter {
 public:
  explicit Counter(World& world, api::IssuerLimits limits) : world_(world), limits_(limits) {
    world.objection_to_order = [this](const ports::OrderRequest& request) { return judge(request); };
  }
  std::function<std::optional<Error>()> trouble = [] { return std::optional<Error>{}; };
  std::vector<TimePoint> asked;   // every request
  std::vector<TimePoint> orders;  // that it took
  std::vector<std::string> hits;  // that exceeded a limit

  [[nodiscard]] int orders_since(TimePoint from) const {
    return static_cast<int>(std::ranges::count_if(orders, [&](TimePoint at) { return at >= from; }));
  }

 private:
  std::optional<Error> judge(const ports::OrderRequest& request) {
    const TimePoint now = world_.clock.now();
    asked.push_back(now);
    if (auto error = trouble()) return error;
    const std::string& name = request.dns_names.front();
    const bool is_new = !issued_.contains(name);
    const bool fits =
        has_room("", limits_.new_orders_per_3_hours, 3h) &&
        (!is_new || has_room(decide::registered_domain(name), limits_.certificates_per_domain_per_week, 7 * kDay)) &&
        has_room(name, limits_.duplicates_per_week, 7 * kDay);
    if (!fits) {
      hits.push_back(format_rfc3339(now) + " " + name);
      return rate_limited(1h);
    }
    orders.push_back(now);
    taken_[""].push_back(now);
    taken_[name].push_back(now);
    if (is_new) taken_[decide::registered_domain(name)].push_back(now);
    issued_.insert(name);
    return std::nullopt;
  }
  bool has_room(const std::string& budget, std::optional<int> limit, std::chrono::hours window) {
    auto& taken = taken_[budget];
    std::erase_if(taken, [&](TimePoint at) { return at + window <= world_.clock.now(); });
    return !limit || std::ssize(taken) < *limit;
  }
  World& world_;
  api::IssuerLimits limits_;
  std::map<std::string, std::vector<TimePoint>> taken_;
  std::set<std::string> issued_;
};

// Many EdgeCertificates of one issuer. What is issued is not delivered: their Edges are no part of this.
class Story {
 public:
  Story(int count, api::IssuerLimits limits) : ca(world, limits) {
    api::AcmeIssuer issuer = *world.issuers.get(kIssuer);
    issuer.spec.limits = limits;
    world.issuers.put(issuer);
    auto connection = *world.connections.get({"voice", "prod"});
    connection.spec.certificate_upload.reset();
    world.connections.put(connection);
    const api::EdgeCertificate model = *world.certificates.get({"voice", "edge01"});
    const api::Edge edge = *world.edges.get({"voice", "edge01"});
    world.certificates.erase({"voice", "edge01"});
    for (int i = 0; i < count; ++i) add(model, edge, i);
  }
  World world;
  Counter ca;

  // All passes until then, of certificates and issuer, in the order of their time.
  void run(std::chrono::milliseconds ahead) {
    const TimePoint end = world.clock.now() + ahead;
    while (step(end)) {
    }
    if (world.clock.now() < end) world.clock.advance(end - world.clock.now());
  }
  // The operator dies with all it remembers, and comes back.
  void restart() {
    engine_.reset();
    issuers_.reset();
    for (auto& [key, due] : due_) due = world.clock.now();
  }
  [[nodiscard]] int with_reason(std::string_view reason) const {
    return static_cast<int>(std::ranges::count_if(world.certificates.list("voice"), [&](const auto& one) {
      return api::reason_said(one->status.conditions) == reason;
    }));
  }
  [[nodiscard]] int issued() const { return with_reason("NoDeliveryChannel"); }
  [[nodiscard]] std::string order_log() const {
    for (const auto& [name, text] : world.secret_texts()) {
      if (name.starts_with("edgetrust-orders-")) return text;
    }
    return {};
  }

 private:
  void add(api::EdgeCertificate certificate, api::Edge edge, int number) {
    const std::string name = "edge" + std::to_string(100 + number);
    certificate.meta.name = edge.meta.name = name;
    certificate.meta.uid = "uid-" + name;
    edge.meta.uid = "uid-edge-" + name;
    edge.spec.sip.host = name + ".example.com";
    certificate.spec.edge_ref.name = name;
    certificate.spec.dns_names = {edge.spec.sip.host};
    world.edges.put(edge);
    world.certificates.put(certificate);
    due_[certificate.meta.key()] = world.clock.now();
  }
  bool step(TimePoint end) {
    const auto next = std::ranges::min_element(due_, {}, [](const auto& one) { return one.second; });
    const TimePoint at = std::min(next->second, issuer_due_);
    if (at > end) return false;
    if (at > world.clock.now()) world.clock.advance(at - world.clock.now());
    if (!engine_) engine_ = std::make_unique<reconcile::CertificateReconciler>(world.ports());
    if (!issuers_) issuers_ = std::make_unique<reconcile::IssuerReconciler>(world.ports());
    try {
      if (issuer_due_ <= at) {
        issuer_due_ = issuers_->reconcile(kIssuer, {}).wake_at.value_or(TimePoint::max());
        return true;
      }
      const auto before = world.issuers.get(kIssuer);
      const reconcile::Outcome outcome = engine_->reconcile(next->first, {});
      next->second = outcome.error ? world.clock.now() + 1s : outcome.wake_at.value_or(TimePoint::max());
      if (world.issuers.get(kIssuer) != before) issuer_due_ = world.clock.now();
    } catch (const Crash&) {
      restart();
      world.clock.advance(3s);
    }
    return true;
  }
  std::unique_ptr<reconcile::CertificateReconciler> engine_;
  std::unique_ptr<reconcile::IssuerReconciler> issuers_;
  std::map<api::ObjectKey, TimePoint> due_;
  TimePoint issuer_due_ = TimePoint::min();
};

TEST(Limits, FirstOrdersOfALargeDomainComeWeekByWeek) {
  Story story(12, {.certificates_per_domain_per_week = 5});
  story.run(1h);
  EXPECT_EQ(story.issued(), 5);
  EXPECT_EQ(story.with_reason(decide::kDomainLimit), 7);
  story.restart();
  story.run(6 * kDay);
  EXPECT_EQ(story.ca.orders.size(), 5U) << "a restart forgets nothing";
  EXPECT_EQ(story.ca.asked.size(), 5U) << "and nobody is asked";
  story.run(2 * kDay);
  EXPECT_EQ(story.issued(), 10);
  story.run(7 * kDay);
  EXPECT_EQ(story.issued(), 12);
  EXPECT_THAT(story.ca.hits, IsEmpty());
}

TEST(Limits, OrdersOfAnAccountAreSpreadOverItsWindows) {
  Story story(25, {.new_orders_per_3_hours = 10});
  story.run(1h);
  EXPECT_EQ(story.issued(), 10);
  story.run(3h);
  EXPECT_EQ(story.issued(), 20);
  story.run(3h);
  EXPECT_EQ(story.issued(), 25);
  EXPECT_THAT(story.ca.hits, IsEmpty());
}

TEST(Limits, ADeletedCertificateHasBeenOrdered) {
  Story story(3, {.certificates_per_domain_per_week = 3});
  story.run(1h);
  ASSERT_EQ(story.issued(), 3);
  api::EdgeCertificate next = *story.world.certificates.get({"voice", "edge100"});
  story.world.certificates.erase(next.meta.key());
  next.meta.uid = "uid-recreated";
  next.status = {};
  next.spec.dns_names = {"another.example.com"};
  story.world.certificates.put(next);
  story.restart();
  story.run(6 * kDay);
  EXPECT_EQ(story.ca.asked.size(), 3U);
  EXPECT_EQ(story.with_reason(decide::kDomainLimit), 1);
  story.run(2 * kDay);
  EXPECT_EQ(story.ca.orders.size(), 4U);
  EXPECT_THAT(story.ca.hits, IsEmpty());
}

// Half of all orders of one certificate fail at the CA, which counts them all the same.
TEST(Limits, NeverASixthOrderForASetOfNamesInSevenDays) {
  Story story(1, {.duplicates_per_week = 5});
  story.world.refused_orders = 1000;
  story.run(30 * kDay);
  EXPECT_GE(story.ca.orders.size(), 15U);
  EXPECT_THAT(story.ca.hits, IsEmpty());
}

TEST(Limits, AnOutageOfTheCaEndsWithoutABurst) {
  Story story(40, {.new_orders_per_3_hours = 10, .duplicates_per_week = 5});
  const TimePoint over = story.world.clock.now() + 12h;
  story.ca.trouble = [&]() -> std::optional<Error> {
    if (story.world.clock.now() >= over) return std::nullopt;
    return Error{.kind = ErrorKind::kUnavailable, .what = "serverInternal"};
  };
  story.run(6h);
  story.restart();
  story.run(6h - 1min);
  EXPECT_EQ(story.issued(), 0);
  EXPECT_THAT(story.ca.orders, IsEmpty());
  EXPECT_THAT(story.order_log(), IsEmpty()) << "what was certainly not ordered is given back";
  story.run(1h);
  EXPECT_EQ(story.ca.orders_since(over), 10) << "as much as a window has room for, and no more";
  story.run(10h);
  EXPECT_EQ(story.issued(), 40);
  EXPECT_THAT(story.ca.hits, IsEmpty());
}

// Nobody knows whether such an order came about; the CA did not take it, and the certificate is not held up for a week.
TEST(Limits, AnOutageInWhichNoAnswerComesUsesUpNoCertificates) {
  Story story(1, {.duplicates_per_week = 5});
  const TimePoint over = story.world.clock.now() + kDay;
  story.ca.trouble = [&]() -> std::optional<Error> {
    if (story.world.clock.now() >= over) return std::nullopt;
    return Error{.kind = ErrorKind::kTimeout, .what = "no answer", .maybe_executed = true};
  };
  story.run(kDay + 1h);
  EXPECT_GE(story.ca.asked.size(), 50U);
  EXPECT_EQ(story.issued(), 1);
}

TEST(Limits, ACaThatWantsNoOrdersIsLeftAloneUntilItsTime) {
  Story story(8, {});
  int refusals = 0;
  story.ca.trouble = [&]() -> std::optional<Error> {
    if (story.ca.asked.size() < 4 || refusals > 0) return std::nullopt;
    ++refusals;
    return rate_limited(2h);
  };
  story.run(10min);
  const TimePoint refused = story.ca.asked.at(3);
  EXPECT_EQ(story.ca.asked.size(), 4U);
  EXPECT_EQ(story.with_reason(decide::kIssuerLimited), 5) << "all that are not ordered yet";
  const auto issuer = story.world.issuers.get(kIssuer);
  EXPECT_EQ(issuer->status.limited_until, format_rfc3339(refused + 2h));
  const auto last = story.world.certificates.get({"voice", "edge107"});
  EXPECT_EQ(last->status.next, "orders " + format_rfc3339(refused + 2h));
  EXPECT_THAT(api::said(last->status.conditions)->message, HasSubstr("wants no orders: rateLimited: too many"));
  story.restart();
  story.run(refused + 2h - 1min - story.world.clock.now());
  EXPECT_EQ(story.ca.asked.size(), 4U) << "a restart forgets nothing";
  story.run(10min);
  EXPECT_EQ(story.issued(), 8);
  EXPECT_EQ(story.world.issuers.get(kIssuer)->status.limited_until, "");
}

TEST(Limits, WithoutATimeACaIsAskedLessAndLessOften) {
  Story story(8, {});
  story.ca.trouble = [] { return std::optional(rate_limited({})); };
  story.run(kDay);
  EXPECT_LE(story.ca.asked.size(), 8U) << "a quarter of an hour, half an hour, an hour, …";
  EXPECT_EQ(story.with_reason(decide::kIssuerLimited), 8);
  story.ca.trouble = [] { return std::optional<Error>{}; };
  story.run(kDay);
  EXPECT_EQ(story.issued(), 8);
}

TEST(Limits, WhatIsNotTheCasOwnWordIsWaitedForByOneAlone) {
  Story story(2, {});
  story.ca.trouble = [&]() -> std::optional<Error> {
    if (story.ca.asked.size() > 1) return std::nullopt;
    return Error{.kind = ErrorKind::kRateLimited, .what = "HTTP 429 without a problem document", .retry_after = 24h};
  };
  story.run(1h);
  EXPECT_EQ(story.issued(), 1);
  EXPECT_FALSE(story.world.issuers.get(kIssuer)->status.last_refusal);
}

TEST(Limits, AChangedIssuerIsANewStart) {
  Story story(2, {});
  story.ca.trouble = [] { return std::optional(rate_limited(24h)); };
  story.run(1h);
  ASSERT_EQ(story.with_reason(decide::kIssuerLimited), 2);
  story.ca.trouble = [] { return std::optional<Error>{}; };
  api::AcmeIssuer issuer = *story.world.issuers.get(kIssuer);
  ++issuer.meta.generation;
  story.world.issuers.put(issuer);
  story.restart();
  reconcile::IssuerReconciler(story.world.ports()).reconcile(kIssuer, {});
  story.run(1h);
  EXPECT_EQ(story.issued(), 2);
}

// --- crashes, and two at once

TEST(Limits, ACrashAtAnyChangeExceedsNothing) {
  constexpr api::IssuerLimits kLimits{
      .new_orders_per_3_hours = 2, .certificates_per_domain_per_week = 2, .duplicates_per_week = 2};
  int changes = 0;
  {
    Story whole(3, kLimits);
    whole.run(8 * kDay);
    ASSERT_EQ(whole.issued(), 3);
    changes = whole.world.moments.count();
  }
  for (int change = 1; change <= changes; ++change) {
    for (const When when : {When::kBefore, When::kAfter}) {
      Story story(3, kLimits);
      story.world.moments.crash_at(change, when);
      story.run(16 * kDay);
      const std::string where =
          std::to_string(change) + " " + story.world.moments.log.at(static_cast<std::size_t>(change) - 1);
      EXPECT_TRUE(story.world.moments.has_crashed()) << where;
      EXPECT_EQ(story.issued(), 3) << where;
      EXPECT_THAT(story.ca.hits, IsEmpty()) << where;
    }
  }
}

TEST(Limits, TwoOperatorsCannotBothTakeTheLastPlace) {
  Story story(3, {.certificates_per_domain_per_week = 2});
  reconcile::CertificateReconciler other(story.world.ports());
  const api::ObjectKey theirs{"voice", "edge102"};
  bool done = false;
  story.world.before_updating([&](const std::string& name) {
    // One of the two places is taken, and somebody is about to write that he has the other.
    if (done || !name.starts_with("edgetrust-orders-")) return;
    done = true;
    for (int passes = 0; passes < 20 && story.ca.orders.size() < 2; ++passes) other.reconcile(theirs, {});
  });
  story.run(1h);
  EXPECT_TRUE(done);
  EXPECT_EQ(story.ca.orders.size(), 2U);
  EXPECT_THAT(story.ca.hits, IsEmpty());
  EXPECT_EQ(story.with_reason(decide::kDomainLimit), 1);
}

}  // namespace
}  // namespace edgetrust::simulation
