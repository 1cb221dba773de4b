#include "edgetrust/plugin/request.hpp"

#include "edgetrust/api/approval.hpp"
#include "support/objects.hpp"

namespace edgetrust::plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

const TimePoint kNow = at("2026-11-29T02:05:00Z");

api::EdgeCertificate in_phase(const std::string& phase, const std::string& more = "", const std::string& spec = "",
                              const std::string& metadata = "") {
  return certificate("a", R"({"phase":")" + phase + "\"" + more + "}", spec, metadata);
}
api::EdgeCertificate delivering(const std::string& more = "") {
  return in_phase(
      "Observing",
      R"(,"revision":3,"delivery":{"revision":4,"fallback":3,"startedAt":"2026-11-29T02:00:10Z")" + more + "}");
}

json::Document patch_of(const Result<ChangeRequest>& request) {
  EXPECT_TRUE(request.has_value()) << request.error().message();
  return json::Document::parse(request ? request->patch : "{}").value();
}
std::string annotation(const Result<ChangeRequest>& request, std::string_view which) {
  return patch_of(request).root()["metadata"]["annotations"][which].string_or("(none)");
}
std::string why_not(const Result<ChangeRequest>& request) {
  EXPECT_FALSE(request.has_value()) << request->patch;
  return request ? std::string{} : request.error().message();
}

TEST(Approve, SaysTheRevisionThatWaitsAndWhoAsked) {
  const auto request = approve(in_phase("AwaitingApproval", R"(,"next":"approval of revision 4")"),
                               {.revision = {}, .change = "CHG1", .by = "ada"}, kNow);
  const auto asked = api::parse_approval(annotation(request, api::kApprove));
  ASSERT_TRUE(asked.has_value()) << asked.error().message();
  EXPECT_EQ(asked->revision, 4);
  EXPECT_EQ(asked->change, "CHG1");
  EXPECT_EQ(asked->by, "ada");
  EXPECT_THAT(request->done, HasSubstr("approved revision 4 of EdgeCertificate voice/a under CHG1 as ada"));
}

TEST(Approve, AnExpiredOneIsAnotherTextEachTime) {
  const auto waiting = in_phase("AwaitingApproval", R"(,"next":"approval of revision 4")");
  EXPECT_NE(approve(waiting, {}, kNow)->patch, approve(waiting, {}, kNow + std::chrono::seconds{1})->patch);
}

TEST(Approve, IsRefusedWhereNothingWaitsOrAnotherRevisionDoes) {
  EXPECT_THAT(
      why_not(approve(certificate("a", kQuiet), {}, kNow)),
      HasSubstr(
          "no revision of EdgeCertificate voice/a waits for an approval: its phase is Ready, next: renews 2026-12-31"));
  EXPECT_THAT(why_not(approve(in_phase("AwaitingApproval", R"(,"next":"approval of revision 4")"),
                              {.revision = 5, .change = "", .by = ""}, kNow)),
              HasSubstr("revision 4 of EdgeCertificate voice/a waits for an approval, not 5"));
}

TEST(Requests, AreJudgedAtOneVersionOfTheObject) {
  const auto patch = patch_of(renew(certificate("a", kQuiet), kNow));
  EXPECT_EQ(patch.root()["metadata"]["resourceVersion"].string_or(""), "41");
}

TEST(Hold, NamesTheTimeAndTheReason) {
  const TimePoint until = at("2026-12-01T00:00:00Z");
  EXPECT_EQ(annotation(hold(certificate("a", kQuiet), until, "vendor call"), api::kHoldUntil),
            "2026-12-01T00:00:00Z vendor call");
  EXPECT_EQ(annotation(hold(certificate("a", kQuiet), until, " "), api::kHoldUntil), "2026-12-01T00:00:00Z");
  EXPECT_THAT(hold(delivering(), until, "")->next, HasSubstr("brought to its end first"));
}

TEST(Hold, SaysWhenTheCertificateExpiresMeanwhile) {
  EXPECT_THAT(hold(certificate("a", kQuiet), at("2027-02-01T00:00:00Z"), "")->next,
              HasSubstr("expires before that, 2027-01-30T00:00:00Z"));
}

TEST(Hold, IsReleasedOnlyWhereItIsHeld) {
  const auto held =
      certificate("a", kQuiet, "", R"(,"annotations":{"edgetrust.io/hold-until":"2026-12-01T00:00:00Z"})");
  EXPECT_EQ(patch_of(release(held)).root()["metadata"]["annotations"][api::kHoldUntil].kind(), json::Kind::kNull);
  EXPECT_THAT(why_not(release(certificate("a", kQuiet))), HasSubstr("is not held"));
}

TEST(Renew, IsAnotherRequestEachTime) {
  const auto first = annotation(renew(certificate("a", kQuiet), kNow), api::kRenewRequestedAt);
  const auto second =
      annotation(renew(certificate("a", kQuiet), kNow + std::chrono::milliseconds{1}), api::kRenewRequestedAt);
  EXPECT_EQ(first.substr(0, 19), "2026-11-29T02:05:00");
  EXPECT_NE(first, second);
}

TEST(Renew, IsRefusedWhereNothingWouldComeOfIt) {
  EXPECT_THAT(why_not(renew(delivering(), kNow)),
              HasSubstr("revision 4 of EdgeCertificate voice/a is being delivered"));
  EXPECT_THAT(why_not(renew(in_phase("Held", "", R"(,"suspend":true)"), kNow)),
              HasSubstr("`kubectl edgetrust resume a` first"));
  const std::string by_annotation =
      R"(,"conditions":[{"type":"Stalled","status":"True","reason":"HeldByAnnotation","message":"","lastTransitionTime":"2026-11-29T00:00:00Z"}])";
  EXPECT_THAT(why_not(renew(in_phase("Held", by_annotation), kNow)),
              HasSubstr("`kubectl edgetrust hold a --release` first"));
  EXPECT_THAT(why_not(renew(in_phase("Ready", "", "", R"(,"deletionTimestamp":"2026-11-29T00:00:00Z")"), kNow)),
              HasSubstr("is being deleted"));
}

TEST(Rotate, NeedsARevisionThatWaits) {
  EXPECT_EQ(annotation(rotate(in_phase("Waiting"), kNow), api::kRotateRequestedAt).substr(0, 10), "2026-11-29");
  EXPECT_THAT(rotate(in_phase("AwaitingApproval"), kNow)->next, HasSubstr("and so is its approval"));
  EXPECT_THAT(why_not(rotate(certificate("a", kQuiet), kNow)),
              HasSubstr("`kubectl edgetrust renew a` asks for a new one"));
}

TEST(Rollback, NamesWhatItReturnsTo) {
  EXPECT_THAT(roll_back(certificate("a", kQuiet), kNow)->next, HasSubstr("revision 2 is put back at once"));
  EXPECT_THAT(roll_back(delivering(), kNow)->next, HasSubstr("revision 3 is put back at once"));
  EXPECT_EQ(annotation(roll_back(delivering(), kNow), api::kRollbackRequestedAt).substr(0, 10), "2026-11-29");
}

TEST(Rollback, IsRefusedWhereThereIsNoWayBack) {
  EXPECT_THAT(why_not(roll_back(certificate("a", kQuiet), at("2027-01-01T00:00:00Z"))),
              HasSubstr("nothing to return to"))
      << "the earlier one has expired";
  EXPECT_THAT(why_not(roll_back(in_phase("Ready", R"(,"revision":1)"), kNow)), HasSubstr("nothing to return to"));
  EXPECT_THAT(
      why_not(roll_back(
          in_phase("Delivering", R"(,"delivery":{"revision":1,"fallback":-1,"startedAt":"2026-11-29T02:00:10Z"})"),
          kNow)),
      HasSubstr("nothing that EdgeCertificate voice/a could return to"));
  EXPECT_THAT(why_not(roll_back(delivering(R"(,"rollingBackSince":"2026-11-29T02:01:00Z")"), kNow)),
              HasSubstr("already"));
}

TEST(Suspend, AndResumeAreRefusedWhereTheyChangeNothing) {
  const auto suspended = in_phase("Held", "", R"(,"suspend":true)");
  EXPECT_EQ(patch_of(suspend(certificate("a", kQuiet))).root()["spec"]["suspend"].boolean(), true);
  EXPECT_EQ(patch_of(resume(suspended)).root()["spec"]["suspend"].boolean(), false);
  EXPECT_THAT(why_not(suspend(suspended)), HasSubstr("suspended already"));
  const auto held =
      certificate("a", kQuiet, "", R"(,"annotations":{"edgetrust.io/hold-until":"2026-12-01T00:00:00Z"})");
  EXPECT_THAT(why_not(resume(held)), HasSubstr("held by annotation"));
}

TEST(ResumePolicy, NeedsAHalt) {
  const auto halted = object<api::RotationPolicy>("prod", "{}", R"({"state":"Halted"})");
  EXPECT_EQ(annotation(resume(halted, kNow), api::kResumeRequestedAt).substr(0, 10), "2026-11-29");
  EXPECT_THAT(why_not(resume(object<api::RotationPolicy>("prod", "{}", R"({"state":"Open"})"), kNow)),
              HasSubstr("RotationPolicy voice/prod is not halted"));
}

api::PinPolicy pin_policy(const std::string& more = "") {
  return object<api::PinPolicy>("cloud", R"({"endpoint":{"host":"api.example"},"edges":["a"])" + more + "}");
}

TEST(Override, IsDatedAndReasoned) {
  const auto request = override_pins(pin_policy(), at("2026-11-30T00:00:00Z"), "inspected by a proxy", kNow);
  const auto patch = patch_of(request);
  const auto value = patch.root()["spec"]["emergencyOverride"];
  EXPECT_EQ(value["disablePinning"].boolean(), true);
  EXPECT_EQ(value["until"].string_or(""), "2026-11-30T00:00:00Z");
  EXPECT_EQ(value["reason"].string_or(""), "inspected by a proxy");
  EXPECT_THAT(request->next, HasSubstr("does not enforce"));
  EXPECT_THAT(request->next, Not(HasSubstr("72 h")));
  EXPECT_THAT(override_pins(pin_policy(R"(,"mode":"Enforce")"), at("2026-12-30T00:00:00Z"), "x", kNow)->next,
              HasSubstr("longer than 72 h"));
  EXPECT_THAT(why_not(override_pins(pin_policy(), at("2026-11-30T00:00:00Z"), " ", kNow)), HasSubstr("wants a reason"));
}

TEST(Override, EndsOnlyWhereThereIsOne) {
  const auto overridden =
      pin_policy(R"(,"emergencyOverride":{"disablePinning":true,"until":"2026-12-01T00:00:00Z","reason":"x"})");
  EXPECT_EQ(patch_of(end_override(overridden)).root()["spec"]["emergencyOverride"].kind(), json::Kind::kNull);
  EXPECT_THAT(why_not(end_override(pin_policy())), HasSubstr("has no override"));
}

}  // namespace
}  // namespace edgetrust::plugin
