// What an error means: every problem type at every kind of request, and everything that is no problem document.
#include "edgetrust/acme/reaction.hpp"
#include "fake_acme.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::acme {
namespace {

using namespace std::chrono_literals;
using enum ErrorKind;
using testing::HasSubstr;

// What the caller sees of a problem at each of the eight kinds of requests, in the order of kKinds below, as letters of
// kind_seen(). RFC 8555 section 6.7, all 24; RFC 9773 section 7.4; the profiles draft.
struct Expected {
  const char* type;
  std::string_view seen;
};
const std::vector<Expected> kExpected = {{"accountDoesNotExist", "nnnnnnnn"},
                                         {"alreadyReplaced", "cccccccc"},
                                         {"alreadyRevoked", "ccccccc-"},
                                         {"badCSR", "iiiiiiii"},
                                         {"badNonce", "uuuuuuuu"},
                                         {"badPublicKey", "iiiiiiii"},
                                         {"badRevocationReason", "iiiiiiii"},
                                         {"badSignatureAlgorithm", "iiiiiiii"},
                                         {"caa", "iiiiiiii"},
                                         {"compound", "iiiiiiii"},
                                         {"connection", "uuuuuuuu"},
                                         {"dns", "uuuuuuuu"},
                                         {"externalAccountRequired", "iiiiiiii"},
                                         {"incorrectResponse", "uuuuuuuu"},
                                         {"invalidContact", "iiiiiiii"},
                                         {"invalidProfile", "iiiiiiii"},
                                         {"malformed", "pppppppp"},
                                         {"orderNotReady", "cccccccc"},
                                         {"rateLimited", "rrrrrrrr"},
                                         {"rejectedIdentifier", "iiiiiiii"},
                                         {"serverInternal", "uuuuuuuu"},
                                         {"tls", "uuuuuuuu"},
                                         {"unauthorized", "aan-cana"},
                                         {"unsupportedContact", "iiiiiiii"},
                                         {"unsupportedIdentifier", "iiiiiiii"},
                                         {"userActionRequired", "ffffffff"}};
constexpr char kNoError = '-';
ErrorKind kind_seen(char letter) {
  switch (letter) {
    case 'i': return kInvalid;       // a person must change what is asked for,
    case 'a': return kUnauthorized;  // the account,
    case 'f': return kForbidden;     // or something at the CA
    case 'u': return kUnavailable;   // it may pass
    case 'r': return kRateLimited;
    case 'p': return kProtocol;
    case 'c': return kConflict;  // the server is elsewhere than was thought
    case 'n': return kNotFound;
    default: return kInternal;
  }
}
// How often the resource is asked in one call: a nonce may be bad again, and an account that is lost is registered
// once.
std::size_t asked(std::string_view type, std::string_view path) {
  if (type == "badNonce") return 20;
  return type == "accountDoesNotExist" && path != "/new-account" ? 2 : 1;
}

// The eight kinds of requests, by the resource that answers them.
struct Kind {
  const char* path;
  std::function<std::optional<Error>(World&)> call;
};
template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}
const std::vector<Kind> kKinds = {
    {"/new-account", [](World& w) { return error_of(w.client->account({})); }},
    {"/new-order", [](World& w) { return error_of(w.client->new_order(kRequest, {})); }},
    {"/order/1", [](World& w) { return error_of(w.client->order(at("/order/1"), {})); }},
    {"/authz/1", [](World& w) { return error_of(w.client->deactivate_authorization(at("/authz/1"), {})); }},
    {"/chall/1", [](World& w) { return error_of(w.client->answer(at("/chall/1"), {})); }},
    {"/finalize/1",
     [](World& w) {
       w.server.reply_always("/order/1", json_answer(200, order_json("ready")));
       return error_of(w.client->finalize(at("/order/1"), "csr", {}));
     }},
    {"/cert/1", [](World& w) { return error_of(w.client->certificate(at("/cert/1"), {})); }},
    {"/revoke-cert", [](World& w) {
       static const auto leaf = support::TestCa("root").issue({.dns = {"a.example"}});
       return error_of(w.client->revoke(leaf.chain_pem, ports::RevocationReason::kSuperseded, Secret(), {}));
     }}};

// Whatever its HTTP status: the type says more.
TEST(Problem, EveryTypeAtEveryRequest) {
  int cells = 0;
  for (std::size_t column = 0; column < kKinds.size(); ++column) {
    const auto& kind = kKinds[column];
    for (const auto& [type, seen] : kExpected) {
      ++cells;
      for (const int status : {400, 403, 429, 500}) {
        SCOPED_TRACE(testing::Message() << kind.path << " " << type << " " << status);
        World world;
        world.server.reply_always(kind.path, problem(status, type));
        const auto error = kind.call(world);
        EXPECT_EQ(world.server.seen(kind.path).size(), asked(type, kind.path));
        if (std::string_view(kind.path) != "/new-order") {
          EXPECT_TRUE(world.server.seen("/new-order").empty());
        }
        ASSERT_EQ(error.has_value(), seen.at(column) != kNoError);
        if (!error) continue;
        EXPECT_EQ(error->kind, kind_seen(seen.at(column)));
        EXPECT_FALSE(error->maybe_executed);
        if (type == std::string_view("badNonce")) continue;  // what is said is how often
        EXPECT_EQ(error->code, std::string("urn:ietf:params:acme:error:") + type);
        EXPECT_THAT(error->what, HasSubstr("as the test says"));
      }
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
