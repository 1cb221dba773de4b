// How challenges are answered: by whom, in which order, and what is said of names that nobody here can prove.
// (The steps of dns-01 alone are in issuing_test.cpp.)
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using ports::OrderStatus;
using Seen = AnswersSeen;

const api::HttpAnswer kAnswer{kName, "token"};
const std::string kHttpUrl = "https://ca.example/challenge/http";

ports::HttpChallenge http_challenge() {
  return {.url = kHttpUrl, .token = kAnswer.token, .account_thumbprint = "thumbprint"};
}
api::Solver by_http(std::vector<std::string> zones = {}) {
  api::Solver solver{.http01 = api::Http01Solver{}};
  if (!zones.empty()) solver.selector = api::SolverSelector{.dns_zones = std::move(zones), .dns_names = {}};
  return solver;
}
void add_solver(Observation& o, api::Solver solver) {
  o.serves_http01 = true;
  change(o.issuer, [&](auto& issuer) { issuer.spec.solvers.push_back(std::move(solver)); });
}

// An order for one name, which is proved by HTTP.
Observation by_http_ordered() {
  Observation o = ordered(OrderStatus::kPending);
  o.serves_http01 = true;
  change(o.issuer, [](auto& issuer) { issuer.spec.solvers = {by_http()}; });
  o.order->order.authorizations[0].http = http_challenge();
  return o;
}
// Its answer is written down, and was seen so.
Observation looked(Seen seen, api::Duration since, api::Duration at = {}) {
  Observation o = by_http_ordered();
  o.object.status.order->http_answers = {kAnswer};
  o.answers = AnswersLook{.seen = seen, .trouble = "http://x/y is so", .at = o.now - at, .since = o.now - since};
  return o;
}

TEST(Answering, AnHttpAnswerIsWrittenDownBeforeItIsLookedFor) {
  const Decision decision = decide(by_http_ordered());
  expect_sane(by_http_ordered(), decision);
  EXPECT_EQ(support::summary(by_http_ordered(), decision), "revision_issued LookForAnswers Issuing/Answering R");
  EXPECT_EQ(decision.status.order->http_answers, std::vector<api::HttpAnswer>{kAnswer});
  EXPECT_EQ(decision.status.order->account_thumbprint, "thumbprint");
  EXPECT_TRUE(decision.status.order->records.empty());
  EXPECT_EQ(std::get<effect::LookForAnswers>(*decision.effect).answers, std::vector<api::HttpAnswer>{kAnswer});
}

TEST(Answering, TheCaIsAskedOnceNothingSpeaksAgainstIt) {
  const auto told = [](Observation o) {
    o.answered = {kHttpUrl};
    return o;
  };
  check({
      {"right, a moment ago: the other operators may not have read it yet", looked(Seen::kRight, 0s),
       "revision_issued Issuing/Answering R +2s"},
      {"right, a while ago", looked(Seen::kRight, 2s, 2s), "revision_issued LookForAnswers Issuing/Answering R"},
      {"still right a while later", looked(Seen::kRight, 2s), "revision_issued AnswerChallenge Issuing/Answering R"},
      {"nobody can tell", looked(Seen::kNobodyCanTell, 0s), "revision_issued Issuing/Answering R +10s"},
      {"nobody can tell, a while later", looked(Seen::kNobodyCanTell, 4s, 2s),
       "revision_issued Issuing/Answering R +6s"},
      {"nobody could tell long ago", looked(Seen::kNobodyCanTell, 10s, 10s),
       "revision_issued LookForAnswers Issuing/Answering R"},
      {"nobody can tell for so long that the CA may", looked(Seen::kNobodyCanTell, 10s),
       "revision_issued AnswerChallenge Issuing/Answering R"},
      {"wrong", looked(Seen::kWrong, 0s), "revision_issued Issuing/Answering R +2s"},
      {"wrong, a while later", looked(Seen::kWrong, 119s, 2s), "revision_issued LookForAnswers Issuing/Answering R"},
      {"wrong, and nobody has looked for long", looked(Seen::kWrong, 1h, 1h - 5s),
       "revision_issued LookForAnswers Issuing/Answering R"},
      {"the clock was set back", looked(Seen::kRight, -1h, -1h), "revision_issued LookForAnswers Issuing/Answering R"},
      {"the CA was told", told(looked(Seen::kRight, 2s, 2s)), "revision_issued Issuing/Validating R +2s"},
      {"the CA was told, and nothing is remembered of the look",
       with(told(looked(Seen::kRight, 0s)), [](auto& o) { o.answers.reset(); }),
       "revision_issued Issuing/Validating R +2s"},
      {"the CA was told in an earlier life",
       with(looked(Seen::kWrong, 1h),
            [](auto& o) { o.order->order.authorizations[0].http->status = ports::ChallengeStatus::kProcessing; }),
       "revision_issued Issuing/Validating R +2s"},
  });
  EXPECT_EQ(std::get<effect::AnswerChallenge>(*decide(looked(Seen::kRight, 2s)).effect).url, kHttpUrl);
}

TEST(Answering, WhatStaysWrongEndsTheOrderBeforeTheCaCountsIt) {
  const Decision decision = decide(looked(Seen::kWrong, 2min));
  expect_sane(looked(Seen::kWrong, 2min), decision);
  EXPECT_FALSE(decision.effect);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "HttpChallengeNotServed");
  EXPECT_THAT(decision.announcements[0].message, testing::HasSubstr("http://x/y is so"));
  EXPECT_EQ(decision.status.order->url, "");
  EXPECT_TRUE(decision.status.order->http_answers.empty());
  EXPECT_EQ(decision.status.order->abandoned.size(), 1U) << "and does not leave it pending";
}

// The account gets another key, or the CA changes its mind about the token: what it looked for before is nothing to it.
TEST(Answering, OfAHostTheLastAnswerAloneIsGiven) {
  Observation o = looked(Seen::kRight, 0s);
  o.object.status.order->account_thumbprint = "thumbprint";
  o.order->order.authorizations[0].http->account_thumbprint = "another";
  Decision decision = decide(o);
  expect_sane(o, decision);
  EXPECT_EQ(decision.status.order->http_answers, std::vector<api::HttpAnswer>{kAnswer});
  EXPECT_EQ(decision.status.order->account_thumbprint, "another");
  for (int i = 0; i < 200; ++i) {
    o.object.status = decision.status;
    o.order->order.authorizations[0].http->token = "token" + std::to_string(i);
    decision = decide(o);
  }
  expect_sane(o, decision);
  EXPECT_EQ(decision.status.order->http_answers, (std::vector<api::HttpAnswer>{{kName, "token199"}}));
}

// One look that says nothing between two that are wrong does not begin the wait anew, one that is right does.
TEST(Answering, LooksInARowAddUp) {
  const auto after = [](Seen before, Seen now) {
    Observation o = looked(before, 50s);
    note_success(o, effect::LookForAnswers{{kAnswer}, "thumbprint"},
                 {.answers = AnswersLook{.seen = now, .trouble = {}, .at = o.now, .since = o.now}}, o, o.now);
    return std::chrono::duration_cast<std::chrono::seconds>(o.now - o.answers->since);
  };
  EXPECT_EQ(after(Seen::kWrong, Seen::kWrong), 50s);
  EXPECT_EQ(after(Seen::kNobodyCanTell, Seen::kWrong), 50s);
  EXPECT_EQ(after(Seen::kWrong, Seen::kNobodyCanTell), 50s);
  EXPECT_EQ(after(Seen::kRight, Seen::kRight), 50s);
  EXPECT_EQ(after(Seen::kRight, Seen::kWrong), 0s);
  EXPECT_EQ(after(Seen::kWrong, Seen::kRight), 0s);
}

// A name by HTTP, its wildcard by DNS: the CA is told of neither before both are ready.
TEST(Answering, AnOrderMayNeedBoth) {
  Observation o = ordered(OrderStatus::kPending);
  add_solver(o, by_http({kName}));
  o.object.spec.dns_names = {kName, "*." + kName};
  o.order->order.identifiers = {kName, "*." + kName};
  auto wildcard = o.order->order.authorizations[0];
  wildcard.identifier = "*." + kName;
  o.order->order.authorizations[0].http = http_challenge();
  o.order->order.authorizations[0].dns->url = "https://ca.example/challenge/unused";
  o.order->order.authorizations.push_back(wildcard);

  const auto next = [&] {
    const Decision decision = decide(o);
    expect_sane(o, decision);
    o.object.status = decision.status;
    return support::summary(o, decision);
  };
  EXPECT_EQ(next(), "revision_issued LookForAnswers Issuing/Answering R");
  EXPECT_EQ(o.object.status.order->http_answers, std::vector<api::HttpAnswer>{kAnswer});
  EXPECT_TRUE(o.object.status.order->records.empty()) << "none is written before the answers are right";
  o.answers = AnswersLook{.seen = Seen::kRight, .trouble = {}, .at = o.now, .since = o.now - 2s};
  EXPECT_EQ(next(), "revision_issued SetFinalizer Issuing/Answering R");
  EXPECT_EQ(o.object.status.order->records, std::vector<api::TxtRecord>{kRecord});
  o.object.meta.finalizers = {std::string(api::kFinalizer)};
  EXPECT_EQ(next(), "revision_issued PresentRecord Issuing/Answering R");
  o.presented = {record_id(kRecord)};
  EXPECT_EQ(next(), "revision_issued LookForRecords Issuing/Answering R");
  o.records = RecordsLook{.everywhere = true, .at = o.now};
  EXPECT_EQ(next(), "revision_issued Issuing/Answering R +2m");
  o.now += 120s;
  for (const auto& url : {kHttpUrl, std::string("https://ca.example/challenge/1")}) {
    const Decision decision = decide(o);
    EXPECT_EQ(std::get<effect::AnswerChallenge>(decision.effect.value()).url, url);
    o.answered.insert(url);
  }
  EXPECT_EQ(next(), "revision_issued LookAtOrder Issuing/Validating R");
}

// A CA that asks for another record at each look would fill the status, and the zone.
TEST(Answering, RecordsWithoutEndEndTheOrder) {
  Observation o = answering();
  for (int i = 0; i < 300 && o.object.status.order->url == kOrderUrl; ++i) {
    o.order->order.authorizations[0].dns->record_value = "value" + std::to_string(i);
    const Decision decision = decide(o);
    expect_sane(o, decision);
    o.object.status = decision.status;
    for (const auto& said : decision.announcements) EXPECT_EQ(said.reason, "TooManyRecords");
  }
  EXPECT_EQ(o.object.status.order->url, "");
  EXPECT_EQ(o.object.status.order->records.size(), api::kMostRecords) << "what was written is removed";
}

TEST(Answering, AChallengeThatTheCaDoesNotOfferEndsTheOrder) {
  Observation o = by_http_ordered();
  o.order->order.authorizations[0].http.reset();
  const Decision decision = decide(o);
  expect_sane(o, decision);
  EXPECT_EQ(decision.announcements.at(0).reason, "NoHttpChallenge");
  EXPECT_EQ(decision.announcements.at(0).message, "the CA offers no http-01 challenge for edge01.example.com");
}

// The order does not say what it is for, and what is to be proved is no name of ours: its host is not asked.
TEST(Answering, AProofForAnotherNameEndsTheOrder) {
  Observation o = by_http_ordered();
  o.order->order.identifiers.clear();
  o.order->order.authorizations[0].identifier = "internal.example.com";
  const Decision decision = decide(o);
  expect_sane(o, decision);
  EXPECT_EQ(decision.announcements.at(0).reason, "NoHttpChallenge");
  EXPECT_TRUE(decision.status.order->http_answers.empty());
}

TEST(Answering, WhyTheCaRefusedIsTakenFromTheChallengeThatItTried) {
  Observation o = by_http_ordered();
  o.order->order.status = OrderStatus::kInvalid;
  o.order->order.authorizations[0].http->error = error(ErrorKind::kInvalid, "connection refused");
  EXPECT_EQ(decide(o).status.order->last_error, "the CA refused the order: edge01.example.com: connection refused");
}

// --- what nobody here can prove is said before anything is ordered

TEST(Answering, WhatCannotBeProvedIsNotOrdered) {
  const auto address = [](Observation o) {
    o.object.spec.ip_addresses = {"192.0.2.7"};
    ++o.object.meta.generation;
    return o;
  };
  const auto wildcard = [](Observation o) {
    o.object.spec.dns_names = {"*." + kName};
    ++o.object.meta.generation;
    return o;
  };
  const auto all_by_http = [](Observation o) {
    o.serves_http01 = true;
    change(o.issuer, [](auto& issuer) { issuer.spec.solvers = {by_http()}; });
    return o;
  };
  check({{"an address, and DNS alone", address(due()), "revision_issued Issuing/AddressNotProved R"},
         {"an address, and HTTP beside DNS", with(address(due()), [](auto& o) { add_solver(o, by_http()); }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"an address, and HTTP for other names alone",
          with(address(due()), [](auto& o) { add_solver(o, by_http({"example.com"})); }),
          "revision_issued Issuing/AddressNotProved R"},
         {"a wildcard, and HTTP alone", all_by_http(wildcard(due())), "revision_issued Issuing/WildcardNotProved R"},
         {"a wildcard, and DNS beside HTTP", with(wildcard(due()), [](auto& o) { add_solver(o, by_http({kName})); }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"a wildcard that no solver is for",
          with(all_by_http(wildcard(due())),
               [](auto& o) { change(o.issuer, [](auto& issuer) { issuer.spec.solvers = {by_http({"net"})}; }); }),
          "revision_issued Issuing/NoSolver R"},
         {"HTTP, and nobody gives answers", with(all_by_http(due()), [](auto& o) { o.serves_http01 = false; }),
          "revision_issued Issuing/NoHttpEndpoint R"},
         {"HTTP for other names, and nobody gives answers",
          with(due(),
               [](auto& o) {
                 add_solver(o, by_http({"net"}));
                 o.serves_http01 = false;
               }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"all by HTTP", all_by_http(due()), "revision_issued CreateKey Issuing/CreatingKey R"}});
  EXPECT_THAT(ready_message(decide(address(due()))), testing::HasSubstr("192.0.2.7"));
}

}  // namespace
}  // namespace edgetrust::decide::certificate
