#include "edgetrust/kube/cluster.hpp"

#include "edgetrust/base/text.hpp"
#include "fixture.hpp"
#include "support/fake_random.hpp"

#include <condition_variable>

namespace edgetrust::kube {
namespace {

std::string event(const std::string& type, const std::string& version, const std::string& more = "") {
  return R"({"type":")" + type + R"(","object":{"metadata":{"namespace":"voice","name":"a","uid":"u",)" +
         R"("resourceVersion":")" + version + R"("})" + more + "}}";
}
std::string end_of_look() {
  return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9",)"
         R"("annotations":{"k8s.io/initial-events-end":"true"}}}})";
}

// An API server on which each kind is watched once: the lines of the kind, then silence until the watch is stopped.
class SilentServer final : public http::Transport {
 public:
  std::map<std::string, std::vector<std::string>> lines;  // by plural

  Result<http::Response> send(const http::Request& /*request*/, std::stop_token /*stop*/) override {
    return fail(ErrorKind::kInternal, "nothing is asked but watches");
  }
  Result<http::Response> stream(const http::Request& request, std::chrono::milliseconds /*idle*/,
                                std::size_t /*max_line*/, const std::function<bool(std::string_view)>& on_line,
                                std::stop_token stop) override {
    const std::string path = request.url.target.substr(0, request.url.target.find('?'));
    const auto said = lines.find(split(path, '/').back());
    for (const auto& line : said == lines.end() ? std::vector{end_of_look()} : said->second) on_line(line);
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
    return fail(ErrorKind::kCancelled, "stopped");
  }
};

// Any thread notes, one waits.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
    changed_.notify_all();
  }
  std::vector<std::string> first(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return notes_.size() >= count; });
    return notes_;
  }

  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return notes_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> notes_;
};

struct Told {
  Notes& notes;
  template <class T>
  void operator()(const Change<T>& change) const {
    const auto version = [](const auto& object) { return object ? object->meta.resource_version : std::string("-"); };
    notes.add(change.key.to_string() + " " + version(change.before) + ">" + version(change.after));
  }
};

struct ClusterTest : testing::Test {
  support::FakeClock clock;
  support::FakePauser pauser{clock};
  support::FakeRandom random;
  std::shared_ptr<SilentServer> server = std::make_shared<SilentServer>();
  ApiClient client{test_cluster(), server, clock, pauser};
  Notes notes;

  std::vector<std::string> changes_of(const std::string& plural, std::vector<std::string> lines, std::size_t count) {
    server->lines[plural] = std::move(lines);
    Cluster cluster(client, clock, random, pauser,
                    {.namespaces = {"voice"}, .indexed_label = "l", .changed = [this](const AnyChange& change) {
                       std::visit(Told{notes}, change);
                     }});
    cluster.start();
    auto told = notes.first(count);
    cluster.stop();
    return told;
  }
};

TEST_F(ClusterTest, TellsOfAnObjectAsItWasAndAsItIs) {
  EXPECT_EQ(changes_of("edges",
                       {event("ADDED", "3"), end_of_look(), event("MODIFIED", "10", R"(,"status":{"site":"ny"})"),
                        event("DELETED", "11")},
                       3),
            (std::vector<std::string>{"voice/a ->3", "voice/a 3>10", "voice/a 10>-"}));
}

TEST_F(ClusterTest, TellsOfSecretsLikewise) {
  EXPECT_EQ(changes_of("secrets", {event("ADDED", "3"), end_of_look(), event("MODIFIED", "10")}, 2),
            (std::vector<std::string>{"voice/a ->3", "voice/a 3>10"}));
}

TEST_F(ClusterTest, KnowsSinceWhenItsMostSilentWatchHasSaidNothing) {
  constexpr std::size_t kOthers = 7;
  Notes synced;
  server->lines["edges"] = {event("ADDED", "3"), end_of_look(), event("MODIFIED", "10")};
  // Between the two words about the Edge the others have been read, and time goes by.
  const auto changed = [&](const AnyChange& change) {
    if (notes.count() == 0) {
      synced.first(kOthers);
      clock.advance(std::chrono::minutes{5});
    }
    std::visit(Told{notes}, change);
  };
  Cluster cluster(
      client, clock, random, pauser,
      {.namespaces = {"voice"}, .indexed_label = "l", .changed = changed, .note = [&](const WatchNote& note) {
         if (note.news == WatchNews::kSynced) synced.add(note.what.resource.plural);
       }});
  const SteadyPoint begin = clock.steady();
  cluster.start();
  notes.first(2);
  EXPECT_EQ(cluster.heard(), begin);
  EXPECT_EQ(clock.steady() - begin, std::chrono::minutes{5});
  cluster.stop();
}

TEST_F(ClusterTest, FindsTheMetadataOfASecretByItsName) {
  server->lines["secrets"] = {event("ADDED", "3"), end_of_look()};
  Cluster cluster(client, clock, random, pauser,
                  {.namespaces = {"voice"}, .indexed_label = "l", .changed = [](const AnyChange& /*change*/) {}});
  EXPECT_FALSE(cluster.secrets().find({"voice", "a"})) << "nobody has looked yet";
  cluster.start();
  ASSERT_TRUE(cluster.wait_synced({}));
  ASSERT_TRUE(cluster.secrets().find({"voice", "a"}));
  EXPECT_EQ(cluster.secrets().find({"voice", "a"})->resource_version, "3");
  EXPECT_FALSE(cluster.secrets().find({"voice", "b"}));
  EXPECT_FALSE(cluster.secrets().find({"another", "a"}));
  cluster.stop();
}

}  // namespace
}  // namespace edgetrust::kube
