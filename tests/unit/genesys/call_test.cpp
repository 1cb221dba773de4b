// What holds for every call: errors, tokens, budget, what may leave at all.
#include "fleet_fixture.hpp"

#include <barrier>

namespace edgetrust::genesys {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FleetFixture;
using testing::json_answer;
using testing::kEdge;

const std::string kEmptyList = R"({"entities":[],"pageSize":100,"pageNumber":1,"total":0,"pageCount":1})";

// Answers the status call well and everything else by `answer`.
FleetFixture after_status(const testing::ScriptedTransport::Answer& answer, Config with = testing::config()) {
  return FleetFixture(
      [answer](const http::Request& request) {
        const bool status = request.url.target.ends_with("/status");
        return status ? Result<http::Response>(json_answer(200, R"({"state":"OK","sip":"SIP_UP"})")) : answer(request);
      },
      std::move(with));
}

struct NamedCall {
  const char* name;
  std::function<Status(ports::EdgeFleet&)> call;
  bool mutates = false;
};
const std::vector<NamedCall>& calls() {
  static const std::vector<NamedCall> all = {
      {"check", [](ports::EdgeFleet& f) { return f.check({}); }},
      {"edges", [](ports::EdgeFleet& f) { return f.edges({}).map([](const auto&) {}); }},
      {"edge", [](ports::EdgeFleet& f) { return f.edge(kEdge, {}).map([](const auto&) {}); }},
      {"trunks", [](ports::EdgeFleet& f) { return f.trunks(kEdge, {}).map([](const auto&) {}); }},
      {"all_trunks", [](ports::EdgeFleet& f) { return f.all_trunks({}).map([](const auto&) {}); }},
      {"health", [](ports::EdgeFleet& f) { return f.health(kEdge, {}).map([](const auto&) {}); }},
      {"install", [](ports::EdgeFleet& f) { return f.install(testing::certificate_upload(), {}); }, true},
  };
  return all;
}

struct StatusCase {
  int status;
  ErrorKind kind;
};
const std::vector<StatusCase> kStatuses = {
    {400, ErrorKind::kInvalid},     {401, ErrorKind::kUnauthorized}, {403, ErrorKind::kForbidden},
    {404, ErrorKind::kNotFound},    {408, ErrorKind::kTimeout},      {409, ErrorKind::kConflict},
    {410, ErrorKind::kNotFound},    {413, ErrorKind::kInvalid},      {415, ErrorKind::kInvalid},
    {422, ErrorKind::kInvalid},     {429, ErrorKind::kRateLimited},  {500, ErrorKind::kUnavailable},
    {502, ErrorKind::kUnavailable}, {503, ErrorKind::kUnavailable},  {504, ErrorKind::kTimeout},
    {302, ErrorKind::kProtocol},    {418, ErrorKind::kProtocol},
};

TEST(GenesysCall, EveryStatusOnEveryCallHasItsKind) {
  for (const NamedCall& call : calls()) {
    for (const StatusCase& c : kStatuses) {
      for (const char* body : {R"({"message":"Sorry, no","code":"some.code","contextId":"ctx-9"})",
                               "<html><body>Sorry</body></html>", "", R"({"message":)"}) {
        // The status call has to answer well once before an install may be tried.
        bool good = call.mutates;
        FleetFixture f([&](const http::Request&) {
          return std::exchange(good, false) ? json_answer(200, "{}") : json_answer(c.status, body);
        });
        if (call.mutates) {
          ASSERT_TRUE(f.fleet->health(kEdge, {}));
        }
        const Status status = call.call(*f.fleet);
        ASSERT_FALSE(status) << call.name << c.status;
        const Error& error = status.error();
        EXPECT_EQ(error.kind, c.kind) << call.name << ' ' << c.status;
        EXPECT_EQ(error.maybe_executed, call.mutates && (c.status >= 500 || c.status == 408)) << c.status;
        if (std::string_view(body).ends_with('}')) {
          const bool refused = call.mutates && c.kind == ErrorKind::kInvalid;
          EXPECT_EQ(error.code, refused ? ports::kCertificateRefused : "some.code");
          if (refused) {
            EXPECT_NE(error.message().find("some.code"), std::string::npos);
          }
          EXPECT_EQ(error.correlation_id, "ctx-9");
        }
      }
    }
  }
}

TEST(GenesysCall, SaysWhatTheVendorSaysAndWhere) {
  FleetFixture f([](const http::Request&) {
    return json_answer(
        403, R"({"message":"You need telephony:plugin:all","code":"missing.any.permissions","contextId":"body"})",
        {{"ININ-Correlation-Id", "head"}});
  });
  EXPECT_EQ(f.fleet->trunks(kEdge, {}).error().message(),
            "GET /api/v2/telephony/providers/edges/" + kEdge.value +
                "/trunks: the answer is 403 missing.any.permissions: You need telephony:plugin:all");
  EXPECT_EQ(f.fleet->trunks(kEdge, {}).error().correlation_id, "head");
}

// A message becomes a condition: were it another one each time, each look would write the status anew.
TEST(GenesysCall, TheSameRefusalHasTheSameMessageEachTime) {
  int answers = 0;
  FleetFixture f([&](const http::Request&) {
    const std::string head = "correlation-id-" + std::to_string(++answers);
    const std::string body = "context-id-" + std::to_string(answers);
    return json_answer(500,
                       R"({"message":"Sorry, ask for )" + head + " or " + body +
                           R"(","code":"internal","contextId":")" + body + R"("})",
                       {{"ININ-Correlation-Id", head}});
  });
  for (const NamedCall& call : calls()) {
    const std::string message = call.call(*f.fleet).error().message();
    EXPECT_EQ(call.call(*f.fleet).error().message(), message) << call.name;
    EXPECT_NE(message.find("Sorry, ask for  or "), std::string::npos) << message;
  }
}

TEST(GenesysCall, VendorTextIsBoundedAndPrintable) {
  std::string words;
  while (words.size() < 100'000) words += "so many words ";
  FleetFixture f([&](const http::Request& request) {
    if (request.url.target.find("trunks") != std::string::npos) {
      return json_answer(400, R"({"message":")" + words.substr(0, 50'000) + R"("})", {{"ININ-Correlation-Id", words}});
    }
    return json_answer(400, R"({"message":"a\nb\u0007c"})");
  });
  EXPECT_LT(f.fleet->trunks(kEdge, {}).error().message().size(), 1024U);
  const std::string message = f.fleet->check({}).error().message();
  EXPECT_TRUE(std::none_of(message.begin(), message.end(), [](char c) { return c >= 0 && c < ' '; })) << message;
}

TEST(GenesysCall, OneNewLoginAndOneMoreTryOn401) {
  std::atomic<int> calls_seen = 0;
  FleetFixture f([&](const http::Request& request) {
    calls_seen += 1;
    const bool fresh = request.headers.get("Authorization") == "Bearer token-2";
    return fresh ? json_answer(200, kEmptyList) : json_answer(401, "");
  });
  EXPECT_TRUE(f.fleet->check({}));
  EXPECT_EQ(f.desk.logins(), 2);
  EXPECT_EQ(calls_seen, 2);
  EXPECT_TRUE(f.fleet->check({}));
  EXPECT_EQ(f.desk.logins(), 2);
}

TEST(GenesysCall, ASecond401IsTheAnswer) {
  for (const NamedCall& call : calls()) {
    FleetFixture f = after_status([](const http::Request&) { return json_answer(401, ""); });
    ASSERT_TRUE(f.fleet->health(kEdge, {}));
    if (std::string_view(call.name) == "health") continue;
    const std::size_t before = f.api->sent().size() + f.upload->sent().size();
    EXPECT_EQ(call.call(*f.fleet).error().kind, ErrorKind::kUnauthorized) << call.name;
    EXPECT_EQ(f.api->sent().size() + f.upload->sent().size() - before, 3U) << "call, login, call";
    EXPECT_EQ(f.desk.logins(), 2);
  }
}

TEST(GenesysCall, The401OfAnUploadIsTriedAgainWithTheSameBody) {
  FleetFixture f = after_status([](const http::Request& request) {
    return json_answer(request.headers.get("Authorization") == "Bearer token-1" ? 401 : 200, "{}");
  });
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  EXPECT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  const auto sent = f.upload->sent();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[1].line(), testing::kUploadCall);
  EXPECT_EQ(sent[1].body, sent[2].body);
  EXPECT_EQ(sent[2].header("Authorization"), "Bearer token-2");
}

TEST(GenesysCall, TwoConcurrent401sCauseOneLogin) {
  std::barrier both_are_in(2);
  FleetFixture f([&](const http::Request& request) {
    if (request.headers.get("Authorization") != "Bearer token-1") return json_answer(200, kEmptyList);
    both_are_in.arrive_and_wait();
    return json_answer(401, "");
  });
  {
    std::jthread a([&] { EXPECT_TRUE(f.fleet->check({})); });
    std::jthread b([&] { EXPECT_TRUE(f.fleet->trunks(kEdge, {})); });
  }
  EXPECT_EQ(f.desk.logins(), 2) << "the first one, and one for both";
}

TEST(GenesysCall, ALostAnswerMayHaveBeenExecutedOnlyByAnUpload) {
  for (const NamedCall& call : calls()) {
    FleetFixture f = after_status([](const http::Request&) -> Result<http::Response> {
      auto error = fail(ErrorKind::kTimeout, "no answer in time");
      error.value().maybe_executed = true;
      return error;
    });
    ASSERT_TRUE(f.fleet->health(kEdge, {}));
    if (std::string_view(call.name) == "health") continue;
    const Error error = call.call(*f.fleet).error();
    EXPECT_EQ(error.kind, ErrorKind::kTimeout);
    EXPECT_EQ(error.maybe_executed, call.mutates) << call.name;
    EXPECT_NE(error.context.find("/api/v2/telephony/providers/edges"), std::string::npos);
  }
}

TEST(GenesysCall, AStoppedCallSaysSo) {
  FleetFixture f([](const http::Request&) { return json_answer(200, kEmptyList); });
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(f.fleet->check(stop.get_token()).error().kind, ErrorKind::kCancelled);
}

TEST(GenesysCall, TakesTheWishForALaterTryFromEitherHeader) {
  struct Case {
    http::Headers headers;
    std::optional<seconds> wish;
  };
  for (const Case& c :
       {Case{{{"Retry-After", "12"}, {"inin-ratelimit-reset", "61"}}, seconds{12}},
        Case{{{"inin-ratelimit-reset", "61"}}, seconds{61}}, Case{{{"inin-ratelimit-reset", "soon"}}, std::nullopt},
        Case{{{"inin-ratelimit-reset", "-4"}}, std::nullopt}, Case{{}, std::nullopt}}) {
    FleetFixture f([&](const http::Request&) { return json_answer(429, "", c.headers); });
    EXPECT_EQ(f.fleet->check({}).error().retry_after, c.wish);
  }
}

TEST(GenesysCall, AHostThatAnswered429IsLeftAloneUntilItsTimeIsOver) {
  bool limited = true;
  FleetFixture f([&](const http::Request& request) {
    if (request.url.host == "upload.example.com") return json_answer(200, "{}");
    return limited ? json_answer(429, "", {{"Retry-After", "12"}}) : json_answer(200, kEmptyList);
  });
  EXPECT_EQ(f.fleet->check({}).error().kind, ErrorKind::kRateLimited);
  limited = false;
  f.clock.advance(milliseconds{11'500});
  const std::size_t before = f.api->sent().size();
  const Error held = f.fleet->check({}).error();
  EXPECT_EQ(held.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(held.retry_after, seconds{1});
  EXPECT_EQ(f.api->sent().size(), before) << "nothing was sent";
  EXPECT_TRUE(f.fleet->health(kEdge, {})) << "another host";
  f.clock.advance(milliseconds{500});
  EXPECT_TRUE(f.fleet->check({}));
}

TEST(GenesysCall, AnAbsurdPauseIsBounded) {
  bool limited = true;
  FleetFixture f([&](const http::Request&) {
    return std::exchange(limited, false) ? json_answer(429, "", {{"Retry-After", "315360000"}})
                                         : json_answer(200, kEmptyList);
  });
  EXPECT_EQ(f.fleet->check({}).error().retry_after, seconds{315'360'000});
  f.clock.advance(std::chrono::minutes{5});
  EXPECT_TRUE(f.fleet->check({}));
}

int calls_until_refused(ports::EdgeFleet& fleet, int most) {
  int good = 0;
  while (good < most && fleet.check({})) good += 1;
  return good;
}

TEST(GenesysCall, TheBudgetIsATokenBucketThatNeverSleeps) {
  Config with = testing::config();
  with.requests_per_minute = 60;
  FleetFixture f([](const http::Request&) { return json_answer(200, kEmptyList); }, std::move(with));
  EXPECT_EQ(calls_until_refused(*f.fleet, 100), 15) << "a quarter of a minute's requests";
  const Error error = f.fleet->check({}).error();
  EXPECT_EQ(error.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(error.retry_after, seconds{1});
  const std::size_t sent = f.api->sent().size();
  EXPECT_FALSE(f.fleet->edges({}));
  EXPECT_EQ(f.api->sent().size(), sent);
  f.clock.advance(seconds{3});
  EXPECT_EQ(calls_until_refused(*f.fleet, 100), 3);
  f.clock.advance(std::chrono::hours{1});
  EXPECT_EQ(calls_until_refused(*f.fleet, 100), 15);
}

TEST(GenesysCall, NoMinuteSeesMoreThanFiveQuartersOfTheBudget) {
  Config with = testing::config();
  with.requests_per_minute = 60;
  FleetFixture f([](const http::Request&) { return json_answer(200, kEmptyList); }, std::move(with));
  int good = 0;
  for (int tick = 0; tick < 600; ++tick) {
    good += calls_until_refused(*f.fleet, 100);
    f.clock.advance(milliseconds{100});
  }
  EXPECT_LE(good, 75);
  EXPECT_GE(good, 74);
}

TEST(GenesysCall, AnUploadDoesNotQueueBehindPolls) {
  Config with = testing::config();
  with.requests_per_minute = 4;
  FleetFixture f = after_status([](const http::Request&) { return json_answer(200, "{}"); }, std::move(with));
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  EXPECT_EQ(f.fleet->health(kEdge, {}).error().kind, ErrorKind::kRateLimited);
  EXPECT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  EXPECT_EQ(f.fleet->install(testing::certificate_upload(), {}).error().kind, ErrorKind::kRateLimited)
      << "the overdraft is bounded too";
}

TEST(GenesysCall, OnlyKnownCallsLeave) {
  FleetFixture f([](const http::Request& request) {
    if (request.url.target.find("/sites?") != std::string::npos) return json_answer(200, kEmptyList);
    if (request.url.target.find("/oauth/clients/") != std::string::npos) return json_answer(200, "{}");
    if (request.url.target.ends_with("/status")) return json_answer(200, "{}");
    return json_answer(200, R"({"entities":[{"id":"e1","site":{"id":"s1"}}],"pageCount":1})");
  });
  for (const std::string_view id : {"", ".", ".."}) {
    EXPECT_EQ(f.fleet->trunks(ports::EdgeId{std::string(id)}, {}).error().kind, ErrorKind::kInternal) << id;
    EXPECT_EQ(f.fleet->health(ports::EdgeId{std::string(id)}, {}).error().kind, ErrorKind::kInternal) << id;
    EXPECT_EQ(f.fleet->set_service(ports::EdgeId{std::string(id)}, true, {}, {}).error().kind, ErrorKind::kInternal);
  }
  EXPECT_TRUE(f.api->sent().empty());
  EXPECT_TRUE(f.upload->sent().empty());
  EXPECT_TRUE(f.fleet->trunks(ports::EdgeId{"e1/reboot?x="}, {}));
  EXPECT_TRUE(f.fleet->edges({}));
  EXPECT_TRUE(f.fleet->all_trunks({}));
  (void)f.fleet->client({});
  EXPECT_TRUE(f.fleet->health(kEdge, {}));
  EXPECT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  EXPECT_EQ(f.api->lines(),
            (std::vector<std::string>{
                "POST https://login.example.com/oauth/token",
                "GET " + testing::kEdges + "/e1%2Freboot%3Fx%3D/trunks?trunkType=EXTERNAL&pageSize=100&pageNumber=1",
                "GET " + testing::kEdges + "?showCloudMedia=false&managed=false&pageSize=100&pageNumber=1",
                "GET " + testing::kEdges + "/sites?pageSize=100&pageNumber=1",
                "GET " + testing::kEdges + "/trunks?trunkType=EXTERNAL&pageSize=100&pageNumber=1",
                "GET https://api.example.com/api/v2/oauth/clients/client-1"}));
  EXPECT_EQ(f.upload->lines(), (std::vector<std::string>{testing::kStatusCall, testing::kUploadCall}));
}

// What the vendor's limit says, as its answers carry it.
http::Headers rate(int count, int allowed, int reset) {
  return {{"inin-ratelimit-count", std::to_string(count)},
          {"inin-ratelimit-allowed", std::to_string(allowed)},
          {"inin-ratelimit-reset", std::to_string(reset)}};
}

TEST(GenesysCall, StaysAtSixTenthsOfWhatTheVendorAllows) {
  Config with = testing::config();
  with.requests_per_minute = 10'000;
  FleetFixture f([](const http::Request&) { return json_answer(200, kEmptyList, rate(1, 100, 60)); }, std::move(with));
  int good = 0;
  for (int second = 0; second < 60; ++second) {
    good += calls_until_refused(*f.fleet, 1000);
    f.clock.advance(seconds{1});
  }
  EXPECT_LE(good, 75) << "60 a minute and the bucket's quarter";
  EXPECT_GE(good, 59);
}

TEST(GenesysCall, WhatIsConfiguredIsNeverExceededByWhatIsAllowed) {
  Config with = testing::config();
  with.requests_per_minute = 60;
  FleetFixture f([](const http::Request&) { return json_answer(200, kEmptyList, rate(1, 3000, 60)); }, std::move(with));
  EXPECT_EQ(calls_until_refused(*f.fleet, 100), 15);
}

TEST(GenesysCall, TheLowestLimitHoldsForTenMinutes) {
  Config with = testing::config();
  with.requests_per_minute = 6000;
  FleetFixture f(
      [](const http::Request& request) {
        const bool trunks = request.url.target.find("/trunks") != std::string::npos;
        return json_answer(200, kEmptyList, rate(1, trunks ? 20 : 3000, 60));
      },
      std::move(with));
  ASSERT_TRUE(f.fleet->all_trunks({}));
  EXPECT_EQ(calls_until_refused(*f.fleet, 100), 3) << "a quarter of 12";
  f.clock.advance(std::chrono::minutes{10});
  EXPECT_TRUE(f.fleet->check({}));
  f.clock.advance(std::chrono::minutes{1});
  EXPECT_EQ(calls_until_refused(*f.fleet, 1000), 450) << "a quarter of 1800";
}

// Others may use the same client: the vendor counts for all of them.
TEST(GenesysCall, AHostWhoseCountIsNearItsLimitIsLeftAloneUntilItsMinuteIsOver) {
  int count = 59;
  FleetFixture f([&](const http::Request& request) {
    if (request.url.host == "upload.example.com") return json_answer(200, "{}");
    return json_answer(200, kEmptyList, rate(count, 100, 20));
  });
  ASSERT_TRUE(f.fleet->check({}));
  count = 60;
  ASSERT_TRUE(f.fleet->check({}));
  const std::size_t before = f.api->sent().size();
  const Error held = f.fleet->check({}).error();
  EXPECT_EQ(held.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(held.retry_after, seconds{20});
  EXPECT_EQ(f.api->sent().size(), before);
  EXPECT_TRUE(f.fleet->health(kEdge, {})) << "another host";
  f.clock.advance(seconds{20});
  EXPECT_TRUE(f.fleet->check({}));
}

TEST(GenesysCall, AnUploadGoesOutThoughTheLimitIsNear) {
  FleetFixture f = after_status([](const http::Request&) { return json_answer(200, "{}", rate(99, 100, 30)); });
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  ASSERT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  EXPECT_EQ(f.fleet->health(kEdge, {}).error().kind, ErrorKind::kRateLimited);
  EXPECT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
}

TEST(GenesysCall, AnAbsurdLimitTeachesNothing) {
  for (const http::Headers& headers :
       {rate(5, 0, 60), rate(5, -3, 60), rate(-1, 100, 60),
        http::Headers{{"inin-ratelimit-allowed", "1"}, {"inin-ratelimit-reset", "60"}},
        http::Headers{
            {"inin-ratelimit-count", "many"}, {"inin-ratelimit-allowed", "1"}, {"inin-ratelimit-reset", "60"}}}) {
    FleetFixture f([&](const http::Request&) { return json_answer(200, kEmptyList, headers); });
    EXPECT_EQ(calls_until_refused(*f.fleet, 100), 45);
  }
}

// A POST that may have been executed is not sent again by itself, whatever became of it.
TEST(GenesysCall, NothingButA401IsRepeated) {
  for (const int status : {408, 409, 429, 500, 502, 503, 504}) {
    FleetFixture f = after_status([&](const http::Request&) {
      return json_answer(status, "", {{"Retry-After", "1"}});
    });
    ASSERT_TRUE(f.fleet->health(kEdge, {}));
    const std::size_t before = f.upload->sent().size();
    const Error error = f.fleet->install(testing::certificate_upload(), {}).error();
    EXPECT_EQ(f.upload->sent().size() - before, 1U) << status;
    EXPECT_EQ(error.maybe_executed, status == 408 || status >= 500) << status;
  }
}

TEST(GenesysConfig, RefusesWhatCannotWorkAndNamesTheField) {
  struct Case {
    std::function<void(Config&)> spoil;
    const char* field;
  };
  const std::vector<Case> cases = {
      {[](Config& c) { c.api_url = "http://api.example.com"; }, "endpoints.api"},
      {[](Config& c) { c.api_url = "https://api.example.com?x=1"; }, "endpoints.api"},
      {[](Config& c) { c.login_url = "login"; }, "endpoints.login"},
      {[](Config& c) { c.upload->url = "http://upload.example.com"; }, "certificateUpload.endpoint"},
      {[](Config& c) { c.upload->upload_path = "certificates"; }, "certificateUpload.uploadPath"},
      {[](Config& c) { c.upload->status_path = "/status"; }, "certificateUpload.statusPath"},
      {[](Config& c) { c.upload->status_path = "/{id}/{id}"; }, "certificateUpload.statusPath"},
      {[](Config& c) { c.credentials.client_id.clear(); }, "credentials"},
      {[](Config& c) { c.credentials.client_secret = Secret(); }, "credentials"},
      {[](Config& c) { c.upload->credentials = Credentials{}; }, "certificateUpload.credentials"},
      {[](Config& c) { c.standby = Credentials{}; }, "standby credentials"},
      {[](Config& c) { c.requests_per_minute = 0; }, "requestsPerMinute"},
  };
  const support::FakeClock clock;
  for (const Case& c : cases) {
    Config config = testing::config();
    c.spoil(config);
    const auto fleet = make_fleet(std::move(config), {}, clock);
    ASSERT_FALSE(fleet) << c.field;
    EXPECT_EQ(fleet.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(fleet.error().message().find(c.field), std::string::npos) << fleet.error().message();
  }
}

}  // namespace
}  // namespace edgetrust::genesys
