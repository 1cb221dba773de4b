#include "edgetrust/audit/record.hpp"

#include "edgetrust/base/time_text.hpp"
#include "edgetrust/telemetry/trace.hpp"

#include <functional>

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

TEST(Records, OfAPinFileItsPushItsProofAndItsWayBack) {
  api::Edge before;
  before.meta.name = "edge01";
  before.status.pins.emplace();
  auto pushing = before;
  pushing.status.pins->change = api::PinChange{.file_sha256 = "new", .previous_sha256 = "old", .at = kNow};
  const auto push = records(before, pushing);
  ASSERT_THAT(actions(push), ElementsAre("PushPins"));
  EXPECT_EQ(push[0].edge, "edge01");
  auto proving = pushing;
  proving.status.pins->change->step = api::PinStep::kProving;
  EXPECT_THAT(records(pushing, proving), IsEmpty());
  auto proved = before;
  proved.status.pins->file_sha256 = "new";
  proved.status.pins->applied_at = kNow;
  EXPECT_THAT(actions(records(proving, proved)), ElementsAre("ProvePins"));
  auto next = proved;  // begun in the same pass
  next.status.pins->change = api::PinChange{.file_sha256 = "newer", .previous_sha256 = "new", .at = kNow};
  EXPECT_THAT(actions(records(proving, next)), ElementsAre("ProvePins", "PushPins"));
  auto going_back = pushing;
  going_back.status.pins->change->step = api::PinStep::kRestoring;
  going_back.status.pins->state = api::EdgePinState::kRolledBack;
  EXPECT_THAT(records(proving, going_back), IsEmpty()) << "it is asked for, and not done";
  auto back = before;
  back.status.pins->state = api::EdgePinState::kRolledBack;
  back.status.pins->rejected_sha256 = "new";
  back.status.pins->rolled_back_at = kNow;
  const auto gone = records(going_back, back);
  ASSERT_THAT(actions(gone), ElementsAre("RollBackPins"));
  EXPECT_THAT(gone[0].message, HasSubstr("file new"));
  EXPECT_THAT(records(back, back), IsEmpty());
}

// None of these is a proof, nor a way back.
TEST(Records, OfAPinFileWhoseChangeEndsInAnotherWayNothingIsClaimed) {
  api::Edge changing;
  changing.meta.name = "edge01";
  auto& pins = changing.status.pins.emplace();
  pins.file_sha256 = "new";
  pins.applied_at = kNow - std::chrono::hours{1};
  pins.change =
      api::PinChange{.step = api::PinStep::kRestarting, .file_sha256 = "new", .previous_sha256 = "old", .at = kNow};
  const auto after = [&](const std::function<void(api::EdgePins&)>& how) {
    auto one = changing;
    one.status.pins->change.reset();
    how(*one.status.pins);
    return actions(records(changing, one));
  };
  EXPECT_THAT(after([](auto& one) { one.state = api::EdgePinState::kUnreachable; }), IsEmpty()) << "it fell silent";
  EXPECT_THAT(after([](auto& one) { one.state = api::EdgePinState::kBlocked; }), IsEmpty()) << "it was given up";
  EXPECT_THAT(after([](auto& one) { one.file_sha256 = "old"; }), IsEmpty()) << "the Edge's timer was faster";
  EXPECT_THAT(after([](auto& one) { one.file_sha256 = "by hand"; }), IsEmpty());
  EXPECT_THAT(after([](auto& one) {
                one.state = api::EdgePinState::kUnreachable;
                one.rejected_sha256 = "new";
                one.rolled_back_at = kNow;
              }),
              ElementsAre("RollBackPins"))
      << "it was refused, and fell silent while it was taken back";
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
