#include "edgetrust/view/timeline.hpp"

#include "edgetrust/api/common.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/view/document.hpp"
#include "support/objects.hpp"

namespace edgetrust::view {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

const TimePoint kNow = at("2026-11-29T02:05:00Z");

std::string status(const std::string& phase, const std::string& reason, const std::string& more = "",
                   const std::string& condition = "Reconciling") {
  return R"({"observedGeneration":1,"phase":")" + phase + R"(","conditions":[{"type":")" + condition +
         R"(","status":"True","reason":")" + reason +
         R"(","message":"as it is","lastTransitionTime":"2026-11-29T02:00:00Z"}],
         "history":[{"revision":3,"result":"Active","at":"2026-11-01T02:10:00Z"}])" +
         more + "}";
}

Subject subject(api::EdgeCertificate one, std::vector<SeenEvent> events = {}) {
  return {.certificate = std::move(one), .edge = {}, .policy = {}, .events = std::move(events)};
}

api::RotationPolicy policy(const std::string& spec, const std::string& status = "{}") {
  return object<api::RotationPolicy>("default", spec, status);
}

Wait only_wait(const Subject& of) {
  const Timeline told = timeline(of, kNow);
  EXPECT_EQ(told.waits.size(), 1U);
  return told.waits.empty() ? Wait{} : told.waits.front();
}

TEST(Timeline, TellsTheRotationThatIsUnderWayAndNotTheOneBefore) {
  const Timeline told = timeline(
      subject(certificate("a", status("Observing", "Observing",
                                      R"(,"delivery":{"revision":4,"fallback":3,"startedAt":"2026-11-29T02:00:10Z",
                                          "installedAt":"2026-11-29T02:00:20Z"})")),
              {{at("2026-11-29T02:00:11Z"), false, "Delivering", "revision 4 is pushed", 1},
               {at("2026-11-01T02:10:00Z"), false, "Rotated", "revision 3 is proved", 1},
               {at("2026-11-28T10:00:00Z"), false, "Issuing", "renewal is due", 2}}),
      kNow);
  EXPECT_THAT(told.moments, ElementsAre(Field(&Moment::what, "Issuing"), Field(&Moment::what, "Delivering"),
                                        Field(&Moment::what, "Installed")));
  EXPECT_EQ(told.moments[1].text, "revision 4 is pushed") << "the Event's words win over the status's";
  EXPECT_FALSE(told.quiet);
}

TEST(Timeline, OfWhatIsQuietTheLastRotationIsToldAlsoWithoutEvents) {
  const Timeline told = timeline(subject(certificate("a", kQuiet)), kNow);
  EXPECT_TRUE(told.quiet);
  ASSERT_EQ(told.moments.size(), 1U);
  EXPECT_EQ(told.moments[0].what, "Rotated");
  EXPECT_THAT(told.moments[0].text, HasSubstr("revision 3, serial 0a1b"));
  ASSERT_EQ(told.waits.size(), 1U);
  EXPECT_EQ(told.waits[0].until, at("2026-12-31T00:00:00Z"));
  EXPECT_EQ(told.waits[0].command, "kubectl edgetrust renew a -n voice");
}

TEST(Timeline, AnObservationEndsAsThePolicySays) {
  Subject of =
      subject(certificate("a", status("Observing", "Observing",
                                      R"(,"delivery":{"revision":4,"fallback":3,"startedAt":"2026-11-29T02:00:10Z",
                                                   "installedAt":"2026-11-29T02:00:20Z"})")));
  of.policy = policy(R"({"observe":{"settle":"1m","period":"20m"}})");
  const Timeline early = timeline(of, at("2026-11-29T02:00:50Z"));
  ASSERT_EQ(early.waits.size(), 2U);
  EXPECT_EQ(early.waits[0].until, at("2026-11-29T02:01:20Z"));
  EXPECT_EQ(early.waits[1].until, at("2026-11-29T02:21:20Z"));
  const Timeline later = timeline(of, kNow);
  ASSERT_EQ(later.waits.size(), 1U) << "it has settled";
  EXPECT_EQ(later.waits[0].until, at("2026-11-29T02:21:20Z"));
}

TEST(Timeline, EachWaitSaysWhatEndsIt) {
  EXPECT_THAT(only_wait(subject(certificate("a", status("AwaitingApproval", "AwaitingApproval",
                                                        R"(,"next":"approval of revision 4")", "Ready")))),
              Field(&Wait::command, "kubectl edgetrust approve a -n voice --change …"));
  EXPECT_THAT(only_wait(subject(certificate("a", status("AwaitingApproval", "AwaitingApproval",
                                                        R"(,"next":"approval of revision 4")", "Ready"))))
                  .what,
              "an approval of revision 4");
  const Wait window = only_wait(subject(
      certificate("a", status("Waiting", "WaitingForWindow",
                              R"(,"next":"window Mon 02:00 Etc/UTC","nextWindow":"2026-11-30T02:00:00Z")", "Ready"))));
  EXPECT_EQ(window.until, at("2026-11-30T02:00:00Z"));
  EXPECT_EQ(window.command, "kubectl edgetrust rotate a -n voice");
  const Wait order = only_wait(subject(certificate(
      "a", status("Issuing", "Validating", R"(,"order":{"revision":4,"url":"u","expires":"2026-12-06T00:00:00Z"})"))));
  EXPECT_EQ(order.what, "the CA");
  EXPECT_EQ(order.until, at("2026-12-06T00:00:00Z"));
  const Wait next = only_wait(
      subject(certificate("a", status("Issuing", "OrderFailed", R"(,"nextAttempt":"2026-11-29T03:00:00Z")"))));
  EXPECT_EQ(next.what, "the next try");
  EXPECT_EQ(next.until, at("2026-11-29T03:00:00Z"));
}

TEST(Timeline, AFreezeIsNamedWithItsEnd) {
  Subject of = subject(certificate("a", status("Waiting", "Frozen", "", "Ready")));
  of.policy = policy(
      R"({"freezes":[{"name":"black-friday","from":"2026-11-20T00:00:00Z","to":"2026-12-02T06:00:00Z","reason":"CHG1"}]})");
  const Wait wait = only_wait(of);
  EXPECT_EQ(wait.what, "the end of the freeze black-friday (CHG1)");
  EXPECT_EQ(wait.until, at("2026-12-02T06:00:00Z"));
  EXPECT_EQ(wait.command, "") << "no command breaks a freeze";
}

TEST(Timeline, AHaltATurnAndAHoldAreToldWithWhoIsAtWorkAndHowTheyEnd) {
  EXPECT_EQ(
      only_wait(subject(certificate("a", status("Waiting", "Halted", "", "Ready"), R"(,"policyRef":{"name":"prod"})")))
          .command,
      "kubectl edgetrust resume --policy prod -n voice");
  Subject turn = subject(certificate("a", status("Waiting", "WaitingForTurn", "", "Ready")));
  turn.policy = policy("{}", R"({"rotating":["b","c"]})");
  EXPECT_EQ(only_wait(turn).what, "its turn under RotationPolicy default; at work: b, c");
  const Wait held = only_wait(
      subject(certificate("a", status("Held", "HeldByAnnotation", "", "Stalled"), "",
                          R"(,"annotations":{"edgetrust.io/hold-until":"2026-12-01T00:00:00Z vendor call"})")));
  EXPECT_EQ(held.until, at("2026-12-01T00:00:00Z"));
  EXPECT_EQ(held.command, "kubectl edgetrust hold a -n voice --release");
}

TEST(Timeline, WhileItIsHeldANextTryIsNotWaitedFor) {
  const Wait suspended = only_wait(subject(certificate(
      "a", status("Held", "Suspended", R"(,"nextAttempt":"2026-11-29T03:00:00Z")", "Stalled"), R"(,"suspend":true)")));
  EXPECT_EQ(suspended.command, "kubectl edgetrust resume a -n voice");
}

TEST(Timeline, WhatNobodyHasLookedAtWaitsForAnOperator) {
  EXPECT_EQ(only_wait(subject(certificate("a"))).command, "kubectl edgetrust doctor -n voice");
}

TEST(Timeline, WhatIsStalledSaysSo) {
  const Timeline told =
      timeline(subject(certificate("a", status("Failed", "RollbackImpossible", "", "Stalled"))), kNow);
  EXPECT_TRUE(told.stalled);
  EXPECT_FALSE(told.quiet);
}

TEST(Timeline, IsADocument) {
  const auto value = as_value(timeline(
      subject(certificate("a", kQuiet), {{at("2026-11-01T02:00:05Z"), false, "Delivering", "revision 3 is pushed", 2}}),
      kNow));
  EXPECT_EQ(value["happened"][0]["count"], 2);
  EXPECT_EQ(value["waitsFor"][0]["until"], "2026-12-31T00:00:00Z");
  EXPECT_EQ(value["notBefore"], "2026-11-01T00:00:00Z");
  EXPECT_EQ(value["renewalTime"], "2026-12-31T00:00:00Z");
}

}  // namespace
}  // namespace edgetrust::view
