#include "edgetrust/json/schema.hpp"

#include "described.hpp"

namespace edgetrust::json {
namespace {

using described::Sample;

OrderedValue schema() { return schema_of<Sample>(SchemaOptions{.max_length = 100, .max_items = 10}); }
std::string property(const std::string& name) { return schema()["properties"][name].dump(); }

TEST(Schema, ObjectListsRequiredPropertiesAndRulesInOrder) {
  const OrderedValue s = schema();
  EXPECT_EQ(s["type"], "object");
  EXPECT_EQ(s["required"].dump(), R"(["text","words"])");
  EXPECT_EQ(s["x-kubernetes-validations"].dump(),
            R"([{"rule":"self.small < self.large","message":"small must be smaller than large"}])");
  std::vector<std::string> names;
  for (const auto& [name, value] : s["properties"].items()) names.push_back(name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"text", "flag", "small", "large", "maybe", "note", "colour", "secondColour",
                                      "wait", "at", "id", "words", "points", "numbers", "labels", "nested", "marker"}));
}

TEST(Schema, ScalarsHaveTypeFormatBoundsAndDefault) {
  EXPECT_EQ(property("text"), R"({"description":"Text.","type":"string","maxLength":100})");
  EXPECT_EQ(property("flag"), R"({"description":"A flag.","type":"boolean"})");
  EXPECT_EQ(property("small"), R"({"description":"A small number.","type":"integer","format":"int32"})");
  EXPECT_EQ(property("large"), R"({"description":"A large number.","type":"integer","format":"int64"})");
  EXPECT_EQ(property("note"), R"({"description":"Perhaps text.","type":"string","maxLength":100})");
  EXPECT_EQ(property("colour"),
            R"({"description":"A colour.","type":"string","enum":["Red","Green"],"default":"Red"})");
  EXPECT_EQ(property("at"), R"({"description":"When.","type":"string","format":"date-time","maxLength":64})");
  EXPECT_EQ(schema()["properties"]["points"]["items"]["properties"]["x"].dump(),
            R"({"description":"Where.","type":"integer","format":"int32","minimum":-5,"maximum":5,"default":3})");
  EXPECT_EQ(schema()["properties"]["points"]["items"]["properties"]["name"].dump(),
            R"({"description":"Its name.","type":"string","minLength":1,"pattern":"^[a-z]+$","maxLength":8})");
}

TEST(Schema, RulesOfAFieldStandAtTheField) {
  const OrderedValue wait = schema()["properties"]["wait"];
  EXPECT_EQ(wait["pattern"], Text<std::chrono::milliseconds>::kPattern);
  EXPECT_EQ(wait["maxLength"], 32);
  EXPECT_EQ(wait["x-kubernetes-validations"].dump(),
            R"x([{"rule":"duration(self) > duration('1s')","message":"wait longer"}])x");
  EXPECT_EQ(property("id"), R"({"description":"Who.","type":"string","maxLength":100,"x-kubernetes-validations":)"
                            R"([{"rule":"self == oldSelf","message":"id is immutable"}]})");
}

TEST(Schema, ListsAndMapsAreBounded) {
  EXPECT_EQ(property("words"),
            R"({"description":"Words.","type":"array","minItems":1,"maxItems":4,"x-kubernetes-list-type":"atomic",)"
            R"("items":{"type":"string","pattern":"^w","maxLength":5}})");
  EXPECT_EQ(property("numbers"),
            R"({"description":"Numbers.","type":"array","maxItems":10,"x-kubernetes-list-type":"atomic",)"
            R"("items":{"type":"integer","format":"int32"}})");
  EXPECT_EQ(property("labels"), R"({"description":"Labels.","type":"object","maxProperties":2,"additionalProperties":)"
                                R"({"type":"string","maxLength":3}})");
  const OrderedValue points = schema()["properties"]["points"];
  EXPECT_EQ(points["x-kubernetes-list-type"], "map");
  EXPECT_EQ(points["x-kubernetes-list-map-keys"].dump(), R"(["name"])");
}

TEST(Schema, ObjectsInsideKeepTheirRules) {
  const OrderedValue nested = schema()["properties"]["nested"];
  EXPECT_EQ(nested["description"], "More.");
  EXPECT_EQ(nested["x-kubernetes-validations"].dump(), R"x([{"rule":"has(self.point)","message":"point is needed"}])x");
  EXPECT_EQ(property("marker"), R"({"description":"There or not.","type":"object","properties":{}})");
}

}  // namespace
}  // namespace edgetrust::json
