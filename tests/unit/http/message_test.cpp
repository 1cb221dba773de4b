#include "edgetrust/http/message.hpp"

#include "edgetrust/base/time_text.hpp"

namespace edgetrust::http {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Headers, NamesCompareWithoutCase) {
  Headers headers{{"Content-Type", "a"}, {"Link", "1"}};
  headers.add("LINK", "2");
  EXPECT_EQ(headers.get("content-type"), "a");
  EXPECT_EQ(headers.get("link"), "1");
  EXPECT_THAT(headers.all("Link"), ElementsAre("1", "2"));
  EXPECT_EQ(headers.get("Content"), std::nullopt);
  EXPECT_TRUE(headers.all("none").empty());
}

TEST(Headers, SetReplacesAllOfThatNameAndKeepsThePlace) {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}, {"A", "5"}};
  headers.set("a", "new");
  EXPECT_THAT(headers.fields(), ElementsAre(Pair("A", "new"), Pair("B", "2"), Pair("C", "4")));
  headers.set("D", "6");
  EXPECT_EQ(headers.get("d"), "6");
}

TEST(Method, NamesAreTheWireNames) {
  EXPECT_EQ(to_string(Method::kGet), "GET");
  EXPECT_EQ(to_string(Method::kHead), "HEAD");
  EXPECT_EQ(to_string(Method::kPost), "POST");
  EXPECT_EQ(to_string(Method::kPut), "PUT");
  EXPECT_EQ(to_string(Method::kPatch), "PATCH");
  EXPECT_EQ(to_string(Method::kDelete), "DELETE");
}

TEST(Response, OkIsTwoHundreds) {
  EXPECT_FALSE((Response{.status = 199}.ok()));
  EXPECT_TRUE((Response{.status = 200}.ok()));
  EXPECT_TRUE((Response{.status = 299}.ok()));
  EXPECT_FALSE((Response{.status = 300}.ok()));
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  const auto now = parse_rfc3339("1994-11-06T08:49:30Z").value();
  const std::vector<std::pair<const char*, std::optional<std::chrono::seconds>>> table = {
      {"0", 0s},
      {"120", 120s},
      {" 7 ", 7s},
      {"1000000000", 1'000'000'000s},
      {"1000000001", 1'000'000'000s},
      {"99999999999999999999999999", 1'000'000'000s},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 7s},
      {"Sun, 06 Nov 1994 08:49:00 GMT", 0s},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"+1", std::nullopt},
      {"1.5", std::nullopt},
      {"1, 2", std::nullopt},
      {"0x10", std::nullopt},
      {"soon", std::nullopt},
      {"Sunday, 06-Nov-94 08:49:37 GMT", std::nullopt},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(retry_after({{"retry-after", text}}, now), expected) << text;
  EXPECT_EQ(retry_after({}, now), std::nullopt);
}

TEST(RetryAfter, ADateIsNeverReachedEarly) {
  const auto now = parse_rfc3339("1994-11-06T08:49:30.001Z").value();
  EXPECT_EQ(retry_after({{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}}, now), 7s);
}

}  // namespace
}  // namespace edgetrust::http
