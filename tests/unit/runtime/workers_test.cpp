#include "edgetrust/runtime/workers.hpp"

#include "support/board.hpp"
#include "support/fake_clock.hpp"

#include <stdexcept>

namespace edgetrust::runtime {
namespace {

using namespace std::chrono_literals;

Key key(int i) { return {"Edge", "voice", std::to_string(i)}; }

struct WorkersTest : testing::Test {
  support::FakeClock clock;
  Queue queue{clock};
  support::Board board;
};

TEST_F(WorkersTest, RunEveryKey) {
  Workers workers(queue, clock, {.threads = 4}, [&](const Key&, std::stop_token) { board.note("ran"); });
  for (int i = 0; i < 200; ++i) queue.add(key(i));
  board.await("ran", 200);
  workers.stop();
  EXPECT_EQ(board.count("ran"), 200);
}

TEST_F(WorkersTest, NeverRunOneKeyTwiceAtOnceAndLoseNoWish) {
  std::array<std::atomic<int>, 3> inside{};
  std::array<std::atomic<int>, 3> wished{};
  std::array<std::atomic<int>, 3> seen{};  // the last wish that a pass knew of
  std::atomic<bool> twice = false;
  {
    Workers workers(queue, clock, {.threads = 4}, [&](const Key& k, std::stop_token) {
      const auto i = static_cast<std::size_t>(std::stoi(k.name));
      if (inside.at(i)++ != 0) twice = true;
      seen.at(i) = wished.at(i).load();
      --inside.at(i);
      board.note("ran");
    });
    std::vector<std::jthread> adders;
    for (int t = 0; t < 3; ++t) {
      adders.emplace_back([&] {
        for (int round = 0; round < 300; ++round) {
          const auto i = static_cast<std::size_t>(round % 3);
          ++wished.at(i);
          queue.add(key(static_cast<int>(i)));
        }
      });
    }
    adders.clear();
    queue.add(key(7000));  // behind all others in line
    while (true) {
      const QueueStats stats = queue.stats();
      if (stats.due + stats.held == 0) break;
      std::this_thread::yield();
    }
  }
  EXPECT_FALSE(twice);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(seen.at(i), wished.at(i)) << i;
}

TEST_F(WorkersTest, SurviveWhatTheWorkThrowsAndTryAgainLater) {
  std::vector<std::string> reports;
  Workers workers(queue, clock,
                  {.threads = 1,
                   .after_exception = {.first = 10s, .ceiling = 1min, .jitter = 0},
                   .threw =
                       [&](const Key& k, std::string_view what, int failures) {
                         reports.push_back(k.to_string() + ": " + std::string(what) + " " + std::to_string(failures));
                         board.note("threw");
                       }},
                  [&](const Key& k, std::stop_token) {
                    if (k == key(1) && board.count("threw") == 0) throw std::runtime_error("broken");
                    if (k == key(1) && board.count("threw") == 1) throw 42;
                    board.note(k.name);
                  });
  queue.add(key(1));
  queue.add(key(2));
  board.await("2", 1);  // the other key is served
  clock.advance(10s);
  queue.poke();
  board.await("threw", 2);
  queue.add(key(3));
  board.await("3", 1);  // by then the second wish of key 1 is in line
  EXPECT_EQ(board.count("1"), 0);
  clock.advance(20s);
  queue.poke();
  board.await("1", 1);
  workers.stop();
  EXPECT_EQ(reports, (std::vector<std::string>{"Edge voice/1: broken 1",
                                               "Edge voice/1: something that is no std::exception 2"}));
}

TEST_F(WorkersTest, SurviveWhatAHookThrows) {
  Workers workers(queue, clock,
                  {.threads = 1, .threw = [](const Key&, std::string_view, int) { throw std::runtime_error("hook"); }},
                  [&](const Key& k, std::stop_token) {
                    board.note(k.name);
                    throw std::runtime_error("pass");
                  });
  queue.add(key(1));
  queue.add(key(2));
  board.await("2", 1);
}

TEST_F(WorkersTest, StopReachesThePassUnderWayAndTakesNoFurtherKey) {
  std::mutex mutex;
  std::condition_variable_any never;
  Workers workers(queue, clock, {.threads = 2}, [&](const Key& k, std::stop_token stop) {
    board.note("began " + k.name);
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [] { return false; });
    board.note("ended");
  });
  queue.add(key(1));
  queue.add(key(2));
  queue.add(key(3));
  board.await("began 1", 1);
  board.await("began 2", 1);
  workers.stop();
  EXPECT_EQ(board.count("ended"), 2);
  EXPECT_EQ(board.count("began 3"), 0);
  workers.stop();  // once more does no harm
}

TEST(Failures, CountInARowPerKeyAndWaitLongerEachTime) {
  Failures failures({.first = 1s, .ceiling = 8s, .factor = 2, .jitter = 0});
  EXPECT_EQ(failures.failed(key(1)), 1s);
  EXPECT_EQ(failures.failed(key(1)), 2s);
  EXPECT_EQ(failures.failed(key(2)), 1s);
  EXPECT_EQ(failures.count(key(1)), 2);
  failures.succeeded(key(1));
  EXPECT_EQ(failures.count(key(1)), 0);
  EXPECT_EQ(failures.failed(key(1)), 1s);
}

TEST(Failures, JitterSpreadsKeysAndIsTheSameInEveryRun) {
  Failures first({.first = 1s, .ceiling = 1h, .factor = 2, .jitter = 0.5});
  Failures second({.first = 1s, .ceiling = 1h, .factor = 2, .jitter = 0.5});
  std::set<std::chrono::milliseconds> waits;
  for (int i = 0; i < 50; ++i) {
    const auto wait = first.failed(key(i));
    EXPECT_EQ(wait, second.failed(key(i)));
    waits.insert(wait);
  }
  EXPECT_GT(waits.size(), 40U);
}

}  // namespace
}  // namespace edgetrust::runtime
