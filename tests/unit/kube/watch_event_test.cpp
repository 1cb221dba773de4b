#include "edgetrust/kube/watch_event.hpp"

#include "edgetrust/kube/api_error.hpp"

namespace edgetrust::kube {
namespace {

TEST(WatchEvent, ReadsTypeVersionAndObject) {
  const auto event = parse_watch_event(
      R"({"type":"MODIFIED","object":{"kind":"Edge","metadata":{"name":"edge01","resourceVersion":"17"}}})");
  ASSERT_TRUE(event.has_value()) << event.error().message();
  EXPECT_EQ(event->facts.type, LineType::kModified);
  EXPECT_EQ(event->facts.resource_version, "17");
  EXPECT_FALSE(event->facts.initial_events_end);
  EXPECT_EQ(event->object["metadata"]["name"].string(), "edge01");
}

TEST(WatchEvent, KnowsTheBookmarkThatEndsTheInitialEvents) {
  const auto event = parse_watch_event(
      R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}})");
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(event->facts.initial_events_end);
}

TEST(WatchEvent, CarriesTheStatusOfAnErrorEvent) {
  const auto event = parse_watch_event(
      R"({"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old resource version","reason":"Expired","code":410}})");
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(is_expired(*event->facts.error));
}

TEST(WatchEvent, RefusesWhatIsNoEvent) {
  for (const char* line : {"", "{", "[]", "null", "{}", R"({"type":"SOMETHING","object":{}})", R"({"type":"ADDED"})",
                           R"({"type":"ADDED","object":7})", R"({"type":"ADDED","object":{"metadata":{"name":"ed)"}) {
    EXPECT_EQ(parse_watch_event(line).error().kind, ErrorKind::kProtocol) << line;
  }
}

TEST(WatchEvent, IsBoundedInSizeAndDepth) {
  const std::string deep(100'000, '[');
  EXPECT_FALSE(parse_watch_event(R"({"type":"ADDED","object":)" + deep).has_value());
  EXPECT_FALSE(
      parse_watch_event(R"({"type":"ADDED","object":{"a":")" + std::string(5 << 20, 'x') + R"("}})").has_value());
}

TEST(ServerJson, ReadsIntegersOfAnySize) {
  const auto document = parse_server_json(
      R"({"a":100000000000000000000,"b":-99999999999999999999,"c":[123456789012345678901,9223372036854775807],)"
      R"("d":"100000000000000000000 \"1000000000000000000000","e":1.00000000000000000000001,"f":1e30,"g":1E+000000000000000000030})",
      1 << 20);
  ASSERT_TRUE(document.has_value()) << document.error().message();
  const json::View root = document->root();
  EXPECT_EQ(root["a"].number(), 1e20);
  EXPECT_EQ(root["b"].number(), -99999999999999999999.0);
  EXPECT_EQ(root["d"].string(), "100000000000000000000 \"1000000000000000000000");
  EXPECT_EQ(root["e"].number(), 1.0);
  EXPECT_EQ(root["g"].number(), 1e30);
}

TEST(ServerJson, StillRefusesBrokenAndLargeText) {
  EXPECT_FALSE(parse_server_json(R"({"a":100000000000000000000)", 1 << 20).has_value());
  EXPECT_FALSE(parse_server_json(R"({"a":"100000000000000000000)", 1 << 20).has_value());
  EXPECT_FALSE(parse_server_json(R"({"a":1,"a":2})", 1 << 20).has_value());
  EXPECT_FALSE(parse_server_json(R"({"a":100000000000000000000})", 10).has_value());
}

}  // namespace
}  // namespace edgetrust::kube
