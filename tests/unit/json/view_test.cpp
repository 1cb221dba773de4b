#include "edgetrust/json/view.hpp"

#include "edgetrust/json/value.hpp"

namespace edgetrust::json {
namespace {

TEST(View, ReadsByPathAndMissingIsAbsent) {
  const auto document =
      Document::parse(R"({"metadata":{"name":"edge01","generation":3},"items":[1,2.5,true,null]})").value();
  const View root = document.root();
  EXPECT_EQ(root["metadata"]["name"].string(), "edge01");
  EXPECT_EQ(root["metadata"]["generation"].integer(), 3);
  EXPECT_EQ(root["metadata"]["generation"].string(), std::nullopt);
  EXPECT_EQ(root["no"]["such"]["thing"].kind(), Kind::kAbsent);
  std::vector<std::string> items;
  root["items"].for_each_element([&](View item) {
    items.push_back(item.text());
    return true;
  });
  EXPECT_EQ(items, (std::vector<std::string>{"1", "2.5", "true", "null"}));
}

TEST(View, RefusesDuplicateKeysAtAnyDepth) {
  EXPECT_FALSE(Document::parse(R"({"a":1,"a":2})").has_value());
  EXPECT_FALSE(Document::parse(R"([{"x":{"a":1,"b":2,"a":3}}])").has_value());
  std::string many = "{";
  for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(Document::parse(many + "\"z\":1}").has_value());
  EXPECT_FALSE(Document::parse(many + "\"k7\":1}").has_value());
}

TEST(View, BoundsDepthAndSizeBeforeParsing) {
  const std::string bomb(100'000, '[');
  EXPECT_EQ(Document::parse(bomb).error().kind, ErrorKind::kProtocol);
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Document::parse(nested(64)).has_value());
  EXPECT_FALSE(Document::parse(nested(66)).has_value());
  EXPECT_FALSE(Document::parse("[1,2,3]", {.max_bytes = 6}).has_value());
}

TEST(View, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "{\"a\":}", "nul", "{\"a\":1}x", "\"\xff\""})
    EXPECT_FALSE(Document::parse(text).has_value()) << text;
}

TEST(View, RefusesATextThatPointsNowhere) {
  EXPECT_EQ(Document::parse(std::string_view{}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Document::parse("").error().kind, ErrorKind::kProtocol) << "empty, but there";
}

TEST(Value, CopiesAViewAndDumpsSorted) {
  const auto document = Document::parse(R"({"b":[1,{"c":"ü"}],"a":false,"n":-1.5})").value();
  EXPECT_EQ(dump(to_value(document.root())), R"({"a":false,"b":[1,{"c":"ü"}],"n":-1.5})");
  EXPECT_EQ(dump(Value{{"text", "broken \xff"}}), "{\"text\":\"broken \xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace edgetrust::json
