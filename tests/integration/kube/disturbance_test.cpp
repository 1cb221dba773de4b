// Watching a real API server in bad times: it restarts, forgets, or the network goes silent. No change may be lost.
#include "fixture.hpp"
#include "support/tcp_proxy.hpp"

#include <array>
#include <cstdio>

namespace edgetrust::kube {
namespace {

// The address of a part of the stack, as `stack.py status` tells it.
std::string address_of(const std::string& part) {
  std::string said;
  FILE* pipe = ::popen("python3 " EDGETRUST_SOURCE "/tests/stack/stack.py status", "r");
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) {
    const std::string line = buffer.data();
    if (line.starts_with(part + " ")) said = line.substr(line.rfind(' ') + 1);
  }
  ::pclose(pipe);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return said;
}

struct KubeDisturbance : ClusterFixture {
  std::unique_ptr<support::TcpProxy> proxy;
  std::unique_ptr<ApiClient> by_proxy;

  void SetUp() override {
    ClusterFixture::SetUp();
    proxy = std::make_unique<support::TcpProxy>(config->server.port);
    by_proxy = new_client(server_at(proxy->port()));
  }

  Result<http::Response> etcd(const std::string& path, const std::string& body) {
    http::Request request{.method = http::Method::kPost,
                          .url = http::Url::parse("http://" + address_of("etcd") + path).value()};
    request.body = body;
    return transport->send(request, {});
  }
  // etcd forgets all versions before the present one. (Its JSON gateway; "AA==" is a key that does not exist.)
  void compact() {
    const auto now = etcd("/v3/kv/range", R"({"key":"AA=="})");
    ASSERT_TRUE(now.has_value()) << now.error().message();
    const auto document = json::Document::parse(now->body);
    ASSERT_TRUE(document.has_value()) << now->body;
    const std::string revision = document->root()["header"]["revision"].string_or("");
    const auto done = etcd("/v3/kv/compaction", R"({"physical":true,"revision":")" + revision + "\"}");
    ASSERT_TRUE(done.has_value()) << done.error().message();
    ASSERT_EQ(done->status, 200) << done->body;
  }
  void expect_equal_to_the_server(const Mirror& mirror) {
    std::map<std::string, std::string> truth;
    std::map<std::string, std::string> mirrored;
    expect_ok(client->list_all(ours(),
                               [&](json::View object) {
                                 truth[object["metadata"]["name"].string_or("")] =
                                     object["data"]["value"].string_or("");
                               },
                               {}));
    for (const auto& entry : mirror.store.list()) mirrored[entry->meta.name] = entry->value;
    EXPECT_EQ(mirrored, truth);
  }
};

// Compaction alone is not enough: the server's watch cache still knows the old versions. After its restart it does not.
TEST_F(KubeDisturbance, AForgottenVersionCostsOneNewLookAndNoChange) {
  for (const bool watch_list : {true, false}) {
    SCOPED_TRACE(watch_list ? "WatchList" : "pages");
    proxy->allow();
    put("kept", "1");
    put("changed", "1");
    put("removed", "1");
    ReflectorOptions chosen{.what = ours()};
    chosen.protocol.watch_list = watch_list;
    chosen.protocol.failure.ceiling = 1s;
    Mirror mirror(*this, *by_proxy, chosen);
    ASSERT_TRUE(mirror.synced());
    proxy->cut();
    put("changed", "2");
    put("added", "1");
    remove("removed");
    compact();
    stack("restart kube-apiserver");
    put("after", "1");
    proxy->allow();
    ASSERT_TRUE(mirror.synced(2));
    EXPECT_TRUE(mirror.shows(ns, "after", "1"));
    expect_equal_to_the_server(mirror);
    EXPECT_EQ(mirror.value_of(ns, "changed"), "2");
    EXPECT_EQ(mirror.value_of(ns, "removed"), "");
    put("after", "2");
    EXPECT_TRUE(mirror.shows(ns, "after", "2"));
    mirror.board.await([&] {
      EXPECT_EQ(mirror.expired, 1U);
      EXPECT_EQ(mirror.looks, 2U);
      EXPECT_EQ(mirror.changes["kept"], 1) << "the new look found it as it was";
      return true;
    });
    mirror.reflector.stop();
    for (const char* name : {"added", "after"}) remove(name);
  }
}

TEST_F(KubeDisturbance, AForgottenVersionIsToldInTheStreamAndByTheListAsStatus) {
  for (int i = 0; i < 5; ++i) put("o" + std::to_string(i), "1");
  const auto page = client->list(ours(), {.limit = 2, .continue_token = ""}, {});
  ASSERT_TRUE(page.has_value()) << page.error().message();
  ASSERT_FALSE(page->continue_token.empty());
  for (int i = 0; i < 5; ++i) put("o" + std::to_string(i), "2");
  compact();
  stack("restart kube-apiserver");
  EXPECT_TRUE(is_expired(client->list(ours(), {.limit = 2, .continue_token = page->continue_token}, {}).error()));
  std::vector<std::string> lines;
  const Status end = client->watch(ours(), {.resource_version = page->resource_version, .timeout = 5s},
                                   [&](std::string_view line) {
                                     lines.emplace_back(line);
                                     return true;
                                   },
                                   {});
  EXPECT_TRUE(end.has_value()) << "HTTP says 200: " << end.error().message();
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines[0].find(R"("type":"ERROR")"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("410"), std::string::npos) << lines[0];
}

TEST_F(KubeDisturbance, ARestartOfTheServerLosesNoChange) {
  put("o0", "0");
  Mirror mirror(*this, *client, {.what = ours()});
  ASSERT_TRUE(mirror.synced());
  std::jthread writer([this](std::stop_token stop) {  // writes through the restarts, and takes its failures
    for (int i = 1; !stop.stop_requested(); ++i) {
      const std::string name = "o" + std::to_string(i % 20);
      const auto made = client->create(config_maps(), ns, config_map(name, std::to_string(i)), {.timeout = 2s});
      if (!made && already_exists(made.error())) {
        if (i % 7 == 0) {
          (void)client->remove(config_maps(), ns, name, {}, {.timeout = 2s});
        } else {
          (void)client->patch(config_maps(), ns, name, {.body = json::dump({{"data", {{"value", std::to_string(i)}}}})},
                              {.timeout = 2s});
        }
      }
    }
  });
  for (int round = 0; round < 3; ++round) stack("restart kube-apiserver");
  writer.request_stop();
  writer.join();
  put("last", "1");
  EXPECT_TRUE(mirror.shows(ns, "last", "1"));
  expect_equal_to_the_server(mirror);
}

TEST_F(KubeDisturbance, AHalfOpenConnectionIsNoticedAndTheWatchGoesOnWithoutANewLook) {
  put("a", "1");
  ReflectorOptions chosen{.what = ours()};
  chosen.idle = 4s;
  Mirror mirror(*this, *by_proxy, chosen);
  ASSERT_TRUE(mirror.synced());
  proxy->freeze();
  const auto frozen_at = clock.steady();
  put("a", "2");
  EXPECT_TRUE(mirror.shows(ns, "a", "2", 15s));
  EXPECT_GE(clock.steady() - frozen_at, 2s) << "it did come by way of a new connection";
  EXPECT_GE(proxy->accepted(), 2);
  EXPECT_EQ(mirror.reflector.stats().looks, 1U);
}

TEST_F(KubeDisturbance, AServerThatIsAwayIsAnErrorWithinTheDeadline) {
  proxy->cut();
  const Error refused = by_proxy->get(config_maps(), ns, "a", {.timeout = 5s}).error();
  EXPECT_EQ(refused.kind, ErrorKind::kUnavailable) << refused.message();
  proxy->allow();
  put("a", "1");
  expect_ok(by_proxy->get(config_maps(), ns, "a", {.timeout = 5s}));
  proxy->freeze();
  const auto begin = clock.steady();
  const Error silent = by_proxy->get(config_maps(), ns, "a", {.timeout = 2s}).error();
  EXPECT_EQ(silent.kind, ErrorKind::kTimeout) << silent.message();
  EXPECT_LT(clock.steady() - begin, 10s);
}

}  // namespace
}  // namespace edgetrust::kube
