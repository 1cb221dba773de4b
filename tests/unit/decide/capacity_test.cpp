// Whether a fleet can be renewed before it expires: capacity.cpp.
#include "edgetrust/decide/capacity.hpp"

#include "support/observations.hpp"

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;
using support::kNow;  // Sunday 2026-11-22, 12:00 UTC

api::EffectiveRotation nightly(int policy, int site) {
  api::EffectiveRotation rotation = api::effective_rotation({}, nullptr);  // 02:00 for 2h, every day
  rotation.max_concurrent = policy;
  rotation.max_concurrent_per_site = site;
  return rotation;
}
// `count` certificates in sites of their own that may be renewed from now on.
std::vector<Due> due(int count, api::Duration left, const std::string& zone = "UTC", const std::string& site = "") {
  std::vector<Due> all;
  for (int i = 0; i < count; ++i)
    all.push_back(
        {.from = kNow, .expires = kNow + left, .zone = zone, .site = site.empty() ? "s" + std::to_string(i) : site});
  return all;
}

// A window of two hours has room for eleven: each takes ten minutes, and the last leaves 15 for itself and a rollback.
TEST(Capacity, SoManyFitIntoANight) {
  EXPECT_FALSE(shortage(due(11, 24h), nightly(1, 1), kNow));
  const auto found = shortage(due(12, 24h), nightly(1, 1), kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->reason, "Budget");
  EXPECT_EQ(
      found->message,
      "12 certificates expire until 2026-11-23T12:00:00Z, and budget.maxConcurrent 1 leaves room for 11 rotations "
      "before: it has to be 2 at least, or the windows longer");
  EXPECT_FALSE(shortage(due(12, 24h), nightly(2, 1), kNow));
  EXPECT_FALSE(shortage(due(22, 48h), nightly(1, 1), kNow)) << "two nights";
}

TEST(Capacity, TheNumberThatIsNamedIsTheSmallestThatWillDo) {
  for (const int count : {12, 100, 333, 1000}) {
    const auto found = shortage(due(count, 72h), nightly(1, 1000), kNow);
    if (!found) continue;
    const int least = (count + 32) / 33;
    EXPECT_THAT(found->message, testing::HasSubstr("it has to be " + std::to_string(least) + " at least")) << count;
    EXPECT_FALSE(shortage(due(count, 72h), nightly(least, 1000), kNow)) << count;
    EXPECT_TRUE(shortage(due(count, 72h), nightly(least - 1, 1000), kNow)) << count;
  }
}

TEST(Capacity, ZonesSpreadOneBudgetOverTheDay) {
  auto fleet = due(11, 24h, "America/New_York");
  const auto more = due(11, 24h, "Asia/Tokyo");
  EXPECT_FALSE(shortage(fleet, nightly(1, 1), kNow));
  fleet.insert(fleet.end(), more.begin(), more.end());
  EXPECT_FALSE(shortage(fleet, nightly(1, 99), kNow)) << "their nights are not the same";
}

TEST(Capacity, ASiteIsAsNarrowAsItsOwnBudget) {
  const auto found = shortage(due(12, 24h, "UTC", "new-york"), nightly(8, 1), kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->reason, "SiteBudget");
  EXPECT_THAT(found->message, testing::HasSubstr("12 certificates of site new-york expire"));
  EXPECT_THAT(found->message, testing::HasSubstr("budget.maxConcurrentPerSite 1"));
  EXPECT_FALSE(shortage(due(12, 24h, "UTC", "new-york"), nightly(8, 2), kNow));
}

TEST(Capacity, WhatExpiresFirstCountsFirst) {
  auto fleet = due(12, 24h);
  for (const Due& one : due(200, 2000h)) fleet.push_back(one);
  EXPECT_TRUE(shortage(fleet, nightly(1, 99), kNow)) << "that there is much time for the others helps nobody";
  // What may not be renewed yet does not fit into the nights before.
  auto late = due(22, 48h);
  for (Due& one : late) one.from = kNow + 24h;
  EXPECT_TRUE(shortage(late, nightly(1, 99), kNow));
}

TEST(Capacity, AFreezeTakesItsNightsAway) {
  auto rotation = nightly(1, 99);
  EXPECT_FALSE(shortage(due(22, 48h), rotation, kNow));
  rotation.freezes = {{.name = "f", .from = kNow, .to = kNow + 24h}};
  EXPECT_TRUE(shortage(due(22, 48h), rotation, kNow));
}

TEST(Capacity, WhatHasNoWindowOrNoZoneOrHasExpiredSaysSoItself) {
  EXPECT_FALSE(shortage(due(50, 6h), nightly(1, 99), kNow)) << "no night is left";
  EXPECT_FALSE(shortage(due(50, -1h), nightly(1, 99), kNow));
  EXPECT_FALSE(shortage(due(50, 24h, "nowhere"), nightly(1, 99), kNow));
  auto unknown = due(50, 24h);
  for (Due& one : unknown) one.zone.clear();
  EXPECT_FALSE(shortage(unknown, nightly(1, 99), kNow));
  EXPECT_FALSE(shortage({}, nightly(1, 1), kNow));
}

}  // namespace
}  // namespace edgetrust::decide
