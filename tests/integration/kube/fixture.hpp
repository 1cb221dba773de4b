#pragma once
// A real API server: the one of tests/stack, told by KUBECONFIG and STACK_DIR (tests/stack/stack.py run). Each test has
// a namespace of its own.
#include "edgetrust/base/random.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/kube/api_error.hpp"
#include "edgetrust/kube/client.hpp"
#include "edgetrust/kube/kinds.hpp"
#include "edgetrust/kube/reflector.hpp"

#include <condition_variable>
#include <cstdlib>
#include <mutex>

namespace edgetrust::kube {

using namespace std::chrono_literals;

inline std::string from_stack(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr) {
    ADD_FAILURE() << variable << " is not set: run this inside a stack (tests/stack/stack.py run)";
    return {};
  }
  return value;
}

// A flag with a time limit: what one thread notes, another waits for.
class Board {
 public:
  void note(const std::function<void()>& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <class Predicate>
  bool await(Predicate predicate, std::chrono::seconds limit = 60s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, predicate);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

struct ClusterFixture : testing::Test {
  static constexpr std::string_view kLabel = "edgetrust-test";

  SystemClock clock;
  SystemRandom random;
  ThreadPauser pauser;
  Result<ClusterConfig> config = load_kubeconfig({from_stack("KUBECONFIG")}, "", clock);
  std::shared_ptr<http::Transport> transport;
  std::unique_ptr<ApiClient> client;
  const std::string ns = "kube-" + std::to_string(random.next());

  void SetUp() override {
    ASSERT_TRUE(config.has_value()) << config.error().message();
    transport = http::make_transport(std::move(config->tls)).value();
    client = new_client(config->server);
    const Resource namespaces{
        .group = "", .version = "v1", .plural = "namespaces", .kind = "Namespace", .namespaced = false};
    expect_ok(client->create(namespaces, "",
                             R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + ns + R"("}})", {}));
  }

  std::unique_ptr<ApiClient> new_client(const http::Url& server) {
    ClusterConfig same;
    same.server = server;
    return std::make_unique<ApiClient>(same, transport, clock, pauser,
                                       ClientOptions{.per_second = 2000, .burst = 2000});
  }
  // The same server by way of another port.
  [[nodiscard]] http::Url server_at(std::uint16_t port) const {
    http::Url url = config->server;
    url.port = port;
    return url;
  }

  template <class T>
  static void expect_ok(const Result<T>& result) {
    EXPECT_TRUE(result.has_value()) << result.error().message();
  }

  // Runs `stack.py` with these arguments.
  static void stack(const std::string& arguments) {
    ASSERT_EQ(std::system(("python3 " EDGETRUST_SOURCE "/tests/stack/stack.py " + arguments).c_str()), 0) << arguments;
  }

  [[nodiscard]] std::string config_map(const std::string& name, const std::string& value) const {
    return json::dump({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", {{"name", name}, {"namespace", ns}, {"labels", {{std::string(kLabel), "yes"}}}}},
                       {"data", {{"value", value}}}});
  }
  // Creates or changes, whatever is there; the resourceVersion.
  std::string put(const std::string& name, const std::string& value) {
    const auto created = client->create(config_maps(), ns, config_map(name, value), {});
    if (created) return created->root()["metadata"]["resourceVersion"].string_or("");
    EXPECT_TRUE(already_exists(created.error())) << created.error().message();
    const auto changed =
        client->patch(config_maps(), ns, name, {.body = json::dump({{"data", {{"value", value}}}})}, {});
    expect_ok(changed);
    return changed ? changed->root()["metadata"]["resourceVersion"].string_or("") : "";
  }
  void remove(const std::string& name) { expect_ok(client->remove(config_maps(), ns, name, {}, {})); }
  [[nodiscard]] Selection ours() const { return {.resource = config_maps(), .ns = ns, .labels = std::string(kLabel)}; }
};

// The value of each ConfigMap by name, kept by a reflector on a thread of its own.
struct Mirror {
  struct Entry {
    api::ObjectMeta meta;
    std::string value;
  };

  Mirror(ClusterFixture& cluster, ApiClient& client, ReflectorOptions options)
      : reflector(client, store, cluster.clock, cluster.random, cluster.pauser, with_note(std::move(options))) {
    reflector.start();
  }

  // Waits until the object has that value, "" meaning that it is not there.
  bool shows(const std::string& ns, const std::string& name, const std::string& value,
             std::chrono::seconds limit = 60s) {
    return board.await([&] { return value_of(ns, name) == value; }, limit);
  }
  std::string value_of(const std::string& ns, const std::string& name) const {
    const auto entry = store.get({ns, name});
    return entry ? entry->value : "";
  }
  bool synced(std::size_t times = 1) {
    return board.await([&] { return looks >= times; });
  }
  bool failed(std::size_t times) {
    return board.await([&] { return errors.size() >= times; });
  }
  static Entry decode(const api::ObjectMeta& meta, const Result<json::View>& object) {
    return {meta, object ? (*object)["data"]["value"].string_or("") : object.error().message()};
  }
  ReflectorOptions with_note(ReflectorOptions options) {
    options.note = [this](const WatchNote& note) {
      board.note([&] {
        if (note.news == WatchNews::kSynced) ++looks;
        if (note.news == WatchNews::kLookAgain) ++expired;
        if (note.error) errors.push_back(note.error->message());
      });
    };
    return options;
  }

  Board board;
  std::size_t looks = 0;               // by the board
  std::size_t expired = 0;             // by the board
  std::vector<std::string> errors;     // by the board
  std::map<std::string, int> changes;  // by the board; per name, how often the store told of one
  Store<Entry> store{decode, [this](const api::ObjectKey& key, const auto&, const auto&) {
                       board.note([&] { ++changes[key.name]; });
                     }};
  Reflector reflector;
};

}  // namespace edgetrust::kube
