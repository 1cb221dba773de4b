// Watching a real API server in good times: both kinds of full look, changes, bookmarks, metadata alone.
#include "edgetrust/kube/secrets.hpp"
#include "fixture.hpp"

namespace edgetrust::kube {
namespace {

struct KubeWatch : ClusterFixture {
  [[nodiscard]] ReflectorOptions options(bool watch_list) const {
    ReflectorOptions chosen{.what = ours()};
    chosen.protocol.watch_list = watch_list;
    return chosen;
  }
  // 1,200 objects, by eight writers.
  void fill() {
    std::vector<std::jthread> writers;
    for (int w = 0; w < 8; ++w) {
      writers.emplace_back([this, w] {
        for (int i = w; i < 1200; i += 8) {
          expect_ok(client->create(config_maps(), ns, config_map("o" + std::to_string(i), "x"), {.timeout = 60s}));
        }
      });
    }
  }
};

TEST_F(KubeWatch, DeliversWhatIsThereAndEveryChange) {
  for (const bool watch_list : {true, false}) {
    SCOPED_TRACE(watch_list ? "WatchList" : "pages");
    put("old", "1");
    put("goes", "1");
    Mirror mirror(*this, *client, options(watch_list));
    ASSERT_TRUE(mirror.synced());
    EXPECT_EQ(mirror.value_of(ns, "old"), "1");
    EXPECT_EQ(mirror.store.size(), 2U);
    put("old", "2");
    put("new", "1");
    remove("goes");
    EXPECT_TRUE(mirror.shows(ns, "old", "2"));
    EXPECT_TRUE(mirror.shows(ns, "new", "1"));
    EXPECT_TRUE(mirror.shows(ns, "goes", ""));
    EXPECT_EQ(mirror.reflector.stats().looks, 1U);
    EXPECT_EQ(mirror.reflector.stats().pages, watch_list ? 0U : 1U);
    EXPECT_EQ(mirror.errors, std::vector<std::string>{});
    mirror.reflector.stop();
    remove("new");
  }
}

TEST_F(KubeWatch, TakesManyObjectsByPagesOf500AndByOneStream) {
  fill();
  put("unlabelled", "x");
  expect_ok(client->patch(config_maps(), ns, "unlabelled", {.body = R"({"metadata":{"labels":null}})"}, {}));
  Mirror pages(*this, *client, options(false));
  ASSERT_TRUE(pages.synced());
  EXPECT_EQ(pages.store.size(), 1200U);
  EXPECT_EQ(pages.reflector.stats().pages, 3U);
  Mirror stream(*this, *client, options(true));
  ASSERT_TRUE(stream.synced());
  EXPECT_EQ(stream.store.size(), 1200U);
  EXPECT_EQ(stream.reflector.stats().pages, 0U);
  EXPECT_EQ(stream.reflector.stats().watches, 1U);
}

// Counts the watches that are opened, and lets a test wait for them.
class CountingTransport final : public http::Transport {
 public:
  CountingTransport(std::shared_ptr<http::Transport> inner, Board& board) : inner_(std::move(inner)), board_(board) {}
  Result<http::Response> send(const http::Request& request, std::stop_token stop) override {
    return inner_->send(request, stop);
  }
  Result<http::Response> stream(const http::Request& request, std::chrono::milliseconds idle, std::size_t max_line,
                                const std::function<bool(std::string_view)>& on_line, std::stop_token stop) override {
    board_.note([&] { targets.push_back(request.url.target); });
    return inner_->stream(request, idle, max_line, on_line, stop);
  }
  std::vector<std::string> targets;  // by the board

 private:
  std::shared_ptr<http::Transport> inner_;
  Board& board_;
};

TEST_F(KubeWatch, AWatchThatTheServerEndsGoesOnFromItsBookmarkWithoutANewLook) {
  Board board;
  const auto counting = std::make_shared<CountingTransport>(transport, board);
  ClusterConfig same;
  same.server = config->server;
  ApiClient counted(same, counting, clock, pauser);
  put("a", "1");
  ReflectorOptions chosen = options(true);
  chosen.protocol.shortest = 3s;
  chosen.protocol.spread = 0s;
  Mirror mirror(*this, counted, chosen);
  ASSERT_TRUE(mirror.synced());
  // Changes of objects that are not selected move the server's version, which only a bookmark tells us.
  const auto other = client->create(config_maps(), ns, R"({"metadata":{"name":"other"}})", {});
  ASSERT_TRUE(other.has_value()) << other.error().message();
  const std::string other_version = other->root()["metadata"]["resourceVersion"].string_or("");
  ASSERT_TRUE(board.await([&] { return counting->targets.size() >= 4; }));
  put("a", "2");
  EXPECT_TRUE(mirror.shows(ns, "a", "2"));
  const WatchStats stats = mirror.reflector.stats();
  EXPECT_EQ(stats.looks, 1U);
  EXPECT_GE(stats.bookmarks, 2U) << "one ends the initial events, one comes shortly before the end of each watch";
  EXPECT_EQ(mirror.errors, std::vector<std::string>{});
  board.await([&] {
    EXPECT_EQ(mirror.changes["a"], 2) << "nothing is told twice";
    EXPECT_EQ(counting->targets.at(0).find("resourceVersion="), std::string::npos);
    const std::string from = counting->targets.at(3).substr(counting->targets.at(3).find("resourceVersion=") + 16);
    EXPECT_GE(std::stoull(from), std::stoull(other_version)) << "the bookmark moved it";
    return true;
  });
}

TEST_F(KubeWatch, SecretsAreWatchedByTheirMetadataAlone) {
  struct Seen {
    api::ObjectMeta meta;
    bool has_data = false;
  };
  Board board;
  Store<Seen> store(
      [](const api::ObjectMeta& meta, const Result<json::View>& object) {
        return Seen{meta, object && ((*object)["data"].present() || (*object)["type"].present())};
      },
      [&](const auto&, const auto&, const auto&) { board.note([] {}); });
  SecretClient secret_client(*client);
  SecretObject secret;
  secret.meta.ns = ns;
  secret.meta.name = "labelled";
  secret.meta.labels = {{std::string(kLabel), "yes"}};
  secret.data.emplace("k", Secret("canary"));
  const auto first = secret_client.create(secret, {});
  ASSERT_TRUE(first.has_value()) << first.error().message();
  secret.meta.name = "plain";
  secret.meta.labels.clear();
  expect_ok(secret_client.create(secret, {}));

  for (const bool watch_list : {true, false}) {
    ReflectorOptions chosen{.what = secret_metadata(ns, std::string(kLabel) + "=yes")};
    chosen.protocol.watch_list = watch_list;
    Reflector reflector(*client, store, clock, random, pauser, chosen);
    reflector.start();
    ASSERT_TRUE(reflector.wait_synced({}));
    EXPECT_EQ(store.size(), 1U);
    secret.meta.name = watch_list ? "second" : "third";
    secret.meta.labels = {{std::string(kLabel), "yes"}};
    expect_ok(secret_client.create(secret, {}));
    ASSERT_TRUE(board.await([&] { return store.get({ns, secret.meta.name}) != nullptr; }));
    const auto stored = secret_client.read({ns, secret.meta.name}, {});
    ASSERT_TRUE(stored.has_value());
    expect_ok(secret_client.remove(stored->meta, {}));
    ASSERT_TRUE(board.await([&] { return store.get({ns, secret.meta.name}) == nullptr; }));
  }
  EXPECT_EQ(store.get({ns, "labelled"})->meta.uid, first->uid);
  for (const auto& seen : store.list()) EXPECT_FALSE(seen->has_data);
}

// A kind without a schema, in which anything may stand.
TEST_F(KubeWatch, OneObjectThatCannotBeReadHurtsNoOther) {
  const Resource crds{.group = "apiextensions.k8s.io",
                      .version = "v1",
                      .plural = "customresourcedefinitions",
                      .kind = "CustomResourceDefinition",
                      .namespaced = false};
  const Resource odds{.group = ns + ".test", .version = "v1", .plural = "odds", .kind = "Odd"};
  expect_ok(client->create(
      crds, "",
      json::dump(
          {{"apiVersion", "apiextensions.k8s.io/v1"},
           {"kind", "CustomResourceDefinition"},
           {"metadata", {{"name", "odds." + odds.group}}},
           {"spec",
            {{"group", odds.group},
             {"scope", "Namespaced"},
             {"names", {{"plural", "odds"}, {"singular", "odd"}, {"kind", "Odd"}}},
             {"versions",
              json::Value::array({{{"name", "v1"},
                                   {"served", true},
                                   {"storage", true},
                                   {"schema",
                                    {{"openAPIV3Schema",
                                      {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}}})}}}}),
      {}));
  ASSERT_EQ(
      std::system(
          ("kubectl wait --for=condition=Established --timeout=60s crd/odds." + odds.group + " >/dev/null").c_str()),
      0);
  const auto create = [&](const std::string& name, const std::string& spec) {
    const std::string body = R"({"apiVersion":")" + odds.api_version() + R"(","kind":"Odd","metadata":{"name":")" +
                             name + R"("},"spec":)" + spec + "}";
    Result<json::Document> made = fail(ErrorKind::kUnavailable, "not tried");
    // The server serves a kind on its next look at the definition, which no condition tells.
    for (int i = 0; i < 100 && !made && made.error().kind == ErrorKind::kUnavailable; ++i)
      made = client->create(odds, ns, body, {});
    expect_ok(made);
  };
  struct Odd {
    api::ObjectMeta meta;
    std::optional<std::int64_t> size;
    std::optional<double> number;
    std::optional<Error> error;
  };
  for (const bool watch_list : {true, false}) {
    const std::string round = watch_list ? "a" : "b";
    create(round + "1", R"({"size":1})");
    create(round + "2", R"({"size":1e20})");
    create(round + "3", R"({"size":3,"text":")" + std::string(1'200'000, 'x') + "\"}");
    create(round + "4", R"({"size":4})");
    Board board;
    Store<Odd> store(
        [](const api::ObjectMeta& meta, const Result<json::View>& object) {
          if (!object) return Odd{meta, {}, {}, object.error()};
          return Odd{meta, (*object)["spec"]["size"].integer(), (*object)["spec"]["size"].number(), {}};
        },
        [&](const auto&, const auto&, const auto&) { board.note([] {}); });
    ReflectorOptions chosen{.what = {.resource = odds, .ns = ns}};
    chosen.protocol.watch_list = watch_list;
    Reflector reflector(*client, store, clock, random, pauser, chosen);
    reflector.start();
    ASSERT_TRUE(reflector.wait_synced({}));
    EXPECT_EQ(store.get({ns, round + "1"})->size, 1);
    EXPECT_EQ(store.get({ns, round + "2"})->size, std::nullopt);
    EXPECT_EQ(store.get({ns, round + "2"})->number, 1e20);
    EXPECT_EQ(store.get({ns, round + "3"})->error->kind, ErrorKind::kInvalid);
    EXPECT_EQ(store.get({ns, round + "4"})->size, 4);
    expect_ok(client->patch(odds, ns, round + "2", {.body = R"({"spec":{"size":-1e25}})"}, {}));
    expect_ok(client->patch(odds, ns, round + "4", {.body = R"({"spec":{"size":5}})"}, {}));
    EXPECT_TRUE(board.await([&] { return store.get({ns, round + "4"})->size == 5; }));
    EXPECT_EQ(store.get({ns, round + "2"})->number, -1e25);
    EXPECT_EQ(reflector.stats().looks, 1U);
    EXPECT_EQ(reflector.stats().failures, 0U);
  }
}

}  // namespace
}  // namespace edgetrust::kube
