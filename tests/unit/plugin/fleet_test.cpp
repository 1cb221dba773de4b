#include "edgetrust/plugin/fleet.hpp"

#include "edgetrust/json/value.hpp"
#include "support/objects.hpp"

namespace edgetrust::plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

const TimePoint kNow = at("2026-11-29T00:00:00Z");

std::string expiring(const std::string& when) {
  return R"({"phase":"Waiting","notBefore":"2026-09-01T00:00:00Z","notAfter":")" + when + R"("})";
}

TEST(Bar, ShowsWhatIsLeft) {
  const TimePoint begin = at("2026-01-01T00:00:00Z");
  const TimePoint end = at("2026-01-21T00:00:00Z");  // a mark a day
  EXPECT_EQ(life_bar(begin, end, begin), "[####################]");
  EXPECT_EQ(life_bar(begin, end, at("2026-01-11T00:00:00Z")), "[##########..........]");
  EXPECT_EQ(life_bar(begin, end, at("2026-01-20T23:59:59Z")), "[#...................]");
  EXPECT_EQ(life_bar(begin, end, end), "[....................]");
  EXPECT_EQ(life_bar(begin, end, at("2025-01-01T00:00:00Z")), "[####################]");
  EXPECT_EQ(life_bar(end, begin, end), "[....................]");  // no life at all
}

TEST(Bar, IsColouredByWhatComesNext) {
  const TimePoint begin = at("2026-01-01T00:00:00Z");
  const TimePoint end = at("2026-04-01T00:00:00Z");
  const TimePoint renewal = at("2026-03-01T00:00:00Z");
  EXPECT_EQ(life_tone(begin, end, renewal, at("2026-02-28T00:00:00Z")), Tone::kGood);
  EXPECT_EQ(life_tone(begin, end, renewal, renewal), Tone::kWarn);
  EXPECT_EQ(life_tone(begin, end, renewal, at("2026-03-30T00:00:00Z")), Tone::kBad);
  EXPECT_EQ(life_tone(begin, end, std::nullopt, end), Tone::kBad);
}

TEST(Span, IsRough) {
  using namespace std::chrono_literals;
  EXPECT_EQ(describe_span(61 * 24h), "61 d");
  EXPECT_EQ(describe_span(47h), "47 h");
  EXPECT_EQ(describe_span(119min), "119 min");
  EXPECT_EQ(describe_span(90s), "90 s");
  EXPECT_EQ(describe_span(0s), "now");
  EXPECT_EQ(describe_span(-3h), "3 h ago");
}

TEST(Fleet, WhatExpiresFirstComesFirstAndBeforeItWhatHasNothing) {
  const auto rows = fleet({certificate("late", expiring("2027-02-01T00:00:00Z")), certificate("new"),
                           certificate("soon", expiring("2026-12-01T00:00:00Z"))},
                          {});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].certificate.name, "new");
  EXPECT_EQ(rows[1].certificate.name, "soon");
  EXPECT_EQ(rows[2].certificate.name, "late");
}

TEST(Fleet, IsATable) {
  const auto edge = object<api::Edge>(
      "edge-of-a", R"({"connectionRef":{"name":"prod"},"edgeId":"7f3c","site":"dublin","sip":{"host":"h"}})");
  const auto rows = fleet({certificate("a", kQuiet), certificate("b")}, {edge});
  EXPECT_EQ(print(rows, {}, kNow, {}),
            "NAME   EDGE        READY     PHASE   EXPIRES      LEFT                          NEXT\n"
            "b      edge-of-b   Unknown   -       -            -                             -\n"
            "a      edge-of-a   True      Ready   2027-01-30   [##############......] 62 d   renews 2026-12-31\n");
  const std::string wide = print(rows, {.wide = true, .with_namespace = true}, kNow, {});
  EXPECT_THAT(wide, HasSubstr("NAMESPACE"));
  EXPECT_THAT(wide, HasSubstr("dublin   R11      0a1b     3          revision 3 is live\n"));
  EXPECT_EQ(print({}, {}, kNow, {}), "No EdgeCertificates found.\n");
}

TEST(Fleet, ColoursStandOnlyWhereTheyAreWanted) {
  const auto rows = fleet({certificate("a", kQuiet)}, {});
  EXPECT_THAT(print(rows, {}, kNow, {.colour = true}), HasSubstr("\x1b[32mReady\x1b[0m"));
  EXPECT_THAT(print(rows, {}, kNow, {}), Not(HasSubstr("\x1b")));
}

TEST(Fleet, IsADocument) {
  const auto value = as_value(fleet({certificate("a", kQuiet)}, {}), kNow);
  const auto& one = value["certificates"][0];
  EXPECT_EQ(one["name"], "a");
  EXPECT_EQ(one["ready"], "True");
  EXPECT_EQ(one["notAfter"], "2027-01-30T00:00:00Z");
  EXPECT_EQ(one["secondsLeft"], 62 * 86400);
}

}  // namespace
}  // namespace edgetrust::plugin
