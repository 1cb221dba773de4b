// Requests at a real API server: what it refuses, and what it says then.
#include "edgetrust/kube/config_maps.hpp"
#include "edgetrust/kube/events.hpp"
#include "edgetrust/kube/secrets.hpp"
#include "edgetrust/kube/status.hpp"
#include "fixture.hpp"

namespace edgetrust::kube {
namespace {

struct KubeRequests : ClusterFixture {
  SecretObject secret_named(const std::string& name) const {
    SecretObject secret;
    secret.meta.ns = ns;
    secret.meta.name = name;
    secret.meta.labels = {{std::string(kLabel), "yes"}};
    secret.data.emplace("tls.key", Secret(std::string_view("\0key\xff", 5)));
    return secret;
  }
};

TEST_F(KubeRequests, CreateReadUpdateDeleteAndTheirRefusals) {
  const std::string first = put("a", "1");
  EXPECT_TRUE(already_exists(client->create(config_maps(), ns, config_map("a", "2"), {}).error()));
  const auto read = read_config_map(*client, {ns, "a"}, {});
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->data.at("value"), "1");
  EXPECT_EQ(read->meta.resource_version, first);
  EXPECT_FALSE(read->meta.uid.empty());
  EXPECT_TRUE(read->meta.creation_time.has_value());

  auto newer = json::Value::parse(config_map("a", "2"));
  newer["metadata"]["resourceVersion"] = first;
  const auto updated = client->update(config_maps(), ns, "a", json::dump(newer), {});
  ASSERT_TRUE(updated.has_value()) << updated.error().message();
  EXPECT_TRUE(is_stale(client->update(config_maps(), ns, "a", json::dump(newer), {}).error()))
      << "that version is old now";

  EXPECT_TRUE(is_stale(
      client
          ->remove(config_maps(), ns, "a", {.uid = "00000000-0000-4000-8000-000000000000", .resource_version = ""}, {})
          .error()));
  EXPECT_TRUE(
      is_stale(client->remove(config_maps(), ns, "a", {.uid = read->meta.uid, .resource_version = first}, {}).error()));
  expect_ok(client->remove(config_maps(), ns, "a", {.uid = read->meta.uid, .resource_version = ""}, {}));
  const Error gone = client->get(config_maps(), ns, "a", {}).error();
  EXPECT_EQ(gone.kind, ErrorKind::kNotFound);
  EXPECT_EQ(gone.code, "NotFound");
}

TEST_F(KubeRequests, RefusalsHaveTheirKindAndSayWhy) {
  const Resource nothing{.group = "edgetrust.invalid", .version = "v1", .plural = "things", .kind = "Thing"};
  EXPECT_EQ(client->get(nothing, ns, "a", {}).error().code, kNotServed);
  const Resource no_such_plural{.group = "", .version = "v1", .plural = "things", .kind = "Thing"};
  EXPECT_EQ(client->get(no_such_plural, ns, "a", {}).error().code, kNotServed);

  const Error invalid = client->create(config_maps(), ns, config_map("Not_A_Name", "x"), {}).error();
  EXPECT_EQ(invalid.kind, ErrorKind::kInvalid);
  EXPECT_NE(invalid.what.find("metadata.name"), std::string::npos) << invalid.what;
  EXPECT_EQ(client->create(config_maps(), ns, "{", {}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(client->get(config_maps(), ns, "..", {}).error().kind, ErrorKind::kInvalid);
}

TEST_F(KubeRequests, ATokenIsSentAndItsRightsAreTold) {
  const Resource accounts{.group = "", .version = "v1", .plural = "serviceaccounts", .kind = "ServiceAccount"};
  expect_ok(
      client->create(accounts, ns, R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"reader"}})", {}));
  const std::string file = testing::TempDir() + ns + ".kubeconfig";
  stack("token " + ns + "/reader --kubeconfig " + file);
  auto theirs = load_kubeconfig({file}, "", clock);
  std::remove(file.c_str());
  ASSERT_TRUE(theirs.has_value()) << theirs.error().message();
  const auto plain = http::make_transport(std::move(theirs->tls)).value();
  ApiClient reader(*theirs, plain, clock, pauser);
  const Error forbidden = reader.get(secrets(), ns, "a", {}).error();
  EXPECT_EQ(forbidden.kind, ErrorKind::kForbidden) << forbidden.message();
  EXPECT_NE(forbidden.what.find("reader"), std::string::npos) << "it names who may not";
  theirs->token = fixed_token(Secret("not-a-token"));
  ApiClient stranger(*theirs, plain, clock, pauser);
  EXPECT_EQ(stranger.get(secrets(), ns, "a", {}).error().kind, ErrorKind::kUnauthorized);
}

TEST_F(KubeRequests, SecretsKeepTheirBytesAndTheirImmutability) {
  SecretClient secret_client(*client);
  auto secret = secret_named("edge01-r1-key");
  secret.immutable = true;
  const auto created = secret_client.create(secret, {});
  ASSERT_TRUE(created.has_value()) << created.error().message();
  EXPECT_TRUE(already_exists(secret_client.create(secret, {}).error()));
  const auto read = secret_client.read({ns, "edge01-r1-key"}, {});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->data.at("tls.key").expose(), std::string_view("\0key\xff", 5));
  EXPECT_TRUE(read->immutable);

  secret.meta = *created;
  secret.data["tls.key"] = Secret("canary");
  const Error immutable = secret_client.update(secret, {}, {}).error();
  EXPECT_EQ(immutable.kind, ErrorKind::kInvalid);
  EXPECT_EQ(immutable.message().find("canary"), std::string::npos);
  EXPECT_EQ(immutable.message().find("Y2FuYXJ5"), std::string::npos);
}

TEST_F(KubeRequests, AnUpdateOfASecretLeavesWhatIsOthers) {
  SecretClient secret_client(*client);
  auto secret = secret_named("edge01-tls");
  secret.data.emplace("ca.crt", Secret("ca"));
  const auto created = secret_client.create(secret, {});
  ASSERT_TRUE(created.has_value()) << created.error().message();
  const auto foreign = client->patch(
      secrets(), ns, "edge01-tls",
      {.body = R"({"metadata":{"labels":{"foreign":"kept"},"finalizers":["other.io/one"]},"data":{"foreign":"eA=="}})"},
      {});
  ASSERT_TRUE(foreign.has_value()) << foreign.error().message();

  secret.meta.resource_version = created->resource_version;
  EXPECT_TRUE(is_stale(secret_client.update(secret, {}, {}).error()));
  secret.meta.resource_version = foreign->root()["metadata"]["resourceVersion"].string_or("");
  secret.data.clear();
  secret.data.emplace("tls.key", Secret("new"));
  expect_ok(secret_client.update(secret, {"ca.crt"}, {}));

  const auto read = secret_client.read({ns, "edge01-tls"}, {});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->data.at("tls.key").expose(), "new");
  EXPECT_EQ(read->data.at("foreign").expose(), "x");
  EXPECT_FALSE(read->data.contains("ca.crt"));
  EXPECT_EQ(read->meta.labels.at("foreign"), "kept");
  EXPECT_EQ(read->meta.labels.at(std::string(kLabel)), "yes");
  EXPECT_EQ(read->meta.finalizers, std::vector<std::string>{"other.io/one"});
}

TEST_F(KubeRequests, ASecretIsRemovedAsItWasLookedAt) {
  SecretClient secret_client(*client);
  const auto first = secret_client.create(secret_named("a"), {});
  ASSERT_TRUE(first.has_value());
  expect_ok(secret_client.remove(*first, {}));
  expect_ok(secret_client.remove(*first, {}));
  const auto second = secret_client.create(secret_named("a"), {});
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(is_stale(secret_client.remove(*first, {}).error())) << "another object has that name now";
  auto unlabelled = secret_named("b");
  unlabelled.meta.labels.clear();
  expect_ok(secret_client.create(unlabelled, {}));
  const auto listed = secret_client.list(ns, std::string(kLabel) + "=yes", {});
  ASSERT_TRUE(listed.has_value()) << listed.error().message();
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->at(0).uid, second->uid);
}

TEST_F(KubeRequests, StatusIsAppliedAtTheVersionThatWasLookedAtOrNotAtAll) {
  ASSERT_EQ(
      std::system("kubectl apply -f " EDGETRUST_SOURCE "/crds >/dev/null && kubectl wait --for=condition=Established "
                  "--timeout=60s crd/edges.edgetrust.io >/dev/null"),
      0);
  const Resource edges = resource_of<api::Edge>();
  const auto made = client->create(edges, ns,
                                   json::dump({{"apiVersion", api::kApiVersion},
                                               {"kind", "Edge"},
                                               {"metadata", {{"name", "edge01"}}},
                                               {"spec",
                                                {{"connectionRef", {{"name", "prod"}}},
                                                 {"edgeId", "00000000-0000-4000-8000-000000000001"},
                                                 {"sip", {{"host", "edge01.edges.test"}}}}}}),
                                   {});
  ASSERT_TRUE(made.has_value()) << made.error().message();
  const api::Edge edge = api::decode<api::Edge>(made->root());
  ASSERT_FALSE(edge.broken) << edge.broken->message();

  const auto applied =
      apply_status(*client, edges, edge.meta, R"({"observedGeneration":1,"onlineStatus":"ONLINE"})", {});
  ASSERT_TRUE(applied.has_value()) << applied.error().message();
  EXPECT_NE(*applied, edge.meta.resource_version);
  EXPECT_TRUE(is_stale(apply_status(*client, edges, edge.meta, R"({"observedGeneration":2})", {}).error()));

  auto now = edge.meta;
  now.resource_version = *applied;
  expect_ok(apply_status(*client, edges, now, R"({"observedGeneration":1})", {}));
  const auto read = client->get(edges, ns, "edge01", {});
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->root()["status"]["onlineStatus"].present()) << "what is no longer said goes away";
  EXPECT_EQ(read->root()["spec"]["sip"]["host"].string(), "edge01.edges.test");

  EXPECT_TRUE(is_stale(add_finalizer(*client, edges, now, "edgetrust.io/cleanup", {}).error()));
  now = api::decode<api::Edge>(read->root()).meta;
  auto stranger = now;
  stranger.uid = "00000000-0000-4000-8000-000000000009";
  EXPECT_TRUE(is_stale(add_finalizer(*client, edges, stranger, "edgetrust.io/cleanup", {}).error()));
  const auto held = add_finalizer(*client, edges, now, "edgetrust.io/cleanup", {});
  ASSERT_TRUE(held.has_value()) << held.error().message();
  EXPECT_EQ(held->finalizers, std::vector<std::string>{"edgetrust.io/cleanup"});

  expect_ok(client->remove(edges, ns, "edge01", {.uid = now.uid, .resource_version = ""}, {}));
  const auto dying = client->get(edges, ns, "edge01", {});
  ASSERT_TRUE(dying.has_value());
  const api::ObjectMeta last = api::decode<api::Edge>(dying->root()).meta;
  EXPECT_TRUE(last.deleting());
  expect_ok(remove_finalizer(*client, edges, last, "edgetrust.io/cleanup", {}));
  EXPECT_EQ(client->get(edges, ns, "edge01", {}).error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(apply_status(*client, edges, last, R"({"observedGeneration":3})", {}).has_value());
  EXPECT_EQ(client->get(edges, ns, "edge01", {}).error().kind, ErrorKind::kNotFound) << "an apply must not create it";
}

TEST_F(KubeRequests, EventsAreSeenAndCounted) {
  put("subject", "1");
  const auto subject = read_config_map(*client, {ns, "subject"}, {});
  ASSERT_TRUE(subject.has_value());
  std::vector<std::string> failures;
  EventRecorder recorder(*client, clock, pauser, {.instance = "test-0", .failed = [&](const Error& error) {
                                                    failures.push_back(error.message());
                                                  }});
  const Event event{
      .regarding = {"v1", "ConfigMap", ns, "subject", subject->meta.uid, subject->meta.resource_version},
      .type = EventType::kWarning,
      .reason = "RolledBack",
      .action = "Rollback",
      .note = "the Edge answers SIP_DOWN: the previous certificate is served again " + std::string(2000, 'x')};
  for (int i = 0; i < 3; ++i) recorder.record(event);
  ASSERT_TRUE(recorder.flush({}));
  EXPECT_EQ(failures, std::vector<std::string>{});
  std::size_t seen = 0;
  expect_ok(client->list_all({.resource = events(), .ns = ns},
                             [&](json::View found) {
                               ++seen;
                               EXPECT_EQ(found["reason"].string(), "RolledBack");
                               EXPECT_EQ(found["type"].string(), "Warning");
                               EXPECT_EQ(found["regarding"]["uid"].string(), subject->meta.uid);
                               EXPECT_EQ(found["reportingInstance"].string(), "test-0");
                               EXPECT_EQ(found["note"].string_or("").size(), 1024U);
                               EXPECT_EQ(found["series"]["count"].integer(), 2);
                             },
                             {}));
  EXPECT_EQ(seen, 1U);

  EventRecorder restarted(*client, clock, pauser,
                          {.failed = [&](const Error& error) { failures.push_back(error.message()); }});
  restarted.record(event);
  ASSERT_TRUE(restarted.flush({}));
  EXPECT_EQ(failures, std::vector<std::string>{}) << "the name is taken by the same Event, which is as good";
}

}  // namespace
}  // namespace edgetrust::kube
