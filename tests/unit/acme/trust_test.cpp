// No request goes where the issuer's settings do not allow it: every request of these tests is one to the server itself
// (FakeAcme fails them otherwise), and the refusals name the host.
#include "fake_acme.hpp"

namespace edgetrust::acme {
namespace {

using testing::HasSubstr;

constexpr const char* kEvil = "https://evil.example/x";

void expect_refused(const Error& error, const std::string& host = "evil.example") {
  EXPECT_EQ(error.kind, ErrorKind::kProtocol);
  EXPECT_THAT(error.message(), HasSubstr(host));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from);
  EXPECT_NE(begin, std::string::npos);
  return text.replace(begin, from.size(), to);
}

TEST(Trust, ADirectoryMayNotPointElsewhere) {
  for (const char* name : {"new-nonce", "new-account", "new-order"}) {
    World world;
    world.server.directory = replaced(world.server.directory, at("/" + std::string(name)), kEvil);
    expect_refused(world.client->account({}).error());
    EXPECT_EQ(world.requests(), 1U);
  }
}

TEST(Trust, OnlyHttpsCounts) {
  for (const char* url :
       {"http://ca.example/new-order", "ftp://ca.example/x", "/new-order", "", "https://ca.example@evil.example/x",
        "https://ca.example.evil.example/x", "https://169.254.169.254/latest/meta-data", "https://[::1]/x",
        "https://2130706433/x", "https://ca.example/x#fragment"}) {
    World world;
    world.server.directory = replaced(world.server.directory, at("/new-order"), url);
    EXPECT_EQ(world.client->account({}).error().kind, ErrorKind::kProtocol) << url;
    EXPECT_EQ(world.requests(), 1U);
  }
}

TEST(Trust, AllowedHostsMayBeUsed) {
  Config config;
  config.allowed_hosts = {"Other.Example", "2001:db8::7"};
  World world(std::move(config));
  ASSERT_TRUE(world.client->account({}).has_value());
  const auto given = json_answer(200, order_json("ready", "", ""));
  world.transport.expect(Method::kPost, "https://other.example/order", given);
  world.transport.expect(Method::kPost, "https://other.example:8443/order", given);
  world.transport.expect(Method::kPost, "https://[2001:db8::7]/order", given);
  EXPECT_TRUE(world.client->order("https://other.example/order", {}).has_value());
  EXPECT_TRUE(world.client->order("https://other.example:8443/order", {}).has_value());
  EXPECT_TRUE(world.client->order("https://[2001:db8:0::7]/order", {}).has_value());
}

TEST(Trust, AnAccountMayNotLiveElsewhere) {
  World world;
  world.server.reply("/new-account", json_answer(201, "{}", {{"Location", kEvil}}));
  expect_refused(world.client->account({}).error());
}

TEST(Trust, AnOrderMayNotPointElsewhere) {
  const std::string valid = order_json("valid", R"(,"certificate":"https://ca.example/cert/1")");
  for (const char* url : {"https://ca.example/authz/1", "https://ca.example/finalize/1", "https://ca.example/cert/1"}) {
    World world;
    world.server.reply("/order/1", json_answer(200, replaced(valid, url, kEvil)));
    expect_refused(world.client->order(at("/order/1"), {}).error());
    EXPECT_TRUE(world.server.seen("/authz/1").empty());
  }
}

TEST(Trust, AChallengeMayNotPointElsewhere) {
  World world;
  world.server.reply("/order/1", json_answer(200, order_json("pending")));
  world.server.reply("/authz/1", json_answer(200, replaced(authorization_json("pending"), at("/chall/1"), kEvil)));
  expect_refused(world.client->order(at("/order/1"), {}).error());
}

TEST(Trust, AListOfOrdersMayNotPointElsewhere) {
  World world;
  world.server.reply("/account/1", json_answer(200, R"({"orders":"https://evil.example/x"})"));
  expect_refused(world.client->open_order(kRequest, {}).error());
  world.server.reply("/account/1", json_answer(200, R"({"orders":"https://ca.example/orders"})"));
  world.server.reply("/orders",
                     json_answer(200, R"({"orders":[]})", {{"Link", R"(<https://evil.example/x>;rel="next")"}}));
  expect_refused(world.client->open_order(kRequest, {}).error());
  world.server.reply("/account/1", json_answer(200, R"({"orders":"https://ca.example/orders"})"));
  world.server.reply("/orders", json_answer(200, R"({"orders":["https://evil.example/x"]})"));
  expect_refused(world.client->open_order(kRequest, {}).error());
}

// What is in a status may have been written there by someone else.
TEST(Trust, ACallerMayNotPointElsewhereEither) {
  World world;
  expect_refused(world.client->order(kEvil, {}).error());
  expect_refused(world.client->finalize(kEvil, "csr", {}).error());
  expect_refused(world.client->answer(kEvil, {}).error());
  expect_refused(world.client->certificate(kEvil, {}).error());
  EXPECT_EQ(world.requests(), 0U);
}

TEST(Trust, RedirectsAreErrors) {
  World world;
  world.server.reply("/order/1", answer(302, {}, {{"Location", kEvil}}));
  const auto error = world.client->order(at("/order/1"), {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kProtocol);
  EXPECT_THAT(error.what, HasSubstr("redirects are not followed"));
}

TEST(Directory, IsKeptForAnHour) {
  World world;
  world.server.reply_always("/new-order",
                            json_answer(201, order_json("pending", "", ""), {{"Location", at("/order/1")}}));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world.client->new_order(kRequest, {}).has_value());
  EXPECT_EQ(world.server.directories_fetched, 1);
  world.clock.advance(std::chrono::minutes{61});
  ASSERT_TRUE(world.client->new_order(kRequest, {}).has_value());
  EXPECT_EQ(world.server.directories_fetched, 2);
}

// The server moved its newOrder: the first call fails, the second finds it.
TEST(Directory, IsFetchedAgainAfterErrorsThatItMayExplain) {
  for (const Answer& given : {answer(404), answer(405), answer(503), support::no_connection(), lost_answer()}) {
    World world;
    world.server.reply("/new-order", given);
    EXPECT_FALSE(world.client->new_order(kRequest, {}).has_value());
    world.server.directory = replaced(world.server.directory, at("/new-order"), at("/moved"));
    world.server.reply("/moved", json_answer(201, order_json("pending", "", ""), {{"Location", at("/order/1")}}));
    EXPECT_TRUE(world.client->new_order(kRequest, {}).has_value());
  }
  World world;
  world.server.reply("/new-order", problem(429, "rateLimited"));
  EXPECT_FALSE(world.client->new_order(kRequest, {}).has_value());
  world.server.reply("/new-order", json_answer(201, order_json("pending", "", ""), {{"Location", at("/order/1")}}));
  EXPECT_TRUE(world.client->new_order(kRequest, {}).has_value());
  EXPECT_EQ(world.server.directories_fetched, 1);
}

TEST(Directory, MustBeOne) {
  for (const std::string& body : {std::string(), std::string("{}"), std::string("[]"), std::string("<html>"),
                                  std::string(100'000, '['), std::string(10U << 20U, ' ')}) {
    World world;
    world.server.reply("/directory", answer(200, body));
    EXPECT_EQ(world.client->account({}).error().kind, ErrorKind::kProtocol) << body.substr(0, 20);
    EXPECT_TRUE(world.client->account({}).has_value());
  }
}

}  // namespace
}  // namespace edgetrust::acme
