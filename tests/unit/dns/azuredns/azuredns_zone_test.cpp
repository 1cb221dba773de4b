#include "edgetrust/dns/azuredns/azuredns_zone.hpp"

#include "edgetrust/json/value.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;
using http::Method;
using support::answer;
using support::json_answer;
using testing::HasSubstr;
using testing::Not;

const std::string kName = "_acme-challenge.edge01.example.com";
const std::string kLogin = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token";
const std::string kSet =
    "https://management.azure.com/subscriptions/sub/resourceGroups/dns/providers/Microsoft.Network/dnsZones/"
    "example.com/TXT/_acme-challenge.edge01?api-version=2018-05-01";

// One record set with an ETag that changes with each write.
struct Server {
  std::optional<json::Value> properties;
  int version = 1;
  std::function<void()> before_write = [] {};

  [[nodiscard]] std::string etag() const { return "etag-" + std::to_string(version); }
  void set(std::initializer_list<const char*> values, json::Value metadata = json::Value::object()) {
    properties = json::Value{{"TTL", 300}, {"TXTRecords", json::Value::array()}, {"metadata", std::move(metadata)}};
    for (const char* value : values) add(value);
    ++version;
  }
  void add(const std::string& value) {
    (*properties)["TXTRecords"].push_back({{"value", json::Value::array({value})}});
  }
  [[nodiscard]] std::vector<std::string> values() const {
    std::vector<std::string> all;
    if (properties)
      for (const auto& record : (*properties)["TXTRecords"]) all.push_back(record["value"][0].get<std::string>());
    return all;
  }
  support::Answer serve(const http::Request& request) {
    if (request.url.to_string() == kLogin)
      return json_answer(200, R"({"token_type":"Bearer","expires_in":3599,"access_token":"t0ken"})");
    EXPECT_EQ(request.url.to_string(), kSet);
    if (request.method == Method::kGet) {
      if (!properties) return json_answer(404, R"({"code":"NotFound","message":"The resource record does not exist"})");
      return json_answer(200, json::dump(json::Value{{"etag", etag()}, {"properties", *properties}}));
    }
    before_write();
    const auto match = request.headers.get("If-Match");
    const bool as_expected =
        match ? properties && *match == etag() : !properties && request.headers.get("If-None-Match") == "*";
    if (!as_expected) return json_answer(412, R"({"code":"PreconditionFailed","message":"The precondition failed"})");
    ++version;
    properties.reset();
    if (request.method == Method::kDelete) return answer(200);
    const auto document = json::Document::parse(request.body).value();
    properties = json::to_value(document.root()["properties"]);
    return json_answer(200, request.body);
  }
};

struct AzureDns : testing::Test {
  support::FakeClock clock;
  Server server;
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();

  AzureDns() {
    transport->otherwise([this](const http::Request& request) { return server.serve(request); });
  }
  static AzureDnsOptions options() {
    const AzureCloud cloud = azure_cloud("").value();
    AzureDnsOptions made{.management = cloud.management,
                         .subscription = "sub",
                         .resource_group = "dns",
                         .credential = "Secret azure key secret"};
    made.login.authority = cloud.login;
    made.login.tenant = "tenant";
    made.login.client_id = "client";
    made.login.scope = cloud.management + "/.default";
    made.login.client_secret = Secret("s3cr&t");
    return made;
  }
  std::unique_ptr<AzureDnsZone> make(AzureDnsOptions chosen = options()) {
    return AzureDnsZone::create(
               std::move(chosen), transport,
               [](const std::string&, std::stop_token) -> Result<std::string> { return "example.com"; }, clock)
        .value();
  }
};

TEST_F(AzureDns, MakesASetAndDeletesItWithItsLastValue) {
  const auto zone = make();
  const auto done = zone->present(kName, "v", {});
  ASSERT_TRUE(done.has_value()) << done.error().message();
  EXPECT_EQ(server.values(), std::vector<std::string>{"v"});
  EXPECT_EQ((*server.properties)["TTL"], 60);
  const auto sent = transport->requests();
  EXPECT_EQ(sent.at(0).body,
            "grant_type=client_credentials&client_id=client&scope=https%3A%2F%2Fmanagement.azure.com%2F.default&"
            "client_secret=s3cr%26t");
  EXPECT_EQ(sent.at(0).headers.get("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(sent.at(1).headers.get("Authorization"), "Bearer t0ken");
  EXPECT_EQ(sent.at(2).headers.get("Content-Type"), "application/json");
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value()) << "a repeat";
  EXPECT_EQ(server.values().size(), 1U);
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  EXPECT_FALSE(server.properties.has_value());
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  EXPECT_EQ(transport->count(Method::kPost, kLogin), 1U) << "one token serves them all";
}

TEST_F(AzureDns, OtherValuesTheTtlAndMetadataStay) {
  server.set({"foreign"}, {{"owner", "voice"}});
  const auto zone = make();
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_EQ(server.values(), (std::vector<std::string>{"foreign", "v"}));
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  EXPECT_EQ(server.values(), std::vector<std::string>{"foreign"});
  EXPECT_EQ((*server.properties)["TTL"], 300);
  EXPECT_EQ((*server.properties)["metadata"]["owner"], "voice");
}

TEST_F(AzureDns, ATxtOfSeveralStringsIsKnownAgain) {
  server.set({});
  (*server.properties)["TXTRecords"].push_back({{"value", json::Value::array({"long ", "value"})}});
  EXPECT_TRUE(make()->present(kName, "long value", {}).has_value());
  EXPECT_EQ((*server.properties)["TXTRecords"].size(), 1U);
}

TEST_F(AzureDns, AWriterInBetweenLosesNothing) {
  server.set({"foreign"});
  int others = 0;
  server.before_write = [&] {
    if (++others > 2) return;
    server.add("other " + std::to_string(others));
    ++server.version;
  };
  EXPECT_TRUE(make()->present(kName, "v", {}).has_value());
  EXPECT_EQ(server.values(), (std::vector<std::string>{"foreign", "other 1", "other 2", "v"}));
  server.before_write = [&] { ++server.version; };
  EXPECT_EQ(make()->remove(kName, "v", {}).error().kind, ErrorKind::kConflict) << "not for ever";
}

TEST_F(AzureDns, TwoThatMakeTheSetAtOnceBothHaveTheirValue) {
  bool first = true;
  server.before_write = [&] {
    if (std::exchange(first, false)) server.set({"other"});
  };
  EXPECT_TRUE(make()->present(kName, "v", {}).has_value());
  EXPECT_EQ(server.values(), (std::vector<std::string>{"other", "v"}));
}

TEST_F(AzureDns, AnExpiredTokenIsFetchedAnewAndOneThatIsRefusedOnce) {
  const auto zone = make();
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  clock.advance(55min);
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_EQ(transport->count(Method::kPost, kLogin), 2U);
  transport->expect(Method::kGet, kSet, json_answer(401, "{}"));
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_EQ(transport->count(Method::kPost, kLogin), 3U);
  transport->expect(Method::kGet, kSet, json_answer(401, "{}"));
  transport->expect(Method::kGet, kSet,
                    json_answer(401, R"({"error":{"code":"InvalidAuthenticationToken","message":"m"}})"));
  EXPECT_EQ(zone->present(kName, "v", {}).error().kind, ErrorKind::kUnauthorized);
}

TEST_F(AzureDns, ThePodsTokenIsReadAnewEachTime) {
  AzureDnsOptions chosen = options();
  chosen.login.client_secret = {};
  int reads = 0;
  chosen.login.federated_token = [&]() -> Result<Secret> { return Secret("jwt" + std::to_string(++reads)); };
  const auto zone = make(std::move(chosen));
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  clock.advance(2h);
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  std::vector<std::string> bodies;
  for (const auto& request : transport->requests())
    if (request.url.to_string() == kLogin) bodies.push_back(request.body);
  ASSERT_EQ(bodies.size(), 2U);
  EXPECT_THAT(bodies[0],
              HasSubstr("client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"));
  EXPECT_THAT(bodies[0], HasSubstr("client_assertion=jwt1"));
  EXPECT_THAT(bodies[1], HasSubstr("client_assertion=jwt2"));
}

TEST_F(AzureDns, ARefusedClientNamesItsSecretAndSaysTheSameEachTime) {
  transport->expect(
      Method::kPost, kLogin,
      json_answer(
          401,
          R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 12 Correlation ID: 34 Timestamp: 2026"})"));
  const Error refused = make()->present(kName, "v", {}).error();
  EXPECT_EQ(refused.kind, ErrorKind::kUnauthorized);
  EXPECT_THAT(refused.message(), HasSubstr("Secret azure key secret"));
  EXPECT_THAT(refused.message(), HasSubstr("AADSTS7000215"));
  EXPECT_THAT(refused.message(), Not(HasSubstr("Trace")));
  transport->expect(Method::kPost, kLogin, json_answer(400, R"({"error":"e","error_description":"you sent s3cr&t"})"));
  EXPECT_THAT(make()->present(kName, "v", {}).error().message(), Not(HasSubstr("s3cr&t")));
  transport->expect(Method::kPost, kLogin, json_answer(200, R"({"access_token":"line\nbreak"})"));
  EXPECT_EQ(make()->present(kName, "v", {}).error().kind, ErrorKind::kProtocol);
}

TEST_F(AzureDns, WhatIsMissingIsNamed) {
  const auto refused = [&](Method method, int status, const std::string& body, http::Headers headers = {}) {
    transport->expect(method, kSet, json_answer(status, body, std::move(headers)));
    return make()->present(kName, "v", {}).error();
  };
  const Error none = refused(
      Method::kGet, 404, R"({"error":{"code":"ParentResourceNotFound","message":"dnszones/example.com not found"}})");
  EXPECT_EQ(none.kind, ErrorKind::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("dnszones/example.com not found"));
  const Error forbidden =
      refused(Method::kPut, 403, R"({"error":{"code":"AuthorizationFailed","message":"no action"}})");
  EXPECT_EQ(forbidden.kind, ErrorKind::kForbidden);
  EXPECT_THAT(forbidden.message(), HasSubstr("DNS Zone Contributor"));
  const Error limited = refused(Method::kGet, 429, R"({"error":{"code":"TooManyRequests"}})", {{"Retry-After", "9"}});
  EXPECT_EQ(limited.retry_after, 9s);
  EXPECT_EQ(refused(Method::kGet, 200, "<html>").kind, ErrorKind::kProtocol);
  EXPECT_EQ(refused(Method::kGet, 200, "{}").kind, ErrorKind::kProtocol) << "without an ETag nothing can be changed";
  AzureDnsOptions other = options();
  other.zone = "Example.org.";
  const Error outside = make(std::move(other))->present(kName, "v", {}).error();
  EXPECT_EQ(outside.kind, ErrorKind::kInvalid);
  EXPECT_THAT(outside.message(), HasSubstr("example.org"));
}

TEST_F(AzureDns, WithoutSecretAndPodIdentityThereIsNothingToLogInWith) {
  for (const int which : {0, 1, 2}) {
    AzureDnsOptions chosen = options();
    if (which == 0) chosen.login.client_secret = {};
    if (which == 1) chosen.login.tenant.clear();
    if (which == 2) chosen.login.client_id.clear();
    EXPECT_EQ(AzureDnsZone::create(std::move(chosen), transport, {}, clock).error().kind, ErrorKind::kInvalid);
  }
  EXPECT_EQ(azure_cloud("AzureGermanCloud").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(azure_cloud("AzureUSGovernmentCloud")->management, "https://management.usgovcloudapi.net");
}

}  // namespace
}  // namespace edgetrust::dns
