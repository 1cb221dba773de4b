#include "edgetrust/dns/rest/rest.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;
using support::answer;
using testing::HasSubstr;

struct RestTest : testing::Test {
  support::FakeClock clock;
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();
  const Rest rest{transport, clock, {.peer = "Provider", .credential = "Secret s key k", .timeout = 10s}};
  const http::Url url = http::Url::parse("https://api.example/v1").value();

  Error refused(int status, http::Headers headers = {}) {
    return rest.refusal({.status = status, .headers = std::move(headers)}, "why", "code-1");
  }
};

TEST_F(RestTest, EachStatusMeansSomething) {
  const std::map<int, ErrorKind> kinds = {
      {400, ErrorKind::kInvalid},     {401, ErrorKind::kUnauthorized}, {403, ErrorKind::kForbidden},
      {404, ErrorKind::kNotFound},    {408, ErrorKind::kTimeout},      {409, ErrorKind::kConflict},
      {412, ErrorKind::kConflict},    {418, ErrorKind::kProtocol},     {302, ErrorKind::kProtocol},
      {429, ErrorKind::kRateLimited}, {500, ErrorKind::kUnavailable},  {503, ErrorKind::kUnavailable}};
  for (const auto& [status, kind] : kinds) {
    EXPECT_EQ(refused(status).kind, kind) << status;
    EXPECT_THAT(refused(status).what, HasSubstr("Provider"));
    EXPECT_THAT(refused(status).what, HasSubstr("why"));
    EXPECT_EQ(refused(status).code, "code-1");
  }
  EXPECT_THAT(refused(401).what, HasSubstr("Secret s key k"));
  EXPECT_THAT(refused(403).what, HasSubstr("Secret s key k"));
}

TEST_F(RestTest, TheWishToWaitIsPassedOn) {
  EXPECT_EQ(refused(429, {{"Retry-After", "77"}}).retry_after, 77s);
  EXPECT_EQ(refused(503, {{"Retry-After", "Sun, 22 Nov 2026 12:01:00 GMT"}}).retry_after, 60s);
  EXPECT_EQ(refused(429).retry_after, std::nullopt);
}

TEST_F(RestTest, AllRequestsOfACallShareItsTime) {
  const Until until = rest.until({});
  transport->otherwise([&](const http::Request& request) {
    EXPECT_LE(request.timeout, 10s);
    clock.advance(6s);
    return answer(200);
  });
  EXPECT_TRUE(rest.send({.url = url}, until).has_value());
  EXPECT_TRUE(rest.send({.url = url}, until).has_value());
  EXPECT_EQ(transport->requests().at(1).timeout, 4s);
  EXPECT_EQ(rest.send({.url = url}, until).error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(transport->requests().size(), 2U);
}

TEST_F(RestTest, AnAnswerBeyondItsBoundIsRefused) {
  transport->otherwise([](const http::Request&) { return answer(200, std::string(std::size_t{2} << 20, 'x')); });
  EXPECT_EQ(rest.send({.url = url}, rest.until({})).error().kind, ErrorKind::kProtocol);
}

TEST_F(RestTest, WhatThePeerSaysHoldsNoSecret) {
  EXPECT_EQ(told("no such zone", {"s3cret"}), "no such zone");
  EXPECT_EQ(told("your token s3cret is bad", {"s3cret"}), "");
  EXPECT_EQ(told("what " + std::string(60, 'a') + " is this", {}), "");
  EXPECT_EQ(told("a" + std::string(10, '\x01'), {""}).find('\x01'), std::string::npos);
  EXPECT_LT(told(std::string(40, 'a') + std::string(2000, ' ') + "b", {}).size(), 400U);
}

TEST_F(RestTest, AnAddressOfAnApiIsHttpsAndNowhereInside) {
  EXPECT_EQ(api_url("https://api.example/v1/", "x")->to_string(), "https://api.example/v1");
  EXPECT_EQ(under(*api_url("https://api.example/v1/", "x"), "/zones?a=b").to_string(),
            "https://api.example/v1/zones?a=b");
  EXPECT_EQ(under(*api_url("https://api.example", "x"), "/zones").to_string(), "https://api.example/zones");
  for (const char* bad : {"http://api.example", "api.example", "https://169.254.169.254/", "https://a@b.example",
                          "https://api.example/?x=y", ""}) {
    const auto refused = api_url(bad, "webhook.url");
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid) << bad;
    EXPECT_THAT(refused.error().what, HasSubstr("webhook.url")) << bad;
  }
}

}  // namespace
}  // namespace edgetrust::dns
