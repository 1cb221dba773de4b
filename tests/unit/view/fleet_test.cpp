#include "edgetrust/view/fleet.hpp"

#include "edgetrust/json/value.hpp"
#include "edgetrust/view/document.hpp"
#include "support/objects.hpp"

namespace edgetrust::view {
namespace {

const TimePoint kBegin = at("2026-01-01T00:00:00Z");
const TimePoint kEnd = at("2026-04-01T00:00:00Z");
const TimePoint kRenewal = at("2026-03-01T00:00:00Z");

TEST(Life, PassesFromGoodToExpired) {
  EXPECT_EQ(life(kBegin, kEnd, kRenewal, at("2026-02-28T23:59:59Z")), Life::kGood);
  EXPECT_EQ(life(kBegin, kEnd, kRenewal, kRenewal), Life::kDue);
  EXPECT_EQ(life(kBegin, kEnd, kRenewal, at("2026-03-28T23:59:59Z")), Life::kDue);
  EXPECT_EQ(life(kBegin, kEnd, kRenewal, at("2026-03-29T00:00:00Z")), Life::kUrgent);
  EXPECT_EQ(life(kBegin, kEnd, kRenewal, kEnd), Life::kExpired);
  EXPECT_EQ(life(kBegin, kEnd, std::nullopt, at("2026-03-28T00:00:00Z")), Life::kGood);
}

TEST(FleetRow, SaysWhatTheObjectsSay) {
  const auto edge = object<api::Edge>(
      "edge-of-a", R"({"connectionRef":{"name":"prod"},"edgeId":"7f3c","site":"dublin","sip":{"host":"h"}})");
  const auto value = as_value(row_of(certificate("a", kQuiet), &edge));
  EXPECT_EQ(value["namespace"], "voice");
  EXPECT_EQ(value["edge"], "edge-of-a");
  EXPECT_EQ(value["site"], "dublin");
  EXPECT_EQ(value["phase"], "Ready");
  EXPECT_EQ(value["message"], "revision 3 is live");
  EXPECT_EQ(value["renewalTime"], "2026-12-31T00:00:00Z");
}

TEST(FleetRow, OfAnObjectThatCannotBeReadSaysWhy) {
  auto broken = certificate("a");
  broken.broken = Error{.kind = ErrorKind::kInvalid, .what = "spec.renewBefore is no duration"};
  const FleetRow row = row_of(broken, nullptr);
  EXPECT_EQ(row.reason, "Invalid");
  EXPECT_EQ(row.message, broken.broken->message());
  EXPECT_EQ(row.site, "");
}

}  // namespace
}  // namespace edgetrust::view
