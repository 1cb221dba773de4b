#include "lanes.hpp"

#include "support/board.hpp"
#include "support/fake_clock.hpp"

#include <latch>

namespace edgetrust {
namespace {

using namespace std::chrono_literals;

struct LanesTest : testing::Test {
  support::FakeClock clock;
  support::Board began;        // passes, by the kind of the object
  std::latch edges_answer{1};  // until then a pass over an Edge hangs; all others end at once
  telemetry::Metrics metrics{{.version = "1", .revision = "a"}};
  Lanes lanes{clock, metrics};

  void start(int threads) {
    lanes.start({.threads = threads}, [this](const runtime::Key& key, std::stop_token) {
      began.note(key.kind);
      if (key.kind == "Edge") edges_answer.wait();
    });
  }
  // A pass over the pins of an Edge hangs too.
  void start_machines() {
    lanes.start({.threads = 1}, [this](const runtime::Key& key, std::stop_token) {
      began.note(key.kind);
      if (key.kind == kEdgePins) edges_answer.wait();
    });
  }
  void add_machines(const std::string& name, int count, runtime::Rank rank) {
    for (int i = 0; i < count; ++i) lanes.add({std::string(kEdgePins), "voice", name + std::to_string(i)}, rank);
  }
  // Whether the metrics have this line now.
  bool says(const std::string& line) {
    lanes.measure(metrics);
    return metrics.text().find("\n" + line + "\n") != std::string::npos;
  }
  void add(const std::string& kind, int count) {
    for (int i = 0; i < count; ++i) lanes.add({kind, "voice", std::to_string(i)});
  }
};

TEST_F(LanesTest, EdgesThatHangHoldUpNoEdgeCertificate) {
  add("Edge", 50);
  start(4);
  began.await("Edge", 2);  // all that there are for them
  add("EdgeCertificate", 20);
  began.await("EdgeCertificate", 20);
  EXPECT_EQ(began.count("Edge"), 2) << "half of four";
  EXPECT_EQ(lanes.due(), 48U);
  edges_answer.count_down();
  began.await("Edge", 50);
  lanes.stop();
}

TEST_F(LanesTest, MachinesThatHangHoldUpNobodyElseAndNoEdgeThatIsBeingChanged) {
  start_machines();
  add(std::string(kEdgePins), 200);
  began.await(std::string(kEdgePins), 45);
  for (const auto* kind : {"EdgeCertificate", "Edge", "PinPolicy"}) {
    add(kind, 3);
    began.await(kind, 3);
  }
  EXPECT_EQ(began.count(std::string(kEdgePins)), 45);
  add_machines("changing", 20, runtime::Rank::kFirst);
  began.await(std::string(kEdgePins), kMostSessions);
  EXPECT_EQ(began.count(std::string(kEdgePins)), kMostSessions) << "so many sessions, and no more";
  edges_answer.count_down();
  began.await(std::string(kEdgePins), 220);
  lanes.stop();
}

// As of a site that is dark.
TEST_F(LanesTest, MachinesThatDidNotAnswerLastTimeTakeAFewSessionsOnly) {
  start_machines();
  add_machines("dark", 60, runtime::Rank::kLast);
  began.await(std::string(kEdgePins), 10);
  add_machines("others", 35, runtime::Rank::kNormal);
  began.await(std::string(kEdgePins), 45);
  add_machines("changing", 5, runtime::Rank::kFirst);
  began.await(std::string(kEdgePins), kMostSessions);
  EXPECT_EQ(began.count(std::string(kEdgePins)), kMostSessions) << "of the dark ones no more than ten";
  edges_answer.count_down();
  began.await(std::string(kEdgePins), 100);
  lanes.stop();
}

TEST_F(LanesTest, OneEdgeThatHangsHoldsUpNoOtherKind) {
  add("Edge", 1);
  start(1);
  began.await("Edge", 1);
  for (const auto* kind : {"AcmeIssuer", "GenesysConnection", "RotationPolicy", "EdgeCertificate"}) {
    add(kind, 3);
    began.await(kind, 3);
  }
  edges_answer.count_down();
  lanes.stop();
}

// The pass over the EdgeCertificate takes long to end; that is no reason for the other lane to go on.
TEST_F(LanesTest, BothLanesAreAskedToStopBeforeEitherIsWaitedFor) {
  std::latch both_began(2);
  std::latch both_asked(2);
  lanes.start({.threads = 1}, [&](const runtime::Key& /*key*/, std::stop_token stop) {
    const std::stop_callback asked(stop, [&] { both_asked.count_down(); });
    both_began.count_down();
    both_asked.wait();
  });
  add("Edge", 1);
  add("EdgeCertificate", 1);
  both_began.wait();
  lanes.stop();
  add("Edge", 1);
  EXPECT_EQ(lanes.due(), 1U) << "nobody takes it";
}

TEST_F(LanesTest, TellTheMetricsWhatWaitsAndHowLongItDid) {
  start(1);
  add("Edge", 3);  // two of them hang
  began.await("Edge", 2);
  clock.advance(20s);
  EXPECT_TRUE(says("edgetrust_queue_depth{queue=\"others\"} 1"));
  EXPECT_TRUE(says("edgetrust_queue_oldest_seconds{queue=\"others\"} 20"));
  EXPECT_TRUE(says("edgetrust_queue_depth{queue=\"pins\"} 0"));
  EXPECT_TRUE(says("edgetrust_workers{queue=\"others\",state=\"busy\"} 2"));
  EXPECT_TRUE(says("edgetrust_queue_wait_duration_seconds_sum{queue=\"others\"} 0"));
  edges_answer.count_down();
  began.await("Edge", 3);
  EXPECT_TRUE(says("edgetrust_queue_wait_duration_seconds_sum{queue=\"others\"} 20"));
  lanes.stop();
}

// The watches of one that stands by add keys all the time, and it leaves them to the one that leads.
TEST_F(LanesTest, NothingWaitsForAWorkerBeforeThereAreSome) {
  add("EdgeCertificate", 2);
  clock.advance(24h);
  for (const auto* queue : {"certificates", "others", "pins"}) {
    EXPECT_TRUE(says("edgetrust_queue_depth{queue=\"" + std::string(queue) + "\"} 0"));
    EXPECT_TRUE(says("edgetrust_queue_oldest_seconds{queue=\"" + std::string(queue) + "\"} 0"));
  }
  add("Edge", 3);
  start(1);
  began.await("EdgeCertificate", 2);
  began.await("Edge", 2);
  clock.advance(20s);
  EXPECT_TRUE(says("edgetrust_queue_wait_duration_seconds_sum{queue=\"certificates\"} 0"))
      << "of its time as a standby";
  EXPECT_TRUE(says("edgetrust_queue_oldest_seconds{queue=\"others\"} 20"));
  edges_answer.count_down();
  lanes.stop();
  add("EdgeCertificate", 1);
  clock.advance(1h);
  EXPECT_TRUE(says("edgetrust_queue_depth{queue=\"certificates\"} 0")) << "it leads no more";
}

TEST_F(LanesTest, CountsWhatIsDueInBoth) {
  add("Edge", 2);
  add("EdgeCertificate", 3);
  lanes.add_at({"Edge", "voice", "later"}, clock.steady() + 1min);
  lanes.add_at({"EdgeCertificate", "voice", "later"}, clock.steady() + 1min);
  EXPECT_EQ(lanes.due(), 5U);
  clock.advance(1min);
  EXPECT_EQ(lanes.due(), 7U);
}

}  // namespace
}  // namespace edgetrust
