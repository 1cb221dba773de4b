#include "edgetrust/json/fields.hpp"

#include "described.hpp"

#include <regex>

namespace edgetrust::json {
namespace {

using namespace std::chrono_literals;
using described::Colour;

TEST(Fields, AttributesAddUp) {
  const FieldInfo info = field_info(doc("d"), required, pattern("p"), min_length(1), max_length(2), minimum(3),
                                    maximum(4), min_items(5), max_items(6), item_pattern("ip"), item_max_length(7),
                                    preset("8"), map_key("k"), rule("r1", "m1"), immutable("m2"));
  EXPECT_EQ(info.doc, "d");
  EXPECT_TRUE(info.required);
  EXPECT_EQ(info.pattern, "p");
  EXPECT_EQ(info.min_length, 1);
  EXPECT_EQ(info.max_length, 2);
  EXPECT_EQ(info.minimum, 3);
  EXPECT_EQ(info.maximum, 4);
  EXPECT_EQ(info.min_items, 5);
  EXPECT_EQ(info.max_items, 6);
  EXPECT_EQ(info.item_pattern, "ip");
  EXPECT_EQ(info.item_max_length, 7);
  EXPECT_EQ(info.preset, "8");
  EXPECT_EQ(info.map_key, "k");
  ASSERT_EQ(info.rules.size(), 2U);
  EXPECT_EQ(info.rules[0].cel, "r1");
  EXPECT_EQ(info.rules[1].cel, "self == oldSelf");
  EXPECT_EQ(info.rules[1].message, "m2");
}

TEST(Fields, EnumsHaveNamesBothWays) {
  EXPECT_EQ(enum_name(Colour::kGreen), "Green");
  EXPECT_EQ(Text<Colour>::parse("Green"), Colour::kGreen);
  EXPECT_EQ(Text<Colour>::print(Colour::kRed), "Red");
  EXPECT_EQ(Text<Colour>::parse("green").error().what, "is none of Red, Green");
  EXPECT_EQ(enum_name(static_cast<Colour>(99)), "");
}

TEST(Fields, DurationsAndTimesAreText) {
  EXPECT_EQ(Text<std::chrono::milliseconds>::parse("1h30m"), 90min);
  EXPECT_EQ(Text<std::chrono::milliseconds>::print(90min), "1h30m");
  EXPECT_FALSE(Text<std::chrono::milliseconds>::parse("7d"));
  EXPECT_EQ(Text<TimePoint>::print(Text<TimePoint>::parse("2027-01-03T02:00:00Z").value()), "2027-01-03T02:00:00Z");
}

// What the schema lets through must be readable: an object that the API server took is not refused by the reader.
TEST(Fields, DurationsOfTheSchemasPatternCanBeRead) {
  const std::regex pattern{std::string(Text<std::chrono::milliseconds>::kPattern)};
  for (const char* text : {"0", "0s", "90s", "1.5h", "1h30m", "250ms", "168h", "604800s", "1h1h1h", "99999h",
                           "999999999s999999999s999999999s9h", "99999h99999h99999h99999h99999h"}) {
    EXPECT_TRUE(std::regex_match(text, pattern)) << text;
    EXPECT_TRUE(Text<std::chrono::milliseconds>::parse(text)) << text;
  }
  for (const char* text : {"", "7d", "90", "-1s", "+1s", "1 h", "h", ".5h", "1.h", "1h 30m", "876001h", "1us", "1ns"}) {
    EXPECT_FALSE(std::regex_match(text, pattern)) << text;
  }
}

}  // namespace
}  // namespace edgetrust::json
