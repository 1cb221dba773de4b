#include "edgetrust/json/decode.hpp"

#include "described.hpp"

namespace edgetrust::json {
namespace {

using namespace std::chrono_literals;
using described::Colour;
using described::Sample;

Result<Sample> read(const std::string& text, const std::string& path = {}) {
  const auto document = Document::parse(text).value();
  return decode<Sample>(document.root(), path);
}

TEST(Decode, ReadsEveryKindOfMember) {
  const auto sample = read(R"({
    "text": "t", "flag": true, "small": -3, "large": 9007199254740993, "maybe": 4, "note": "n", "colour": "Green",
    "secondColour": "Red", "wait": "1m30s", "at": "2027-01-03T02:00:00Z", "id": "i", "words": ["a", "b"],
    "points": [{"name": "p", "x": 1}, {"name": "q"}], "numbers": [1, 2], "labels": {"k": "v"},
    "nested": {"point": {"name": "n"}}, "marker": {}, "unknown": {"is": ["ignored"]}})");
  ASSERT_TRUE(sample) << sample.error().what;
  EXPECT_EQ(sample->text, "t");
  EXPECT_TRUE(sample->flag);
  EXPECT_EQ(sample->small, -3);
  EXPECT_EQ(sample->large, 9007199254740993);
  EXPECT_EQ(sample->maybe, 4);
  EXPECT_EQ(sample->note, "n");
  EXPECT_EQ(sample->colour, Colour::kGreen);
  EXPECT_EQ(sample->second_colour, Colour::kRed);
  EXPECT_EQ(sample->wait, 90s);
  EXPECT_EQ(sample->at, parse_rfc3339("2027-01-03T02:00:00Z").value());
  EXPECT_EQ(sample->id.value, "i");
  EXPECT_EQ(sample->words, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(sample->points.size(), 2U);
  EXPECT_EQ(sample->points[0].x, 1);
  EXPECT_EQ(sample->points[1].name, "q");
  EXPECT_EQ(sample->numbers, (std::vector<int>{1, 2}));
  EXPECT_EQ(sample->labels, (StringMap{{"k", "v"}}));
  ASSERT_TRUE(sample->nested.point);
  EXPECT_EQ(sample->nested.point->name, "n");
  EXPECT_TRUE(sample->marker);
}

TEST(Decode, AbsentAndNullKeepTheDefault) {
  const auto sample = read(R"({"text":"t","words":[],"small":null,"maybe":null,"labels":null,"nested":null})");
  ASSERT_TRUE(sample) << sample.error().what;
  EXPECT_EQ(sample->small, 7);
  EXPECT_EQ(sample->maybe, std::nullopt);
  EXPECT_FALSE(sample->marker || sample->nested.point);
}

// Each refused with the path of the member and what is wrong with it.
struct Refused {
  std::string json;
  std::string message;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.json; }
class DecodeRefuses : public testing::TestWithParam<Refused> {};
TEST_P(DecodeRefuses, NamingThePath) {
  const auto sample = read(GetParam().json);
  ASSERT_FALSE(sample);
  EXPECT_EQ(sample.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(sample.error().what, GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    All, DecodeRefuses,
    testing::Values(
        Refused{R"({"words":[]})", "text: is required"}, Refused{R"({"text":null,"words":[]})", "text: is required"},
        Refused{R"({"text":"t"})", "words: is required"},
        Refused{R"({"text":1,"words":[]})", "text: must be a string, not a number"},
        Refused{R"({"text":"t","flag":"yes"})", "flag: must be a boolean, not a string"},
        Refused{R"({"text":"t","small":1.5})", "small: must be an integer in range, not a number"},
        Refused{R"({"text":"t","small":2147483648})", "small: must be an integer in range, not a number"},
        Refused{R"({"text":"t","large":9223372036854775808})", "large: must be an integer in range, not a number"},
        Refused{R"({"text":"t","maybe":"4"})", "maybe: must be an integer in range, not a string"},
        Refused{R"({"text":"t","colour":"Blue"})", "colour: is none of Red, Green"},
        Refused{R"({"text":"t","secondColour":true})", "secondColour: must be a string, not a boolean"},
        Refused{R"({"text":"t","wait":"90"})", "wait: not a duration such as 90s, 2h or 1h30m"},
        Refused{R"({"text":"t","wait":90})", "wait: must be a string, not a number"},
        Refused{R"({"text":"t","at":"tomorrow"})", "at: not an RFC 3339 time such as 2027-01-03T02:00:00Z"},
        Refused{R"({"text":"t","words":"w"})", "words: must be a list, not a string"},
        Refused{R"({"text":"t","words":["w",null]})", "words[1]: must be a string, not null"},
        Refused{R"({"text":"t","words":[],"points":[{"name":"a"},{"x":1}]})", "points[1].name: is required"},
        Refused{R"({"text":"t","words":[],"points":[[]]})", "points[0]: must be an object, not a list"},
        Refused{R"({"text":"t","words":[],"labels":["k"]})", "labels: must be an object, not a list"},
        Refused{R"({"text":"t","words":[],"labels":{"k":1}})", "labels.k: must be a string, not a number"},
        Refused{R"({"text":"t","words":[],"nested":{"point":{"name":2}}})",
                "nested.point.name: must be a string, not a number"},
        Refused{R"({"text":"t","words":[],"nested":7})", "nested: must be an object, not a number"}));

TEST(Decode, PutsTheGivenPathInFront) {
  EXPECT_EQ(read(R"({"words":[]})", "spec").error().what, "spec.text: is required");
  EXPECT_EQ(read("[]", "spec").error().what, "spec: must be an object, not a list");
  EXPECT_EQ(decode<Sample>(View{}, "spec").error().what, "spec: must be an object, not nothing");
}

TEST(Decode, TheFirstErrorIsTheOneTold) {
  EXPECT_EQ(read(R"({"text":1,"flag":2,"words":3})").error().what, "text: must be a string, not a number");
  EXPECT_EQ(read(R"({"text":"t","words":[1,2,3]})").error().what, "words[0]: must be a string, not a number");
}

}  // namespace
}  // namespace edgetrust::json
