#include "edgetrust/decide/on_schedule.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

#include <gmock/gmock.h>

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;
using api::Phase;

const TimePoint kNow = parse_rfc3339("2026-11-22T12:00:00Z").value();
constexpr std::chrono::hours kDay{24};

api::EdgeCertificate certificate(Phase phase = Phase::kReady) {
  api::EdgeCertificate made;
  made.meta.creation_time = kNow - 100 * kDay;
  made.status.phase = phase;
  made.status.renewal_time = kNow + kDay;
  made.status.not_after = kNow + 31 * kDay;
  return made;
}

std::string why(const api::EdgeCertificate& certificate, TimePoint now = kNow) {
  return behind_schedule(certificate, now).value_or("");
}

TEST(OnSchedule, WhateverGoesOnByItselfIsOnIt) {
  for (const Phase phase :
       {Phase::kPending, Phase::kIssuing, Phase::kWaiting, Phase::kAwaitingApproval, Phase::kDraining,
        Phase::kDelivering, Phase::kObserving, Phase::kRollingBack, Phase::kReady, Phase::kRolledBack}) {
    EXPECT_EQ(why(certificate(phase)), "") << to_string(phase);
  }
}

TEST(OnSchedule, WhatNeedsAPersonIsBehind) {
  EXPECT_EQ(why(certificate(Phase::kFailed)), "is Failed");
  EXPECT_EQ(why(certificate(Phase::kHeld)), "is Held");
  auto rolled_back = certificate(Phase::kRolledBack);
  api::set(
      rolled_back.status.conditions,
      {.type = "Stalled", .status = api::Truth::kTrue, .reason = "RolledBack", .message = {}, .observed_generation = 1},
      kNow);
  EXPECT_EQ(why(rolled_back), "is stalled (RolledBack)");
  auto broken = certificate();
  broken.broken = Error{.kind = ErrorKind::kInvalid, .what = "spec.edgeRef is missing"};
  EXPECT_EQ(why(broken), "cannot be read");
}

TEST(OnSchedule, ARenewalMayBeOverdueByAThirdOfWhatIsLeftAndTenDays) {
  const auto due = [](auto left) {
    auto made = certificate(Phase::kWaiting);
    made.status.renewal_time = kNow;
    made.status.not_after = kNow + left;
    return made;
  };
  EXPECT_EQ(why(due(30 * kDay), kNow + 10 * kDay), "");
  EXPECT_EQ(why(due(30 * kDay), kNow + 10 * kDay + 1ms), "was due 2026-11-22T12:00:00Z");
  EXPECT_EQ(why(due(300 * kDay), kNow + 10 * kDay), "");
  EXPECT_NE(why(due(300 * kDay), kNow + 10 * kDay + 1ms), "");
  EXPECT_EQ(why(due(48h), kNow + 16h), "") << "a short-lived one";
  EXPECT_NE(why(due(48h), kNow + 16h + 1ms), "");
}

TEST(OnSchedule, WhatHasExpiredIsBehindWhateverItsRenewal) {
  auto expired = certificate(Phase::kIssuing);
  expired.status.not_after = kNow;
  expired.status.renewal_time = kNow + kDay;
  EXPECT_EQ(why(expired), "has expired");
}

TEST(OnSchedule, AFirstCertificateHasTenDays) {
  auto first = certificate(Phase::kWaiting);
  first.status.not_after.reset();
  first.status.renewal_time.reset();
  first.meta.creation_time = kNow - 10 * kDay;
  EXPECT_EQ(why(first), "");
  EXPECT_EQ(why(first, kNow + 1ms), "has no certificate on its Edge yet");
  first.status.phase.reset();
  EXPECT_NE(why(first, kNow + 1ms), "") << "nobody has looked at it at all";
}

}  // namespace
}  // namespace edgetrust::decide
