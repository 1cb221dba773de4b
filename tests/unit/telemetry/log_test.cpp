#include "edgetrust/telemetry/log.hpp"

#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/json/view.hpp"
#include "support/fake_clock.hpp"

#include <fstream>
#include <thread>

#include <unistd.h>

namespace edgetrust::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

static_assert(std::is_constructible_v<Value, std::string>);
static_assert(!std::is_constructible_v<Value, Secret>);
static_assert(!std::is_constructible_v<Value, Secret&>);
static_assert(!std::is_constructible_v<Value, const Secret*>);
static_assert(!std::is_constructible_v<Value, void*>);
static_assert(!std::is_constructible_v<Value, char>);
// A message or a key that is made while running is none.
static_assert(!std::is_constructible_v<Message, std::string>);
static_assert(!std::is_constructible_v<Key, std::string>);

// Nor can a field take a name that every line has.
template <const char* text>
concept IsKey = requires {
  typename std::bool_constant<(static_cast<void>(Key(text)), true)>;
};
constexpr char kTime[] = "time";
constexpr char kLevel[] = "level";
constexpr char kMsg[] = "msg";
constexpr char kEmpty[] = "";
constexpr char kFree[] = "times";
static_assert(!IsKey<kTime> && !IsKey<kLevel> && !IsKey<kMsg> && !IsKey<kEmpty> && IsKey<kFree>);

class LogTest : public ::testing::Test {
 protected:
  Logger logger(Level least = Level::kInfo) {
    return {[this](std::string_view line) { lines_.emplace_back(line); }, clock_, least};
  }
  support::FakeClock clock_{"2026-11-22T12:34:56.789Z"};
  std::vector<std::string> lines_;
};

TEST_F(LogTest, ALineIsOneObjectWithTypedFieldsInTheirOrder) {
  const auto when = clock_.now() + 1500ms;
  logger().info("pushed a certificate", {{"object", "ns/edge01"},
                                         {"revision", 7},
                                         {"size", std::size_t{18446744073709551615U}},
                                         {"offset", -3},
                                         {"share", 0.5},
                                         {"first", true},
                                         {"took", 1500ms},
                                         {"wait", 2h},
                                         {"at", when}});
  EXPECT_THAT(lines_,
              ElementsAre("{\"time\":\"2026-11-22T12:34:56.789Z\",\"level\":\"info\",\"msg\":\"pushed a certificate\","
                          "\"object\":\"ns/edge01\",\"revision\":7,\"size\":18446744073709551615,\"offset\":-3,"
                          "\"share\":0.5,\"first\":true,\"took\":1.5,\"wait\":7200.0,"
                          "\"at\":\"2026-11-22T12:34:58.289Z\"}\n"));
}

TEST_F(LogTest, TimesHaveThreeDigitsAlsoWhenTheyAreNought) {
  support::FakeClock clock("2026-11-22T12:34:56Z");
  Logger([this](std::string_view line) { lines_.emplace_back(line); }, clock).info("m");
  EXPECT_THAT(lines_.at(0), HasSubstr("\"2026-11-22T12:34:56.000Z\""));
}

TEST_F(LogTest, WhatComesFromOutsideCannotBreakTheLine) {
  const std::string hostile = "a\"b\\c\nd\r\x1b[2J\x01\xff {\"level\":\"error\"}";
  logger().info("m", {{"text", hostile}, {"text2", "\xe2\x82\xac"}});
  const std::string& line = lines_.at(0);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto document = json::Document::parse(line);
  ASSERT_TRUE(document.has_value()) << line;
  EXPECT_EQ(document->root()["text"].string(), "a\"b\\c d  [2J \xef\xbf\xbd {\"level\":\"error\"}");
  EXPECT_EQ(document->root()["text2"].string(), "\xe2\x82\xac");
  EXPECT_EQ(document->root()["level"].string(), "info");
}

TEST_F(LogTest, TextIsBounded) {
  logger().info("m", {{"text", std::string(1'000'000, 'x')}});
  const auto document = json::Document::parse(lines_.at(0));
  EXPECT_EQ(document->root()["text"].string()->size(), 4096U);
}

TEST_F(LogTest, NumbersThatAreNoneAreNull) {
  logger().info("m", {{"a", std::numeric_limits<double>::quiet_NaN()}, {"b", std::numeric_limits<double>::infinity()}});
  EXPECT_THAT(lines_.at(0), HasSubstr("\"a\":null,\"b\":null"));
}

TEST_F(LogTest, AnErrorIsAnObject) {
  Error error = within("issuer le: newOrder", fail(ErrorKind::kRateLimited, "too many \"orders\"").value());
  error.code = "urn:ietf:params:acme:error:rateLimited";
  error.correlation_id = "7f3c\n";
  error.retry_after = 90s;
  error.maybe_executed = true;
  logger().error("an order failed", {{"error", error}});
  const auto document = json::Document::parse(lines_.at(0));
  ASSERT_TRUE(document.has_value());
  const auto view = document->root()["error"];
  EXPECT_EQ(view["kind"].string(), "RateLimited");
  EXPECT_EQ(view["message"].string(), "issuer le: newOrder: too many \"orders\"");
  EXPECT_EQ(view["code"].string(), "urn:ietf:params:acme:error:rateLimited");
  EXPECT_EQ(view["correlationId"].string(), "7f3c ");
  EXPECT_EQ(view["retryAfter"].integer(), 90);
  EXPECT_EQ(view["maybeExecuted"].boolean(), true);
  EXPECT_THAT(*view["where"].string(), HasSubstr("log_test.cpp:"));
}

TEST_F(LogTest, AnErrorWithoutMoreSaysNoMore) {
  const Error error = fail(ErrorKind::kTimeout, "no answer").value();
  logger().warn("m", {{"error", error}});
  EXPECT_THAT(lines_.at(0), HasSubstr("\"error\":{\"kind\":\"Timeout\",\"message\":\"no answer\",\"where\":"));
}

TEST_F(LogTest, LevelsBelowTheLeastAreSilent) {
  const auto log_all = [](const Logger& log) {
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
  };
  for (const auto& [least, count] : std::vector<std::pair<Level, std::size_t>>{
           {Level::kDebug, 4}, {Level::kInfo, 3}, {Level::kWarn, 2}, {Level::kError, 1}}) {
    lines_.clear();
    log_all(logger(least));
    EXPECT_EQ(lines_.size(), count);
    EXPECT_THAT(lines_.back(), HasSubstr("\"level\":\"error\""));
  }
  EXPECT_FALSE(logger().enabled(Level::kDebug));
  EXPECT_TRUE(logger().enabled(Level::kInfo));
}

TEST_F(LogTest, AChildAddsItsFieldsAndALaterOneReplacesAnEarlier) {
  const Logger parent = logger();
  std::string name = "edge01";
  const Logger child = parent.with({{"kind", "Edge"}, {"name", name}, {"pass", 1}});
  name = "changed";
  const Logger grandchild = child.with({{"pass", 2}});
  child.info("c");
  grandchild.info("g", {{"kind", "Other"}, {"more", 1}, {"more", 2}});
  parent.info("p");
  EXPECT_THAT(lines_.at(0), HasSubstr("\"msg\":\"c\",\"kind\":\"Edge\",\"name\":\"edge01\",\"pass\":1}"));
  EXPECT_THAT(lines_.at(1), HasSubstr("\"msg\":\"g\",\"name\":\"edge01\",\"pass\":2,\"kind\":\"Other\",\"more\":2}"));
  EXPECT_THAT(lines_.at(2), HasSubstr("\"msg\":\"p\"}"));
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  {
    const Logger log = logger();
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&log, t] {
        const Logger mine = log.with({{"thread", t}});
        for (int i = 0; i < 200; ++i) mine.info("m", {{"text", std::string(100, 'x')}});
      });
    }
  }
  EXPECT_EQ(lines_.size(), 1600U);
  for (const auto& line : lines_) EXPECT_TRUE(json::Document::parse(line).has_value()) << line;
}

TEST_F(LogTest, ASinkThatThrowsLosesOnlyTheLine) {
  int calls = 0;
  const Logger log(
      [&](std::string_view) {
        if (++calls == 1) throw std::runtime_error("disk full");
      },
      clock_);
  EXPECT_NO_THROW(log.info("one"));
  log.info("two");
  EXPECT_EQ(calls, 2);
}

TEST_F(LogTest, TheStandardSinkWritesToStderr) {
  ::testing::internal::CaptureStderr();
  Logger(stderr_sink(), clock_).info("m");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "{\"time\":\"2026-11-22T12:34:56.789Z\",\"level\":\"info\",\"msg\":\"m\"}\n");
}

}  // namespace
}  // namespace edgetrust::telemetry
