// What a plan says of one EdgeCertificate in each of the situations that the rules know.
#include "edgetrust/forecast/plan.hpp"

#include "support/observations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::forecast {
namespace {

using namespace std::chrono_literals;
using namespace support;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kDay = 24h;

// As an operator that has just started sees it.
Situation starting_from(Observation o) {
  crash(o);
  return {.now = o.now, .certificates = {std::move(o)}, .slots = {}};
}
Plan plan_of(Observation o, std::chrono::milliseconds ahead) {
  const TimePoint until = o.now + ahead;
  return plan(starting_from(std::move(o)), until);
}
void set_policy(Observation& o, const std::function<void(api::RotationPolicy&)>& what) {
  change(o.policy, [&](api::RotationPolicy& policy) {
    policy.meta = {.ns = o.object.meta.ns, .name = "default", .uid = "uid-policy"};
    what(policy);
  });
}

TEST(Plan, AQuietCertificateIsRotatedWhenItIsDue) {
  const Observation o = ready();
  const TimePoint due = *o.object.status.renewal_time;
  const Plan made = plan_of(o, kLifetime);
  ASSERT_EQ(made.rotations.size(), 1U);
  const PlannedRotation& rotation = made.rotations.front();
  EXPECT_EQ(rotation.revision, 2);
  EXPECT_EQ(rotation.place.edge, "edge01");
  EXPECT_EQ(rotation.place.time_zone, "Europe/Berlin");
  EXPECT_GE(rotation.starts, due + 5min) << "the order takes its time";
  EXPECT_LT(rotation.starts, due + 10min) << "and the window is always open";
  ASSERT_TRUE(rotation.ends);
  EXPECT_GE(*rotation.ends - rotation.starts, 10min) << "it is observed";
  EXPECT_THAT(made.unfinished, IsEmpty());
  EXPECT_THAT(made.expiries, IsEmpty());
  EXPECT_THAT(plan_of(o, kDay).rotations, IsEmpty()) << "not before";
}

TEST(Plan, TheSameSituationGivesTheSamePlan) {
  EXPECT_EQ(as_json(plan_of(ready(), 300 * kDay)), as_json(plan_of(ready(), 300 * kDay)));
}

TEST(Plan, TheLimitsOfTheCaPutAnOrderOff) {
  Observation o = due();
  change(o.issuer, [](api::AcmeIssuer& issuer) { issuer.spec.limits = api::IssuerLimits{.duplicates_per_week = 1}; });
  const TimePoint ordered = o.now - 2 * kDay;
  o.orders = std::make_shared<const decide::OrderLog>(
      decide::OrderLog{{.at = ordered, .kind = decide::OrderKind::kRenewal, .holder = "before", .names = {kName}}});
  const Plan soon = plan_of(o, kDay);
  ASSERT_EQ(soon.unfinished.size(), 1U);
  EXPECT_EQ(soon.unfinished.front().phase, "Waiting");
  EXPECT_EQ(soon.unfinished.front().reason, "IssuerLimitDuplicates");
  const Plan later = plan_of(o, 6 * kDay);
  ASSERT_EQ(later.rotations.size(), 1U);
  EXPECT_GE(later.rotations.front().starts, ordered + 7 * kDay);
  EXPECT_LT(later.rotations.front().starts, ordered + 7 * kDay + 1h);
}

TEST(Plan, ADrainTakesTimeOfTheRotation) {
  Observation o = due();
  set_policy(o,
             [](api::RotationPolicy& policy) { policy.spec.drain = api::Drain{.policy = api::DrainPolicy::kDrain}; });
  set_windows(o, {{.start = "00:00", .duration = kDay, .days = {}}});
  const Plan made = plan_of(o, kDay);
  ASSERT_EQ(made.rotations.size(), 1U);
  ASSERT_TRUE(made.rotations.front().ends);
  EXPECT_GE(*made.rotations.front().ends - made.rotations.front().starts, 15min);
}

TEST(Plan, WhatWaitsForAPersonIsUnfinished) {
  Observation unapproved = due();
  set_policy(unapproved, [](api::RotationPolicy& policy) { policy.spec.approval = api::Approval{.required = true}; });
  set_windows(unapproved, {{.start = "00:00", .duration = kDay, .days = {}}});
  Observation suspended = due();
  suspended.object.spec.suspend = true;
  Observation held = due();
  annotate(held, api::kHoldUntil, "2030-01-01T00:00:00Z CHG0041");
  for (const auto& [o, reason] :
       {std::pair(unapproved, "AwaitingApproval"), {suspended, "Suspended"}, {held, "HeldByAnnotation"}}) {
    const Plan made = plan_of(o, kDay);
    EXPECT_THAT(made.rotations, IsEmpty()) << reason;
    ASSERT_EQ(made.unfinished.size(), 1U) << reason;
    EXPECT_EQ(made.unfinished.front().reason, reason);
    EXPECT_LE(made.unfinished.front().since, o.now + 10min) << reason;
    EXPECT_THAT(made.expiries, IsEmpty()) << reason;
  }
  const Plan late = plan_of(suspended, 60 * kDay);
  ASSERT_EQ(late.expiries.size(), 1U) << "nobody lets it go on";
  EXPECT_EQ(late.expiries.front().at, kNow - 24h + kLifetime);
}

TEST(Plan, AnEdgeThatIsDownStaysDown) {
  Observation o = due();
  change(o.edge, [](api::Edge& edge) {
    edge.status.conditions = {{.type = std::string(api::condition::kSipHealthy), .status = api::Truth::kFalse}};
  });
  const Plan made = plan_of(o, kDay);
  EXPECT_THAT(made.rotations, IsEmpty());
  ASSERT_EQ(made.unfinished.size(), 1U);
  EXPECT_EQ(made.unfinished.front().reason, "EdgeUnhealthy");
}

TEST(Plan, AnEdgeThatSomebodyHasTakenOutOfServiceStaysOut) {
  for (const auto drain : {api::DrainPolicy::kNone, api::DrainPolicy::kDrain}) {
    Observation o = due();
    o.object.spec.rotation->drain = api::Drain{.policy = drain};
    change(o.edge, [](api::Edge& edge) { edge.status.service_state = "OutOfService"; });
    const Plan made = plan_of(o, kDay);
    EXPECT_THAT(made.rotations, IsEmpty());
    ASSERT_EQ(made.unfinished.size(), 1U);
    EXPECT_EQ(made.unfinished.front().reason, "EdgeOutOfService");
  }
}

TEST(Plan, AForeignCertificateIsLeftAlone) {
  Observation o = fresh();
  change(o.edge, [](api::Edge& edge) {
    edge.status.served_certificate = api::ServedCertificate{
        .serial_number = "ff", .not_after = kNow + 30 * kDay, .fingerprint_sha256 = "theirs", .issuer = "Some CA"};
  });
  const Plan made = plan_of(o, kDay);
  EXPECT_THAT(made.rotations, IsEmpty());
  ASSERT_EQ(made.unfinished.size(), 1U);
  EXPECT_EQ(made.unfinished.front().reason, "ForeignCertificate");
  EXPECT_EQ(made.unfinished.front().phase, "Held");
}

TEST(Plan, AFreezeIsWaitedForAndSaidToBeInfeasibleWhenItIsTooLong) {
  Observation o = due();
  set_policy(o, [&](api::RotationPolicy& policy) {
    policy.spec.freezes = {{.name = "forever", .from = o.now, .to = o.now + 100 * kDay, .reason = {}}};
  });
  set_windows(o, {{.start = "00:00", .duration = kDay, .days = {}}});
  const Plan made = plan_of(o, kDay);
  EXPECT_THAT(made.rotations, IsEmpty());
  ASSERT_EQ(made.unfinished.size(), 1U);
  ASSERT_EQ(made.infeasible.size(), 1U);
  EXPECT_EQ(made.infeasible.front().kind, "EdgeCertificate");
  EXPECT_EQ(made.infeasible.front().reason, "Freeze");
}

// Whatever it was doing when the plan is made, it goes on.
TEST(Plan, WhatIsUnderWayIsTakenToItsEnd) {
  for (const auto& o : {ordering(), ordered(ports::OrderStatus::kProcessing), deliverable(), delivering(), observing(),
                        rolling_back()}) {
    const Plan made = plan_of(o, kDay);
    EXPECT_THAT(made.expiries, IsEmpty());
    for (const auto& one : made.unfinished) EXPECT_EQ(one.phase, "RolledBack") << one.reason << ": " << one.message;
  }
}

}  // namespace
}  // namespace edgetrust::forecast
