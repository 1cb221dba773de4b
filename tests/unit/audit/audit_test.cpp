#include "edgetrust/audit/chain.hpp"
#include "edgetrust/audit/log.hpp"
#include "edgetrust/audit/sink.hpp"
#include "edgetrust/audit/watched_objects.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/json/view.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

namespace edgetrust::audit {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Record record(const std::string& action) {
  return {.action = action, .kind = "EdgeCertificate", .object = {"voice", "a"}, .revision = 4, .new_serial = "04"};
}

struct AuditTest : testing::Test {
  support::FakeClock clock;
  std::filesystem::path folder;
  std::string path;
  std::vector<std::string> failures;

  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("edgetrust_audit_") + test->name();
    std::ranges::replace(name, '/', '_');  // of a parameter
    folder = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    path = (folder / "audit.log").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<Log> closed(const std::string& instance = "pod-1") {
    return std::make_unique<Log>(
        Log::Options{
            .path = path, .instance = instance, .failed = [this](const Error& e) { failures.push_back(e.message()); }},
        clock);
  }
  std::unique_ptr<Log> open(const std::string& instance = "pod-1") {
    auto log = closed(instance);
    const Status opened = log->open();
    EXPECT_TRUE(opened) << opened.error().message();
    return log;
  }
  std::vector<std::string> lines() const {
    std::ifstream in(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
  // The first line that does not follow; 0: none.
  static std::size_t broken(const std::vector<std::string>& all) {
    std::optional<Link> link;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto next = follow(all[i], link ? &*link : nullptr);
      if (!next) return i + 1;
      link = *next;
    }
    return 0;
  }
};

TEST_F(AuditTest, ARecordIsOneLineWithItsPlaceInTheChain) {
  Link link;
  const std::string line = seal(record("Push"), clock.now(), "pod-1", link);
  const auto read = json::Document::parse(line).value();
  EXPECT_EQ(read.root()["sequence"].integer(), 1);
  EXPECT_EQ(read.root()["previous"].string_or(""), std::string(64, '0'));
  EXPECT_EQ(read.root()["hash"].string_or(""), link.hash);
  EXPECT_EQ(read.root()["at"].string_or(""), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(read.root()["operator"].string_or(""), "pod-1");
  EXPECT_FALSE(read.root()["change"].present()) << "what is not known is left out";
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(link.sequence, 2U);
}

TEST_F(AuditTest, TheHashIsOverTheLineWithoutIt) {
  Link link;
  std::string line = seal(record("Push"), clock.now(), "", link);
  const std::string member = R"("hash":")" + link.hash + R"(",)";
  const auto begin = line.find(member);
  ASSERT_NE(begin, std::string::npos);
  line.erase(begin, member.size());
  EXPECT_EQ(to_hex(crypto::sha256(line)), link.hash) << "anybody can check it with sha256sum";
}

TEST_F(AuditTest, WhatIsChangedTakenOutOrPutInBetweenShows) {
  const auto log = open();
  for (const char* action : {"Plan", "Approve", "Push", "Prove"}) log->write(record(action));
  const auto whole = lines();
  ASSERT_EQ(whole.size(), 4U);
  EXPECT_EQ(broken(whole), 0U);
  auto changed = whole;
  changed[1].replace(changed[1].find("Approve"), 7, "approve");
  EXPECT_EQ(broken(changed), 2U);
  auto taken = whole;
  taken.erase(taken.begin() + 1);
  EXPECT_EQ(broken(taken), 2U);
  auto doubled = whole;
  doubled.insert(doubled.begin() + 2, whole[0]);
  EXPECT_EQ(broken(doubled), 3U);
  auto swapped = whole;
  std::swap(swapped[1], swapped[2]);
  EXPECT_EQ(broken(swapped), 2U);
  EXPECT_EQ(broken({whole.begin() + 2, whole.end()}), 0U) << "a part of it holds by itself";
}

TEST_F(AuditTest, TheChainGoesOnAfterARestart) {
  open()->write(record("Plan"));
  open()->write(record("Push"));
  EXPECT_EQ(lines().size(), 2U);
  EXPECT_EQ(broken(lines()), 0U);
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(AuditTest, ALineThatWasCutIsLeftAndTheChainGoesOn) {
  open()->write(record("Plan"));
  std::ofstream(path, std::ios::app) << R"({"action":"Pu)";
  open()->write(record("Push"));
  auto all = lines();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(broken(all), 2U);
  all.erase(all.begin() + 1);
  EXPECT_EQ(broken(all), 0U);
}

TEST_F(AuditTest, AnotherFileIsNotWrittenInto) {
  std::ofstream(path) << "something else\n";
  const auto log = closed();
  for (const Status& no : {log->check(), log->open()}) {
    ASSERT_FALSE(no);
    EXPECT_THAT(no.error().message(), HasSubstr("audit log " + path + ": it holds something else"));
  }
  log->write(record("Push"));
  EXPECT_THAT(lines(), testing::ElementsAre("something else"));
  path = (folder / "no" / "such").string();
  EXPECT_FALSE(closed()->check());
  EXPECT_FALSE(closed()->open());
}

TEST_F(AuditTest, WhoStandsByLooksAndWritesNothing) {
  EXPECT_TRUE(closed()->check());
  EXPECT_FALSE(std::filesystem::exists(path));
  open()->write(record("Plan"));
  const auto before = lines();
  const auto standby = closed();
  EXPECT_TRUE(standby->check());
  standby->write(record("Push"));
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures[0], HasSubstr("it is not open"));
  EXPECT_EQ(lines(), before);
}

TEST_F(AuditTest, WhoTakesOverGoesOnWithTheChainAsItIsByThen) {
  const auto leader = open("pod-1");
  const auto standby = closed("pod-2");
  EXPECT_TRUE(standby->check());
  leader->write(record("Plan"));
  ASSERT_TRUE(standby->open());
  standby->write(record("Push"));
  leader->write(record("Prove"));  // it was replaced, and does not know it yet
  standby->write(record("Adopt"));
  const auto all = lines();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(broken(all), 0U);
  EXPECT_THAT(all[1], HasSubstr(R"("operator":"pod-2")"));
  EXPECT_THAT(all[2], HasSubstr(R"("operator":"pod-1")"));
  EXPECT_EQ(standby->next_sequence(), 5U);
}

TEST_F(AuditTest, ManyThatWriteAtOnceMakeOneChain) {
  constexpr int kEach = 25;
  std::latch begin(3);
  {
    std::vector<std::jthread> operators;
    for (int i = 0; i < 3; ++i) {
      operators.emplace_back([&, log = std::shared_ptr<Log>(open(std::to_string(i)))] {
        begin.arrive_and_wait();
        for (int n = 0; n < kEach; ++n) log->write(record("Push"));
      });
    }
  }
  EXPECT_EQ(lines().size(), 3U * kEach);
  EXPECT_EQ(broken(lines()), 0U);
}

TEST_F(AuditTest, AFullDiskIsToldAndStopsNothing) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  path = "/dev/full";
  const auto log = open();
  log->write(record("Push"));
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures[0], HasSubstr("cannot be written"));
}

TEST_F(AuditTest, WhatCannotBeSyncedIsTold) {
  path = "/dev/null";
  open()->write(record("Push"));
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures[0], HasSubstr("it cannot be synced"));
}

// A volume that does not answer: somebody else keeps the lock of the file.
class Kept {
 public:
  explicit Kept(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    EXPECT_EQ(flock(fd_, LOCK_EX), 0);
  }
  ~Kept() { ::close(fd_); }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

 private:
  int fd_;
};

TEST_F(AuditTest, AVolumeThatIsSilentIsWaitedForOnceAndGetsAllWhenItAnswers) {
  std::vector<std::string> told;
  int written = 0;
  Log log({.path = path,
           .instance = "pod-1",
           .failed = [&](const Error& e) { told.push_back(e.message()); },
           .written = [&] { ++written; },
           .patience = 2s,
           .most_waiting = 3},
          clock);
  ASSERT_TRUE(log.open());
  {
    const Kept kept(path);
    for (const char* action : {"Plan", "Approve", "Push", "Prove", "Adopt"}) {
      log.write(record(action));
      clock.advance(1s);
    }
    EXPECT_EQ(log.next_sequence(), 1U) << "nor does it wait for the volume";
    ASSERT_EQ(told.size(), 5U);
    EXPECT_THAT(told[0], HasSubstr("audit log " + path + ": it was waited for and does not answer: the record waits"));
    EXPECT_EQ(
        std::ranges::count_if(told, [](const auto& one) { return one.find("was waited for") != std::string::npos; }), 1)
        << "by the first writer alone";
    EXPECT_THAT(told[4], HasSubstr("this one is lost"));
  }
  log.close();
  const auto all = lines();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(broken(all), 0U);
  EXPECT_EQ(written, 4);
  EXPECT_EQ(told.size(), 5U);
  EXPECT_THAT(all[3], HasSubstr(R"("action":"Prove")"));
  EXPECT_THAT(all[3], HasSubstr(R"("at":"2026-11-22T12:00:03.000000Z")")) << "when it was, not when it was written";
}

TEST_F(AuditTest, WhoCannotOpenASilentVolumeIsToldSo) {
  Log log({.path = path, .instance = "pod-1", .patience = 50ms}, clock);
  const Kept kept(path);
  const Status opened = log.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(opened.error().message(), HasSubstr("audit log " + path + ": it does not answer"));
}

TEST_F(AuditTest, ALogEndsThoughItsVolumeIsSilent) {
  auto kept = std::make_unique<Kept>(path);
  std::weak_ptr<int> is_heard;
  {
    const auto ear = std::make_shared<int>();
    is_heard = ear;
    Log log({.path = path, .instance = "pod-1", .failed = [ear](const Error& /*error*/) {}, .patience = 50ms}, clock);
    EXPECT_FALSE(log.open());
    log.write(record("Push"));
  }
  EXPECT_FALSE(is_heard.expired()) << "its thread is still held by the volume";
  kept.reset();
  while (!is_heard.expired()) std::this_thread::yield();  // and ends when that answers
}

// A disk that is full in the middle of a line: what this process may write to a file ends there.
class SmallDisk {
 public:
  explicit SmallDisk(std::uintmax_t octets) {
    previous_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit small = before_;
    small.rlim_cur = octets;
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, previous_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit before_{};
  void (*previous_)(int) = nullptr;
};

TEST_F(AuditTest, ALineThatAFullDiskHasCutDoesNotTakeTheNextWithIt) {
  const auto log = open();
  log->write(record("Plan"));
  {
    const SmallDisk disk(std::filesystem::file_size(path) + 20);
    log->write(record("Push"));
    log->write(record("Push"));
  }
  EXPECT_EQ(failures.size(), 2U);
  log->write(record("Prove"));
  log->write(record("Adopt"));
  auto all = lines();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].size(), 20U);
  all.erase(all.begin() + 1);
  EXPECT_EQ(broken(all), 0U);
  EXPECT_THAT(all[1], HasSubstr(R"("action":"Prove")"));
}

TEST_F(AuditTest, AFirstLineThatWasCutIsNoOtherFile) {
  {
    const SmallDisk disk(20);
    open()->write(record("Plan"));
  }
  ASSERT_EQ(failures.size(), 1U);
  open()->write(record("Push"));
  const auto all = lines();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(broken({all[1]}), 0U);
}

// --- objects

class StoredCertificates final : public ports::Objects<api::EdgeCertificate> {
 public:
  std::shared_ptr<const api::EdgeCertificate> stored;
  bool refuses = false;

  std::shared_ptr<const api::EdgeCertificate> get(const api::ObjectKey&) const override { return stored; }
  std::vector<std::shared_ptr<const api::EdgeCertificate>> list(const std::string&) const override { return {}; }
  Result<api::EdgeCertificate> read(const api::ObjectKey&, std::stop_token) override { return *stored; }
  Result<std::string> write_status(const api::EdgeCertificate&, std::stop_token) override {
    if (refuses) return fail(ErrorKind::kConflict, "somebody was faster");
    return "2";
  }
  Result<std::string> set_finalizer(const api::ObjectMeta&, const std::string&, bool, std::stop_token) override {
    return "3";
  }
  // One is stored, and its next status has an order.
  api::EdgeCertificate with_an_order() {
    api::EdgeCertificate one;
    one.meta.ns = "voice";
    one.meta.name = "a";
    one.meta.uid = "u1";
    stored = std::make_shared<api::EdgeCertificate>(one);
    one.status.order = api::OrderStatus{.revision = 1};
    return one;
  }
};

TEST_F(AuditTest, OnlyWhatWasWrittenIsRecordedAndOnlyOnce) {
  const auto log = open();
  StoredCertificates stored;
  WatchedObjects<api::EdgeCertificate> watched(stored, *log);
  api::EdgeCertificate one = stored.with_an_order();
  stored.refuses = true;
  EXPECT_FALSE(watched.write_status(one, {}).has_value());
  EXPECT_TRUE(lines().empty());
  stored.refuses = false;
  EXPECT_TRUE(watched.write_status(one, {}).has_value());
  EXPECT_TRUE(watched.write_status(one, {}).has_value()) << "the cache is still behind";
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_THAT(lines()[0], HasSubstr(R"("action":"Plan")"));
  one.meta.uid = "u2";
  EXPECT_TRUE(watched.write_status(one, {}).has_value()) << "another object of that name";
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(AuditTest, AnObjectThatIsGoneIsForgotten) {
  const auto log = open();
  StoredCertificates stored;
  WatchedObjects<api::EdgeCertificate> watched(stored, *log);
  api::EdgeCertificate one = stored.with_an_order();
  EXPECT_TRUE(watched.write_status(one, {}).has_value());
  EXPECT_NE(watched.get(one.meta.key()), nullptr);
  EXPECT_TRUE(watched.write_status(one, {}).has_value());
  EXPECT_EQ(lines().size(), 1U) << "what was written is known";
  stored.stored = nullptr;
  EXPECT_EQ(watched.get(one.meta.key()), nullptr);
  EXPECT_TRUE(watched.write_status(one, {}).has_value());
  EXPECT_EQ(lines().size(), 2U) << "and nothing of it any more";
}

// --- sink

struct SinkTest : AuditTest {
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();
  http::Url endpoint = http::Url::parse("https://audit.example/events").value();
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<http::Request> offered;
  std::vector<int> answers;  // of the next requests; then 202
  std::vector<ErrorKind> kinds;
  int took = 0;

  void SetUp() override {
    AuditTest::SetUp();
    transport->otherwise([this](const http::Request& request) {
      const std::lock_guard lock(mutex);
      offered.push_back(request);
      const int status = answers.empty() ? 202 : answers.front();
      if (!answers.empty()) answers.erase(answers.begin());
      changed.notify_all();
      return support::answer(status);
    });
  }
  std::unique_ptr<Sink> sink() {
    auto one = std::make_unique<Sink>(Sink::Options{.endpoint = endpoint,
                                                    .key = Secret("k"),
                                                    .log_path = path,
                                                    .failed =
                                                        [this](const Error& error) {
                                                          const std::lock_guard lock(mutex);
                                                          failures.push_back(error.message());
                                                          kinds.push_back(error.kind);
                                                          changed.notify_all();
                                                        },
                                                    .took =
                                                        [this] {
                                                          const std::lock_guard lock(mutex);
                                                          ++took;
                                                          changed.notify_all();
                                                        },
                                                    .first_pause = 1ms,
                                                    .longest_pause = 2ms},
                                      transport, clock);
    one->start();
    return one;
  }
  bool offers(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, [&] { return offered.size() >= count; });
  }
  bool takes(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, [&] { return took >= count; });
  }
  std::string sent() const {
    std::ifstream in(path + ".sent");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string action(const http::Request& request) {
    return json::Document::parse(request.body).value().root()["data"]["action"].string_or("");
  }
};

TEST_F(SinkTest, ARecordIsACloudEventThatIsSigned) {
  Link link;
  const std::string line = seal(record("Push"), clock.now(), "pod-1", link);
  const auto request = cloud_event(line, endpoint, Secret("k"));
  ASSERT_TRUE(request.has_value()) << request.error().message();
  const auto event = json::Document::parse(request->body).value();
  EXPECT_EQ(event.root()["specversion"].string_or(""), "1.0");
  EXPECT_EQ(event.root()["id"].string_or(""), link.hash);
  EXPECT_EQ(event.root()["type"].string_or(""), "io.edgetrust.audit.Push");
  EXPECT_EQ(event.root()["source"].string_or(""), "/edgetrust/pod-1");
  EXPECT_EQ(event.root()["subject"].string_or(""), "EdgeCertificate/voice/a");
  EXPECT_EQ(event.root()["data"].text(), line);
  EXPECT_EQ(request->headers.get("Content-Type"), "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(request->headers.get("Edgetrust-Signature"),
            "sha256=" + to_hex(crypto::hmac(crypto::Hash::kSha256, Secret("k"), request->body).value()));
  EXPECT_FALSE(cloud_event("{}", endpoint, Secret("k")).has_value());
}

TEST_F(SinkTest, EachRecordIsOfferedInOrderUntilItIsTaken) {
  answers = {500, 503, 202, 500};
  const auto log = open();
  log->write(record("Plan"));
  log->write(record("Push"));
  const auto one = sink();
  ASSERT_TRUE(offers(5));
  EXPECT_THAT(
      (std::vector{action(offered[0]), action(offered[1]), action(offered[2]), action(offered[3]), action(offered[4])}),
      testing::ElementsAre("Plan", "Plan", "Plan", "Push", "Push"));
  EXPECT_EQ(offered[0].body, offered[2].body) << "the same event each time";
}

TEST_F(SinkTest, TellsWhatItWaitsFor) {
  answers = {403, 429, 418};
  const auto log = open();
  log->write(record("Plan"));
  clock.advance(1min);
  log->write(record("Push"));
  EXPECT_EQ(log->next_sequence(), 3U);
  std::optional<Sink::Pending> first;
  {
    // While the first record is offered for the first time, nothing else can be pending.
    std::unique_ptr<Sink> one;
    std::latch is_made(1);
    transport->otherwise([&, answer = 202](const http::Request& request) {
      is_made.wait();
      const std::lock_guard lock(mutex);
      if (offered.empty()) first = one->pending();
      offered.push_back(request);
      const int status = answers.empty() ? answer : answers.front();
      if (!answers.empty()) answers.erase(answers.begin());
      changed.notify_all();
      return support::answer(status);
    });
    one = sink();
    is_made.count_down();
    ASSERT_TRUE(takes(2));
  }  // joined
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->sequence, 1U);
  EXPECT_EQ(first->at, clock.now() - 1min);
  EXPECT_THAT(kinds, testing::ElementsAre(ErrorKind::kForbidden, ErrorKind::kRateLimited, ErrorKind::kInvalid));
}

TEST_F(SinkTest, AnotherStartGoesOnWhereTheLastWas) {
  const auto log = open();
  log->write(record("Plan"));
  {
    const auto first = sink();
    ASSERT_TRUE(offers(1));
  }  // joined: its place is written
  EXPECT_EQ(sent(), "0 " + std::to_string(lines()[0].size() + 1) + " " + to_hex(crypto::sha256(lines()[0])) + "\n");
  log->write(record("Push"));
  const auto second = sink();
  ASSERT_TRUE(offers(2));
  EXPECT_EQ(action(offered[1]), "Push");
}

// `records` in a log that has taken the place of one with two records, which were handed over.
struct MovedAway : SinkTest, testing::WithParamInterface<int> {};
TEST_P(MovedAway, TheNewLogIsHandedOverFromItsBeginning) {
  const auto first = open();
  for (const char* action : {"Plan", "Push"}) first->write(record(action));
  {
    const auto one = sink();
    ASSERT_TRUE(takes(2));
  }  // joined: its place is written
  std::filesystem::rename(path, path + ".old");
  const auto log = open();
  for (int i = 0; i < GetParam(); ++i) log->write(record("Adopt"));
  const auto one = sink();
  ASSERT_TRUE(offers(static_cast<std::size_t>(2 + GetParam())));
  for (int i = 0; i < GetParam(); ++i) {
    const auto event = json::Document::parse(offered[static_cast<std::size_t>(2 + i)].body).value();
    EXPECT_EQ(event.root()["data"]["action"].string_or(""), "Adopt");
    EXPECT_EQ(event.root()["data"]["sequence"].integer(), i + 1);
  }
}
INSTANTIATE_TEST_SUITE_P(Records, MovedAway, testing::Values(1, 2, 3));

TEST_F(SinkTest, ALogThatIsMovedAwayWhileItRunsIsMissedAndTheNextIsHandedOver) {
  const auto first = open();
  first->write(record("Plan"));
  const auto one = sink();
  ASSERT_TRUE(takes(1));
  std::filesystem::rename(path, path + ".old");
  one->wake();
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 30s, [&] { return !failures.empty(); }));
    EXPECT_THAT(failures[0], HasSubstr("cannot be read"));
  }
  const std::string log = std::exchange(path, path + ".next");
  open()->write(record("Adopt"));
  std::filesystem::rename(path, log);  // whole, so that nothing is missed between a file and its first line
  ASSERT_TRUE(offers(2)) << "it looks again by itself";
  EXPECT_EQ(action(offered[1]), "Adopt");
}

TEST_F(SinkTest, APlaceThatCannotBeKeptIsToldAndNothingIsSentTwice) {
  std::filesystem::create_directories(path + ".sent.new");
  const auto log = open();
  log->write(record("Plan"));
  const auto one = sink();
  ASSERT_TRUE(takes(1));
  log->write(record("Push"));
  one->wake();
  ASSERT_TRUE(takes(2));
  EXPECT_THAT((std::vector{action(offered[0]), action(offered[1])}), testing::ElementsAre("Plan", "Push"));
  EXPECT_EQ(failures.size(), 2U);
}

TEST_F(SinkTest, WhatIsWrittenLaterIsOfferedWhenItIsWoken) {
  const auto log = open();
  const auto one = sink();
  log->write(record("Plan"));
  one->wake();
  ASSERT_TRUE(offers(1));
  std::ofstream(path, std::ios::app) << "cut\n";
  log->write(record("Push"));
  one->wake();
  ASSERT_TRUE(takes(2)) << "what is no record is passed over";
  EXPECT_EQ(offered.size(), 2U) << "and is not counted";
}

}  // namespace
}  // namespace edgetrust::audit
