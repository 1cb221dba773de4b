// An Edge's service state: asked for, and changed.
#include "fleet_fixture.hpp"

namespace edgetrust::genesys {
namespace {

using ports::CallDraining;
using testing::FleetFixture;
using testing::json_answer;
using testing::kEdge;

std::string edge_json(const std::string& more, const std::string& id = kEdge.value) {
  return R"({"id":")" + id + R"(","name":"edge01","state":"active","onlineStatus":"ONLINE")" + more + "}";
}
const std::string kCall = testing::kEdges + "/" + kEdge.value + "/statuscode";

TEST(ServiceState, IsReadOfOneEdge) {
  std::string body;
  FleetFixture f([&](const http::Request&) { return json_answer(200, body); });
  struct Case {
    std::string more;
    bool in_service;
    CallDraining draining;
    int conversations;
  };
  for (const Case& c : std::vector<Case>{
           {R"(,"statusCode":"ACTIVE","callDrainingState":"NONE","conversationCount":null)", true, CallDraining::kNone,
            0},
           {R"(,"statusCode":"INACTIVE","callDrainingState":"WAIT","conversationCount":3)", false,
            CallDraining::kWaiting, 3},
           {R"(,"statusCode":"INACTIVE","callDrainingState":"WAIT_TIMEOUT")", false, CallDraining::kCutting, 0},
           {R"(,"statusCode":"INACTIVE","callDrainingState":"TERMINATE","conversationCount":-4)", false,
            CallDraining::kCutting, 0},
           {R"(,"statusCode":"INACTIVE","callDrainingState":"COMPLETE","conversationCount":0)", false,
            CallDraining::kComplete, 0},
           {R"(,"statusCode":"RMA","callDrainingState":"SOMETHING","conversationCount":"many")", false,
            CallDraining::kUnknown, 0},
           {"", false, CallDraining::kUnknown, 0}}) {
    body = edge_json(c.more);
    const auto edge = f.fleet->edge(kEdge, {});
    ASSERT_TRUE(edge) << body;
    EXPECT_TRUE(edge->active && edge->online);
    EXPECT_EQ(edge->in_service, c.in_service) << body;
    EXPECT_EQ(edge->draining, c.draining) << body;
    EXPECT_EQ(edge->conversations, c.conversations) << body;
  }
  EXPECT_EQ(f.api->lines().at(1), "GET " + testing::kEdges + "/" + kEdge.value);
  for (const char* wrong : {"", "[]", "{}", "<html>", R"({"id":"another"})"}) {
    body = wrong;
    EXPECT_EQ(f.fleet->edge(kEdge, {}).error().kind, ErrorKind::kProtocol) << wrong;
  }
}

TEST(ServiceState, IsChangedByThePublishedCall) {
  std::string answer = "\"OK\"";
  FleetFixture f([&](const http::Request&) { return json_answer(200, answer); });
  ASSERT_TRUE(f.fleet->set_service(kEdge, false, std::chrono::hours{3}, {}));
  answer.clear();  // nobody has published its words
  ASSERT_TRUE(f.fleet->set_service(kEdge, true, {}, {}));
  const auto sent = f.api->sent();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[1].line(), "POST " + kCall);
  EXPECT_EQ(sent[1].body, R"({"callDrainingWaitTimeSeconds":10800,"inService":false})");
  EXPECT_EQ(sent[1].header("Content-Type"), "application/json");
  EXPECT_EQ(sent[2].line(), "POST " + kCall);
  EXPECT_EQ(sent[2].body, R"({"inService":true})");
}

TEST(ServiceState, ARefusalHasItsKindAndMayHaveBeenExecutedOnlyWithoutAnAnswer) {
  int status = 0;
  FleetFixture f([&](const http::Request&) -> Result<http::Response> {
    if (status != 0) return json_answer(status, R"({"message":"Sorry","code":"some.code"})");
    auto error = fail(ErrorKind::kTimeout, "no answer in time");
    error.value().maybe_executed = true;
    return error;
  });
  struct Case {
    int status;
    ErrorKind kind;
    bool maybe_executed;
  };
  for (const Case& c : std::vector<Case>{{400, ErrorKind::kInvalid, false},
                                         {401, ErrorKind::kUnauthorized, false},
                                         {403, ErrorKind::kForbidden, false},
                                         {404, ErrorKind::kNotFound, false},
                                         {409, ErrorKind::kConflict, false},
                                         {503, ErrorKind::kUnavailable, true},
                                         {0, ErrorKind::kTimeout, true}}) {
    status = c.status;
    for (const bool in_service : {false, true}) {
      const Status done = f.fleet->set_service(kEdge, in_service, {}, {});
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().kind, c.kind) << c.status;
      EXPECT_EQ(done.error().maybe_executed, c.maybe_executed) << c.status;
      EXPECT_NE(done.error().code, ports::kCertificateRefused);
    }
  }
}

TEST(ServiceState, AnEdgeGoesBackIntoServiceThoughTheBudgetIsUsedUp) {
  Config with = testing::config();
  with.requests_per_minute = 4;
  FleetFixture f([](const http::Request&) { return json_answer(200, edge_json("")); }, std::move(with));
  ASSERT_TRUE(f.fleet->edge(kEdge, {}));
  EXPECT_EQ(f.fleet->edge(kEdge, {}).error().kind, ErrorKind::kRateLimited);
  EXPECT_EQ(f.fleet->set_service(kEdge, false, {}, {}).error().kind, ErrorKind::kRateLimited);
  EXPECT_TRUE(f.fleet->set_service(kEdge, true, {}, {}));
}

}  // namespace
}  // namespace edgetrust::genesys
