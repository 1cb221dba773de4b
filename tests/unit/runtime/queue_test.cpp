#include "edgetrust/runtime/queue.hpp"

#include "support/fake_clock.hpp"

#include <future>

namespace edgetrust::runtime {
namespace {

using namespace std::chrono_literals;

const Key kA{"EdgeCertificate", "voice", "a"};
const Key kB{"EdgeCertificate", "voice", "b"};
const Key kC{"Edge", "voice", "a"};

struct QueueTest : testing::Test {
  support::FakeClock clock;
  Queue queue{clock};
  std::stop_source stop;

  void in(std::chrono::milliseconds wait, const Key& key) { queue.add_at(key, clock.steady() + wait); }
  // Takes and releases what is due now, in order.
  std::vector<Key> drain() {
    std::vector<Key> taken;
    while (queue.stats().due > 0) {
      taken.push_back(queue.get(stop.get_token()).value());
      queue.done(taken.back());
    }
    return taken;
  }
  std::future<std::optional<Key>> get_elsewhere() {
    const std::size_t before = queue.stats().idle;
    auto got = std::async(std::launch::async, [this] { return queue.get(stop.get_token()); });
    while (queue.stats().idle == before) std::this_thread::yield();  // now it waits
    return got;
  }
};

TEST_F(QueueTest, HoldsOneEntryAKey) {
  queue.add(kA);
  queue.add(kA);
  in(5s, kA);
  EXPECT_EQ(drain(), std::vector<Key>{kA});
  clock.advance(1h);
  EXPECT_EQ(drain(), std::vector<Key>{});
}

TEST_F(QueueTest, TellsHowLongAKeyHasWaitedAndHowLongItIsHeld) {
  std::vector<std::chrono::milliseconds> waits;
  Queue told(clock, [&](std::chrono::milliseconds waited) { waits.push_back(waited); });
  told.add(kA);
  told.add_at(kB, clock.steady() + 2s);
  clock.advance(5s);
  EXPECT_EQ(told.stats().oldest, 5s);
  EXPECT_EQ(told.get({}), kA);
  EXPECT_EQ(told.stats().longest, 0s) << "it was only just taken";
  EXPECT_EQ(told.get({}), kB);
  EXPECT_EQ(waits, (std::vector<std::chrono::milliseconds>{5s, 3s}));
  clock.advance(1min);
  told.done(kB);
  told.add(kB);
  EXPECT_EQ(told.get({}), kB);
  EXPECT_EQ(told.stats().longest, 1min) << "of the one that is held for longest";
  told.done(kA);
  EXPECT_EQ(told.stats().longest, 0s);
}

TEST_F(QueueTest, TellsKindsAndNamespacesApart) {
  queue.add(kA);
  queue.add(kC);
  queue.add({"Edge", "lab", "a"});
  EXPECT_EQ(drain().size(), 3U);
}

TEST_F(QueueTest, TheEarliestTimeWinsWhicheverComesFirst) {
  in(10s, kA);
  in(3s, kA);
  in(7s, kA);
  EXPECT_EQ(queue.stats().due, 0U);
  clock.advance(2999ms);
  EXPECT_EQ(drain(), std::vector<Key>{});
  clock.advance(1ms);
  EXPECT_EQ(drain(), std::vector<Key>{kA});
  clock.advance(1h);
  EXPECT_EQ(drain(), std::vector<Key>{});
}

TEST_F(QueueTest, ComesInOrderOfTimeThenOfAdding) {
  in(2s, kC);
  queue.add(kB);
  queue.add(kA);
  clock.advance(2s);
  EXPECT_EQ(drain(), (std::vector<Key>{kB, kA, kC}));
}

TEST_F(QueueTest, GivesAKeyToOneWorkerAtATimeAndRunsItAgainAfterwards) {
  queue.add(kA);
  EXPECT_EQ(queue.get(stop.get_token()), kA);
  queue.add(kA);
  EXPECT_EQ(queue.stats().due, 0U);
  EXPECT_EQ(queue.stats().held, 1U);
  queue.done(kA);
  EXPECT_EQ(queue.stats().due, 1U);
  EXPECT_EQ(drain(), std::vector<Key>{kA});
  EXPECT_EQ(queue.stats().held, 0U);
}

TEST_F(QueueTest, KeepsTheEarliestWishMadeDuringAPass) {
  queue.add(kA);
  queue.get(stop.get_token());
  in(10s, kA);
  in(2s, kA);
  in(6s, kA);
  queue.done(kA);
  clock.advance(2s);
  EXPECT_EQ(drain(), std::vector<Key>{kA});
  clock.advance(1h);
  EXPECT_EQ(drain(), std::vector<Key>{});
}

TEST_F(QueueTest, ForgetsAKeyThatWantsNothing) {
  queue.add(kA);
  drain();
  const QueueStats stats = queue.stats();
  EXPECT_EQ(stats.due + stats.waiting + stats.held, 0U);
}

TEST_F(QueueTest, IgnoresDoneForAKeyThatNobodyHolds) {
  queue.done(kA);
  queue.add(kA);
  queue.done(kA);
  EXPECT_EQ(drain(), std::vector<Key>{kA});
}

TEST_F(QueueTest, CountsDueWaitingHeldAndTheOldest) {
  queue.add(kA);
  queue.get(stop.get_token());
  queue.add(kB);
  in(1min, kC);
  clock.advance(5s);
  const QueueStats stats = queue.stats();
  EXPECT_EQ(stats.due, 1U);
  EXPECT_EQ(stats.waiting, 1U);
  EXPECT_EQ(stats.held, 1U);
  EXPECT_EQ(stats.idle, 0U);
  EXPECT_EQ(stats.oldest, 5s);
}

TEST_F(QueueTest, AWaitingWorkerIsWokenByAnAdd) {
  auto got = get_elsewhere();
  queue.add(kA);
  EXPECT_EQ(got.get(), kA);
}

TEST_F(QueueTest, AWaitingWorkerIsWokenWhenTheTimeHasCome) {
  in(30min, kA);
  auto got = get_elsewhere();
  clock.advance(30min);
  queue.poke();
  EXPECT_EQ(got.get(), kA);
}

TEST_F(QueueTest, AnEarlierWishWakesAWorkerThatWaitsForALaterOne) {
  in(30min, kA);
  auto got = get_elsewhere();
  queue.add(kB);
  EXPECT_EQ(got.get(), kB);
}

TEST_F(QueueTest, TwoWaitingWorkersGetTwoKeysOfTheSameTime) {
  in(30min, kA);
  in(30min, kB);
  auto first = get_elsewhere();
  auto second = get_elsewhere();
  clock.advance(30min);
  queue.poke();
  EXPECT_EQ((std::set<Key>{first.get().value(), second.get().value()}), (std::set<Key>{kA, kB}));
}

TEST_F(QueueTest, DoneWakesAWorkerThatWaitsForTheSameKey) {
  queue.add(kA);
  queue.get(stop.get_token());
  queue.add(kA);
  auto got = get_elsewhere();
  queue.done(kA);
  EXPECT_EQ(got.get(), kA);
}

TEST_F(QueueTest, StopEndsAWaitAndHandsOutNothingMore) {
  auto got = get_elsewhere();
  stop.request_stop();
  EXPECT_EQ(got.get(), std::nullopt);
  queue.add(kA);
  EXPECT_EQ(queue.get(stop.get_token()), std::nullopt);
}

TEST_F(QueueTest, TimesFarAwayDoNoHarm) {
  queue.add_at(kA, SteadyPoint::max());
  queue.add_at(kB, SteadyPoint::min());
  EXPECT_EQ(drain(), std::vector<Key>{kB});
  auto got = get_elsewhere();
  queue.add(kA);
  EXPECT_EQ(got.get(), kA);
}

}  // namespace
}  // namespace edgetrust::runtime
