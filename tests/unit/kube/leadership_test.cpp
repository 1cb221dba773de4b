// Two elections over one Lease of an API server in memory, which refuses what is not of the newest version.
#include "edgetrust/kube/leadership.hpp"

#include "fixture.hpp"
#include "support/fake_transport.hpp"

namespace edgetrust::kube {
namespace {

using namespace std::chrono_literals;

// One Lease. Counts what was written.
class LeaseServer {
 public:
  support::Answer operator()(const http::Request& request) {
    if (down) return support::no_connection();
    if (request.method == http::Method::kGet) return lease_ ? answer() : status(404, "NotFound");
    const json::Document document = json::Document::parse(request.body).value();
    const json::View sent = document.root();
    if (request.method == http::Method::kPost) {
      if (lease_) return status(409, "AlreadyExists");
      lease_.emplace();
    } else if (sent["metadata"]["resourceVersion"].string_or("") != std::to_string(version_)) {
      return status(409, "Conflict");
    }
    ++version_;
    const json::View spec = sent["spec"];
    lease_->holder = spec["holderIdentity"].string_or("");
    lease_->acquired = spec["acquireTime"].string_or(lease_->acquired);
    lease_->transitions = spec["leaseTransitions"].integer().value_or(lease_->transitions);
    if (std::exchange(lose_answer, false)) return support::lost_answer();
    return answer();
  }
  [[nodiscard]] std::string holder() const { return lease_ ? lease_->holder : "-"; }
  [[nodiscard]] std::string acquired() const { return lease_->acquired; }
  [[nodiscard]] std::int64_t transitions() const { return lease_->transitions; }

  bool down = false;
  bool lose_answer = false;

 private:
  struct Lease {
    std::string holder;
    std::string acquired;
    std::int64_t transitions = 0;
  };
  static support::Answer status(int code, const std::string& reason) {
    return support::json_answer(code, ClientFixture::failure(code, reason));
  }
  support::Answer answer() {
    return support::json_answer(200, R"({"metadata":{"name":"edgetrust","namespace":"voice","resourceVersion":")" +
                                         std::to_string(version_) + R"("},"spec":{"holderIdentity":")" +
                                         lease_->holder + R"(","leaseTransitions":)" +
                                         std::to_string(lease_->transitions) + "}}");
  }
  std::optional<Lease> lease_;
  int version_ = 0;
};

// A pause moves the clock, and lets the test act when so much time has passed.
class ScriptedPauser final : public Pauser {
 public:
  explicit ScriptedPauser(support::FakeClock& clock) : clock_(clock), begin_(clock.steady()) {}
  void at(std::chrono::milliseconds time, std::function<void()> what) { steps_.emplace(begin_ + time, what); }
  bool pause(std::chrono::milliseconds time, std::stop_token stop) override {
    clock_.advance(time);
    while (!steps_.empty() && steps_.begin()->first <= clock_.steady()) {
      const auto step = steps_.extract(steps_.begin());
      step.mapped()();
    }
    return !stop.stop_requested();
  }

 private:
  support::FakeClock& clock_;
  SteadyPoint begin_;
  std::multimap<SteadyPoint, std::function<void()>> steps_;
};

struct LeadershipTest : testing::Test {
  support::FakeClock clock;
  LeaseServer server;
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();
  ScriptedPauser pauser{clock};
  ApiClient client{test_cluster(), transport, clock, pauser, {.per_second = 1000, .burst = 1000}};
  std::vector<Error> failures;
  std::stop_source stop;

  LeadershipTest() {
    transport->otherwise([this](const http::Request& request) { return server(request); });
  }
  Election election(const std::string& identity) {
    return {client,
            clock,
            pauser,
            {.lease = {"voice", "edgetrust"}, .identity = identity, .failed = [this](const Error& error) {
               failures.push_back(error);
             }}};
  }
  std::chrono::milliseconds passed(SteadyPoint since) const { return clock.steady() - since; }
};

TEST_F(LeadershipTest, TheFirstTakesItAtOnceAndRenewsIt) {
  Election one = election("one");
  EXPECT_FALSE(one.holds());
  ASSERT_TRUE(one.acquire(stop.get_token()));
  EXPECT_TRUE(one.holds());
  EXPECT_EQ(server.holder(), "one");
  const std::string acquired = server.acquired();
  pauser.at(60s, [&] { stop.request_stop(); });
  EXPECT_TRUE(one.keep(stop.get_token()));
  EXPECT_TRUE(one.holds());
  EXPECT_EQ(server.acquired(), acquired) << "a renewal is no new term";
  EXPECT_EQ(server.transitions(), 0);
  EXPECT_TRUE(failures.empty());
}

TEST_F(LeadershipTest, AStandbyWaitsUntilTheLeaderIsNotHeardOf) {
  Election one = election("one");
  Election two = election("two");
  ASSERT_TRUE(one.acquire({}));
  const SteadyPoint killed = clock.steady();
  ASSERT_TRUE(two.acquire({}));
  EXPECT_GE(passed(killed), 15s);
  EXPECT_LE(passed(killed), 20s);
  EXPECT_FALSE(one.holds()) << "never both";
  EXPECT_EQ(server.holder(), "two");
  EXPECT_EQ(server.transitions(), 1);
}

TEST_F(LeadershipTest, OneThatRenewsIsNotReplaced) {
  Election one = election("one");
  Election two = election("two");
  ASSERT_TRUE(one.acquire({}));
  // Its renewals come each two seconds of the time in which the other waits.
  for (int second = 2; second <= 60; second += 2) {
    pauser.at(std::chrono::seconds(second), [&] { EXPECT_TRUE(one.acquire({})); });
  }
  pauser.at(60s, [&] { stop.request_stop(); });
  EXPECT_FALSE(two.acquire(stop.get_token()));
  EXPECT_EQ(server.holder(), "one");
}

TEST_F(LeadershipTest, ACleanStopHandsOverInTwoSeconds) {
  Election one = election("one");
  Election two = election("two");
  ASSERT_TRUE(one.acquire({}));
  SteadyPoint released;
  pauser.at(5s, [&] {
    one.release();
    released = clock.steady();
  });
  ASSERT_TRUE(two.acquire({}));
  EXPECT_LE(passed(released), 2s);
  EXPECT_FALSE(one.holds());
}

TEST_F(LeadershipTest, WhoCannotRenewLeadsNoLongerBeforeAnybodyElseCan) {
  Election one = election("one");
  ASSERT_TRUE(one.acquire({}));
  const SteadyPoint last = clock.steady();
  server.down = true;
  pauser.at(8s, [&] { EXPECT_TRUE(one.holds()); });
  EXPECT_FALSE(one.keep({}));
  EXPECT_FALSE(one.holds());
  EXPECT_GE(passed(last), 10s);
  EXPECT_LE(passed(last), 12s);
  EXPECT_FALSE(failures.empty());
}

TEST_F(LeadershipTest, AShortOutageCostsNothing) {
  Election one = election("one");
  ASSERT_TRUE(one.acquire({}));
  pauser.at(1s, [&] { server.down = true; });
  pauser.at(7s, [&] { server.down = false; });
  pauser.at(60s, [&] { stop.request_stop(); });
  EXPECT_TRUE(one.keep(stop.get_token()));
  EXPECT_EQ(server.transitions(), 0);
}

TEST_F(LeadershipTest, ALostAnswerIsLookedFor) {
  Election one = election("one");
  ASSERT_TRUE(one.acquire({}));
  server.lose_answer = true;
  pauser.at(60s, [&] { stop.request_stop(); });
  EXPECT_TRUE(one.keep(stop.get_token()));
  EXPECT_EQ(failures.size(), 1U);
  EXPECT_EQ(server.holder(), "one");
}

// A process that was stopped for a while finds another in its place: it ends, and takes nothing back.
TEST_F(LeadershipTest, WhoWasReplacedWhileItSleptKnowsItBeforeItActs) {
  Election one = election("one");
  Election two = election("two");
  ASSERT_TRUE(one.acquire({}));
  ASSERT_TRUE(two.acquire({}));
  EXPECT_FALSE(one.holds());
  EXPECT_FALSE(one.keep({}));
  EXPECT_EQ(server.holder(), "two");
  EXPECT_TRUE(two.holds());
  two.release();
  EXPECT_FALSE(one.holds());
}

TEST_F(LeadershipTest, OfTwoAtOnceOneGetsIt) {
  Election one = election("one");
  Election two = election("two");
  pauser.at(1s, [&] { stop.request_stop(); });
  ASSERT_TRUE(two.acquire({}));
  EXPECT_FALSE(one.acquire(stop.get_token()));
  EXPECT_TRUE(two.holds() && !one.holds());
}

TEST_F(LeadershipTest, WhatIsNotItsOwnIsNotReleased) {
  Election one = election("one");
  Election two = election("two");
  ASSERT_TRUE(one.acquire({}));
  pauser.at(1s, [&] { stop.request_stop(); });
  EXPECT_FALSE(two.acquire(stop.get_token()));
  two.release();
  EXPECT_EQ(server.holder(), "one");
}

}  // namespace
}  // namespace edgetrust::kube
