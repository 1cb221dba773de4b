// What bears witness beside the status call and the port: SIP OPTIONS, peers, trunks.
#include "edgetrust/decide/certificate/evidence.hpp"

#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using ports::Trunk;
using ports::TrunkState;
using testing::ElementsAre;
using testing::IsEmpty;

const TimePoint kBegan = parse_rfc3339("2026-11-22T12:00:00Z").value();

Trunk trunk(TrunkState state, std::optional<TimePoint> since = kBegan + 5s, std::string name = "SBC ny") {
  return {.name = std::move(name),
          .peer = "sbc.ny.example:5061",
          .state = state,
          .since = since,
          .error = state == TrunkState::kUp ? "" : "does not answer"};
}
Evidence with_trunks(std::vector<Trunk> trunks) {
  Evidence seen;
  seen.trunks = std::move(trunks);
  return seen;
}
Evidence with_peer(Answer accepts) {
  Evidence seen = with_trunks({});
  seen.peers = {{"sbc-1", accepts, accepts == Answer::kYes ? "" : "among its roots is no \"New Root\""}};
  return seen;
}
Evidence with_options(int status) {
  Evidence seen = with_trunks({});
  seen.options_status = status;
  return seen;
}
Evidence unanswered_options(ErrorKind kind = ErrorKind::kTimeout) {
  Evidence seen = with_trunks({});
  seen.options_error = Error{.kind = kind, .what = "no answer in time"};
  return seen;
}
Evidence unlisted() {
  Evidence seen;
  seen.trunks_error = Error{.kind = ErrorKind::kUnavailable, .what = "503"};
  return seen;
}

const api::Baseline kTrunk{.peers = {}, .trunks = {"SBC ny"}};
const api::Baseline kPeer{.peers = {"sbc-1"}, .trunks = {}};
const api::Baseline kOptions{.options_answered = true, .peers = {}, .trunks = {}};

// What is said of `now`: the loss, else "?" and the doubt, else nothing.
std::string said(const Evidence& now, const api::Baseline& before) {
  if (const auto lost = loss(now, before, kBegan)) return lost->reason;
  const auto open = doubt(now, before, kBegan);
  return open ? "? " + *open : "";
}

TEST(TrunkEvidence, OneThatWasUpAndWentDownSinceIsALoss) {
  const std::string title = "trunk SBC ny to sbc.ny.example:5061";
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kUp)}), kTrunk), "");
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kDown)}), kTrunk), title + " went down: does not answer");
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kDown, kBegan)}), kTrunk), title + " went down: does not answer");
  EXPECT_FALSE(loss(with_trunks({trunk(TrunkState::kDown)}), kTrunk, kBegan)->of_certificate)
      << "an outage may be the cause";
}

TEST(TrunkEvidence, OneThatWasDownBeforeIsNone) {
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kDown)}), {}), "");
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kUnknown)}), {}), "");
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kDown, kBegan + 5s, "another")}), {}), "");
}

TEST(TrunkEvidence, WhatNobodyCanTellIsADoubtAndNoLoss) {
  const std::string title = "trunk SBC ny to sbc.ny.example:5061";
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kUnknown)}), kTrunk),
            "? nobody can tell whether " + title + " is up: does not answer");
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kDown, std::nullopt)}), kTrunk),
            "? " + title + " is down, and not said since when: does not answer");
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kDown, kBegan - 1s)}), kTrunk),
            "? " + title + " is said to be down since before the push, when it was listed as up: does not answer")
      << "only a change since the push counts; this is none, but who knows";
  EXPECT_EQ(said(with_trunks({}), kTrunk), "? trunk SBC ny is not listed any more");
  EXPECT_EQ(said(unlisted(), kTrunk), "? the trunks could not be listed: 503");
  EXPECT_EQ(said(unlisted(), kPeer), "") << "nobody counts on them";
}

TEST(TrunkEvidence, ALossIsTheBetterKnown) {
  const api::Baseline two{.peers = {}, .trunks = {"a", "b"}};
  const auto seen = with_trunks({trunk(TrunkState::kUnknown, {}, "a"), trunk(TrunkState::kDown, kBegan + 1s, "b")});
  EXPECT_EQ(said(seen, two), "trunk b to sbc.ny.example:5061 went down: does not answer");
  EXPECT_TRUE(doubt(seen, two, kBegan));
}

TEST(TrunkEvidence, OfTwoWithOneNameOneThatIsUpIsEnough) {
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kDown), trunk(TrunkState::kUp)}), kTrunk), "");
  EXPECT_EQ(said(with_trunks({trunk(TrunkState::kUp), trunk(TrunkState::kDown)}), kTrunk), "");
}

TEST(PeerEvidence, OneThatCouldAndCannotIsALossThatNoOutageExplains) {
  EXPECT_EQ(said(with_peer(Answer::kYes), kPeer), "");
  EXPECT_EQ(said(with_peer(Answer::kNo), kPeer),
            "peer sbc-1 cannot complete a handshake any more: among its roots is no \"New Root\"");
  EXPECT_TRUE(loss(with_peer(Answer::kNo), kPeer, kBegan)->of_certificate);
  EXPECT_EQ(said(with_peer(Answer::kUnknown), kPeer),
            "? nobody can tell whether peer sbc-1 can complete a handshake: among its roots is no \"New Root\"");
}

TEST(PeerEvidence, OneThatCouldNotBeforeIsNone) {
  EXPECT_EQ(said(with_peer(Answer::kNo), {}), "");
  EXPECT_EQ(said(with_peer(Answer::kUnknown), {}), "");
  EXPECT_EQ(said(with_trunks({}), kPeer), "") << "it was taken out of the spec";
}

TEST(OptionsEvidence, WhoeverAnswersIsThere) {
  for (const int status : {200, 202, 302, 400, 401, 403, 404, 405, 481, 486, 603})
    EXPECT_EQ(said(with_options(status), kOptions), "") << status;
  for (const int status : {408, 500, 503, 599})
    EXPECT_EQ(said(with_options(status), kOptions),
              "SIP OPTIONS are not answered any more: it answers " + std::to_string(status));
  EXPECT_EQ(said(unanswered_options(), kOptions), "SIP OPTIONS are not answered any more: no answer in time");
  EXPECT_EQ(said(with_trunks({}), kOptions),
            "? nobody can tell whether SIP OPTIONS are answered: they were not asked for");
  EXPECT_EQ(said(with_options(503), {}), "") << "it was so before";
}

TEST(Baseline, HoldsWhatWorks) {
  Evidence seen = with_options(200);
  seen.peers = {{"a", Answer::kYes, ""}, {"b", Answer::kNo, "x"}, {"c", Answer::kUnknown, "y"}};
  seen.trunks = {trunk(TrunkState::kUp, kBegan, "1"), trunk(TrunkState::kDown, kBegan, "2"),
                 trunk(TrunkState::kUnknown, kBegan, "3"), trunk(TrunkState::kUp, kBegan, "1")};
  const api::Baseline found = baseline_of(seen);
  EXPECT_TRUE(found.options_answered);
  EXPECT_THAT(found.peers, ElementsAre("a"));
  EXPECT_THAT(found.trunks, ElementsAre("1"));
  EXPECT_FALSE(baseline_of(with_options(503)).options_answered);
  EXPECT_FALSE(baseline_of(unanswered_options()).options_answered);
  EXPECT_EQ(baseline_of(unlisted()), api::Baseline{});
}

// The status must stay small, whatever an organisation calls its trunks.
TEST(Baseline, IsBounded) {
  std::vector<Trunk> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(trunk(TrunkState::kUp, kBegan, std::to_string(i) + std::string(500, 'x')));
  const api::Baseline found = baseline_of(with_trunks(many));
  EXPECT_EQ(found.trunks.size(), 32U);
  for (const auto& name : found.trunks) EXPECT_LE(name.size(), 64U);
  for (auto& one : many) one.state = TrunkState::kDown;
  EXPECT_TRUE(loss(with_trunks(many), found, kBegan)) << "found again by what is left of the name";
}

TEST(Describe, TellsEachInAFewWords) {
  EXPECT_EQ(describe(with_trunks({})), "");
  EXPECT_EQ(describe(unlisted()), "trunks not listed");
  Evidence seen = with_options(200);
  seen.peers = {{"a", Answer::kYes, ""}, {"b", Answer::kNo, "x"}, {"c", Answer::kUnknown, "y"}};
  seen.trunks = {trunk(TrunkState::kUp, kBegan, "1"), trunk(TrunkState::kDown, kBegan, "2"),
                 trunk(TrunkState::kUnknown, kBegan, "3")};
  EXPECT_EQ(describe(seen),
            "OPTIONS 200; peers: 1 accept, refused by b, unknown: c; trunks: 1 up, 1 down (2), 1 unknown");
  EXPECT_EQ(describe(unanswered_options()), "OPTIONS unanswered");
}

TEST(ThoseWho, AreNamedWithTheirReasons) {
  const std::vector<PeerLook> peers{{"a", Answer::kNo, "x"}, {"b", Answer::kYes, ""}, {"c", Answer::kNo, "y"}};
  EXPECT_EQ(those_who(Answer::kNo, peers), "a: x; c: y");
  EXPECT_THAT(those_who(Answer::kUnknown, peers), IsEmpty());
}

}  // namespace
}  // namespace edgetrust::decide::certificate
