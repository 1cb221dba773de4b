#include "edgetrust/json/encode.hpp"

#include "described.hpp"
#include "edgetrust/json/decode.hpp"

namespace edgetrust::json {
namespace {

using namespace std::chrono_literals;
using described::Colour;
using described::Sample;

TEST(Encode, LeavesOutWhatIsEmptyUnlessRequired) {
  EXPECT_EQ(dump(encode(Sample{})), R"({"colour":"Red","flag":false,"id":"","large":0,"small":7,"text":"","wait":"0s",)"
                                    R"("words":[]})");
}

Sample full() {
  Sample sample{.text = "ü \"quoted\"",
                .flag = true,
                .small = -1,
                .large = 9007199254740993,
                .maybe = 0,
                .note = "",
                .colour = Colour::kGreen,
                .second_colour = Colour::kRed,
                .wait = 90s,
                .at = parse_rfc3339("2027-01-03T02:00:00Z").value(),
                .words = {"a", ""},
                .points = {{"p", 1}},
                .numbers = {0, -5},
                .labels = {{"k", ""}},
                .nested = {.point = described::Point{"n", 2}, .deep = false},
                .marker = described::Nothing{}};
  sample.id.value = "i";
  return sample;
}

TEST(Encode, WritesEveryKindOfMember) {
  EXPECT_EQ(dump(encode(full())),
            R"({"at":"2027-01-03T02:00:00Z","colour":"Green","flag":true,"id":"i","labels":{"k":""},)"
            R"("large":9007199254740993,"marker":{},"maybe":0,"nested":{"deep":false,"point":{"name":"n","x":2}},)"
            R"("note":"","numbers":[0,-5],"points":[{"name":"p","x":1}],"secondColour":"Red","small":-1,)"
            R"("text":"ü \"quoted\"","wait":"1m30s","words":["a",""]})");
}

TEST(Encode, WhatIsWrittenIsReadBack) {
  const std::string text = dump(encode(full()));
  const auto document = Document::parse(text).value();
  const auto back = decode<Sample>(document.root());
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(dump(encode(*back)), text);
  EXPECT_EQ(back->note, "");
  EXPECT_EQ(back->nested.deep, false);
  EXPECT_TRUE(back->marker);
}

TEST(Encode, AnEmptyObjectInsideIsLeftOut) {
  EXPECT_FALSE(encode(Sample{}).contains("nested"));
  EXPECT_TRUE(encode(Sample{.nested = {.deep = true}}).contains("nested"));
}

}  // namespace
}  // namespace edgetrust::json
