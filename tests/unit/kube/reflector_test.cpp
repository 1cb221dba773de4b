#include "edgetrust/kube/reflector.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/kube/api_error.hpp"
#include "edgetrust/kube/kinds.hpp"
#include "fixture.hpp"
#include "support/fake_random.hpp"

#include <stdexcept>

namespace edgetrust::kube {
namespace {

using namespace std::chrono_literals;

std::string object(const std::string& name, const std::string& version, const std::string& more = "") {
  return R"({"metadata":{"namespace":"voice","name":")" + name + R"(","uid":"u-)" + name + R"(","resourceVersion":")" +
         version + R"(","managedFields":[{"manager":"x"}]})" + more + "}";
}
std::string event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}";
}
std::string bookmark(const std::string& version, bool end = false) {
  return event("BOOKMARK", R"({"metadata":{"resourceVersion":")" + version + "\"" +
                               (end ? R"(,"annotations":{"k8s.io/initial-events-end":"true"})" : "") + "}}");
}
std::string gone() {
  return event("ERROR", R"({"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410})");
}
std::string page(const std::vector<std::string>& items, const std::string& version, const std::string& token = "") {
  return R"({"metadata":{"resourceVersion":")" + version + R"(","continue":")" + token + R"("},"items":[)" +
         join(items, ",") + "]}";
}

struct Thing {
  api::ObjectMeta meta;
  std::int64_t size = 0;
  std::optional<Error> broken;
};
Thing decode_thing(const api::ObjectMeta& meta, const Result<json::View>& object) {
  if (!object) return {meta, 0, object.error()};
  const auto size = (*object)["size"];
  if (size.present() && !size.integer())
    return {meta, 0, Error{.kind = ErrorKind::kInvalid, .what = "size must be an integer"}};
  return {meta, size.integer().value_or(0), {}};
}

// Runs a reflector on the test's own thread until the script is at its end.
struct ReflectorTest : ClientFixture {
  support::FakeRandom random;
  std::vector<std::string> changes;
  std::vector<WatchNews> news;
  std::vector<std::string> errors;
  std::stop_source stop;
  std::stop_source end_of_watch;
  Store<Thing> store{decode_thing, [this](const api::ObjectKey& key, const auto& before, const auto& after) {
                       changes.push_back((before ? "-" + before->meta.resource_version : "") + "+" +
                                         (after ? key.name + after->meta.resource_version : "gone"));
                       if (on_change) on_change(key.name);
                     }};
  std::function<void(const std::string&)> on_change;
  ReflectorOptions options{.what = {.resource = config_maps()}, .protocol = {}, .note = [this](const WatchNote& note) {
                             news.push_back(note.news);
                             if (note.error) errors.push_back(note.error->message());
                           }};
  WatchStats stats;
  bool synced = false;

  void play() {
    transport->exhausted = [this] { stop.request_stop(); };
    Reflector reflector(client, store, clock, random, pauser, options);
    reflector.run(stop.get_token());
    stats = reflector.stats();
    synced = reflector.synced();
  }
  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const auto& thing : store.list()) result.push_back(thing->meta.name);
    return result;
  }
  [[nodiscard]] std::vector<std::string> versions_asked() const {
    std::vector<std::string> result;
    for (const auto& request : transport->requests()) {
      result.push_back(query_of(request, "watch") == "true" ? query_of(request, "resourceVersion") : "list");
    }
    return result;
  }
};

TEST_F(ReflectorTest, SyncsByAWatchListAndFollowsOnTheSameConnection) {
  transport->lines({event("ADDED", object("b", "3")), event("ADDED", object("a", "7")), bookmark("9", true),
                    event("MODIFIED", object("a", "10")), event("DELETED", object("b", "11")),
                    event("ADDED", object("c", "12")), bookmark("20")});
  play();
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(changes, (std::vector<std::string>{"+a7", "+b3", "-7+a10", "-3+gone", "+c12"}));
  EXPECT_EQ(versions_asked(), (std::vector<std::string>{"", "20"})) << "a bookmark moves the version to resume from";
  EXPECT_TRUE(synced);
  EXPECT_EQ(stats.looks, 1U);
  EXPECT_EQ(stats.events, 5U);
  EXPECT_EQ(stats.bookmarks, 2U);
  EXPECT_EQ(news.at(0), WatchNews::kSynced);
}

TEST_F(ReflectorTest, SyncsByPagesWhereAWatchListIsRefused) {
  transport->answer(422, failure(422, "Invalid"))
      .answer(200, page({object("a", "1"), object("b", "2")}, "50", "p2"))
      .answer(200, page({object("c", "3")}, "50"))
      .lines({event("ADDED", object("d", "51"))});
  play();
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(versions_asked(), (std::vector<std::string>{"", "list", "list", "50", "51"}));
  EXPECT_EQ(query_of(transport->request(1), "limit"), "500");
  EXPECT_EQ(query_of(transport->request(2), "continue"), "p2");
  EXPECT_EQ(stats.pages, 2U);
}

TEST_F(ReflectorTest, NothingIsShownOfALookThatBreaksOff) {
  transport->lines({event("ADDED", object("a", "1"))}, Error{.kind = ErrorKind::kUnavailable, .what = "cut"});
  play();
  EXPECT_EQ(names(), std::vector<std::string>{});
  EXPECT_FALSE(synced);
  EXPECT_EQ(stats.failures, 1U) << "the end of the script came with the stop";
}

TEST_F(ReflectorTest, ALookThatBreaksOffIsNotMixedWithTheNext) {
  transport->lines({event("ADDED", object("a", "1"))}, Error{.kind = ErrorKind::kUnavailable, .what = "cut"})
      .lines({event("ADDED", object("b", "2")), bookmark("9", true)});
  play();
  EXPECT_EQ(names(), std::vector<std::string>{"b"});
}

TEST_F(ReflectorTest, Gone410InTheStreamIsOneNewLookThatFindsWhatWasMissed) {
  transport->lines({event("ADDED", object("a", "1")), event("ADDED", object("b", "2")), bookmark("9", true)})
      .lines({gone()})
      .lines({event("ADDED", object("b", "12")), event("ADDED", object("c", "13")), bookmark("15", true)});
  play();
  EXPECT_EQ(names(), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(changes, (std::vector<std::string>{"+a1", "+b2", "-1+gone", "-2+b12", "+c13"}));
  EXPECT_EQ(versions_asked(), (std::vector<std::string>{"", "9", "", "15"}));
  EXPECT_EQ(stats.looks, 2U);
  EXPECT_EQ(std::count(news.begin(), news.end(), WatchNews::kLookAgain), 1);
  for (const auto pause : pauser.pauses()) EXPECT_LE(pause, 500ms);
}

TEST_F(ReflectorTest, AnErrorIsNothingThatWasHeard) {
  const SteadyPoint begin = clock.steady();
  on_change = [this](const std::string& /*name*/) { clock.advance(1min); };
  transport->lines({event("ADDED", object("a", "1")), bookmark("9", true)})
      .lines({gone()})
      .lines({}, Error{.kind = ErrorKind::kUnavailable, .what = "cut"});
  play();
  EXPECT_GE(stats.failures, 2U);
  EXPECT_EQ(stats.heard, begin);
}

TEST_F(ReflectorTest, Gone410AsStatusIsTheSame) {
  transport->lines({event("ADDED", object("a", "1")), bookmark("9", true)})
      .answer(410, failure(410, "Expired"))
      .lines({event("ADDED", object("b", "12")), bookmark("15", true)});
  play();
  EXPECT_EQ(names(), std::vector<std::string>{"b"});
}

TEST_F(ReflectorTest, AnExpiredContinueTokenDropsThePagesSoFar) {
  options.protocol.watch_list = false;
  transport->answer(200, page({object("a", "1")}, "50", "p2"))
      .answer(410, failure(410, "Expired"))
      .answer(200, page({object("b", "2")}, "60"));
  play();
  EXPECT_EQ(names(), std::vector<std::string>{"b"});
  EXPECT_EQ(query_of(transport->request(2), "continue"), "");
}

TEST_F(ReflectorTest, AWatchThatBreaksIsResumedWhereItWasAndNothingIsSaidTwice) {
  transport
      ->lines({event("ADDED", object("a", "1")), bookmark("9", true), event("MODIFIED", object("a", "10"))},
              Error{.kind = ErrorKind::kUnavailable, .what = "reset"})
      .fail_with({.kind = ErrorKind::kUnavailable, .what = "refused"})
      .lines({event("MODIFIED", object("a", "11"))});
  play();
  EXPECT_EQ(changes, (std::vector<std::string>{"+a1", "-1+a10", "-10+a11"}));
  EXPECT_EQ(versions_asked(), (std::vector<std::string>{"", "10", "10", "11"}));
  EXPECT_EQ(pauser.pauses().size(), 2U);
}

TEST_F(ReflectorTest, SilenceReopensTheWatch) {
  options.idle = 5s;
  transport->lines({bookmark("9", true)}, Error{.kind = ErrorKind::kTimeout, .what = "silence"})
      .lines({event("ADDED", object("a", "10"))});
  play();
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  EXPECT_EQ(transport->idle(), 5s);
  EXPECT_TRUE(pauser.pauses().empty());
}

TEST_F(ReflectorTest, OneBadObjectAmongAThousandCostsNobodyElse) {
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) {
    lines.push_back(
        event("ADDED", object("o" + std::to_string(i), "1", i == 500 ? R"(,"size":"many")" : R"(,"size":7)")));
  }
  lines.push_back(bookmark("9", true));
  transport->lines(lines);
  play();
  EXPECT_EQ(store.size(), 1000U);
  EXPECT_EQ(store.get({"voice", "o500"})->broken->what, "size must be an integer");
  EXPECT_EQ(std::count_if(changes.begin(), changes.end(), [](const auto& c) { return c.starts_with("+o"); }), 1000);
}

TEST_F(ReflectorTest, AnIntegerThatFitsNowhereSpoilsNeitherPageNorStream) {
  const std::string huge = R"(,"size":100000000000000000000)";
  options.protocol.watch_list = false;
  transport->answer(200, page({object("a", "1"), object("bad", "2", huge), object("c", "3")}, "50"))
      .lines({event("MODIFIED", object("bad", "51", huge)), event("ADDED", object("d", "52"))});
  play();
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "bad", "c", "d"}));
  EXPECT_TRUE(store.get({"voice", "bad"})->broken);
  EXPECT_EQ(stats.failures, 0U);
}

TEST_F(ReflectorTest, AnObjectThatIsTooLargeIsRefusedWithItsName) {
  options.max_object = 2000;
  const std::string large = R"(,"text":")" + std::string(3000, 'x') + "\"";
  options.protocol.watch_list = false;
  transport->answer(200, page({object("a", "1"), object("large", "2", large), object("c", "3")}, "50"))
      .lines({event("MODIFIED", object("c", "51", large)), event("MODIFIED", object("large", "52"))});
  play();
  EXPECT_EQ(store.size(), 3U);
  EXPECT_FALSE(store.get({"voice", "large"})->broken) << "it was made smaller";
  EXPECT_EQ(store.get({"voice", "c"})->broken->what, "the object is larger than 2000 octets");
  EXPECT_EQ(stats.bad_objects, 2U);
  EXPECT_EQ(errors.at(0), "voice/large: the object is larger than 2000 octets");
}

TEST_F(ReflectorTest, AnObjectWithoutANameIsNotedAndPassedOver) {
  transport->lines({event("ADDED", R"({"metadata":{}})"), event("ADDED", object("a", "1")), bookmark("9", true)});
  play();
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  EXPECT_EQ(stats.bad_objects, 1U);
}

TEST_F(ReflectorTest, ALineThatIsCutOffEndsTheWatchAndIsResumed) {
  transport->lines({event("ADDED", object("a", "1")), bookmark("9", true), R"({"type":"MODIFIED","object":{"meta)"})
      .lines({event("MODIFIED", object("a", "10"))});
  play();
  EXPECT_EQ(changes, (std::vector<std::string>{"+a1", "-1+a10"}));
  EXPECT_EQ(versions_asked().at(1), "9");
}

TEST_F(ReflectorTest, WhatACallbackThrowsCostsOneObject) {
  on_change = [](const std::string& name) {
    if (name == "a") throw std::runtime_error("callback");
  };
  transport->lines({event("ADDED", object("a", "1")), event("ADDED", object("b", "2")), bookmark("9", true),
                    event("MODIFIED", object("a", "10")), event("MODIFIED", object("b", "11"))});
  play();
  EXPECT_EQ(store.get({"voice", "b"})->meta.resource_version, "11");
  EXPECT_EQ(stats.bad_objects, 2U);
  EXPECT_TRUE(synced);
}

TEST_F(ReflectorTest, AFaultOfOursIsNotedAndWaitedOut) {
  options.note = [this](const WatchNote& note) {
    if (note.news == WatchNews::kSynced) throw std::runtime_error("hook");
    errors.push_back(note.error->message());
  };
  transport->lines({event("ADDED", object("a", "1")), bookmark("9", true)})
      .lines({event("MODIFIED", object("a", "10"))});
  play();
  EXPECT_EQ(store.get({"voice", "a"})->meta.resource_version, "10");
  EXPECT_EQ(errors.at(0), "hook");
  EXPECT_EQ(pauser.pauses().size(), 1U);
}

TEST_F(ReflectorTest, WatchesSecretsByTheirMetadata) {
  Store<MetadataOnly> secrets_seen(decode_metadata, nullptr);
  transport->lines({event("ADDED", object("key-1", "1")), bookmark("9", true)});
  transport->exhausted = [this] { stop.request_stop(); };
  Reflector reflector(
      client, secrets_seen, clock, random, pauser,
      {.what = {.resource = secrets(), .ns = "voice", .labels = "a=b", .fields = {}, .metadata_only = true}});
  reflector.run(stop.get_token());
  EXPECT_EQ(secrets_seen.get({"voice", "key-1"})->meta.uid, "u-key-1");
  EXPECT_NE(transport->request(0).headers.get("Accept")->find("as=PartialObjectMetadata;"), std::string_view::npos);
  EXPECT_EQ(path_of(transport->request(0)), "/api/v1/namespaces/voice/secrets");
}

TEST_F(ReflectorTest, ReadsOurOwnKindsAndKeepsTheBrokenOnes) {
  Store<api::Edge> edges(decode_kind<api::Edge>, nullptr);
  const std::string good =
      R"(,"spec":{"connectionRef":{"name":"prod"},"edgeId":"7f3c1f0e-0000-4000-8000-000000000001","sip":{"host":"edge01.example.com"}})";
  transport->lines({event("ADDED", object("good", "1", good)),
                    event("ADDED", object("bad", "2", R"(,"spec":{"edgeId":7})")), bookmark("9", true)});
  transport->exhausted = [this] { stop.request_stop(); };
  Reflector reflector(client, edges, clock, random, pauser, {.what = {.resource = resource_of<api::Edge>()}});
  reflector.run(stop.get_token());
  ASSERT_EQ(edges.size(), 2U);
  EXPECT_FALSE(edges.get({"voice", "good"})->broken) << edges.get({"voice", "good"})->broken->message();
  EXPECT_TRUE(edges.get({"voice", "bad"})->broken);
  EXPECT_EQ(edges.get({"voice", "bad"})->meta.uid, "u-bad");
}

TEST_F(ReflectorTest, RunsOnAThreadOfItsOwnUntilItIsStopped) {
  std::mutex mutex;
  std::condition_variable_any never;
  transport->then({.response = {.status = 200, .headers = {}, .body = {}},
                   .lines = {event("ADDED", object("a", "1")), bookmark("9", true)},
                   .after_lines = [&] {
                     std::unique_lock lock(mutex);
                     never.wait(lock, end_of_watch.get_token(), [] { return false; });
                   }});
  Reflector reflector(client, store, clock, random, pauser, options);
  reflector.start();
  EXPECT_TRUE(reflector.wait_synced({}));
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  end_of_watch.request_stop();
  reflector.stop();
  Reflector never_synced(client, store, clock, random, pauser, options);
  stop.request_stop();
  EXPECT_FALSE(never_synced.wait_synced(stop.get_token()));
}

}  // namespace
}  // namespace edgetrust::kube
