#include "edgetrust/ssh/session_limit.hpp"

#include <future>

namespace edgetrust::ssh {
namespace {

using Host = SessionLimit::Host;
using Places = std::vector<SessionLimit::Place>;

constexpr int kMost = 50;
constexpr int kAtFirst = 10;

struct SessionLimitTest : testing::Test {
  SessionLimit limit{kMost};
  std::stop_source stop;

  SessionLimit::Place enter(Host host = Host::kAnswers) { return limit.enter(host, stop.get_token()).value(); }
  // So many sessions as there may be at once, all at the same time; that many of them slow.
  void window(int slow) {
    Places places;
    const int all = limit.at_most();
    for (int i = 0; i < all; ++i) places.push_back(enter());
    for (int i = 0; i < all; ++i) places[static_cast<std::size_t>(i)].was_slow(i < slow);
  }
  int after(int slow) {
    window(slow);
    return limit.at_most();
  }
  int after_all_slow() { return after(limit.at_most()); }
  // Somebody who waits.
  std::future<bool> enter_elsewhere(
      Host host, std::function<void()> once_in = [] {}) {
    const int before = limit.waiting();
    auto entered = std::async(std::launch::async, [this, host, once_in = std::move(once_in)] {
      const auto place = limit.enter(host, stop.get_token());
      if (place) once_in();
      return place.has_value();
    });
    while (limit.waiting() == before) std::this_thread::yield();
    return entered;
  }
};

TEST_F(SessionLimitTest, BeginsWithFewAndDoublesThemAsLongAsNothingIsSlow) {
  EXPECT_EQ(limit.at_most(), kAtFirst);
  EXPECT_EQ(after(0), 20);
  EXPECT_EQ(after(0), 40);
  EXPECT_EQ(after(0), kMost);
  EXPECT_EQ(after(0), kMost);
}

TEST_F(SessionLimitTest, HalvesThemWhenMostAreSlowAndThenAddsOneAtATime) {
  window(0);
  EXPECT_EQ(after(10), 40) << "half of them is not most of them";
  EXPECT_EQ(after(21), 20);
  EXPECT_EQ(after(0), 21);
  EXPECT_EQ(after(0), 22);
  EXPECT_EQ(after_all_slow(), 11);
  EXPECT_EQ(after_all_slow(), 5);
  EXPECT_EQ(after_all_slow(), 2);
  EXPECT_EQ(after_all_slow(), 2) << "never fewer";
  EXPECT_EQ(after(0), 3);
}

TEST_F(SessionLimitTest, WhoBeganBeforeThereWereFewerIsNotJudgedTwice) {
  const auto five_slow = [&] {
    Places places;
    for (int i = 0; i < 5; ++i) {
      places.push_back(enter());
      places.back().was_slow(true);
    }
    return places;
  };
  Places first = five_slow();
  Places second = five_slow();
  first.clear();
  Places third = five_slow();
  second.clear();
  EXPECT_EQ(limit.at_most(), 5);
  third.clear();
  EXPECT_EQ(limit.at_most(), 5);
  five_slow();
  EXPECT_EQ(limit.at_most(), 2);
}

TEST_F(SessionLimitTest, RoomThatNobodyUsesIsNotMadeMore) {
  for (int i = 0; i < 100; ++i) enter().was_slow(false);
  EXPECT_EQ(limit.at_most(), kAtFirst);
}

TEST_F(SessionLimitTest, ASessionOfWhichNothingIsSaidIsNotJudged) {
  for (int round = 0; round < 5; ++round) {
    Places places;
    for (int i = 0; i < kAtFirst; ++i) places.push_back(enter());
  }
  EXPECT_EQ(limit.at_most(), kAtFirst);
  EXPECT_EQ(limit.sessions(), 0);
}

TEST_F(SessionLimitTest, WhoComesFirstIsServedFirst) {
  Places places;
  for (int i = 0; i < kAtFirst; ++i) places.push_back(enter());
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::future<bool>> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(enter_elsewhere(Host::kAnswers, [&, i] {
      const std::lock_guard lock(mutex);
      order.push_back(i);
    }));
  }
  EXPECT_EQ(limit.waiting(), 5);
  places.pop_back();
  for (auto& one : waiting) EXPECT_TRUE(one.get());
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

TEST_F(SessionLimitTest, AHostInTheMiddleOfAChangeGoesFirst) {
  Places places;
  for (int i = 0; i < kAtFirst; ++i) places.push_back(enter());
  std::mutex mutex;
  std::string order;
  const auto note = [&](char who) {
    return [&, who] {
      const std::lock_guard lock(mutex);
      order += who;
    };
  };
  auto early = enter_elsewhere(Host::kAnswers, note('a'));
  auto hanging = enter_elsewhere(Host::kHangs, note('h'));
  auto late = enter_elsewhere(Host::kChanges, note('c'));
  places.pop_back();
  EXPECT_TRUE(late.get());
  EXPECT_TRUE(early.get());
  EXPECT_TRUE(hanging.get());
  EXPECT_EQ(order.front(), 'c');
}

TEST_F(SessionLimitTest, HostsThatHangHoldUpNobodyElse) {
  Places hanging;
  for (int i = 0; i < kAtFirst / 5; ++i) hanging.push_back(enter(Host::kHangs));
  auto third = enter_elsewhere(Host::kHangs);
  Places others;
  while (limit.sessions() < kAtFirst) others.push_back(enter());
  EXPECT_EQ(others.size(), 8U) << "though one waits that came before";
  others.clear();
  EXPECT_EQ(limit.waiting(), 1);
  hanging.pop_back();
  EXPECT_TRUE(third.get());
}

TEST_F(SessionLimitTest, HostsThatHangSayNothingOfTheOthers) {
  for (int i = 0; i < 100; ++i) enter(Host::kHangs).was_slow(true);
  EXPECT_EQ(limit.at_most(), kAtFirst);
  while (limit.at_most() > 2) after_all_slow();
  Places both;
  both.push_back(enter(Host::kHangs));
  EXPECT_EQ(limit.sessions(), 1) << "there is room for one of them however few there may be";
}

TEST_F(SessionLimitTest, AStopEndsTheWait) {
  Places places;
  for (int i = 0; i < kAtFirst; ++i) places.push_back(enter());
  auto first = enter_elsewhere(Host::kAnswers);
  auto second = enter_elsewhere(Host::kHangs);
  stop.request_stop();
  EXPECT_FALSE(first.get());
  EXPECT_FALSE(second.get());
  EXPECT_EQ(limit.waiting(), 0);
  EXPECT_EQ(limit.sessions(), kAtFirst);
}

}  // namespace
}  // namespace edgetrust::ssh
