// Finalizing, the certificate, and the order that a lost answer left behind.
#include "fake_acme.hpp"

namespace edgetrust::acme {
namespace {

using ports::OrderStatus;
using testing::HasSubstr;

constexpr const char* kCertificate = R"(,"certificate":"https://ca.example/cert/1")";

TEST(Finalize, SendsTheRequestOfAReadyOrder) {
  World world;
  world.server.reply("/order/1", json_answer(200, order_json("ready")));
  world.server.reply("/finalize/1", json_answer(200, order_json("processing"), {{"Retry-After", "3"}}));  // no Location
  const auto order = world.client->finalize(at("/order/1"), "\x30\x03\xff", {}).value();
  EXPECT_EQ(order.status, OrderStatus::kProcessing);
  EXPECT_EQ(order.url, at("/order/1"));
  EXPECT_EQ(order.retry_after, std::chrono::seconds{3});
  EXPECT_TRUE(order.authorizations.empty());
  EXPECT_EQ(world.server.seen("/finalize/1")[0].payload, R"({"csr":"MAP_"})");
}

TEST(Finalize, LeavesAnOrderThatIsNotReady) {
  for (const auto& [status, body] :
       std::vector<std::pair<OrderStatus, std::string>>{{OrderStatus::kPending, order_json("pending")},
                                                        {OrderStatus::kProcessing, order_json("processing")},
                                                        {OrderStatus::kValid, order_json("valid", kCertificate)},
                                                        {OrderStatus::kInvalid, order_json("invalid")}}) {
    World world;
    world.server.reply("/order/1", json_answer(200, body));
    world.server.reply("/authz/1", json_answer(200, authorization_json("valid")));
    const auto order = world.client->finalize(at("/order/1"), "csr", {}).value();
    EXPECT_EQ(order.status, status);
    EXPECT_EQ(order.authorizations.at(0).identifier, "edge01.example.com");
    EXPECT_TRUE(world.server.seen("/finalize/1").empty());
  }
}

// Executed, and the answer lost: the next call looks first and finds it done.
TEST(Finalize, IsDoneOnceHoweverOftenItIsCalled) {
  World world;
  world.server.reply("/order/1", json_answer(200, order_json("ready")));
  world.server.reply("/finalize/1", lost_answer());
  const auto lost = world.client->finalize(at("/order/1"), "csr", {});
  EXPECT_TRUE(lost.error().maybe_executed);
  world.server.reply("/order/1", json_answer(200, order_json("valid", kCertificate)));
  world.server.reply("/authz/1", json_answer(200, authorization_json("valid")));
  EXPECT_EQ(world.client->finalize(at("/order/1"), "csr", {})->certificate_url, at("/cert/1"));
  EXPECT_EQ(world.server.seen("/finalize/1").size(), 1U);
}

TEST(Finalize, ALostLookExecutedNothing) {
  World world;
  world.server.reply("/order/1", lost_answer());
  EXPECT_FALSE(world.client->finalize(at("/order/1"), "csr", {}).error().maybe_executed);
}

TEST(Finalize, AnUnreadableAnswerMayHaveBeenExecuted) {
  World world;
  world.server.reply("/order/1", json_answer(200, order_json("ready")));
  world.server.reply("/finalize/1", json_answer(200, "{"));
  const auto error = world.client->finalize(at("/order/1"), "csr", {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kProtocol);
  EXPECT_TRUE(error.maybe_executed);
}

TEST(Certificate, IsAskedForAsAChain) {
  World world;
  const std::string chain = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  world.server.reply("/cert/1", answer(200, chain, {{"Content-Type", "application/pem-certificate-chain"}}));
  EXPECT_EQ(world.client->certificate(at("/cert/1"), {}).value(), chain);
  EXPECT_EQ(world.server.seen("/cert/1")[0].payload, "");
  EXPECT_EQ(world.server.seen("/cert/1")[0].accept, "application/pem-certificate-chain");
}

TEST(Certificate, IsBoundedAndNothingElse) {
  for (const std::string& body :
       {std::string(), std::string("<html></html>"), std::string(R"({"certificate":"x"})"),
        "-----BEGIN CERTIFICATE-----\n" + std::string(95'001, 'A'), std::string(10U << 20U, 'A')}) {
    World world;
    world.server.reply("/cert/1", answer(200, body));
    EXPECT_EQ(world.client->certificate(at("/cert/1"), {}).error().kind, ErrorKind::kProtocol) << body.substr(0, 40);
  }
}

std::string list_of(std::initializer_list<int> orders) {
  std::string text;
  for (const int n : orders) text += (text.empty() ? "\"" : ",\"") + at("/order/" + std::to_string(n)) + "\"";
  return R"({"orders":[)" + text + "]}";
}
Answer order_for(const std::string& status, const std::string& names) {
  return json_answer(200, R"({"status":")" + status + R"(","identifiers":[)" + names +
                              R"(],"authorizations":[],"finalize":"https://ca.example/finalize/1")" + kCertificate +
                              "}");
}
constexpr const char* kEdge01 = R"({"type":"dns","value":"Edge01.example.com"})";
constexpr const char* kEdge02 = R"({"type":"dns","value":"edge02.example.com"})";
constexpr const char* kAddress = R"({"type":"ip","value":"2001:db8::7"})";

void script_account(World& world) {
  world.server.reply("/account/1", json_answer(200, R"({"status":"valid","orders":"https://ca.example/orders"})"));
}

TEST(OpenOrder, IsTheNewestWithExactlyTheseNames) {
  World world;
  script_account(world);
  const std::string next = R"(<https://ca.example/directory>;rel="index", <https://ca.example/orders/2>;rel="next")";
  world.server.reply("/orders", json_answer(200, list_of({1, 2}), {{"Link", next}}));
  world.server.reply("/orders/2", json_answer(200, list_of({3, 4, 5, 6, 7})));
  const std::string both = std::string(kAddress) + "," + kEdge01;
  world.server.reply("/order/7", order_for("valid", both));
  world.server.reply("/order/6", order_for("pending", kEdge01));
  world.server.reply("/order/5", order_for("pending", std::string(kEdge01) + "," + kEdge02));
  world.server.reply("/order/4", problem(404, "malformed"));
  world.server.reply("/order/3", order_for("ready", both));
  const auto found =
      world.client->open_order({.dns_names = {"edge01.example.com"}, .ip_addresses = {"2001:DB8:0::7"}}, {});
  ASSERT_TRUE(found.value().has_value());
  EXPECT_EQ((*found)->url, at("/order/3"));
  EXPECT_EQ((*found)->status, OrderStatus::kReady);
}

TEST(OpenOrder, IsNoneWhenTheServerKeepsNoList) {
  World world;
  world.server.reply("/account/1", json_answer(200, R"({"status":"valid"})"));
  EXPECT_EQ(world.client->open_order(kRequest, {}).value(), std::nullopt);
  script_account(world);
  world.server.reply("/orders", problem(404, "malformed"));
  EXPECT_EQ(world.client->open_order(kRequest, {}).value(), std::nullopt);
  script_account(world);
  world.server.reply("/orders", json_answer(200, list_of({})));
  EXPECT_EQ(world.client->open_order(kRequest, {}).value(), std::nullopt);
}

// "There is none" must never be concluded from a failed look: the caller would order again.
TEST(OpenOrder, AFailedLookIsAnError) {
  World world;
  world.server.reply("/account/1", lost_answer());
  EXPECT_EQ(world.client->open_order(kRequest, {}).error().kind, ErrorKind::kTimeout);
  script_account(world);
  world.server.reply("/orders", answer(503));
  EXPECT_EQ(world.client->open_order(kRequest, {}).error().kind, ErrorKind::kUnavailable);
  script_account(world);
  world.server.reply("/orders", json_answer(200, "{}"));
  EXPECT_EQ(world.client->open_order(kRequest, {}).error().kind, ErrorKind::kProtocol);
  script_account(world);
  world.server.reply("/orders", json_answer(200, list_of({1})));
  world.server.reply("/order/1", problem(500, "serverInternal"));
  EXPECT_EQ(world.client->open_order(kRequest, {}).error().kind, ErrorKind::kUnavailable);
}

TEST(OpenOrder, IsBounded) {
  World world;
  script_account(world);
  world.server.reply_always("/orders",
                            json_answer(200, list_of({1}), {{"Link", R"(<https://ca.example/orders>;rel=next)"}}));
  world.server.reply_always("/order/1", order_for("valid", kEdge01));
  EXPECT_EQ(world.client->open_order(kRequest, {}).value(), std::nullopt);
  EXPECT_EQ(world.server.seen("/orders").size(), 100U);
  EXPECT_EQ(world.server.seen("/order/1").size(), 50U);
}

}  // namespace
}  // namespace edgetrust::acme
