// Orders and authorizations: what is sent, what is read, what is refused.
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/jws.hpp"
#include "fake_acme.hpp"

namespace edgetrust::acme {
namespace {

using namespace std::chrono_literals;
using ports::AuthorizationStatus;
using ports::ChallengeStatus;
using ports::OrderStatus;
using testing::HasSubstr;
using testing::Not;

Result<ports::Order> look_at(World& world, const std::string& order, const std::string& authorization = {}) {
  world.server.reply("/order/1", json_answer(200, order));
  if (!authorization.empty()) world.server.reply("/authz/1", json_answer(200, authorization));
  return world.client->order(at("/order/1"), {});
}

TEST(NewOrder, SendsNamesProfileAndPredecessor) {
  World world;
  world.server.offer_renewal_info(at("/renewal-info"));
  const std::string answer =
      R"({"status":"pending","expires":"2026-11-29T12:00:00Z","identifiers":[{"type":"dns","value":"*.example.com"},)"
      R"({"type":"dns","value":"Edge01.example.com"},{"type":"ip","value":"192.0.2.7"}],)"
      R"("authorizations":["https://ca.example/authz/1"],"finalize":"https://ca.example/finalize/1"})";
  world.server.reply("/new-order", json_answer(201, answer, {{"Location", at("/order/1")}}));
  world.server.reply_always("/new-order", json_answer(201, order_json("pending"), {{"Location", at("/order/1")}}));
  world.server.reply_always("/authz/1", json_answer(200, authorization_json("pending")));
  const auto order = world.client->new_order({.dns_names = {"edge01.example.com", "*.example.com"},
                                              .ip_addresses = {"192.0.2.7"},
                                              .profile = "shortlived",
                                              .replaces = kRfc9773Certificate},
                                             {});
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(order->url, at("/order/1"));
  EXPECT_EQ(order->status, OrderStatus::kPending);
  EXPECT_EQ(order->expires, parse_rfc3339("2026-11-29T12:00:00Z").value());
  ASSERT_EQ(order->authorizations.size(), 1U);
  EXPECT_EQ(order->authorizations[0].url, at("/authz/1"));
  EXPECT_EQ(
      world.server.seen("/new-order")[0].payload,
      R"({"identifiers":[{"type":"dns","value":"edge01.example.com"},{"type":"dns","value":"*.example.com"},)"
      R"({"type":"ip","value":"192.0.2.7"}],"profile":"shortlived","replaces":"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"})");
  ASSERT_TRUE(world.client->new_order(kRequest, {}).has_value());
  EXPECT_EQ(world.server.seen("/new-order")[1].payload,
            R"({"identifiers":[{"type":"dns","value":"edge01.example.com"}]})");
}

// A server that knows nothing of replacements might refuse the field.
TEST(NewOrder, SaysNothingOfAPredecessorWhereNoRenewalInfoIsOffered) {
  World world;
  world.server.reply("/new-order", json_answer(201, order_json("pending", "", ""), {{"Location", at("/order/1")}}));
  auto request = kRequest;
  request.replaces = kRfc9773Certificate;
  ASSERT_TRUE(world.client->new_order(request, {}).has_value());
  EXPECT_EQ(world.server.seen("/new-order")[0].payload,
            R"({"identifiers":[{"type":"dns","value":"edge01.example.com"}]})");
}

TEST(NewOrder, ACertificateThatCannotBeNamedIsNoPredecessor) {
  World world;
  world.server.offer_renewal_info(at("/renewal-info"));
  world.server.reply("/new-order", json_answer(201, order_json("pending", "", ""), {{"Location", at("/order/1")}}));
  auto request = kRequest;
  request.replaces = ports::CertificateId{.authority_key_id = "", .serial_number = "01"};
  ASSERT_TRUE(world.client->new_order(request, {}).has_value());
  EXPECT_THAT(world.server.seen("/new-order")[0].payload, Not(HasSubstr("replaces")));
}

TEST(NewOrder, ARefusedReplacementIsNamedAndExecutedNothing) {
  World world;
  world.server.offer_renewal_info(at("/renewal-info"));
  world.server.reply("/new-order", problem(409, "alreadyReplaced"));
  auto request = kRequest;
  request.replaces = kRfc9773Certificate;
  const auto refused = world.client->new_order(request, {});
  EXPECT_EQ(refused.error().code, "urn:ietf:params:acme:error:alreadyReplaced");
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_FALSE(refused.error().maybe_executed);
}

TEST(NewOrder, AnOrderForOtherNamesIsNone) {
  World world;
  world.server.reply("/new-order", json_answer(201, order_json("pending"), {{"Location", at("/order/1")}}));
  const auto order = world.client->new_order({.dns_names = {"edge02.example.com"}}, {});
  ASSERT_FALSE(order.has_value());
  EXPECT_EQ(order.error().kind, ErrorKind::kProtocol);
  EXPECT_EQ(order.error().code, ports::kOrderForOtherNames);
  EXPECT_TRUE(order.error().maybe_executed);
  EXPECT_THAT(order.error().what, HasSubstr("edge01.example.com"));
}

TEST(NewOrder, TakesTheProfileOfTheIssuer) {
  Config config;
  config.profile = "classic";
  World world(std::move(config));
  world.server.directory.insert(world.server.directory.size() - 2, R"(,"profiles":{"classic":"…","tlsserver":"…"})");
  world.server.reply("/new-order", json_answer(201, order_json("pending", "", ""), {{"Location", at("/order/1")}}));
  ASSERT_TRUE(world.client->new_order(kRequest, {}).has_value());
  EXPECT_THAT(world.server.seen("/new-order")[0].payload, HasSubstr(R"("profile":"classic")"));
  auto other = kRequest;
  other.profile = "tlsclient";
  const auto refused = world.client->new_order(other, {});
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().what, HasSubstr("no profile \"tlsclient\"; it offers classic, tlsserver"));
  EXPECT_EQ(world.server.seen("/new-order").size(), 1U);
}

TEST(NewOrder, IsForOneToAHundredNames) {
  World world;
  EXPECT_EQ(world.client->new_order({}, {}).error().kind, ErrorKind::kInvalid);
  ports::OrderRequest many;
  many.dns_names.assign(101, "a.example");
  EXPECT_EQ(world.client->new_order(many, {}).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(world.server.seen("/new-order").empty());
}

// An order exists from here on: its URL must reach the status, whatever else the answer lacks.
TEST(NewOrder, GivesTheUrlEvenOfAnAnswerThatCannotBeRead) {
  for (const std::string& body : {std::string(), std::string("{"), std::string("<html>"), order_json("strange"),
                                  order_json("pending", "", R"("https://evil.example/authz")")}) {
    World world;
    world.server.reply("/new-order", answer(201, body, {{"Location", at("/order/1")}}));
    const auto order = world.client->new_order(kRequest, {});
    ASSERT_TRUE(order.has_value()) << body;
    EXPECT_EQ(order->url, at("/order/1"));
    EXPECT_EQ(order->status, OrderStatus::kPending);
    EXPECT_EQ(world.server.seen("/new-order").size(), 1U);
  }
}

// Some authorizations without the others would look like an order that cannot be answered.
TEST(NewOrder, GivesAllAuthorizationsOrNone) {
  for (const Answer& given : {lost_answer(), answer(503), answer(200, "{"), problem(400, "accountDoesNotExist")}) {
    World world;
    const std::string two = R"("https://ca.example/authz/1","https://ca.example/authz/2")";
    world.server.reply("/new-order", json_answer(201, order_json("pending", "", two), {{"Location", at("/order/1")}}));
    world.server.reply("/authz/1", json_answer(200, authorization_json("pending")));
    world.server.reply_always("/authz/2", given);
    const auto order = world.client->new_order(kRequest, {}).value();
    EXPECT_EQ(order.url, at("/order/1"));
    EXPECT_TRUE(order.authorizations.empty());
  }
}

TEST(NewOrder, WithoutAUsableLocationMayHaveBeenExecuted) {
  for (const http::Headers& headers : {http::Headers{}, http::Headers{{"Location", "/order/1"}},
                                       http::Headers{{"Location", "https://evil.example/order/1"}}}) {
    World world;
    world.server.reply("/new-order", json_answer(201, order_json("pending"), headers));
    const auto lost = world.client->new_order(kRequest, {});
    EXPECT_EQ(lost.error().kind, ErrorKind::kProtocol);
    EXPECT_TRUE(lost.error().maybe_executed);
  }
}

TEST(NewOrder, IsNotRepeatedWhenItsAnswerIsLost) {
  World world;
  world.server.reply("/new-order", lost_answer());
  const auto lost = world.client->new_order(kRequest, {});
  EXPECT_TRUE(lost.error().maybe_executed);
  EXPECT_EQ(lost.error().message(), "newOrder: no answer in time");
  EXPECT_EQ(world.server.seen("/new-order").size(), 1U);
  world.server.reply("/new-order", answer(502, "<html>Bad Gateway</html>"));
  EXPECT_TRUE(world.client->new_order(kRequest, {}).error().maybe_executed);
  world.server.reply("/new-order", problem(500, "serverInternal"));
  EXPECT_FALSE(world.client->new_order(kRequest, {}).error().maybe_executed);
}

TEST(Order, HasItsAuthorizationsAndTheRecord) {
  World world;
  const auto order = look_at(world, order_json("pending"), authorization_json("pending")).value();
  EXPECT_EQ(order.url, at("/order/1"));
  ASSERT_EQ(order.authorizations.size(), 1U);
  const auto& authorization = order.authorizations[0];
  EXPECT_EQ(authorization.url, at("/authz/1"));
  EXPECT_EQ(authorization.identifier, "edge01.example.com");
  EXPECT_EQ(authorization.status, AuthorizationStatus::kPending);
  ASSERT_TRUE(authorization.dns.has_value());
  EXPECT_EQ(authorization.dns->url, at("/chall/1"));
  EXPECT_EQ(authorization.dns->record_name, "_acme-challenge.edge01.example.com");
  EXPECT_EQ(authorization.dns->record_value, "ZaJgFtIV4WA0t2MzN7kbSk0sfRd2GZjaxRqaSTAK6lI");  // by another program
  EXPECT_EQ(authorization.dns->status, ChallengeStatus::kPending);
  EXPECT_EQ(world.server.seen("/order/1")[0].payload, "");
  EXPECT_EQ(world.server.seen("/authz/1")[0].payload, "");
}

TEST(Order, PutsAWildcardsRecordAtItsDomain) {
  for (const auto& body : {authorization_json("pending", "example.com", R"(,"wildcard":true)"),
                           authorization_json("pending", "*.Example.com", R"(,"wildcard":true)")}) {
    World world;
    const auto order = look_at(world, order_json("pending"), body).value();
    EXPECT_EQ(order.authorizations[0].identifier, "*.example.com");
    EXPECT_EQ(order.authorizations[0].dns->record_name, "_acme-challenge.example.com");
  }
}

TEST(Order, KnowsEveryStatus) {
  World world;
  const std::string certificate = R"(,"certificate":"https://ca.example/cert/1")";
  for (const auto& [text, status] :
       std::vector<std::pair<std::string, OrderStatus>>{{"pending", OrderStatus::kPending},
                                                        {"ready", OrderStatus::kReady},
                                                        {"processing", OrderStatus::kProcessing},
                                                        {"valid", OrderStatus::kValid},
                                                        {"invalid", OrderStatus::kInvalid}}) {
    const auto order = look_at(world, order_json(text, certificate), authorization_json("valid")).value();
    EXPECT_EQ(order.status, status);
    EXPECT_EQ(order.certificate_url, status == OrderStatus::kValid ? at("/cert/1") : "");
  }
  for (const auto& [text, status] :
       std::vector<std::pair<std::string, AuthorizationStatus>>{{"pending", AuthorizationStatus::kPending},
                                                                {"valid", AuthorizationStatus::kValid},
                                                                {"invalid", AuthorizationStatus::kInvalid},
                                                                {"deactivated", AuthorizationStatus::kDeactivated},
                                                                {"expired", AuthorizationStatus::kExpired},
                                                                {"revoked", AuthorizationStatus::kRevoked}}) {
    EXPECT_EQ(look_at(world, order_json("pending"), authorization_json(text))->authorizations[0].status, status);
  }
}

TEST(Order, SaysWhyItIsInvalid) {
  World world;
  const std::string authorization =
      R"({"status":"invalid","identifier":{"type":"dns","value":"edge01.example.com"},"challenges":[{"type":"dns-01",)"
      R"("url":"https://ca.example/chall/1","status":"invalid","token":"evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA",)"
      R"("error":{"type":"urn:ietf:params:acme:error:unauthorized","detail":"no TXT record","status":403}}]})";
  const auto order =
      look_at(world,
              order_json("invalid", R"(,"error":{"type":"urn:ietf:params:acme:error:rejectedIdentifier",)"
                                    R"("detail":"not that one"})"),
              authorization)
          .value();
  EXPECT_EQ(order.error->kind, ErrorKind::kInvalid);
  EXPECT_EQ(order.error->what, "rejectedIdentifier: not that one");
  const auto& challenge = *order.authorizations[0].dns;
  EXPECT_EQ(challenge.status, ChallengeStatus::kInvalid);
  EXPECT_EQ(challenge.error->kind, ErrorKind::kUnavailable);  // the record may be seen next time
  EXPECT_EQ(challenge.error->what, "unauthorized: no TXT record");
}

TEST(Order, WithoutDns01HasNoRecord) {
  World world;
  const std::string only_http = R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[)"
                                R"({"type":"http-01","url":"https://ca.example/c","status":"pending","token":"x"}]})";
  EXPECT_FALSE(look_at(world, order_json("pending"), only_http)->authorizations[0].dns.has_value());
  std::string address = authorization_json("pending", "192.0.2.7");
  address.replace(address.find("\"dns\""), 5, "\"ip\"");
  const auto order = look_at(world, order_json("pending"), address).value();
  EXPECT_FALSE(order.authorizations[0].dns.has_value());  // RFC 8738 section 7
  EXPECT_EQ(order.authorizations[0].identifier, "192.0.2.7");
}

TEST(Order, TakesAForgottenAuthorizationForExpired) {
  World world;
  world.server.reply("/order/1",
                     json_answer(200, order_json("valid", R"(,"certificate":"https://ca.example/cert/1")")));
  world.server.reply("/authz/1", problem(404, "malformed", "Expired authorization"));
  const auto order = world.client->order(at("/order/1"), {}).value();
  EXPECT_EQ(order.status, OrderStatus::kValid);
  EXPECT_EQ(order.authorizations[0].status, AuthorizationStatus::kExpired);
  EXPECT_EQ(order.authorizations[0].url, at("/authz/1"));
}

TEST(Order, IsNotFoundWhenTheServerForgotIt) {
  World world;
  world.server.reply("/order/1", problem(404, "malformed", "No such order"));
  EXPECT_EQ(world.client->order(at("/order/1"), {}).error().kind, ErrorKind::kNotFound);
}

// Tokens go into a DNS record; acme.sh executed one (CVE-2023-38198), lego wrote files with one (CVE-2026-40611).
TEST(Order, RefusesHostileTokens) {
  for (const std::string& token :
       {std::string("../../../../etc/passwd"), std::string("$(id)$(id)$(id)$(id)$(id)"),
        std::string("evaGxfADs6pSRb2LAv9IZ"), std::string(129, 'a'), std::string(100'000, 'a'), std::string(),
        std::string("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ.PCt92wr"),
        std::string("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ PCt92wr"),
        std::string("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ\\nPCt92wr"), std::string("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ=")}) {
    World world;
    const auto refused = look_at(world, order_json("pending"), authorization_json("pending", "a.example", "", token));
    ASSERT_FALSE(refused.has_value()) << token;
    EXPECT_EQ(refused.error().kind, ErrorKind::kProtocol);
    EXPECT_EQ(refused.error().message(), "order: authorization: a challenge whose token is none");
  }
  for (const std::size_t size : {std::size_t{22}, std::size_t{128}}) {
    World world;
    EXPECT_TRUE(
        look_at(world, order_json("pending"), authorization_json("pending", "a.example", "", std::string(size, 'a')))
            .has_value());
  }
}

TEST(Order, RefusesAnIdentifierThatIsNoDomain) {
  for (const std::string& name :
       {std::string(), std::string("localhost"), std::string("a..example"), std::string("a b.example"),
        std::string("a.example."), std::string("*.*.example"), std::string("a/../b.example"),
        std::string("a.example\\u0000.evil"), std::string(64, 'a') + ".example", std::string("b\xc3\xbc.example")}) {
    World world;
    EXPECT_EQ(look_at(world, order_json("pending"), authorization_json("pending", name)).error().kind,
              ErrorKind::kProtocol)
        << name;
  }
}

TEST(Order, RefusesWhatBreaksTheProtocol) {
  std::string hundred_one = R"("https://ca.example/authz/1")";
  for (int i = 0; i < 100; ++i) hundred_one += R"(,"https://ca.example/authz/1")";
  for (const std::string& body :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"), std::string("<html></html>"),
        order_json("pending").substr(0, 60), order_json("unheard-of"), order_json("valid"),
        order_json("pending", "", hundred_one), order_json("pending", "", "17"),
        std::string(R"({"status":"pending","finalize":"https://ca.example/f"})"),
        std::string(R"({"status":"pending","authorizations":[]})"),
        std::string(R"({"status":"pending","status":"valid","authorizations":[],"finalize":"https://ca.example/f"})"),
        std::string(1U << 19U, ' ')}) {
    World world;
    world.server.reply("/order/1", json_answer(200, body));
    EXPECT_EQ(world.client->order(at("/order/1"), {}).error().kind, ErrorKind::kProtocol) << body.substr(0, 100);
  }
  for (const std::string& body :
       {std::string("{}"), authorization_json("strange"), std::string(R"({"status":"pending"})") + "x"}) {
    World world;
    EXPECT_EQ(look_at(world, order_json("pending"), body).error().kind, ErrorKind::kProtocol) << body;
  }
}

TEST(Order, TellsWhenToLookAgain) {
  World world;
  const auto wait = [&](const std::string& value) {
    world.server.reply("/order/1", json_answer(200, order_json("processing", "", ""), {{"Retry-After", value}}));
    return world.client->order(at("/order/1"), {})->retry_after;
  };
  EXPECT_EQ(wait("5"), 5s);
  EXPECT_EQ(wait("Sun, 22 Nov 2026 12:01:30 GMT"), 90s);
  EXPECT_EQ(wait("Sun, 22 Nov 2026 11:00:00 GMT"), 0s);
  EXPECT_EQ(wait("soon"), std::nullopt);
}

TEST(Answer, SendsAnEmptyObject) {
  World world;
  world.server.reply("/chall/1", json_answer(200, R"({"type":"dns-01","status":"processing"})"));
  EXPECT_TRUE(world.client->answer(at("/chall/1"), {}).has_value());
  EXPECT_EQ(world.server.seen("/chall/1")[0].payload, "{}");
  world.server.reply("/chall/1", lost_answer());
  EXPECT_TRUE(world.client->answer(at("/chall/1"), {}).error().maybe_executed);
}

TEST(Stop, EndsACallBetweenItsRequests) {
  World world;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(world.client->new_order(kRequest, stop.get_token()).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(world.requests(), 0U);
}

// What http-01 needs: where it is looked for, and what is found there.
TEST(Authorization, OffersHttpBesideDns) {
  World world;
  world.server.reply("/order/1", json_answer(200, order_json("pending")));
  world.server.reply("/authz/1", json_answer(200, authorization_json("pending")));
  const auto http = world.client->order(at("/order/1"), {})->authorizations.at(0).http;
  ASSERT_TRUE(http.has_value());
  EXPECT_EQ(http->url, at("/chall/h"));
  EXPECT_EQ(http->token, "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0");
  EXPECT_EQ(http->account_thumbprint,
            crypto::jwk_thumbprint(crypto::PrivateKey::from_pem(Secret(crypto::kRfc7515A3Key)).value()).value());
  EXPECT_EQ(http->status, ports::ChallengeStatus::kPending);
}

// RFC 8738 section 7: an address is not proved by DNS, whatever a server offers.
TEST(Authorization, OfAnAddressHasNoDns) {
  World world;
  world.server.reply("/order/1", json_answer(200, order_json("pending")));
  std::string body = authorization_json("pending", "2001:DB8:0::7");
  body.replace(body.find(R"("dns","value")"), 5, R"("ip")");
  world.server.reply("/authz/1", json_answer(200, body));
  const auto authorization = world.client->order(at("/order/1"), {})->authorizations.at(0);
  EXPECT_TRUE(authorization.is_address);
  EXPECT_EQ(authorization.identifier, "2001:db8::7");
  EXPECT_FALSE(authorization.dns.has_value());
  EXPECT_TRUE(authorization.http.has_value());
}

TEST(NewOrder, KnowsAnAddressInEveryForm) {
  World world;
  const std::string body =
      R"({"status":"pending","identifiers":[{"type":"ip","value":"2001:DB8:0:0::7"}],"authorizations":[],)"
      R"("finalize":"https://ca.example/finalize/1"})";
  world.server.reply("/new-order", json_answer(201, body, {{"Location", at("/order/1")}}));
  const auto order = world.client->new_order({.dns_names = {}, .ip_addresses = {"2001:db8::0007"}}, {});
  ASSERT_TRUE(order.has_value()) << order.error().message();
  EXPECT_EQ(order->identifiers, std::set<std::string>{"2001:db8::7"});
}

TEST(NewOrder, ARefusedProfileNamesThoseThatAreOffered) {
  World world;
  world.server.directory.insert(world.server.directory.size() - 2, R"(,"profiles":{"classic":"c","short":"s"})");
  auto request = kRequest;
  request.profile = "short";
  world.server.reply("/new-order", problem(400, "invalidProfile"));
  EXPECT_THAT(world.client->new_order(request, {}).error().message(), HasSubstr("the server offers classic, short"));
}

}  // namespace
}  // namespace edgetrust::acme
