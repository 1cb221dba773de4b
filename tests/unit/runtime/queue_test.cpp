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
  Queue told(clock, {}, [&](std::chrono::milliseconds waited) { waits.push_back(waited); });
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

// --- ranks

struct RanksTest : testing::Test {
  static constexpr std::size_t kWorkers = 50;
  support::FakeClock clock;
  Queue queue{clock, {.below_first = 45, .last = 10}};
  std::stop_source stop;

  static Key key(const std::string& name) { return {"EdgePins", "voice", name}; }
  void add(const std::string& names, int count, Rank rank) {
    for (int i = 0; i < count; ++i) queue.add(key(names + std::to_string(i)), rank);
  }
  // A worker comes for a key: the name of the one that it gets, "-" where it has to wait.
  std::string take() {
    auto got = std::async(std::launch::async, [this] { return queue.get(stop.get_token()); });
    while (got.wait_for(0s) != std::future_status::ready && queue.stats().idle == waiting_.size())
      std::this_thread::yield();
    if (queue.stats().idle == waiting_.size()) return got.get().value().name;
    waiting_.push_back(std::move(got));
    return "-";
  }
  void TearDown() override { stop.request_stop(); }

 private:
  std::vector<std::future<std::optional<Key>>> waiting_;
};

TEST_F(RanksTest, WhoGoesFirstGoesFirst) {
  add("dark", 1, Rank::kLast);
  add("plain", 1, Rank::kNormal);
  add("changing", 1, Rank::kFirst);
  EXPECT_EQ(take(), "changing0");
  EXPECT_EQ(take(), "plain0");
  EXPECT_EQ(take(), "dark0");
}

TEST_F(RanksTest, HoweverManyHangTheOthersAreServed) {
  add("dark", 60, Rank::kLast);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(take().substr(0, 4), "dark");
  EXPECT_EQ(take(), "-") << "no more of them at once";
  EXPECT_EQ(queue.stats().held, 10U);
}

TEST_F(RanksTest, WhoIsBeingChangedFindsAWorkerAlsoWhileAllOthersHang) {
  add("plain", 60, Rank::kNormal);
  for (int i = 0; i < 45; ++i) EXPECT_EQ(take().substr(0, 5), "plain");
  add("changing", 5, Rank::kFirst);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take().substr(0, 8), "changing");
  EXPECT_EQ(queue.stats().held, kWorkers);
}

TEST_F(RanksTest, WhenOneIsDoneTheNextOfItsRankMayGo) {
  add("dark", 11, Rank::kLast);
  std::string first;
  for (int i = 0; i < 10; ++i) first = take();
  auto got = std::async(std::launch::async, [this] { return queue.get(stop.get_token()); });
  while (queue.stats().idle == 0) std::this_thread::yield();
  queue.done(key(first));
  EXPECT_EQ(got.get().value().name.substr(0, 4), "dark");
}

TEST_F(RanksTest, AKeyKeepsItsRankUntilItGetsAnother) {
  queue.add_at(key("a"), clock.steady() + 5s, Rank::kLast);
  queue.add(key("b"), Rank::kNormal);
  queue.add(key("a"));
  EXPECT_EQ(take(), "b");
  queue.add(key("c"), Rank::kNormal);
  queue.add(key("a"), Rank::kFirst);
  EXPECT_EQ(take(), "a");
  EXPECT_EQ(take(), "c");
}

}  // namespace
}  // namespace edgetrust::runtime
