// Two OAuth clients: the second speaks while the first is refused.
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "fleet_fixture.hpp"

namespace edgetrust::genesys {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::json_answer;

const std::string kEmptyList = R"({"entities":[],"pageSize":100,"pageNumber":1,"total":0,"pageCount":1})";

// An organisation with clients that may be refused, and an API that knows whose token it is shown.
struct Organisation {
  std::set<std::string> refused;
  int login_fault = 0;  // the status of every login
  std::map<std::string, int> logins;
  std::map<std::string, std::string> says;  // of a client: the body of GET /oauth/clients/{id}

  Result<http::Response> login(const http::Request& request) {
    const std::string basic(request.headers.get("Authorization").value_or(""));
    const std::string id = split(*from_base64(basic.substr(6)), ':').at(0);
    ++logins[id];
    if (login_fault != 0) return json_answer(login_fault, "");
    if (refused.contains(id))
      return json_answer(401, R"({"error":"invalid_client","description":"authentication failed"})");
    return json_answer(200, R"({"access_token":"of-)" + id + R"(","token_type":"bearer","expires_in":86400})");
  }
  Result<http::Response> answer(const http::Request& request) {
    const std::string bearer(request.headers.get("Authorization").value_or(""));
    const std::string id = bearer.substr(std::string_view("Bearer of-").size());
    seen.push_back(id);
    if (refused.contains(id)) return json_answer(401, "");  // the tokens of a disabled client are dead
    if (request.url.target.find("/oauth/clients/") == std::string::npos) return json_answer(200, kEmptyList);
    const auto found = says.find(id);
    return found == says.end() ? json_answer(403, R"({"code":"missing.any.permissions"})")
                               : json_answer(200, found->second);
  }
  std::vector<std::string> seen;  // clients, a call each
};

struct StandbyTest : ::testing::Test {
  support::FakeClock clock;
  Organisation org;
  std::unique_ptr<ports::EdgeFleet> fleet = make(true);

  std::unique_ptr<ports::EdgeFleet> make(bool with_standby) {
    Config config = testing::config();
    config.credentials = {.client_id = "first", .client_secret = Secret("s3cret"), .origin = "Secret a"};
    if (with_standby)
      config.standby = Credentials{.client_id = "second", .client_secret = Secret("s3cret"), .origin = "Secret b"};
    auto transport = std::make_shared<testing::ScriptedTransport>([this](const http::Request& request) {
      return testing::is_login(request) ? org.login(request) : org.answer(request);
    });
    return make_fleet(std::move(config), {transport, transport}, clock).value();
  }
};

TEST_F(StandbyTest, TheFirstIsUsedWhileItIsGood) {
  ASSERT_TRUE(fleet->check({}));
  EXPECT_EQ(org.seen, std::vector<std::string>{"first"});
  EXPECT_EQ(org.logins["second"], 0);
  const ports::ClientInfo client = fleet->client({});
  EXPECT_EQ(client.id, "first");
  EXPECT_FALSE(client.standby);
  EXPECT_EQ(client.trouble, "");
}

TEST_F(StandbyTest, TheSecondTakesOverWhenTheFirstIsRefusedAndUntilItLogsInAgain) {
  org.refused = {"first"};
  ASSERT_TRUE(fleet->check({}));
  EXPECT_EQ(org.seen, std::vector<std::string>{"second"});
  const ports::ClientInfo client = fleet->client({});
  EXPECT_EQ(client.id, "second");
  EXPECT_TRUE(client.standby);
  EXPECT_NE(client.trouble.find("Secret a"), std::string::npos) << client.trouble;
  for (int minute = 0; minute < 60; ++minute) {
    ASSERT_TRUE(fleet->check({}));
    clock.advance(minutes{1});
  }
  EXPECT_LE(org.logins["first"], 10) << "it is asked, and not hammered";
  org.refused.clear();
  clock.advance(TokenSource::kLongestRefusalHold);
  org.seen.clear();
  ASSERT_TRUE(fleet->check({}));
  EXPECT_EQ(org.seen, std::vector<std::string>{"first"});
  EXPECT_FALSE(fleet->client({}).standby);
}

TEST_F(StandbyTest, AClientThatIsDisabledWhileItsTokenIsInUseIsReplacedWithinTheCall) {
  ASSERT_TRUE(fleet->check({}));
  org.refused = {"first"};
  org.seen.clear();
  EXPECT_TRUE(fleet->check({}));
  EXPECT_EQ(org.seen, (std::vector<std::string>{"first", "second"}));
}

TEST_F(StandbyTest, BothRefusedAreBothNamed) {
  org.refused = {"first", "second"};
  const Error error = fleet->check({}).error();
  EXPECT_EQ(error.kind, ErrorKind::kUnauthorized);
  EXPECT_NE(error.message().find("Secret a"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("Secret b"), std::string::npos) << error.message();
}

TEST_F(StandbyTest, ALoginThatFailsIsNoRefusal) {
  org.login_fault = 503;
  EXPECT_EQ(fleet->check({}).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(org.logins["second"], 0);
}

TEST_F(StandbyTest, TheSecondStaysWhileTheFirstsLoginFailsAfterItWasRefused) {
  org.refused = {"first"};
  ASSERT_TRUE(fleet->check({}));
  clock.advance(minutes{1});
  org.login_fault = 503;
  EXPECT_TRUE(fleet->check({})) << "its token is good";
  EXPECT_TRUE(fleet->client({}).standby);
}

TEST_F(StandbyTest, WithoutASecondTheRefusalNamesTheSecret) {
  fleet = make(false);
  org.refused = {"first"};
  const Error error = fleet->check({}).error();
  EXPECT_EQ(error.kind, ErrorKind::kUnauthorized);
  EXPECT_NE(error.message().find("the login refuses the OAuth client of Secret a"), std::string::npos)
      << error.message();
}

TEST_F(StandbyTest, SaysWhatTheVendorTellsOfTheClientsEnd) {
  org.says["first"] = R"({"id":"first","state":"INACTIVE","dateToDelete":"2027-01-02T03:04:05.678Z"})";
  ASSERT_TRUE(fleet->check({}));
  const ports::ClientInfo client = fleet->client({});
  EXPECT_EQ(client.state, "inactive");
  EXPECT_EQ(client.delete_after, "2027-01-02T03:04:05Z");
}

TEST_F(StandbyTest, WhatMayNotBeAskedStaysUnknownAndIsAskedOnceAnHour) {
  ASSERT_TRUE(fleet->check({}));
  org.seen.clear();
  for (int minute = 0; minute < 120; ++minute) {
    EXPECT_EQ(fleet->client({}).state, "");
    clock.advance(minutes{1});
  }
  EXPECT_EQ(org.seen.size(), 2U);
}

}  // namespace
}  // namespace edgetrust::genesys
