#include "edgetrust/kube/client.hpp"

#include "edgetrust/kube/api_error.hpp"
#include "fixture.hpp"

namespace edgetrust::kube {
namespace {

using namespace std::chrono_literals;

struct ClientTest : ClientFixture {
  std::stop_source stop;
};

class CountingToken final : public TokenSource {
 public:
  Result<Secret> token() override { return Secret("token-" + std::to_string(refusals)); }
  void refused() override { ++refusals; }
  int refusals = 0;
};

TEST_F(ClientTest, GetIsAConsistentReadWithADeadline) {
  transport->answer(200, R"({"metadata":{"name":"a"}})");
  const auto got = client.get(secrets(), "voice", "a", {.timeout = 7s});
  ASSERT_TRUE(got.has_value()) << got.error().message();
  EXPECT_EQ(got->root()["metadata"]["name"].string(), "a");
  const http::Request request = transport->request(0);
  EXPECT_EQ(request.method, http::Method::kGet);
  EXPECT_EQ(path_of(request), "/api/v1/namespaces/voice/secrets/a");
  EXPECT_EQ(query_of(request, "resourceVersion"), "") << "with one the server may answer from the past";
  EXPECT_EQ(query_of(request, "timeout"), "7s");
  EXPECT_EQ(request.timeout, 7s);
  EXPECT_EQ(request.headers.get("Accept"), "application/json");
  EXPECT_EQ(request.headers.get("User-Agent"), "edgetrust");
  EXPECT_EQ(request.headers.get("Authorization"), std::nullopt);
  EXPECT_EQ(request.body, "");
}

TEST_F(ClientTest, KeepsTheServersBasePath) {
  ApiClient behind(test_cluster("https://rancher.example/k8s/clusters/c1/"), transport, clock, pauser);
  transport->answer(200, "{}");
  ASSERT_TRUE(behind.get(secrets(), "voice", "a", {}).has_value());
  EXPECT_EQ(path_of(transport->request(0)), "/k8s/clusters/c1/api/v1/namespaces/voice/secrets/a");
}

TEST_F(ClientTest, SendsNothingForANameThatLeadsElsewhere) {
  EXPECT_EQ(client.get(secrets(), "voice", "", {}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(client.remove(secrets(), "voice", "..", {}, {}).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(transport->requests().empty());
}

TEST_F(ClientTest, SendsTheTokenAndReadsAnotherOneWhenItIsRefused) {
  auto config = test_cluster();
  const auto token = std::make_shared<CountingToken>();
  config.token = token;
  ApiClient with_token(config, transport, clock, pauser);
  transport->answer(401, failure(401, "Unauthorized")).answer(200, "{}").lines({}).answer(401, "");
  EXPECT_EQ(with_token.get(secrets(), "voice", "a", {}).error().kind, ErrorKind::kUnauthorized);
  EXPECT_TRUE(with_token.get(secrets(), "voice", "a", {}).has_value());
  EXPECT_EQ(transport->request(0).headers.get("Authorization"), "Bearer token-0");
  EXPECT_EQ(transport->request(1).headers.get("Authorization"), "Bearer token-1");
  EXPECT_TRUE(with_token.watch({.resource = secrets()}, {}, [](auto) { return true; }, {}).has_value());
  EXPECT_FALSE(with_token.watch({.resource = secrets()}, {}, [](auto) { return true; }, {}).has_value());
  EXPECT_EQ(token->refusals, 2);
}

TEST_F(ClientTest, CreatesAndUpdatesWithItsFieldManager) {
  transport->answer(201, R"({"metadata":{"uid":"u1"}})").answer(200, R"({"metadata":{"uid":"u1"}})");
  ASSERT_TRUE(client.create(config_maps(), "voice", R"({"metadata":{"name":"a"}})", {}).has_value());
  ASSERT_TRUE(
      client.update(config_maps(), "voice", "a", R"({"metadata":{"name":"a","resourceVersion":"3"}})", {}).has_value());
  const auto create = transport->request(0);
  EXPECT_EQ(create.method, http::Method::kPost);
  EXPECT_EQ(path_of(create), "/api/v1/namespaces/voice/configmaps");
  EXPECT_EQ(create.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(query_of(create, "fieldManager"), "edgetrust");
  EXPECT_EQ(create.body, R"({"metadata":{"name":"a"}})");
  const auto update = transport->request(1);
  EXPECT_EQ(update.method, http::Method::kPut);
  EXPECT_EQ(path_of(update), "/api/v1/namespaces/voice/configmaps/a");
}

TEST_F(ClientTest, PatchesByEachType) {
  transport->answer(200, "{}").answer(200, "{}").answer(200, "{}");
  ASSERT_TRUE(client.patch(config_maps(), "voice", "a", {.type = PatchType::kJson, .body = "[]"}, {}).has_value());
  ASSERT_TRUE(client.patch(config_maps(), "voice", "a", {.type = PatchType::kMerge, .body = "{}"}, {}).has_value());
  ASSERT_TRUE(
      client.patch(config_maps(), "voice", "a", {.type = PatchType::kApply, .body = "{}", .subresource = "status"}, {})
          .has_value());
  EXPECT_EQ(transport->request(0).headers.get("Content-Type"), "application/json-patch+json");
  EXPECT_EQ(transport->request(1).headers.get("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(query_of(transport->request(1), "force"), "");
  EXPECT_EQ(transport->request(2).headers.get("Content-Type"), "application/apply-patch+yaml");
  EXPECT_EQ(query_of(transport->request(2), "force"), "true");
  EXPECT_EQ(query_of(transport->request(2), "fieldManager"), "edgetrust");
  EXPECT_EQ(path_of(transport->request(2)), "/api/v1/namespaces/voice/configmaps/a/status");
}

TEST_F(ClientTest, DeletesExactlyWhatWasLookedAt) {
  transport->answer(200, "{}").answer(409, failure(409, "Conflict"));
  ASSERT_TRUE(client.remove(config_maps(), "voice", "a", {.uid = "u1", .resource_version = "3"}, {}).has_value());
  const auto request = transport->request(0);
  EXPECT_EQ(request.method, http::Method::kDelete);
  const auto body = parsed(request.body);
  EXPECT_EQ(body.root()["preconditions"]["uid"].string(), "u1");
  EXPECT_EQ(body.root()["preconditions"]["resourceVersion"].string(), "3");
  EXPECT_TRUE(is_stale(client.remove(config_maps(), "voice", "a", {.uid = "u2", .resource_version = ""}, {}).error()));
}

TEST_F(ClientTest, ErrorsSayWhatWasAsked) {
  transport->answer(404, failure(404, "NotFound"))
      .fail_with({.kind = ErrorKind::kTimeout, .what = "no answer", .maybe_executed = true});
  EXPECT_EQ(client.get(secrets(), "voice", "a", {}).error().message(), "GET secrets voice/a: no");
  const Error lost = client.create(secrets(), "voice", "{}", {}).error();
  EXPECT_EQ(lost.message(), "POST secrets voice: no answer");
  EXPECT_TRUE(lost.maybe_executed);
}

TEST_F(ClientTest, AnAnswerThatIsNoJsonLeavesAMutationOpen) {
  transport->answer(200, "<html>").answer(200, "<html>");
  const Error read = client.get(secrets(), "voice", "a", {}).error();
  EXPECT_EQ(read.kind, ErrorKind::kProtocol);
  EXPECT_FALSE(read.maybe_executed);
  EXPECT_TRUE(client.create(secrets(), "voice", "{}", {}).error().maybe_executed);
}

TEST_F(ClientTest, BoundsAnswers) {
  transport->answer(200, "{}").answer(200, R"({"metadata":{"resourceVersion":"1"}})");
  ASSERT_TRUE(client.get(secrets(), "voice", "a", {}).has_value());
  ASSERT_TRUE(client.list({.resource = secrets()}, {}, {}).has_value());
  EXPECT_EQ(transport->request(0).max_body, 3U << 20);
  EXPECT_EQ(transport->request(1).max_body, 16U << 20);
}

TEST_F(ClientTest, ListsAPage) {
  const std::string page =
      R"({"metadata":{"resourceVersion":"50","continue":"abc=="},"items":[{"metadata":{"name":"a"}}]})";
  transport->answer(200, page);
  const auto got =
      client.list({.resource = secrets(), .ns = "voice", .labels = "a=b,c in (d,e)", .fields = "type=Opaque"},
                  {.limit = 500, .continue_token = "x/+="}, {});
  ASSERT_TRUE(got.has_value()) << got.error().message();
  EXPECT_EQ(got->continue_token, "abc==");
  EXPECT_EQ(got->resource_version, "50");
  EXPECT_EQ(got->octets, page.size());
  EXPECT_EQ(got->document.root()["items"].size(), 1U);
  const auto request = transport->request(0);
  EXPECT_EQ(query_of(request, "limit"), "500");
  EXPECT_EQ(query_of(request, "continue"), "x%2F%2B%3D");
  EXPECT_EQ(query_of(request, "labelSelector"), "a%3Db%2Cc%20in%20%28d%2Ce%29");
  EXPECT_EQ(query_of(request, "fieldSelector"), "type%3DOpaque");
  EXPECT_EQ(query_of(request, "resourceVersion"), "");
}

TEST_F(ClientTest, AListWithoutAVersionIsNone) {
  transport->answer(200, R"({"metadata":{},"items":[]})");
  EXPECT_EQ(client.list({.resource = secrets()}, {}, {}).error().kind, ErrorKind::kProtocol);
}

TEST_F(ClientTest, ListAllWalksThePages) {
  transport->answer(200, R"({"metadata":{"resourceVersion":"5","continue":"p2"},"items":[{"n":1},{"n":2}]})")
      .answer(200, R"({"metadata":{"resourceVersion":"5"},"items":[{"n":3}]})")
      .answer(410, failure(410, "Expired"));
  std::vector<std::int64_t> seen;
  const auto visit = [&](json::View item) { seen.push_back(*item["n"].integer()); };
  ASSERT_TRUE(client.list_all({.resource = secrets()}, visit, {}).has_value());
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(query_of(transport->request(1), "continue"), "p2");
  EXPECT_TRUE(is_expired(client.list_all({.resource = secrets()}, visit, {}).error()));
}

TEST_F(ClientTest, WatchesFromAVersionWithBookmarks) {
  transport->lines({"one", "two"});
  std::vector<std::string> lines;
  ASSERT_TRUE(client
                  .watch({.resource = secrets(), .ns = "voice"},
                         {.resource_version = "17", .timeout = 250s, .idle = 90s},
                         [&](std::string_view line) {
                           lines.emplace_back(line);
                           return true;
                         },
                         {})
                  .has_value());
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
  const auto request = transport->request(0);
  EXPECT_EQ(path_of(request), "/api/v1/namespaces/voice/secrets");
  EXPECT_EQ(query_of(request, "watch"), "true");
  EXPECT_EQ(query_of(request, "allowWatchBookmarks"), "true");
  EXPECT_EQ(query_of(request, "resourceVersion"), "17");
  EXPECT_EQ(query_of(request, "timeoutSeconds"), "250");
  EXPECT_EQ(query_of(request, "timeout"), "") << "that would end the watch";
  EXPECT_EQ(query_of(request, "sendInitialEvents"), "");
  EXPECT_EQ(transport->idle(), 90s);
}

TEST_F(ClientTest, AsksForAWatchListAsTheServerWantsIt) {
  transport->lines({});
  ASSERT_TRUE(
      client.watch({.resource = secrets()}, {.initial_events = true}, [](auto) { return true; }, {}).has_value());
  const auto request = transport->request(0);
  EXPECT_EQ(query_of(request, "sendInitialEvents"), "true");
  EXPECT_EQ(query_of(request, "resourceVersionMatch"), "NotOlderThan");
  EXPECT_EQ(query_of(request, "allowWatchBookmarks"), "true");
  EXPECT_EQ(query_of(request, "resourceVersion"), "");
}

TEST_F(ClientTest, AsksForMetadataAlone) {
  const Selection what{.resource = secrets(), .ns = "voice", .labels = "a=b", .fields = {}, .metadata_only = true};
  transport->answer(200, R"({"metadata":{"resourceVersion":"1"}})").lines({});
  ASSERT_TRUE(client.list(what, {}, {}).has_value());
  ASSERT_TRUE(client.watch(what, {}, [](auto) { return true; }, {}).has_value());
  EXPECT_EQ(transport->request(0).headers.get("Accept"),
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
  EXPECT_EQ(transport->request(1).headers.get("Accept"),
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

TEST_F(ClientTest, AWatchThatIsRefusedIsAnError) {
  transport->answer(410, failure(410, "Expired")).fail_with({.kind = ErrorKind::kTimeout, .what = "silence"});
  EXPECT_TRUE(is_expired(client.watch({.resource = secrets()}, {}, [](auto) { return true; }, {}).error()));
  EXPECT_EQ(client.watch({.resource = secrets()}, {}, [](auto) { return true; }, {}).error().message(),
            "watch secrets : silence");
}

TEST_F(ClientTest, AskedToStopSendsNothing) {
  stop.request_stop();
  ApiClient slow(test_cluster(), transport, clock, pauser, {.per_second = 1, .burst = 1});
  transport->answer(200, "{}");
  ASSERT_TRUE(slow.get(secrets(), "voice", "a", {}).has_value());
  EXPECT_EQ(slow.get(secrets(), "voice", "a", {.stop = stop.get_token()}).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(transport->requests().size(), 1U);
}

TEST_F(ClientTest, TheWaitForATurnCountsAgainstTheDeadline) {
  ApiClient slow(test_cluster(), transport, clock, pauser, {.per_second = 0.5, .burst = 1});
  transport->answer(200, "{}").answer(200, "{}");
  ASSERT_TRUE(slow.get(secrets(), "voice", "a", {.timeout = 5s}).has_value());
  ASSERT_TRUE(slow.get(secrets(), "voice", "a", {.timeout = 5s}).has_value());
  EXPECT_EQ(pauser.pauses(), (std::vector<std::chrono::milliseconds>{2s}));
  EXPECT_EQ(transport->request(1).timeout, 3s);
  EXPECT_EQ(slow.get(secrets(), "voice", "a", {.timeout = 1s}).error().kind, ErrorKind::kRateLimited);
  EXPECT_EQ(transport->requests().size(), 2U);
}

TEST_F(ClientTest, ReportsEveryRequest) {
  std::vector<std::pair<std::string, int>> reports;
  ApiClient reporting(test_cluster(), transport, clock, pauser, {.report = [&](const CallReport& report) {
                        reports.emplace_back(std::string(report.verb) + " " + report.resource, report.status);
                      }});
  transport->answer(200, "{}").answer(404, "").fail_with({.kind = ErrorKind::kUnavailable}).lines({});
  (void)reporting.get(secrets(), "voice", "a", {});
  (void)reporting.get(config_maps(), "voice", "a", {});
  (void)reporting.get(secrets(), "voice", "a", {});
  (void)reporting.watch({.resource = secrets()}, {}, [](auto) { return true; }, {});
  for (int i = 0; i < 5; ++i) transport->answer(200, "{}");
  (void)reporting.list({.resource = secrets()}, {}, {});
  (void)reporting.create(secrets(), "voice", "{}", {});
  (void)reporting.update(secrets(), "voice", "a", "{}", {});
  (void)reporting.patch(secrets(), "voice", "a", {.body = "{}"}, {});
  (void)reporting.remove(secrets(), "voice", "a", {}, {});
  EXPECT_EQ(reports, (std::vector<std::pair<std::string, int>>{{"get secrets", 200},
                                                               {"get configmaps", 404},
                                                               {"get secrets", 0},
                                                               {"watch secrets", 200},
                                                               {"list secrets", 200},
                                                               {"create secrets", 200},
                                                               {"update secrets", 200},
                                                               {"patch secrets", 200},
                                                               {"delete secrets", 200}}));
}

// A watch lasts as long as it is let: its life says nothing of how fast the server answers.
TEST_F(ClientTest, ReportsHowLongAnAnswerTookButNotHowLongAWatchLasted) {
  std::vector<std::optional<std::chrono::milliseconds>> took;
  ApiClient reporting(test_cluster(), transport, clock, pauser,
                      {.report = [&](const CallReport& report) { took.push_back(report.took); }});
  transport->then({.response = {.status = 200, .headers = {}, .body = "{}"}, .before = [&] { clock.advance(40ms); }})
      .then({.response = {.status = 200, .headers = {}, .body = {}}, .after_lines = [&] { clock.advance(4min); }});
  (void)reporting.get(secrets(), "voice", "a", {});
  (void)reporting.watch({.resource = secrets()}, {}, [](auto) { return true; }, {});
  EXPECT_EQ(took, (std::vector<std::optional<std::chrono::milliseconds>>{40ms, std::nullopt}));
}

struct RateLimitTest : testing::Test {
  support::FakeClock clock;
  support::FakePauser pauser{clock};
};

TEST_F(RateLimitTest, LetsABurstThroughThenAFixedRate) {
  RateLimit limit(10, 3, clock, pauser);
  for (int i = 0; i < 23; ++i) ASSERT_TRUE(limit.turn(1min, {}).has_value());
  EXPECT_EQ(pauser.pauses().size(), 20U);
  std::chrono::milliseconds total{0};
  for (const auto pause : pauser.pauses()) total += pause;
  EXPECT_GE(total, 2s);
  EXPECT_LE(total, 2020ms);
}

TEST_F(RateLimitTest, FillsUpAgainButNotBeyondTheBurst) {
  RateLimit limit(10, 3, clock, pauser);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(limit.turn(1min, {}).has_value());
  clock.advance(1h);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(limit.turn(1min, {}).has_value());
  EXPECT_EQ(pauser.pauses().size(), 1U);
}

TEST_F(RateLimitTest, ATurnThatComesTooLateIsNotTaken) {
  RateLimit limit(1, 1, clock, pauser);
  ASSERT_TRUE(limit.turn(0ms, {}).has_value());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limit.turn(500ms, {}).error().kind, ErrorKind::kRateLimited);
  clock.advance(1s);
  EXPECT_TRUE(limit.turn(0ms, {}).has_value()) << "the refused ones took nothing";
}

}  // namespace
}  // namespace edgetrust::kube
