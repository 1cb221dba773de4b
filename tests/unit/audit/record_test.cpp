#include "edgetrust/audit/record.hpp"

#include "edgetrust/base/time_text.hpp"
#include "edgetrust/telemetry/trace.hpp"
#include "support/pin_story.hpp"

#include <algorithm>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::audit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TimePoint at(std::string_view text) { return parse_rfc3339(text).value(); }
const TimePoint kNow = at("2026-11-29T02:00:00Z");

api::EdgeCertificate certificate() {
  api::EdgeCertificate one;
  one.meta.ns = "voice";
  one.meta.name = "a";
  one.meta.uid = "u1";
  one.spec.edge_ref.name = "edge01";
  one.status.revision = 3;
  one.status.serial_number = "03";
  one.status.history = {
      {.revision = 3, .serial_number = "03", .result = api::RevisionResult::kActive, .at = at("2026-11-01T00:00:00Z")}};
  return one;
}

std::vector<std::string> actions(const std::vector<Record>& records) {
  std::vector<std::string> names;
  for (const auto& record : records) names.push_back(record.action);
  return names;
}

TEST(Records, OneRotationFromPlanToProof) {
  const auto quiet = certificate();
  EXPECT_THAT(records(quiet, quiet), IsEmpty());

  auto ordering = quiet;
  ordering.status.order = api::OrderStatus{.revision = 4};
  const auto planned = records(quiet, ordering);
  ASSERT_THAT(actions(planned), ElementsAre("Plan"));
  EXPECT_EQ(planned[0].revision, 4);
  EXPECT_EQ(planned[0].old_serial, "03");
  EXPECT_EQ(planned[0].edge, "edge01");
  EXPECT_EQ(planned[0].trace_id, telemetry::trace_id("u1", "4"));
  auto further = ordering;
  further.status.order->url = "https://ca.example/order/1";
  EXPECT_THAT(records(ordering, further), IsEmpty()) << "the same plan goes on";

  auto approved = further;
  approved.status.order.reset();
  approved.status.approval =
      api::ApprovalStatus{.revision = 4, .change = "CHG1", .by = "ada", .request = "{}", .at = kNow};
  const auto approval = records(further, approved);
  ASSERT_THAT(actions(approval), ElementsAre("Approve"));
  EXPECT_EQ(approval[0].by, "ada");
  EXPECT_EQ(approval[0].change, "CHG1");

  auto pushing = approved;
  pushing.status.delivery = api::DeliveryStatus{.revision = 4, .fallback = 3, .started_at = kNow};
  const auto push = records(approved, pushing);
  ASSERT_THAT(actions(push), ElementsAre("Push"));
  EXPECT_EQ(push[0].by, "ada") << "a push says on whose word";
  auto installed = pushing;
  installed.status.delivery->installed_at = kNow;
  EXPECT_THAT(records(pushing, installed), IsEmpty());

  auto proved = installed;
  proved.status.delivery.reset();
  proved.status.revision = 4;
  proved.status.serial_number = "04";
  proved.status.history.insert(proved.status.history.begin(), {.revision = 4,
                                                               .serial_number = "04",
                                                               .result = api::RevisionResult::kActive,
                                                               .at = kNow,
                                                               .change = "CHG1",
                                                               .approved_by = "ada",
                                                               .evidence = "status OK"});
  proved.status.history[1].result = api::RevisionResult::kSuperseded;
  const auto proof = records(installed, proved);
  ASSERT_THAT(actions(proof), ElementsAre("Prove"));
  EXPECT_EQ(proof[0].old_serial, "03");
  EXPECT_EQ(proof[0].new_serial, "04");
  EXPECT_EQ(proof[0].evidence, "status OK");
}

TEST(Records, ARollbackIsToldWhenItBeginsAndWhenItHasEnded) {
  auto observing = certificate();
  observing.status.delivery =
      api::DeliveryStatus{.revision = 4, .fallback = 3, .started_at = kNow, .installed_at = kNow};
  auto going_back = observing;
  going_back.status.delivery->rolling_back_since = kNow;
  going_back.status.delivery->verdict = "status Critical";
  const auto begun = records(observing, going_back);
  ASSERT_THAT(actions(begun), ElementsAre("RollBack"));
  EXPECT_EQ(begun[0].message, "back to revision 3: status Critical");
  EXPECT_THAT(records(going_back, going_back), IsEmpty());
  auto back = going_back;
  back.status.delivery.reset();
  back.status.history.insert(
      back.status.history.begin(),
      {.revision = 4, .serial_number = "04", .result = api::RevisionResult::kRolledBack, .at = kNow});
  EXPECT_THAT(actions(records(going_back, back)), ElementsAre("RolledBack"));
}

TEST(Records, ARollbackThatIsAskedForWhileAllIsQuietIsNoPush) {
  auto asked = certificate();
  asked.status.delivery = api::DeliveryStatus{
      .revision = 3, .fallback = 2, .started_at = kNow, .installed_at = kNow, .rolling_back_since = kNow};
  EXPECT_THAT(actions(records(certificate(), asked)), ElementsAre("RollBack"));
}

TEST(Records, AnAdoptionARefusalAndARevocation) {
  const api::EdgeCertificate nothing = [] {
    auto one = certificate();
    one.status = {};
    return one;
  }();
  auto adopted = nothing;
  adopted.status.history = {{.revision = 2, .result = api::RevisionResult::kAdopted, .at = kNow}};
  EXPECT_THAT(actions(records(nothing, adopted)), ElementsAre("Adopt"));
  auto rejected = adopted;
  rejected.status.history.insert(rejected.status.history.begin(),
                                 {.revision = 3, .result = api::RevisionResult::kRejected, .at = kNow});
  EXPECT_THAT(actions(records(adopted, rejected)), ElementsAre("Reject"));
  auto revoked = rejected;
  revoked.status.history[1].revoked = "superseded";
  const auto revocation = records(rejected, revoked);
  ASSERT_THAT(actions(revocation), ElementsAre("Revoke"));
  EXPECT_EQ(revocation[0].revision, 2);
}

TEST(Records, OfAnOverrideItsBeginningAndItsEnd) {
  api::PinPolicy before;
  before.meta.name = "cloud";
  api::PinPolicy after = before;
  after.status.conditions = {{.type = "OverrideActive",
                              .status = api::Truth::kTrue,
                              .reason = "Override",
                              .message = "until tomorrow: a proxy",
                              .last_transition_time = kNow}};
  const auto begun = records(before, after);
  ASSERT_THAT(actions(begun), ElementsAre("Override"));
  EXPECT_EQ(begun[0].message, "until tomorrow: a proxy");
  EXPECT_THAT(actions(records(after, before)), ElementsAre("EndOverride"));
  EXPECT_THAT(records(after, after), IsEmpty());
}

// Of a change of a pin file as the rules decide it: what is recorded of the statuses that they write.
struct PinRecords : testing::Test {
  using Story = support::PinStory;
  Story story;

  [[nodiscard]] std::vector<Record> all() const {
    std::vector<Record> out;
    for (std::size_t i = 1; i < story.written.size(); ++i) {
      api::Edge before;
      before.meta.name = "edge01";
      api::Edge after = before;
      before.status.pins = story.written[i - 1];
      after.status.pins = story.written[i];
      std::ranges::move(records(before, after), std::back_inserter(out));
      EXPECT_THAT(records(after, after), IsEmpty());
    }
    return out;
  }
  // Until the change has come to that step, or is over.
  void run_to(api::PinStep step) {
    do story.machine.advance(story.pass().value_or(story.machine.now) - story.machine.now);
    while (story.step() && story.step() != step);
    ASSERT_EQ(story.step(), step);
  }
};

TEST_F(PinRecords, WhatWasProvedIsSaidToBe) {
  EXPECT_TRUE(story.run());
  const auto said = all();
  ASSERT_THAT(actions(said), ElementsAre("PushPins", "ProvePins"));
  EXPECT_EQ(said[0].edge, "edge01");
  EXPECT_EQ(said[0].message, "file new in place of old");
  EXPECT_EQ(said[1].message, "file new");
}

TEST_F(PinRecords, ThatTheServiceIsUpProvesAFileThatPinsNothing) {
  story.switches_off = true;
  EXPECT_TRUE(story.run());
  EXPECT_THAT(actions(all()), ElementsAre("PushPins", "ProvePins"));
}

TEST_F(PinRecords, TheNextChangeBeginsInThePassThatEndsTheLast) {
  run_to(api::PinStep::kConfirming);
  story.wanted = "newer";
  EXPECT_TRUE(story.run());
  EXPECT_THAT(actions(all()), ElementsAre("PushPins", "ProvePins", "PushPins", "ProvePins"));
}

TEST_F(PinRecords, WhatIsKeptThoughNobodyCouldProveItIsNotCalledProved) {
  story.refuses = true;
  story.machine.cut_off = true;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "new");
  EXPECT_THAT(actions(all()), ElementsAre("PushPins"));
}

TEST_F(PinRecords, NorIsAFileThatPinsNothingWhoseServiceDoesNotComeUp) {
  story.switches_off = true;
  story.machine.bad = {"new"};
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "new");
  EXPECT_THAT(actions(all()), ElementsAre("PushPins"));
}

TEST_F(PinRecords, NorAFileOfWhichOnlyTheModeWasWrong) {
  story.wanted = "old";
  story.machine.is_private = false;
  EXPECT_TRUE(story.run());
  EXPECT_TRUE(story.machine.is_private);
  EXPECT_THAT(actions(all()), ElementsAre("PushPins"));
}

TEST_F(PinRecords, WhatTheTimerOfTheEdgeTookBackIsNeither) {
  run_to(api::PinStep::kProving);
  story.machine.advance(decide::pins::kRestoreAfter);
  story.waits_for = "window Tue 02:00";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "old");
  EXPECT_THAT(actions(all()), ElementsAre("PushPins"));
}

TEST_F(PinRecords, WhatWasTakenBackIsSaidToBeWhenItIs) {
  story.machine.locked_out = {"new"};
  run_to(api::PinStep::kRestoring);
  EXPECT_THAT(actions(all()), ElementsAre("PushPins")) << "it is asked for, and not done";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "old");
  const auto said = all();
  ASSERT_THAT(actions(said), ElementsAre("PushPins", "RollBackPins"));
  EXPECT_THAT(said[1].message, HasSubstr("file new: "));
}

TEST_F(PinRecords, WhatCannotBeTakenBackIsNotSaidToBe) {
  story.machine.locked_out = {"new"};
  story.fails = [](const decide::pins::FileEffect& effect) {
    return std::holds_alternative<decide::pins::file_effect::Restore>(effect);
  };
  run_to(api::PinStep::kProving);
  story.machine.timer.reset();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "new");
  EXPECT_TRUE(story.status->rolled_back_at);
  EXPECT_THAT(actions(all()), ElementsAre("PushPins"));
}

TEST_F(PinRecords, NorWhatWasLastSeenThereWhenTheEdgeFellSilent) {
  story.machine.locked_out = {"new"};
  run_to(api::PinStep::kRestoring);
  story.is_silent = true;
  story.machine.advance(decide::pins::kLongestChange);
  story.pass();
  EXPECT_FALSE(story.status->change);
  EXPECT_THAT(actions(all()), ElementsAre("PushPins"));
}

TEST(Records, OfAPolicyItsHaltAndWhoResumesIt) {
  api::RotationPolicy open;
  api::RotationPolicy halted;
  halted.status.conditions = {{.type = "Halted",
                               .status = api::Truth::kTrue,
                               .reason = "TooManyRollbacks",
                               .message = "2 of 2",
                               .last_transition_time = kNow}};
  EXPECT_THAT(actions(records(open, halted)), ElementsAre("Halt"));
  auto resumed = open;
  resumed.status.resumed = api::ResumeStatus{.request = "now", .at = kNow};
  EXPECT_THAT(actions(records(halted, resumed)), ElementsAre("Resume"));
  EXPECT_THAT(records(resumed, resumed), IsEmpty());
}

}  // namespace
}  // namespace edgetrust::audit
