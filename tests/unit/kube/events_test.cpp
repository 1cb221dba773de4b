#include "edgetrust/kube/events.hpp"

#include "fixture.hpp"

namespace edgetrust::kube {
namespace {

using namespace std::chrono_literals;

Event issued(const std::string& note = "certificate issued") {
  return {.regarding = {"edgetrust.io/v1alpha1", "EdgeCertificate", "voice", "edge01", "u1", "17"},
          .type = EventType::kNormal,
          .reason = "Issued",
          .action = "Issue",
          .note = note};
}

struct EventsTest : ClientFixture {
  std::stop_source stop;
  std::stop_source open;
  std::stop_source arrived;
  std::string name_of(std::size_t i) {
    return parsed(transport->request(i).body).root()["metadata"]["name"].string_or("");
  }
};

TEST_F(EventsTest, SaysWhatHappenedToWhat) {
  transport->answer(201, "{}");
  EventRecorder recorder(client, clock, pauser, {.instance = "edgetrust-0"});
  recorder.record(issued());
  ASSERT_TRUE(recorder.flush({}));
  const auto request = transport->request(0);
  EXPECT_EQ(request.method, http::Method::kPost);
  EXPECT_EQ(path_of(request), "/apis/events.k8s.io/v1/namespaces/voice/events");
  const auto body = parsed(request.body);
  EXPECT_EQ(body.root()["eventTime"].string(), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(body.root()["type"].string(), "Normal");
  EXPECT_EQ(body.root()["reason"].string(), "Issued");
  EXPECT_EQ(body.root()["action"].string(), "Issue");
  EXPECT_EQ(body.root()["note"].string(), "certificate issued");
  EXPECT_EQ(body.root()["reportingController"].string(), "edgetrust.io/operator");
  EXPECT_EQ(body.root()["reportingInstance"].string(), "edgetrust-0");
  EXPECT_EQ(body.root()["regarding"]["kind"].string(), "EdgeCertificate");
  EXPECT_EQ(body.root()["regarding"]["uid"].string(), "u1");
  EXPECT_EQ(body.root()["series"].kind(), json::Kind::kAbsent);
  EXPECT_TRUE(name_of(0).starts_with("edge01."));
  EXPECT_EQ(recorder.stats().sent, 1U);
}

TEST_F(EventsTest, TheSameAgainIsACountWrittenAtPowersOfTwo) {
  transport->answer(201, "{}");
  for (int i = 0; i < 4; ++i) transport->answer(200, "{}");
  EventRecorder recorder(client, clock, pauser);
  for (int i = 0; i < 20; ++i) recorder.record(issued());
  ASSERT_TRUE(recorder.flush({}));
  ASSERT_EQ(transport->requests().size(), 5U);
  std::vector<std::int64_t> counts;
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(transport->request(i).method, http::Method::kPatch);
    EXPECT_TRUE(path_of(transport->request(i)).ends_with(name_of(0)));
    counts.push_back(*parsed(transport->request(i).body).root()["series"]["count"].integer());
  }
  EXPECT_EQ(counts, (std::vector<std::int64_t>{2, 4, 8, 16}));
  EXPECT_EQ(recorder.stats().suppressed, 15U);
}

TEST_F(EventsTest, SaysWhichChangeItIsAboutAndCountsForThatAlone) {
  transport->answer(201, "{}").answer(200, "{}").answer(201, "{}");
  EventRecorder recorder(client, clock, pauser);
  Event event = issued();
  event.trace_id = "0af7651916cd43dd8448eb211c80319c";
  recorder.record(event);
  recorder.record(event);
  event.trace_id = "1bf7651916cd43dd8448eb211c80319c";
  recorder.record(event);
  ASSERT_TRUE(recorder.flush({}));
  ASSERT_EQ(transport->requests().size(), 3U);
  const auto traced = [&](std::size_t i) {
    const auto body = parsed(transport->request(i).body);
    return body.root()["metadata"]["annotations"]["edgetrust.io/trace-id"].string_or("");
  };
  EXPECT_EQ(traced(0), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(transport->request(1).method, http::Method::kPatch) << "the same again is a count";
  EXPECT_EQ(traced(2), event.trace_id);
  EXPECT_NE(name_of(0), name_of(2));
}

TEST_F(EventsTest, WhatIsAboutNoChangeHasNoTrace) {
  transport->answer(201, "{}");
  EventRecorder recorder(client, clock, pauser);
  recorder.record(issued());
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(parsed(transport->request(0).body).root()["metadata"]["annotations"].kind(), json::Kind::kAbsent);
}

TEST_F(EventsTest, AfterTheWindowItIsAnEventOfItsOwn) {
  transport->answer(201, "{}").answer(201, "{}");
  EventRecorder recorder(client, clock, pauser);
  recorder.record(issued());
  clock.advance(10min);
  recorder.record(issued());
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(transport->request(1).method, http::Method::kPost);
  EXPECT_NE(name_of(0), name_of(1));
}

TEST_F(EventsTest, WhatDiffersInAnythingIsAnotherEvent) {
  std::vector<Event> all(7, issued());
  all[1].note = "another";
  all[2].reason = "Renewed";
  all[3].type = EventType::kWarning;
  all[4].regarding.uid = "u2";
  all[5].regarding.kind = "Edge";
  all[6].action = "Renew";
  EventRecorder recorder(client, clock, pauser);
  for (std::size_t i = 0; i < all.size(); ++i) transport->answer(201, "{}");
  for (const auto& event : all) recorder.record(event);
  ASSERT_TRUE(recorder.flush({}));
  std::set<std::string> names;
  for (std::size_t i = 0; i < transport->requests().size(); ++i) names.insert(name_of(i));
  EXPECT_EQ(names.size(), all.size());
}

TEST_F(EventsTest, ARestartSaysItUnderTheSameNameAndIsContentThatItExists) {
  transport->answer(201, "{}").answer(409, failure(409, "AlreadyExists"));
  {
    EventRecorder before(client, clock, pauser);
    before.record(issued());
    ASSERT_TRUE(before.flush({}));
  }
  EventRecorder after(client, clock, pauser);
  after.record(issued());
  ASSERT_TRUE(after.flush({}));
  EXPECT_EQ(name_of(0), name_of(1));
  EXPECT_EQ(after.stats().sent, 1U);
  EXPECT_EQ(transport->requests().size(), 2U);
}

TEST_F(EventsTest, NamesStayNamesHoweverLongTheObjects) {
  transport->answer(201, "{}");
  EventRecorder recorder(client, clock, pauser);
  Event event = issued();
  event.regarding.name = std::string(199, 'a') + "-" + std::string(53, 'b');
  recorder.record(event);
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(name_of(0).size(), 199U + 1 + 16);
  EXPECT_EQ(name_of(0).substr(198, 2), "a.");
}

TEST_F(EventsTest, NotesAreCutAndMadePrintable) {
  transport->answer(201, "{}");
  EventRecorder recorder(client, clock, pauser);
  recorder.record(issued("\x1b[31m" + std::string(5000, 'x')));
  ASSERT_TRUE(recorder.flush({}));
  const std::string note = parsed(transport->request(0).body).root()["note"].string_or("");
  EXPECT_EQ(note.size(), 1024U);
  EXPECT_EQ(note[0], ' ');
}

TEST_F(EventsTest, TriesThreeTimesThenDropsAndGoesOn) {
  for (int i = 0; i < 3; ++i) transport->answer(503, "");
  transport->answer(201, "{}");
  std::vector<ErrorKind> failures;
  EventRecorder recorder(client, clock, pauser,
                         {.failed = [&](const Error& error) { failures.push_back(error.kind); }});
  recorder.record(issued());
  recorder.record(issued("another"));
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(transport->requests().size(), 4U);
  EXPECT_EQ(recorder.stats().sent, 1U);
  EXPECT_EQ(recorder.stats().dropped, 1U);
  EXPECT_EQ(failures, (std::vector<ErrorKind>{ErrorKind::kUnavailable}));
}

TEST_F(EventsTest, ARefusalIsNotTriedAgain) {
  transport->answer(403, "").answer(404, failure(404, "NotFound"));
  EventRecorder recorder(client, clock, pauser);
  recorder.record(issued());
  recorder.record(issued("another"));
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(transport->requests().size(), 2U);
  EXPECT_EQ(recorder.stats().dropped, 2U);
}

// The recorder's thread is held in its first request while the queue fills.
TEST_F(EventsTest, NeverBlocksAndDropsWhatDoesNotFit) {
  std::mutex mutex;
  std::condition_variable_any gate;
  transport->then({.response = {.status = 201, .headers = {}, .body = "{}"}, .before = [&] {
                     arrived.request_stop();
                     std::unique_lock lock(mutex);
                     gate.wait(lock, open.get_token(), [] { return false; });
                   }});
  for (int i = 0; i < 3; ++i) transport->answer(201, "{}");
  EventRecorder recorder(client, clock, pauser, {.capacity = 3});
  recorder.record(issued("first"));
  {
    std::unique_lock lock(mutex);
    gate.wait(lock, arrived.get_token(), [] { return false; });
  }
  for (int i = 0; i < 10; ++i) recorder.record(issued("note " + std::to_string(i)));
  EXPECT_EQ(recorder.stats().dropped, 7U);
  open.request_stop();
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(recorder.stats().sent, 4U);
}

TEST_F(EventsTest, KeepsToItsOwnSlowRate) {
  for (int i = 0; i < 30; ++i) transport->answer(201, "{}");
  EventRecorder recorder(client, clock, pauser, {.per_second = 1, .burst = 10});
  for (int i = 0; i < 30; ++i) recorder.record(issued(std::to_string(i)));
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(pauser.pauses().size(), 20U);
}

TEST_F(EventsTest, StopEndsAFlushAndDropsTheRest) {
  stop.request_stop();
  EventRecorder recorder(client, clock, pauser);
  recorder.stop();
  recorder.record(issued());
  EXPECT_FALSE(recorder.flush(stop.get_token()));
  recorder.stop();
  EXPECT_EQ(recorder.stats().dropped, 1U);
  EXPECT_TRUE(transport->requests().empty());
}

}  // namespace
}  // namespace edgetrust::kube
