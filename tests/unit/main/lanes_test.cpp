#include "lanes.hpp"

#include "support/fake_clock.hpp"

#include <condition_variable>
#include <latch>

namespace edgetrust {
namespace {

using namespace std::chrono_literals;

// Passes over Edges hang until they are let go; all others end at once.
class Network {
 public:
  void pass(const runtime::Key& key) {
    std::unique_lock lock(mutex_);
    ++began_[key.kind];
    changed_.notify_all();
    if (key.kind == "Edge") changed_.wait(lock, [&] { return answers_; });
  }
  // A test that never gets there is ended by its time limit.
  void await(const std::string& kind, int passes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return began_[kind] >= passes; });
  }
  int began(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    return began_[kind];
  }
  void answer() {
    const std::lock_guard lock(mutex_);
    answers_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> began_;
  bool answers_ = false;
};

struct LanesTest : testing::Test {
  support::FakeClock clock;
  Network network;
  Lanes lanes{clock};

  void start(int threads) {
    lanes.start({.threads = threads}, [this](const runtime::Key& key, std::stop_token) { network.pass(key); });
  }
  void add(const std::string& kind, int count) {
    for (int i = 0; i < count; ++i) lanes.add({kind, "voice", std::to_string(i)});
  }
};

TEST_F(LanesTest, EdgesThatHangHoldUpNoEdgeCertificate) {
  add("Edge", 50);
  start(4);
  network.await("Edge", 2);  // all that there are for them
  add("EdgeCertificate", 20);
  network.await("EdgeCertificate", 20);
  EXPECT_EQ(network.began("Edge"), 2) << "half of four";
  EXPECT_EQ(lanes.due(), 48U);
  network.answer();
  network.await("Edge", 50);
  lanes.stop();
}

TEST_F(LanesTest, OneEdgeThatHangsHoldsUpNoOtherKind) {
  add("Edge", 1);
  start(1);
  network.await("Edge", 1);
  for (const auto* kind : {"AcmeIssuer", "GenesysConnection", "RotationPolicy", "EdgeCertificate"}) {
    add(kind, 3);
    network.await(kind, 3);
  }
  network.answer();
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
