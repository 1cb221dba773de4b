#include "edgetrust/plugin/timeline.hpp"

#include "support/objects.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

using testing::HasSubstr;

const TimePoint kNow = at("2026-11-29T02:05:00Z");

TEST(PrintedTimeline, IsWhole) {
  const view::Timeline told =
      view::timeline({.certificate = certificate("a", kQuiet, "", R"(,"uid":"u1")"),
                      .edge = {},
                      .policy = {},
                      .events = {{at("2026-11-01T02:00:05Z"), false, "Delivering", "revision 3 is pushed", 2}}},
                     kNow);
  EXPECT_EQ(print(told, false, kNow, {}),
            "EdgeCertificate voice/a, Edge edge-of-a\n"
            "Phase    Ready\n"
            "         revision 3 is live\n"
            "Serves   revision 3, serial 0a1b, until 2027-01-30T00:00:00Z  [##############......]\n"
            "Trace    f1bb999edd5cbef2ddee5a308a79bd01\n"
            "\n"
            "WHAT HAPPENED\n"
            "AT (UTC)               WHAT         HOW\n"
            "2026-11-01T02:00:05Z   Delivering   revision 3 is pushed (2 times)\n"
            "2026-11-01T02:10:00Z   Rotated      revision 3, serial 0a1b\n"
            "\n"
            "WAITS FOR\n"
            "the renewal, until 2026-12-31T00:00:00Z, in 31 d\n"
            "  kubectl edgetrust renew a -n voice\n");
}

TEST(PrintedTimeline, IsWiderByTheCertificateThatIsServed) {
  const auto told = [](const std::string& status) {
    return view::timeline({.certificate = certificate("a", status), .edge = {}, .policy = {}, .events = {}}, kNow);
  };
  const std::string wide =
      "Issuer   R11\n"
      "Valid    from 2026-11-01T00:00:00Z, its renewal is due 2026-12-31T00:00:00Z\n"
      "SHA-256  f0\n";
  std::string text = print(told(kQuiet), true, kNow, {});
  const auto where = text.find(wide);
  ASSERT_NE(where, std::string::npos) << text;
  EXPECT_EQ(text.erase(where, wide.size()), print(told(kQuiet), false, kNow, {}));
  EXPECT_EQ(print(told("{}"), true, kNow, {}), print(told("{}"), false, kNow, {})) << "nothing is served";
}

TEST(PrintedTimeline, SaysWhatIsOverAndWhatComes) {
  const view::Timeline told{.waits = {{"the Edge to settle", at("2026-11-29T02:01:20Z"), ""},
                                      {"the end of the observation", at("2026-11-29T02:21:20Z"), ""}}};
  const std::string text = print(told, false, kNow, {});
  EXPECT_THAT(text, HasSubstr("until 2026-11-29T02:01:20Z, which is over"));
  EXPECT_THAT(text, HasSubstr("the end of the observation, until 2026-11-29T02:21:20Z, in 16 min"));
}

TEST(PrintedTimeline, OfWhatIsStalledSaysThatNothingGoesOn) {
  const view::Timeline told{.phase = "Failed", .reason = "RollbackImpossible", .stalled = true};
  EXPECT_THAT(print(told, false, kNow, {}), HasSubstr("Failed, RollbackImpossible: nothing goes on by itself"));
}

TEST(PrintedTimeline, GivesTheTerminalNoOrdersOfWhoWroteAnObject) {
  const std::string bad = "\x1b[2J\nPhase    Ready\u009b8m\u202e";
  const view::Timeline told{.certificate = {bad, bad},
                            .edge = bad,
                            .site = bad,
                            .phase = bad,
                            .reason = bad + "x",
                            .message = bad,
                            .revision = 1,
                            .serial_number = bad,
                            .fingerprint_sha256 = bad,
                            .issuer = bad,
                            .not_before = kNow,
                            .not_after = kNow,
                            .moments = {{.at = kNow, .warning = true, .what = bad, .text = bad}},
                            .waits = {{bad, std::nullopt, bad}}};
  const view::Timeline harmless{.certificate = {"c", "c"},
                                .edge = "e",
                                .site = "s",
                                .phase = "p",
                                .reason = "r",
                                .message = "m",
                                .revision = 1,
                                .serial_number = "n",
                                .fingerprint_sha256 = "f",
                                .issuer = "i",
                                .not_before = kNow,
                                .not_after = kNow,
                                .moments = {{.at = kNow, .warning = true, .what = "w", .text = "t"}},
                                .waits = {{"w", std::nullopt, "c"}}};
  const std::string text = print(told, true, kNow, {});
  for (const char* order : {"\x1b", "\u009b", "\u202e"}) EXPECT_THAT(text, testing::Not(HasSubstr(order)));
  EXPECT_EQ(std::ranges::count(text, '\n'), std::ranges::count(print(harmless, true, kNow, {}), '\n'));
}

TEST(Events, TheLastTimeOfASeriesCounts) {
  const auto document = json::Document::parse(
      R"({"type":"Warning","reason":"RollingBack","note":"why","eventTime":"2026-11-29T01:00:00.000000Z",
          "series":{"count":4,"lastObservedTime":"2026-11-29T01:08:00.000000Z"}})");
  const view::SeenEvent event = decode_event(document->root());
  EXPECT_TRUE(event.warning);
  EXPECT_EQ(event.count, 4);
  EXPECT_EQ(event.at, at("2026-11-29T01:08:00Z"));
}

}  // namespace
}  // namespace edgetrust::plugin
