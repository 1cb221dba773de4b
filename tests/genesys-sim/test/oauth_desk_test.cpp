#include "oauth_desk.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/json/view.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"

namespace edgetrust::sim {
namespace {

using Verdict = OAuthDesk::Verdict;

struct Fixture {
  Config config;
  support::FakeClock clock;
  support::FakeRandom random;
  OAuthDesk desk{config, clock, random};

  http::Response ask(const std::string& id, const std::string& secret,
                     const std::string& body = "grant_type=client_credentials", const std::string& query = {}) {
    http::ServerRequest request;
    request.headers.add("Authorization", "Basic " + to_base64(id + ":" + secret));
    request.body = body;
    request.query = query;
    return desk.token(request);
  }
  std::string token() {
    const auto response = ask(config.client_id, config.client_secret);
    return json::Document::parse(response.body).value().root()["access_token"].string_or("");
  }
  Verdict use(const std::string& token) { return desk.check({{"Authorization", "Bearer " + token}}).verdict; }
};

TEST(OAuthDesk, GivesABearerToken) {
  Fixture f;
  const http::Response response = f.ask("simulator", "simulator-secret");
  EXPECT_EQ(response.status, 200);
  const auto body = json::Document::parse(response.body).value();
  EXPECT_EQ(body.root()["token_type"].string(), "bearer");
  EXPECT_EQ(body.root()["expires_in"].integer(), 86'400);
  EXPECT_EQ(f.use(std::string(*body.root()["access_token"].string())), Verdict::kGood);
}

TEST(OAuthDesk, TakesTheGrantFromBodyOrQueryAndTheClientFromHeaderOrForm) {
  Fixture f;
  EXPECT_EQ(f.ask("simulator", "simulator-secret", "", "grant_type=client_credentials").status, 200);
  http::ServerRequest form;
  form.body = "grant_type=client_credentials&client_id=simulator&client_secret=simulator-secret";
  EXPECT_EQ(f.desk.token(form).status, 200);
}

TEST(OAuthDesk, RefusesAsTheVendorDoes) {
  Fixture f;
  const http::Response unknown = f.ask("nobody", "x");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_NE(unknown.body.find(R"("description":"client not found","error":"invalid_client")"), std::string::npos);
  const http::Response wrong = f.ask("simulator", "x");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_NE(wrong.body.find("authentication failed"), std::string::npos);
  EXPECT_NE(f.ask("simulator", "simulator-secret", "grant_type=password").body.find("unsupported_grant_type"),
            std::string::npos);
  EXPECT_EQ(f.ask("simulator", "simulator-secret", "").status, 400);
  EXPECT_EQ(f.desk.token({}).status, 400);
}

TEST(OAuthDesk, TokensExpire) {
  Fixture f;
  const std::string token = f.token();
  f.clock.advance(std::chrono::hours{24} - std::chrono::milliseconds{1});
  EXPECT_EQ(f.use(token), Verdict::kGood);
  f.clock.advance(std::chrono::milliseconds{1});
  EXPECT_EQ(f.use(token), Verdict::kExpired);
  EXPECT_EQ(f.use("other"), Verdict::kUnknown);
  EXPECT_EQ(f.desk.check({}).verdict, Verdict::kMissing);
  EXPECT_EQ(f.desk.check({{"Authorization", "Basic x"}}).verdict, Verdict::kMissing);
}

TEST(OAuthDesk, ASecretCanBeChangedAndTokensMadeToExpire) {
  Fixture f;
  const std::string token = f.token();
  const std::string secret = f.desk.rotate_secret("");
  EXPECT_EQ(f.ask("simulator", "simulator-secret").status, 401);
  EXPECT_EQ(f.ask("simulator", secret).status, 200);
  EXPECT_EQ(f.use(token), Verdict::kGood);
  f.desk.expire_tokens();
  EXPECT_EQ(f.use(token), Verdict::kExpired);
  EXPECT_EQ(f.desk.rotate_secret("chosen"), "chosen");
  f.desk.reset();
  EXPECT_EQ(f.ask("simulator", "simulator-secret").status, 200);
  EXPECT_EQ(f.use(token), Verdict::kUnknown);
}

TEST(OAuthDesk, CountsTheCallsOfAMinute) {
  Fixture f;
  const http::Headers headers{{"Authorization", "Bearer " + f.token()}};
  EXPECT_EQ(f.desk.check(headers).calls_this_minute, 1);
  f.clock.advance(std::chrono::seconds{20});
  const auto second = f.desk.check(headers);
  EXPECT_EQ(second.calls_this_minute, 2);
  EXPECT_EQ(second.resets_in, std::chrono::seconds{40});
  f.clock.advance(std::chrono::seconds{40});
  EXPECT_EQ(f.desk.check(headers).calls_this_minute, 1);
}

Status patch(OAuthDesk& desk, const std::string& id, const std::string& body) {
  const auto document = json::Document::parse(body).value();
  return desk.patch_client(id, document.root());
}

TEST(OAuthDesk, AnotherClientIsMadeAndKnown) {
  Fixture f;
  EXPECT_EQ(patch(f.desk, "second", "{}").error().kind, ErrorKind::kInvalid);
  ASSERT_TRUE(patch(f.desk, "second", R"({"clientSecret":"of-the-second","dateToDelete":"2027-01-02T03:04:05.000Z"})"));
  EXPECT_EQ(f.ask("second", "of-the-second").status, 200);
  EXPECT_EQ(f.ask("second", "simulator-secret").status, 401);
  EXPECT_EQ(f.desk.client("second")->delete_at, "2027-01-02T03:04:05.000Z");
  EXPECT_FALSE(f.desk.client("third"));
  f.desk.reset();
  EXPECT_FALSE(f.desk.client("second"));
}

TEST(OAuthDesk, ADisabledClientIsRefusedAndItsTokensAreDead) {
  Fixture f;
  const std::string token = f.token();
  for (const char* state : {"disabled", "inactive"}) {
    ASSERT_TRUE(patch(f.desk, "simulator", std::string(R"({"state":")") + state + R"("})"));
    const http::Response refused = f.ask("simulator", "simulator-secret");
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.body.find("invalid_client"), std::string::npos);
    EXPECT_EQ(f.use(token), Verdict::kUnknown);
  }
  ASSERT_TRUE(patch(f.desk, "simulator", R"({"state":"active"})"));
  EXPECT_EQ(f.ask("simulator", "simulator-secret").status, 200);
  EXPECT_EQ(f.use(token), Verdict::kGood);
  EXPECT_FALSE(patch(f.desk, "simulator", R"({"state":"asleep"})"));
}

}  // namespace
}  // namespace edgetrust::sim
