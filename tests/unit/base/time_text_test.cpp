#include "edgetrust/base/time_text.hpp"

namespace edgetrust {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339, ReadsWhatItWrites) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2027-01-03T02:00:00Z", "2028-02-29T23:59:59Z", "9999-12-31T23:59:59Z"}) {
    EXPECT_EQ(format_rfc3339(parse_rfc3339(text).value()), text);
  }
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2027-01-03T02:00:00+02:00").value()), "2027-01-03T00:00:00Z");
  EXPECT_EQ(format_rfc3339_micro(parse_rfc3339("2027-01-03T02:00:00.123456-05:30").value()),
            "2027-01-03T07:30:00.123000Z");
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text :
       {"", "2027-01-03", "2027-13-03T02:00:00Z", "2027-02-29T02:00:00Z", "2027-01-03T24:00:00Z", "2027-01-03T02:00:00",
        "2027-01-03T02:00:00Zx", "2027-01-03T02:00:00.Z", "1969-12-31T23:59:59Z", "2027-01-03T02:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

TEST(HttpDate, ReadsImfFixdate) {
  EXPECT_EQ(format_rfc3339(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value()), "1994-11-06T08:49:37Z");
  EXPECT_FALSE(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT").has_value());
  EXPECT_FALSE(parse_http_date("Sun, 06 Foo 1994 08:49:37 GMT").has_value());
  EXPECT_FALSE(parse_http_date("").has_value());
}

TEST(Duration, ReadsGoStyle) {
  EXPECT_EQ(parse_duration("90s").value(), 90s);
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("1.5h").value(), 90min);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("672h").value(), 672h);
  EXPECT_EQ(parse_duration("0").value(), 0s);
  EXPECT_EQ(parse_duration("0s").value(), 0s);
}

TEST(Duration, RefusesWhatGoWouldAndSigns) {
  for (const char* text : {"", "7d", "90", "s", "-1s", "1h 30m", "1..5h", ".h", "9999999999h", "1h30"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Duration, WritesAsGoDoes) {
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(720h), "720h");
  EXPECT_EQ(format_duration(1500ms), "1s500ms");
  EXPECT_EQ(format_duration(0s), "0s");
}

}  // namespace
}  // namespace edgetrust
