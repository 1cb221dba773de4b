#include "edgetrust/dns/webhook/webhook_zone.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace edgetrust::dns {
namespace {

using http::Method;
using support::answer;
using testing::HasSubstr;
using testing::Not;

const std::string kName = "_acme-challenge.edge01.example.com";

struct Webhook : testing::Test {
  support::FakeClock clock;
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();

  std::unique_ptr<WebhookZone> make(std::string_view user = "edgetrust", std::string_view password = "s3cret") {
    WebhookOptions options{.url = "https://dns.example.com/httpreq/", .credential = "Secret httpreq"};
    options.basic_auth = WebhookOptions::BasicAuth{Secret(user), Secret(password)};
    return WebhookZone::create(std::move(options), transport, clock).value();
  }
};

TEST_F(Webhook, SpeaksHttpreq) {
  transport->expect(Method::kPost, "https://dns.example.com/httpreq/present", answer(200));
  transport->expect(Method::kPost, "https://dns.example.com/httpreq/cleanup", answer(204));
  const auto zone = make();
  EXPECT_TRUE(zone->present("_acme-challenge.Edge01.example.com", "v", {}).has_value());
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  for (const auto& request : transport->requests()) {
    EXPECT_EQ(request.body, R"({"fqdn":"_acme-challenge.edge01.example.com.","value":"v"})");
    EXPECT_EQ(request.headers.get("Content-Type"), "application/json");
    EXPECT_EQ(request.headers.get("Authorization"), "Basic ZWRnZXRydXN0OnMzY3JldA==");
  }
}

TEST_F(Webhook, WithoutCredentialsNoneAreSent) {
  transport->expect(Method::kPost, "https://dns.example.com/present", answer(200));
  const auto zone = WebhookZone::create({.url = "https://dns.example.com"}, transport, clock).value();
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_EQ(transport->requests().at(0).headers.get("Authorization"), std::nullopt);
  transport->expect(Method::kPost, "https://dns.example.com/present", answer(401));
  EXPECT_THAT(zone->present(kName, "v", {}).error().message(), HasSubstr("basicAuthRef"));
}

TEST_F(Webhook, ARefusalSaysWhyButRepeatsNoSecret) {
  const auto zone = make();
  const std::string url = "https://dns.example.com/httpreq/present";
  transport->expect(Method::kPost, url, answer(422, "no zone for that name"));
  EXPECT_THAT(zone->present(kName, "v", {}).error().message(), HasSubstr("no zone for that name"));
  transport->expect(Method::kPost, url, answer(401, "bad password s3cret"));
  const Error refused = zone->present(kName, "v", {}).error();
  EXPECT_EQ(refused.kind, ErrorKind::kUnauthorized);
  EXPECT_THAT(refused.message(), HasSubstr("Secret httpreq"));
  EXPECT_THAT(refused.message(), Not(HasSubstr("s3cret")));
  transport->expect(Method::kPost, url, answer(500, "you sent ZWRnZXRydXN0OnMzY3JldA=="));
  EXPECT_THAT(zone->present(kName, "v", {}).error().message(), Not(HasSubstr("ZWRnZXRydXN0")));
  transport->expect(Method::kPost, url, support::lost_answer());
  EXPECT_EQ(zone->present(kName, "v", {}).error().kind, ErrorKind::kTimeout);
}

TEST_F(Webhook, WhatCannotBeUsedIsRefusedAtOnce) {
  EXPECT_EQ(WebhookZone::create({.url = "http://dns.example.com"}, transport, clock).error().kind, ErrorKind::kInvalid);
  WebhookOptions options{.url = "https://dns.example.com", .credential = "Secret httpreq"};
  options.basic_auth = WebhookOptions::BasicAuth{Secret("a:b"), Secret("c")};
  EXPECT_THAT(WebhookZone::create(std::move(options), transport, clock).error().what, HasSubstr("colon"));
}

}  // namespace
}  // namespace edgetrust::dns
