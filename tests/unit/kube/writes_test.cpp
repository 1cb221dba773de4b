#include "edgetrust/kube/api_error.hpp"
#include "edgetrust/kube/config_maps.hpp"
#include "edgetrust/kube/kinds.hpp"
#include "edgetrust/kube/secrets.hpp"
#include "edgetrust/kube/status.hpp"
#include "fixture.hpp"

namespace edgetrust::kube {
namespace {

const Resource kEdges = resource_of<api::Edge>();

api::ObjectMeta looked_at() {
  api::ObjectMeta meta;
  meta.ns = "voice";
  meta.name = "edge01";
  meta.uid = "u1";
  meta.resource_version = "17";
  return meta;
}

struct SecretsTest : ClientFixture {
  SecretClient secret_client{client};
};

TEST_F(SecretsTest, ReadsDataAsSecrets) {
  transport->answer(
      200,
      R"({"metadata":{"namespace":"voice","name":"edge01-tls","uid":"u1","resourceVersion":"3","labels":{"a":"b"}},)"
      R"("type":"kubernetes.io/tls","immutable":true,"data":{"tls.key":"AP9rZXk=","empty":""}})");
  const auto secret = secret_client.read({"voice", "edge01-tls"}, {});
  ASSERT_TRUE(secret.has_value()) << secret.error().message();
  EXPECT_EQ(secret->type, "kubernetes.io/tls");
  EXPECT_TRUE(secret->immutable);
  EXPECT_EQ(secret->meta.labels.at("a"), "b");
  EXPECT_EQ(secret->data.at("tls.key").expose(), std::string_view("\0\xffkey", 5));
  EXPECT_TRUE(secret->data.at("empty").empty());
}

TEST_F(SecretsTest, RefusesDataThatIsNoBase64WithoutShowingIt) {
  transport->answer(200, R"({"metadata":{"namespace":"voice","name":"s"},"data":{"k":"hunter2!"}})");
  const auto secret = secret_client.read({"voice", "s"}, {});
  ASSERT_FALSE(secret.has_value());
  EXPECT_EQ(secret.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(secret.error().message().find("hunter2"), std::string::npos);
  EXPECT_NE(secret.error().message().find("voice/s: k"), std::string::npos);
}

TEST_F(SecretsTest, CreatesWithOwnerLabelsAndData) {
  SecretObject secret;
  secret.meta = looked_at();
  secret.meta.labels = {{"edgetrust.io/backup", "true"}};
  secret.meta.owner_references = {{"edgetrust.io/v1alpha1", "EdgeCertificate", "edge01", "u9"}};
  secret.type = "kubernetes.io/tls";
  secret.immutable = true;
  secret.data.emplace("tls.key", Secret("key bytes"));
  secret.data.emplace("tls.crt", Secret("chain"));
  transport->answer(201, R"({"metadata":{"namespace":"voice","name":"edge01","uid":"u2","resourceVersion":"1"}})");
  const auto stored = secret_client.create(secret, {});
  ASSERT_TRUE(stored.has_value()) << stored.error().message();
  EXPECT_EQ(stored->uid, "u2");
  const auto body = parsed(transport->request(0).body);
  EXPECT_EQ(body.root()["data"]["tls.key"].string(), "a2V5IGJ5dGVz");
  EXPECT_EQ(body.root()["data"]["tls.crt"].string(), "Y2hhaW4=");
  EXPECT_EQ(body.root()["immutable"].boolean(), true);
  EXPECT_EQ(body.root()["type"].string(), "kubernetes.io/tls");
  EXPECT_EQ(body.root()["metadata"]["labels"]["edgetrust.io/backup"].string(), "true");
  EXPECT_EQ(body.root()["metadata"]["resourceVersion"].kind(), json::Kind::kAbsent) << "a create must not name one";
  body.root()["metadata"]["ownerReferences"].for_each_element([](json::View owner) {
    EXPECT_EQ(owner["uid"].string(), "u9");
    return true;
  });
}

TEST_F(SecretsTest, ATakenNameIsToldApartFromAStaleUpdate) {
  SecretObject secret;
  secret.meta = looked_at();
  transport->answer(409, failure(409, "AlreadyExists")).answer(409, failure(409, "Conflict"));
  EXPECT_TRUE(already_exists(secret_client.create(secret, {}).error()));
  EXPECT_TRUE(is_stale(secret_client.update(secret, {}, {}).error()));
}

TEST_F(SecretsTest, UpdatesOnlyWhatItNamesAtTheVersionThatWasRead) {
  SecretObject secret;
  secret.meta = looked_at();
  secret.meta.labels = {{"a", "b"}};
  secret.meta.finalizers = {"someone.else/holds"};
  secret.data.emplace("tls.key", Secret("new"));
  transport->answer(200, R"({"metadata":{"resourceVersion":"18"}})");
  ASSERT_TRUE(secret_client.update(secret, {"ca.crt", "tls.key"}, {}).has_value());
  const auto request = transport->request(0);
  EXPECT_EQ(request.headers.get("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(request.body,
            R"({"metadata":{"labels":{"a":"b"},"resourceVersion":"17"},"data":{"tls.key":"bmV3","ca.crt":null}})");
}

TEST_F(SecretsTest, RefusesWritesThatCouldHitAnother) {
  SecretObject secret;
  secret.meta = looked_at();
  secret.meta.resource_version.clear();
  EXPECT_EQ(secret_client.update(secret, {}, {}).error().kind, ErrorKind::kInternal);
  EXPECT_EQ(secret_client.remove(secret.meta, {}).error().kind, ErrorKind::kInternal);
  secret.meta = looked_at();
  secret.meta.uid.clear();
  EXPECT_EQ(secret_client.remove(secret.meta, {}).error().kind, ErrorKind::kInternal);
  EXPECT_TRUE(transport->requests().empty());
}

TEST_F(SecretsTest, RefusesKeysThatWouldBreakTheJson) {
  for (const std::string key : {"", "a\"b", "..", "a b", "ü"}) {
    SecretObject secret;
    secret.meta = looked_at();
    secret.data.emplace(key, Secret("x"));
    EXPECT_EQ(secret_client.create(secret, {}).error().kind, ErrorKind::kInvalid) << key;
  }
  SecretObject secret;
  secret.meta = looked_at();
  EXPECT_EQ(secret_client.update(secret, {"a\"b"}, {}).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(transport->requests().empty());
}

TEST_F(SecretsTest, RemovesWithPreconditionsAndIsContentWhenItIsGone) {
  transport->answer(200, "{}").answer(404, failure(404, "NotFound")).answer(409, failure(409, "Conflict"));
  EXPECT_TRUE(secret_client.remove(looked_at(), {}).has_value());
  EXPECT_TRUE(secret_client.remove(looked_at(), {}).has_value());
  EXPECT_TRUE(is_stale(secret_client.remove(looked_at(), {}).error()));
  const auto body = parsed(transport->request(0).body);
  EXPECT_EQ(body.root()["preconditions"]["uid"].string(), "u1");
  EXPECT_EQ(body.root()["preconditions"]["resourceVersion"].string(), "17");
}

TEST_F(SecretsTest, ListsMetadataByLabel) {
  transport->answer(
      200, R"({"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"r1"}},{"metadata":{"name":"r2"}}]})");
  const auto all = secret_client.list("voice", "edgetrust.io/certificate=edge01", {});
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->size(), 2U);
  EXPECT_EQ(all->at(1).name, "r2");
  EXPECT_NE(transport->request(0).headers.get("Accept")->find("PartialObjectMetadataList"), std::string_view::npos);
}

TEST_F(SecretsTest, NeverPutsDataIntoAnError) {
  SecretObject secret;
  secret.meta = looked_at();
  secret.data.emplace("k", Secret("canary"));
  transport->answer(422, failure(422, "Invalid")).fail_with({.kind = ErrorKind::kTimeout, .what = "no answer"});
  for (int i = 0; i < 2; ++i) {
    const Error error = secret_client.create(secret, {}).error();
    EXPECT_EQ(error.message().find("canary"), std::string::npos);
    EXPECT_EQ(error.message().find("Y2FuYXJ5"), std::string::npos);
  }
}

struct ConfigMapsTest : ClientFixture {};

TEST_F(ConfigMapsTest, ReadsData) {
  transport->answer(200, R"({"metadata":{"name":"roots","namespace":"voice"},"data":{"ca.crt":"-----BEGIN"}})");
  const auto map = read_config_map(client, {"voice", "roots"}, {});
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->meta.name, "roots");
  EXPECT_EQ(map->data.at("ca.crt"), "-----BEGIN");
  EXPECT_EQ(path_of(transport->request(0)), "/api/v1/namespaces/voice/configmaps/roots");
}

struct StatusTest : ClientFixture {};

TEST_F(StatusTest, AppliesStatusAtTheVersionThatWasLookedAt) {
  transport->answer(200, R"({"metadata":{"resourceVersion":"18"}})");
  EXPECT_EQ(apply_status(client, kEdges, looked_at(), R"({"observedGeneration":2})", {}).value(), "18");
  const auto request = transport->request(0);
  EXPECT_EQ(request.method, http::Method::kPatch);
  EXPECT_EQ(path_of(request), "/apis/edgetrust.io/v1alpha1/namespaces/voice/edges/edge01/status");
  EXPECT_EQ(request.headers.get("Content-Type"), "application/apply-patch+yaml");
  EXPECT_EQ(query_of(request, "fieldManager"), "edgetrust");
  EXPECT_EQ(query_of(request, "force"), "true");
  const auto body = parsed(request.body);
  EXPECT_EQ(body.root()["apiVersion"].string(), "edgetrust.io/v1alpha1");
  EXPECT_EQ(body.root()["kind"].string(), "Edge");
  EXPECT_EQ(body.root()["metadata"]["resourceVersion"].string(), "17");
  EXPECT_EQ(body.root()["metadata"]["namespace"].string(), "voice");
  EXPECT_EQ(body.root()["status"]["observedGeneration"].integer(), 2);
}

TEST_F(StatusTest, NeverAppliesWithoutAVersion) {
  auto meta = looked_at();
  meta.resource_version.clear();
  EXPECT_EQ(apply_status(client, kEdges, meta, "{}", {}).error().kind, ErrorKind::kInternal);
  EXPECT_TRUE(transport->requests().empty());
}

TEST_F(StatusTest, AStaleVersionIsAConflict) {
  transport->answer(409, failure(409, "Conflict"));
  EXPECT_TRUE(is_stale(apply_status(client, kEdges, looked_at(), "{}", {}).error()));
}

TEST_F(StatusTest, AddsAndRemovesAFinalizerByTestedPatch) {
  auto meta = looked_at();
  meta.finalizers = {"other/one"};
  transport
      ->answer(
          200,
          R"({"metadata":{"namespace":"voice","name":"edge01","uid":"u1","resourceVersion":"18","finalizers":["other/one","edgetrust.io/cleanup"]}})")
      .answer(200, R"({"metadata":{"name":"edge01","resourceVersion":"19","finalizers":["other/one"]}})");
  const auto added = add_finalizer(client, kEdges, meta, "edgetrust.io/cleanup", {});
  ASSERT_TRUE(added.has_value());
  EXPECT_EQ(added->resource_version, "18");
  EXPECT_EQ(transport->request(0).headers.get("Content-Type"), "application/json-patch+json");
  EXPECT_EQ(
      transport->request(0).body,
      R"([{"op":"test","path":"/metadata/uid","value":"u1"},{"op":"test","path":"/metadata/resourceVersion","value":"17"},)"
      R"({"op":"add","path":"/metadata/finalizers","value":["other/one","edgetrust.io/cleanup"]}])");
  meta = *added;
  ASSERT_TRUE(remove_finalizer(client, kEdges, meta, "edgetrust.io/cleanup", {}).has_value());
  EXPECT_NE(transport->request(1).body.find(R"("value":["other/one"]})"), std::string::npos);
}

TEST_F(StatusTest, SendsNothingWhenTheFinalizerIsAsWanted) {
  auto meta = looked_at();
  EXPECT_TRUE(remove_finalizer(client, kEdges, meta, "edgetrust.io/cleanup", {}).has_value());
  meta.finalizers = {"edgetrust.io/cleanup"};
  EXPECT_TRUE(add_finalizer(client, kEdges, meta, "edgetrust.io/cleanup", {}).has_value());
  EXPECT_TRUE(transport->requests().empty());
}

TEST_F(StatusTest, AFailedTestOfThePatchIsAConflict) {
  transport->answer(422, failure(422, "Invalid")).answer(403, failure(403, "Forbidden"));
  EXPECT_TRUE(is_stale(add_finalizer(client, kEdges, looked_at(), "edgetrust.io/cleanup", {}).error()));
  EXPECT_EQ(add_finalizer(client, kEdges, looked_at(), "edgetrust.io/cleanup", {}).error().kind, ErrorKind::kForbidden);
}

}  // namespace
}  // namespace edgetrust::kube
