#include "edgetrust/api/conditions.hpp"

#include "edgetrust/base/time_text.hpp"

namespace edgetrust::api {
namespace {

using namespace std::chrono_literals;

const TimePoint kNoon = parse_rfc3339("2026-11-22T12:00:00Z").value();

Condition ready(Truth truth, std::string reason = "R", std::string message = "m") {
  return {.type = "Ready", .status = truth, .reason = std::move(reason), .message = std::move(message)};
}

TEST(Conditions, AMessageIsNeverLongerThanTheServerTakes) {
  std::vector<Condition> all;
  set(all, ready(Truth::kFalse, "R", std::string(kLongestMessage + 1, 'x')), kNoon);
  EXPECT_EQ(find(all, "Ready")->message, std::string(kLongestMessage, 'x'));
}

TEST(Conditions, TransitionTimeMovesOnlyWithTheStatus) {
  std::vector<Condition> all;
  set(all, ready(Truth::kFalse), kNoon);
  EXPECT_EQ(find(all, "Ready")->last_transition_time, kNoon);
  set(all, ready(Truth::kFalse, "Other", "new words"), kNoon + 1min);
  EXPECT_EQ(find(all, "Ready")->last_transition_time, kNoon);
  EXPECT_EQ(find(all, "Ready")->reason, "Other");
  EXPECT_EQ(find(all, "Ready")->message, "new words");
  set(all, ready(Truth::kTrue), kNoon + 2min);
  EXPECT_EQ(find(all, "Ready")->last_transition_time, kNoon + 2min);
  EXPECT_EQ(all.size(), 1U);
}

TEST(Conditions, TimesAreWholeSecondsAsTheApiServerKeepsThem) {
  std::vector<Condition> all;
  set(all, ready(Truth::kTrue), kNoon + 999ms);
  EXPECT_EQ(find(all, "Ready")->last_transition_time, kNoon);
}

TEST(Conditions, KeepTheirPlaceAndAreRemovedByType) {
  std::vector<Condition> all;
  set(all, ready(Truth::kTrue), kNoon);
  set(all, {.type = "Stalled", .status = Truth::kTrue}, kNoon);
  set(all, {.type = "Issued", .status = Truth::kTrue}, kNoon);
  set(all, ready(Truth::kFalse), kNoon);
  remove(all, "Stalled");
  remove(all, "NoSuch");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].type, "Ready");
  EXPECT_EQ(all[1].type, "Issued");
  EXPECT_EQ(find(all, "Stalled"), nullptr);
}

}  // namespace
}  // namespace edgetrust::api
