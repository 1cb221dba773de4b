#include "edgetrust/base/table.hpp"

#include "edgetrust/base/time_text.hpp"
#include "edgetrust/base/until.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCellWhateverItsBytesAndColours) {
  std::string out;
  append_table(out, {"NAME", "STATE", "WHY"}, {{"a", {"bad", "31"}, "x"}, {"Zürich", "good", "y"}});
  EXPECT_EQ(out,
            "NAME     STATE   WHY\n"
            "a        \x1b[31mbad\x1b[0m     x\n"
            "Zürich   good    y\n");
}

TEST(Table, NoCellBeginsALineOrGivesTheTerminalAnOrder) {
  std::string out;
  append_table(out, {"NAME", "WHY"}, {{"a\nb", "\x1b[2Jgone"}, {{"\x1b[32mgood", "31"}, "y"}});
  EXPECT_EQ(out,
            "NAME        WHY\n"
            "a b          [2Jgone\n"
            "\x1b[31m [32mgood\x1b[0m   y\n");
}

TEST(Line, IsOneLineWhateverItsPiecesHold) {
  std::string out;
  append_line(out, {{"Phase", "1"}, " ", std::string("Ready\r\nPhase Failed"), "\u009b31m"});
  EXPECT_EQ(out, "\x1b[1mPhase\x1b[0m Ready  Phase Failed 31m\n");
}

TEST(Until, DaysDurationsAndMomentsAreUnderstood) {
  const TimePoint now = parse_rfc3339("2026-11-29T12:00:00Z").value();
  EXPECT_EQ(format_rfc3339(parse_until("30d", now).value()), "2026-12-29T12:00:00Z");
  EXPECT_EQ(format_rfc3339(parse_until("36h", now).value()), "2026-12-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(parse_until("2027-01-03T00:00:00Z", now).value()), "2027-01-03T00:00:00Z");
}

TEST(Until, WhatIsPastTooFarOrNoTimeIsRefusedWithTheForms) {
  const TimePoint now = parse_rfc3339("2026-11-29T12:00:00Z").value();
  for (const char* text : {"", "soon", "0d", "-1d", "3651d", "99999999999d", "2026-11-29T12:00:00Z", "30", "30d "}) {
    const auto until = parse_until(text, now);
    ASSERT_FALSE(until.has_value()) << text;
    EXPECT_THAT(until.error().message(), testing::HasSubstr("write 30d, 36h"));
  }
}

}  // namespace
}  // namespace edgetrust
