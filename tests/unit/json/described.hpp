#pragma once
// A type that uses everything a field list can say.
#include "edgetrust/json/fields.hpp"

#include <array>

namespace edgetrust::json::described {

enum class Colour { kRed, kGreen };

struct Point {
  std::string name;
  int x = 0;
};
struct Nested {
  std::optional<Point> point;
  std::optional<bool> deep;
};
struct Nothing {};

struct Sample {
  std::string text;
  bool flag = false;
  int small = 7;
  std::int64_t large = 0;
  std::optional<int> maybe;
  std::optional<std::string> note;
  Colour colour = Colour::kRed;
  std::optional<Colour> second_colour;
  std::chrono::milliseconds wait{};
  std::optional<TimePoint> at;
  Id<struct SampleTag> id;
  std::vector<std::string> words;
  std::vector<Point> points;
  std::vector<int> numbers;
  StringMap labels;
  Nested nested;
  std::optional<Nothing> marker;
};

}  // namespace edgetrust::json::described

namespace edgetrust::json {

template <>
struct EnumNames<described::Colour> {
  static constexpr std::array<std::pair<described::Colour, std::string_view>, 2> kNames = {
      {{described::Colour::kRed, "Red"}, {described::Colour::kGreen, "Green"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::json::described {

// A field a line, with all that is said of it.
// clang-format off
template <class V>
void fields(V& v, Point& point) {
  v("name", point.name, required, min_length(1), max_length(8), pattern("^[a-z]+$"), doc("Its name."));
  v("x", point.x, minimum(-5), maximum(5), preset("3"), doc("Where."));
}
template <class V>
void fields(V& v, Nested& nested) {
  v("point", nested.point, doc("A point."));
  v("deep", nested.deep, doc("Deep."));
  v.rule("has(self.point)", "point is needed");
}
template <class V>
void fields(V& /*v*/, Nothing& /*nothing*/) {}

template <class V>
void fields(V& v, Sample& sample) {
  v("text", sample.text, required, doc("Text."));
  v("flag", sample.flag, doc("A flag."));
  v("small", sample.small, doc("A small number."));
  v("large", sample.large, doc("A large number."));
  v("maybe", sample.maybe, doc("Perhaps a number."));
  v("note", sample.note, doc("Perhaps text."));
  v("colour", sample.colour, preset("\"Red\""), doc("A colour."));
  v("secondColour", sample.second_colour, doc("Perhaps a colour."));
  v("wait", sample.wait, rule("duration(self) > duration('1s')", "wait longer"), doc("How long."));
  v("at", sample.at, doc("When."));
  v("id", sample.id, immutable("id is immutable"), doc("Who."));
  v("words", sample.words, required, min_items(1), max_items(4), item_pattern("^w"), item_max_length(5), doc("Words."));
  v("points", sample.points, map_key("name"), doc("Points."));
  v("numbers", sample.numbers, doc("Numbers."));
  v("labels", sample.labels, max_items(2), item_max_length(3), doc("Labels."));
  v("nested", sample.nested, doc("More."));
  v("marker", sample.marker, doc("There or not."));
  v.rule("self.small < self.large", "small must be smaller than large");
}
// clang-format on

}  // namespace edgetrust::json::described
