#include "edgetrust/json/unserved.hpp"

#include "described.hpp"

namespace edgetrust::json {
namespace {

using described::Colour;
using described::Sample;
using Paths = std::vector<std::string>;

TEST(Unserved, NothingSetIsNothingFound) { EXPECT_EQ(unserved_fields(Sample{}, "spec"), Paths{}); }

TEST(Unserved, FindsOptionalsListsAndFlagsThatAreSet) {
  EXPECT_EQ(unserved_fields(Sample{.future = described::Nested{}}, "spec"), Paths{"spec.future"});
  EXPECT_EQ(unserved_fields(Sample{.future_words = {"w"}}, "spec"), Paths{"spec.futureWords"});
  EXPECT_EQ(unserved_fields(Sample{.future_flag = true}, "spec"), Paths{"spec.futureFlag"});
}

TEST(Unserved, FindsOneValueOfAnEnumAlone) {
  EXPECT_EQ(unserved_fields(Sample{.colour = Colour::kGreen}, "spec"), Paths{"spec.colour: Green"});
  EXPECT_EQ(unserved_fields(Sample{.second_colour = Colour::kGreen}, "spec"), Paths{"spec.secondColour: Green"});
  EXPECT_EQ(unserved_fields(Sample{.second_colour = Colour::kRed}, "spec"), Paths{});
}

TEST(Unserved, LooksInsideServedObjectsAndListsButNotInsideWhatItFound) {
  EXPECT_EQ(unserved_fields(Sample{.nested = {.deep = false}}, "spec"), Paths{"spec.nested.deep"});
  EXPECT_EQ(unserved_fields(Sample{.future = described::Nested{.deep = true}}, "spec"), Paths{"spec.future"});
  EXPECT_EQ(unserved_fields(Sample{.colour = Colour::kGreen, .nested = {.deep = true}, .future_flag = true}, "a"),
            (Paths{"a.colour: Green", "a.nested.deep", "a.futureFlag"}));
}

struct Row {
  std::optional<std::string> later_text;
};
struct Table {
  std::vector<Row> rows;
};
template <class V>
void fields(V& v, Row& row) {
  v("laterText", row.later_text, later);
}
template <class V>
void fields(V& v, Table& table) {
  v("rows", table.rows);
}
TEST(Unserved, NamesTheElementOfAList) {
  EXPECT_EQ(unserved_fields(Table{{{}, {"x"}}}, "spec"), Paths{"spec.rows[1].laterText"});
}

}  // namespace
}  // namespace edgetrust::json
