#include "edgetrust/genesys/oauth.hpp"

#include "edgetrust/base/encoding.hpp"
#include "scripted_transport.hpp"
#include "support/fake_clock.hpp"

#include <latch>

namespace edgetrust::genesys {
namespace {

using std::chrono::seconds;
using testing::json_answer;
using testing::LoginDesk;
using testing::ScriptedTransport;

constexpr std::string_view kSecret = "s3cret-of-the-client";

Credentials credentials() { return {.client_id = "client-1", .client_secret = Secret(kSecret)}; }

struct Fixture {
  explicit Fixture(ScriptedTransport::Answer answer, std::string_view login = "https://login.example.com")
      : transport(std::make_shared<ScriptedTransport>(std::move(answer))),
        tokens(http::Url::parse(login).value(), credentials(), transport, clock) {}
  support::FakeClock clock;
  std::shared_ptr<ScriptedTransport> transport;
  TokenSource tokens;
};

ScriptedTransport::Answer always(const http::Response& response) {
  return [response](const http::Request&) { return response; };
}

TEST(OAuth, SendsWhatTheVendorsSdkSends) {
  LoginDesk desk;
  Fixture f([&](const http::Request&) { return desk(); });
  EXPECT_EQ(f.tokens.token({}).value()->expose(), "token-1");
  const auto sent = f.transport->sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].line(), "POST https://login.example.com/oauth/token");
  EXPECT_EQ(sent[0].body, "grant_type=client_credentials");
  EXPECT_EQ(sent[0].header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(sent[0].header("authorization"), "Basic " + to_base64("client-1:" + std::string(kSecret)));
}

TEST(OAuth, KeepsTheGatewaysPath) {
  LoginDesk desk;
  Fixture f([&](const http::Request&) { return desk(); }, "https://gw.example.com/genesys/login/");
  ASSERT_TRUE(f.tokens.token({}));
  EXPECT_EQ(f.transport->lines(), std::vector<std::string>{"POST https://gw.example.com/genesys/login/oauth/token"});
}

TEST(OAuth, ReusesATokenUntilShortlyBeforeItExpires) {
  LoginDesk desk(3600);
  Fixture f([&](const http::Request&) { return desk(); });
  const Token first = f.tokens.token({}).value();
  f.clock.advance(seconds{3539});
  EXPECT_EQ(f.tokens.token({}).value(), first);
  f.clock.advance(seconds{1});
  EXPECT_EQ(f.tokens.token({}).value()->expose(), "token-2");
  EXPECT_EQ(desk.logins(), 2);
}

TEST(OAuth, AShortLifeKeepsATenthInReserve) {
  LoginDesk desk(5);
  Fixture f([&](const http::Request&) { return desk(); });
  ASSERT_TRUE(f.tokens.token({}));
  f.clock.advance(std::chrono::milliseconds{4'499});
  ASSERT_TRUE(f.tokens.token({}));
  EXPECT_EQ(desk.logins(), 1);
  f.clock.advance(std::chrono::milliseconds{1});
  ASSERT_TRUE(f.tokens.token({}));
  EXPECT_EQ(desk.logins(), 2);
}

TEST(OAuth, AWallClockThatJumpsChangesNothing) {
  LoginDesk desk(3600);
  Fixture f([&](const http::Request&) { return desk(); });
  ASSERT_TRUE(f.tokens.token({}));
  f.clock.jump_wall(std::chrono::hours{24 * 400});
  ASSERT_TRUE(f.tokens.token({}));
  EXPECT_EQ(desk.logins(), 1);
}

TEST(OAuth, WithoutALifeTheShortestIsAssumed) {
  int logins = 0;
  Fixture f([&](const http::Request&) {
    logins += 1;
    return json_answer(200, R"({"access_token":"t"})");
  });
  ASSERT_TRUE(f.tokens.token({}));
  f.clock.advance(seconds{269});
  ASSERT_TRUE(f.tokens.token({}));
  EXPECT_EQ(logins, 1);
  f.clock.advance(seconds{1});
  ASSERT_TRUE(f.tokens.token({}));
  EXPECT_EQ(logins, 2);
}

TEST(OAuth, ConcurrentCallersShareOneLogin) {
  constexpr int kCallers = 8;
  LoginDesk desk;
  std::latch all_started(kCallers);
  Fixture f([&](const http::Request&) {
    all_started.wait();
    return desk();
  });
  std::vector<std::jthread> callers;
  std::atomic<int> good = 0;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      all_started.count_down();
      if (f.tokens.token({}).value()->expose() == "token-1") good += 1;
    });
  }
  callers.clear();
  EXPECT_EQ(good, kCallers);
  EXPECT_EQ(desk.logins(), 1);
}

TEST(OAuth, ARefusedTokenIsDroppedOnceAndItsSuccessorStays) {
  LoginDesk desk;
  Fixture f([&](const http::Request&) { return desk(); });
  const Token first = f.tokens.token({}).value();
  f.tokens.refused(first);
  const Token second = f.tokens.token({}).value();
  f.tokens.refused(first);  // the other caller that saw 401 with it
  EXPECT_EQ(f.tokens.token({}).value(), second);
  EXPECT_EQ(desk.logins(), 2);
}

TEST(OAuth, AStoppedLoginDoesNotFailThoseWhoWaitForIt) {
  LoginDesk desk;
  std::latch first_is_in(1);
  std::latch second_started(1);
  std::atomic<int> calls = 0;
  Fixture f([&](const http::Request&) -> Result<http::Response> {
    if (calls++ > 0) return desk();
    first_is_in.count_down();
    second_started.wait();
    return fail(ErrorKind::kCancelled, "stopped");
  });
  std::jthread first([&] { EXPECT_EQ(f.tokens.token({}).error().kind, ErrorKind::kCancelled); });
  first_is_in.wait();
  std::jthread second([&] {
    second_started.count_down();
    EXPECT_TRUE(f.tokens.token({}));
  });
  first.join();
  second.join();
  EXPECT_EQ(desk.logins(), 1);
}

TEST(OAuth, AWaiterThatIsStoppedReturns) {
  std::latch in_login(1);
  std::latch release(1);
  LoginDesk desk;
  Fixture f([&](const http::Request&) {
    in_login.count_down();
    release.wait();
    return desk();
  });
  std::jthread first([&] { EXPECT_TRUE(f.tokens.token({})); });
  in_login.wait();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(f.tokens.token(stop.get_token()).error().kind, ErrorKind::kCancelled);
  release.count_down();
}

TEST(OAuth, ARefusedClientIsPermanentAndNotHammered) {
  struct Case {
    int status;
    const char* body;
  };
  for (const Case& c : {Case{400, R"({"error":"invalid_client","description":"client not found"})"},
                        Case{401, R"({"error":"invalid_client","error_description":"authentication failed"})"},
                        Case{401, "<html>no</html>"}}) {
    Fixture f(always(json_answer(c.status, c.body)));
    const Error error = f.tokens.token({}).error();
    EXPECT_EQ(error.kind, ErrorKind::kUnauthorized) << c.body;
    EXPECT_EQ(retry_of(error), Retry::kAfterChange);
    EXPECT_NE(error.message().find("check clientId and clientSecret"), std::string::npos) << error.message();
    EXPECT_EQ(f.tokens.token({}).error().kind, ErrorKind::kUnauthorized);
    EXPECT_EQ(f.transport->sent().size(), 1U);
    f.clock.advance(TokenSource::kRefusalHold);
    EXPECT_FALSE(f.tokens.token({}));
    EXPECT_EQ(f.transport->sent().size(), 2U);
  }
}

TEST(OAuth, ARefusedClientIsAskedLessAndLessOften) {
  Fixture f(always(json_answer(401, "")));
  int asked = 0;
  for (int second = 0; second < 3600; ++second) {
    EXPECT_FALSE(f.tokens.token({}));
    f.clock.advance(seconds{1});
  }
  asked = static_cast<int>(f.transport->sent().size());
  EXPECT_EQ(asked, 10) << "after 30 s, 1, 2, 4, 8 minutes, then each ten";
}

TEST(OAuth, AGoodLoginEndsTheCountOfRefusals) {
  bool good = false;
  LoginDesk desk;
  Fixture f([&](const http::Request&) { return good ? desk() : json_answer(401, ""); });
  EXPECT_FALSE(f.tokens.token({}));
  f.clock.advance(TokenSource::kRefusalHold);
  EXPECT_FALSE(f.tokens.token({}));
  good = true;
  f.clock.advance(2 * TokenSource::kRefusalHold);
  const Token token = f.tokens.token({}).value();
  good = false;
  f.tokens.refused(token);
  EXPECT_FALSE(f.tokens.token({}));
  good = true;
  f.clock.advance(TokenSource::kRefusalHold);
  EXPECT_TRUE(f.tokens.token({}));
}

TEST(OAuth, NamesTheReasonOfARefusal) {
  Fixture f(always(json_answer(400, R"({"error":"invalid_client","description":"client not found"})",
                               {{"ININ-Correlation-Id", "abc-1"}})));
  const Error error = f.tokens.token({}).error();
  EXPECT_EQ(error.code, "invalid_client");
  EXPECT_NE(error.what.find("invalid_client: client not found"), std::string::npos);
  EXPECT_EQ(error.context, "OAuth login") << "the same each time: it becomes a condition";
  EXPECT_EQ(error.correlation_id, "abc-1");
}

TEST(OAuth, OtherRefusalsHaveTheirKind) {
  struct Case {
    int status;
    const char* body;
    ErrorKind kind;
  };
  for (const Case& c : {Case{400, R"({"error":"unsupported_grant_type"})", ErrorKind::kInvalid},
                        Case{500, "<html>", ErrorKind::kUnavailable}, Case{503, "", ErrorKind::kUnavailable},
                        Case{504, "", ErrorKind::kTimeout}, Case{302, "", ErrorKind::kProtocol}}) {
    Fixture f(always(json_answer(c.status, c.body, {{"Retry-After", "7"}})));
    const Error error = f.tokens.token({}).error();
    EXPECT_EQ(error.kind, c.kind) << c.status;
    EXPECT_EQ(error.retry_after, seconds{7});
    f.clock.advance(std::chrono::milliseconds{1});
    EXPECT_FALSE(f.tokens.token({}));
    EXPECT_EQ(f.transport->sent().size(), 2U) << "not remembered";
  }
}

TEST(OAuth, ALoginThatAsksForAPauseGetsIt) {
  struct Case {
    const char* wish;
    seconds pause;
  };
  for (const Case& c : {Case{"7", seconds{7}}, Case{"0", seconds{1}}, Case{"99999999", seconds{300}}}) {
    Fixture f(always(json_answer(429, "", {{"Retry-After", c.wish}})));
    EXPECT_EQ(f.tokens.token({}).error().kind, ErrorKind::kRateLimited);
    f.clock.advance(c.pause - std::chrono::milliseconds{1});
    EXPECT_EQ(f.tokens.token({}).error().retry_after, seconds{1});
    EXPECT_EQ(f.transport->sent().size(), 1U);
    f.clock.advance(std::chrono::milliseconds{1});
    EXPECT_FALSE(f.tokens.token({}));
    EXPECT_EQ(f.transport->sent().size(), 2U);
  }
}

TEST(OAuth, ALostAnswerIsNoEffectOnAnyEdge) {
  Fixture f([](const http::Request&) -> Result<http::Response> {
    auto error = fail(ErrorKind::kTimeout, "no answer");
    error.value().maybe_executed = true;
    return error;
  });
  const Error error = f.tokens.token({}).error();
  EXPECT_EQ(error.kind, ErrorKind::kTimeout);
  EXPECT_FALSE(error.maybe_executed);
}

TEST(OAuth, RefusesWhatIsNoBearerToken) {
  for (const char* body :
       {"", "[]", "<html>", R"({"access_token":""})", R"({"access_token":7})", R"({"access_token":"a\r\nX-Y: z"})",
        R"({"access_token":"a b"})", R"({"access_token":"t","token_type":"mac"})", R"({"token":"t"})"}) {
    Fixture f(always(json_answer(200, body)));
    EXPECT_EQ(f.tokens.token({}).error().kind, ErrorKind::kProtocol) << body;
  }
}

TEST(OAuth, NoErrorRepeatsTheSecret) {
  const std::string echo =
      R"({"error":"invalid_client","description":"secret )" + std::string(kSecret) + R"( is wrong"})";
  for (const int status : {400, 401, 403, 500}) {
    Fixture f(always(json_answer(status, echo)));
    const Error error = f.tokens.token({}).error();
    EXPECT_EQ(error.message().find(kSecret), std::string::npos);
    EXPECT_NE(error.message().find("withheld"), std::string::npos);
  }
}

}  // namespace
}  // namespace edgetrust::genesys
