// What an error means: every problem type at every kind of request, and everything that is no problem document.
#include "edgetrust/acme/reaction.hpp"
#include "fake_acme.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::acme {
namespace {

using namespace std::chrono_literals;
using enum ErrorKind;
using testing::HasSubstr;

// RFC 8555 section 6.7, all 24; RFC 9773 section 7.4; the profiles draft.
const std::vector<const char*> kTypes = {"accountDoesNotExist",
                                         "alreadyReplaced",
                                         "alreadyRevoked",
                                         "badCSR",
                                         "badNonce",
                                         "badPublicKey",
                                         "badRevocationReason",
                                         "badSignatureAlgorithm",
                                         "caa",
                                         "compound",
                                         "connection",
                                         "dns",
                                         "externalAccountRequired",
                                         "incorrectResponse",
                                         "invalidContact",
                                         "invalidProfile",
                                         "malformed",
                                         "orderNotReady",
                                         "rateLimited",
                                         "rejectedIdentifier",
                                         "serverInternal",
                                         "tls",
                                         "unauthorized",
                                         "unsupportedContact",
                                         "unsupportedIdentifier",
                                         "userActionRequired"};

// The eight kinds of requests, by the resource that answers them.
struct Kind {
  Purpose purpose;
  const char* path;
  std::function<std::optional<Error>(World&)> call;
};
template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}
const std::vector<Kind> kKinds = {
    {Purpose::kAccount, "/new-account", [](World& w) { return error_of(w.client->account({})); }},
    {Purpose::kNewOrder, "/new-order", [](World& w) { return error_of(w.client->new_order(kRequest, {})); }},
    {Purpose::kOrder, "/order/1", [](World& w) { return error_of(w.client->order(at("/order/1"), {})); }},
    {Purpose::kAuthorization, "/authz/1",
     [](World& w) { return error_of(w.client->deactivate_authorization(at("/authz/1"), {})); }},
    {Purpose::kChallenge, "/chall/1", [](World& w) { return error_of(w.client->answer(at("/chall/1"), {})); }},
    {Purpose::kFinalize, "/finalize/1",
     [](World& w) {
       w.server.reply_always("/order/1", json_answer(200, order_json("ready")));
       return error_of(w.client->finalize(at("/order/1"), "csr", {}));
     }},
    {Purpose::kCertificate, "/cert/1", [](World& w) { return error_of(w.client->certificate(at("/cert/1"), {})); }},
    {Purpose::kChange, "/revoke-cert", [](World& w) {
       static const auto leaf = support::TestCa("root").issue({.dns = {"a.example"}});
       return error_of(w.client->revoke(leaf.chain_pem, ports::RevocationReason::kSuperseded, Secret(), {}));
     }}};

// How often the resource is asked in one call.
std::size_t asked(Reaction reaction) {
  if (reaction == Reaction::kSameAgain) return 20;
  return reaction == Reaction::kRegisterAgain ? 2 : 1;
}
// Where the call is a success all the same: what was to be done is done, or can no longer be.
bool is_no_error(Reaction reaction, Purpose purpose) {
  return reaction == Reaction::kDone || (reaction == Reaction::kGiveUp && purpose == Purpose::kAuthorization);
}

TEST(Problem, EveryTypeAtEveryRequest) {
  int cells = 0;
  for (const auto& kind : kKinds) {
    for (const std::string type : kTypes) {
      SCOPED_TRACE(std::string(kind.path) + " " + type);
      const auto reaction = reaction_to(type, kind.purpose);
      ASSERT_TRUE(reaction.has_value()) << "no reaction is declared";
      World world;
      world.server.reply_always(kind.path, problem(400, type));
      const auto error = kind.call(world);
      EXPECT_EQ(world.server.seen(kind.path).size(), asked(*reaction));
      EXPECT_LE(world.server.seen("/new-order").size(), kind.purpose == Purpose::kNewOrder ? asked(*reaction) : 0U);
      EXPECT_EQ(error.has_value(), !is_no_error(*reaction, kind.purpose));
      ++cells;
      if (!error) continue;
      EXPECT_EQ(error->kind, kind_of(*reaction));
      EXPECT_FALSE(error->maybe_executed);
      if (*reaction == Reaction::kSameAgain) continue;
      EXPECT_EQ(error->code, "urn:ietf:params:acme:error:" + type);
      EXPECT_THAT(error->what, HasSubstr("as the test says"));
    }
  }
  EXPECT_EQ(cells, 208);
}

// The cells whose reaction is the purpose's, not the type's; the rest of the table reads the same all over a row.
TEST(Problem, WhatItMeansDependsOnTheRequest) {
  EXPECT_EQ(reaction_to("alreadyReplaced", Purpose::kNewOrder), Reaction::kNotAReplacement);
  EXPECT_EQ(reaction_to("alreadyRevoked", Purpose::kChange), Reaction::kDone);
  EXPECT_EQ(reaction_to("accountDoesNotExist", Purpose::kAccount), Reaction::kGiveUp);
  for (const auto purpose : {Purpose::kOrder, Purpose::kAuthorization, Purpose::kCertificate})
    EXPECT_EQ(reaction_to("unauthorized", purpose), Reaction::kGiveUp);
  for (const auto purpose : {Purpose::kAccount, Purpose::kNewOrder, Purpose::kFinalize, Purpose::kChange})
    EXPECT_EQ(reaction_to("unauthorized", purpose), Reaction::kChangeAccount);
  EXPECT_EQ(reaction_to("unauthorized", Purpose::kChallenge), Reaction::kLookAgain);
  EXPECT_EQ(reaction_to("somethingNew", Purpose::kOrder), std::nullopt);
  EXPECT_EQ(reaction_to_validation("caa"), Reaction::kChangeRequest);
  EXPECT_EQ(reaction_to_validation("unauthorized"), Reaction::kLater);
}

// RFC 8555 section 7.3.3: where the new terms are, and where they are agreed to.
TEST(Problem, NamesThePlacesToGo) {
  World world;
  world.server.reply("/new-order",
                     answer(403,
                            R"({"type":"urn:ietf:params:acme:error:userActionRequired","detail":"terms have changed",)"
                            R"("instance":"https://ca.example/agree?id=1"})",
                            {{"Link", "<https://ca.example/terms/2>;rel=\"terms-of-service\""}}));
  const auto error = world.client->new_order(kRequest, {}).error();
  EXPECT_EQ(error.kind, kForbidden);
  EXPECT_THAT(error.message(), HasSubstr("see: https://ca.example/agree?id=1"));
  EXPECT_THAT(error.message(), HasSubstr("the terms of service: https://ca.example/terms/2"));
}

TEST(Problem, AtAValidationMayPass) {
  const std::map<std::string, ErrorKind> want = {{"unauthorized", kUnavailable},      {"dns", kUnavailable},
                                                 {"connection", kUnavailable},        {"tls", kUnavailable},
                                                 {"incorrectResponse", kUnavailable}, {"compound", kUnavailable},
                                                 {"serverInternal", kUnavailable},    {"somethingNew", kUnavailable},
                                                 {"rejectedIdentifier", kInvalid},    {"caa", kInvalid},
                                                 {"rateLimited", kRateLimited}};
  for (const auto& [type, kind] : want) {
    World world;
    world.server.reply(
        "/order/1",
        json_answer(
            200, order_json("invalid", R"(,"error":{"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":"d"})",
                            "")));
    EXPECT_EQ(world.client->order(at("/order/1"), {})->error->kind, kind) << type;
  }
}

Error error_for(Answer given) {
  World world;
  world.server.reply("/order/1", std::move(given));
  return world.client->order(at("/order/1"), {}).error();
}

TEST(Problem, OfAnUnknownTypeIsJudgedByItsStatus) {
  for (const auto& [status, kind] : std::map<int, ErrorKind>{{400, kProtocol},
                                                             {401, kUnauthorized},
                                                             {403, kForbidden},
                                                             {404, kNotFound},
                                                             {409, kConflict},
                                                             {429, kRateLimited},
                                                             {500, kUnavailable},
                                                             {503, kUnavailable}}) {
    const Error error = error_for(problem(status, "somethingNew"));
    EXPECT_EQ(error.kind, kind) << status;
    EXPECT_EQ(error.code, "urn:ietf:params:acme:error:somethingNew");
  }
  EXPECT_EQ(error_for(answer(403, R"({"type":"about:blank"})")).kind, kForbidden);
  EXPECT_EQ(error_for(answer(404, R"({"type":"malformed"})")).kind, kNotFound);
}

// Something between us and the server answered: never a reason to wait for a person.
TEST(Problem, WithoutADocumentIsJudgedByItsStatus) {
  const std::map<int, ErrorKind> want = {
      {300, kProtocol},    {301, kProtocol},    {400, kProtocol},    {401, kProtocol},    {403, kProtocol},
      {404, kNotFound},    {405, kProtocol},    {407, kProtocol},    {408, kTimeout},     {409, kConflict},
      {410, kNotFound},    {413, kProtocol},    {429, kRateLimited}, {500, kUnavailable}, {502, kUnavailable},
      {503, kUnavailable}, {504, kUnavailable}, {520, kUnavailable}};
  for (const auto& [status, kind] : want) {
    for (const std::string& body :
         {std::string(), std::string("<html><body>Forbidden</body></html>"), std::string("{\"type\":\"urn:ietf:par"),
          std::string("[]"), std::string("null"), std::string(R"({"errors":["x"]})"), std::string(R"({"type":17})"),
          R"({"type":"urn:ietf:params:acme:error:caa","detail":")" + std::string(70'000, 'x') + "\"}"}) {
      const Error error = error_for(answer(status, body));
      EXPECT_EQ(error.kind, kind) << status << body.substr(0, 30);
      EXPECT_EQ(error.code, "");
      EXPECT_THAT(error.what, HasSubstr("HTTP " + std::to_string(status) + " without a problem document"));
      EXPECT_NE(retry_of(error), Retry::kAfterChange);
    }
  }
}

TEST(Problem, OfTenMegabytesIsCutOff) {
  EXPECT_EQ(error_for(answer(400, std::string(10U << 20U, 'x'))).kind, kProtocol);
}

TEST(Problem, SaysWhatToDo) {
  EXPECT_THAT(error_for(problem(403, "externalAccountRequired")).message(), HasSubstr("set externalAccountBinding"));
  EXPECT_THAT(error_for(problem(403, "caa")).message(), HasSubstr("CAA records"));
  EXPECT_EQ(error_for(problem(400, "malformed", "what is this")).message(), "order: malformed: what is this");
}

TEST(Problem, TextIsTamedAndBounded) {
  const Error error = error_for(problem(400, "malformed", R"(line\nnext\u001b[31m\u0000end)"));
  EXPECT_EQ(error.what, "malformed: line next [31m end");
  const Error long_one = error_for(problem(400, "malformed", std::string(5000, 'x')));
  EXPECT_EQ(long_one.what.size(), 1024U);
  EXPECT_EQ(error_for(answer(400, R"({"type":")" + std::string(5000, 'x') + R"("})")).code.size(), 128U);
}

TEST(Problem, PartsAreNamedAndDecide) {
  const auto compound = [](const std::string& parts) {
    return error_for(answer(
        403, R"({"type":"urn:ietf:params:acme:error:compound","detail":"several","subproblems":[)" + parts + "]}"));
  };
  const auto part = [](const std::string& type, const std::string& name) {
    return R"({"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":"d","identifier":{"type":"dns","value":")" +
           name + R"("}})";
  };
  const Error waits = compound(part("dns", "a.example") + "," + part("connection", "b.example"));
  EXPECT_EQ(waits.kind, kUnavailable);
  EXPECT_EQ(waits.what, "compound: several; a.example: dns: d; b.example: connection: d");
  EXPECT_EQ(compound(part("dns", "a.example") + "," + part("rejectedIdentifier", "b.example")).kind, kInvalid);
  std::string many = part("dns", "n.example");
  for (int i = 0; i < 9; ++i) many += "," + part("dns", "n.example");
  EXPECT_THAT(compound(many).what, testing::EndsWith("; and more"));
}

TEST(Problem, TellsWhenToComeBack) {
  const auto wait = [](const std::string& value) {
    return error_for(problem(429, "rateLimited", "too many", {{"Retry-After", value}})).retry_after;
  };
  EXPECT_EQ(wait("0"), 0s);
  EXPECT_EQ(wait("5"), 5s);
  EXPECT_EQ(wait("315360000"), 315360000s);  // ten years: the caller bounds it
  EXPECT_EQ(wait("Sun, 22 Nov 2026 12:00:05 GMT"), 5s);
  EXPECT_EQ(wait("Sun, 22 Nov 2026 11:00:00 GMT"), 0s);
  EXPECT_EQ(wait("tomorrow"), std::nullopt);
  EXPECT_EQ(error_for(answer(503, "", {{"Retry-After", "7"}})).retry_after, 7s);
}

}  // namespace
}  // namespace edgetrust::acme
