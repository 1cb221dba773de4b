// Before a push, each peer is asked whether it would accept the new chain.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;

// Revision 2 may be pushed, and two peers dial in.
Observation dialled() {
  Observation o = deliverable();
  change(o.edge, [](api::Edge& edge) {
    edge.meta.generation = 3;
    edge.spec.sip.peers = {{.name = "sbc-1"}, {.name = "sbc-2"}};
  });
  return o;
}
Observation told(Observation o, Answer first, Answer second = Answer::kYes, api::Duration ago = 0s) {
  o.peers = PeersLook{.revision = 2, .edge_generation = 3, .peers = {}, .at = o.now - ago};
  const auto why = [](Answer answer) { return answer == Answer::kYes ? "" : "among its roots is no \"New Root\""; };
  o.peers->peers = {{"sbc-1", first, why(first)}, {"sbc-2", second, why(second)}};
  return o;
}
Observation closed(Observation o) {
  set_windows(o, {{.start = "02:00", .duration = 2h, .days = {}}});
  return o;
}

TEST(Peers, AreAskedAndNothingIsPushedBefore) {
  check({
      {"nobody dials in", deliverable(), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"not asked yet", dialled(), "revision_delivered AskPeers Waiting/AskingPeers"},
      {"asked long before the window, for others must act", closed(dialled()),
       "revision_delivered AskPeers Waiting/AskingPeers"},
      {"all accept", told(dialled(), Answer::kYes), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"all accepted hours ago, and the window opens tonight", closed(told(dialled(), Answer::kYes, Answer::kYes, 5h)),
       "revision_delivered Waiting/WaitingForWindow +13h"},
      {"all accepted too long ago to push on", told(dialled(), Answer::kYes, Answer::kYes, 61s),
       "revision_delivered AskPeers Waiting/AskingPeers"},
      {"one refuses", told(dialled(), Answer::kYes, Answer::kNo), "revision_delivered Waiting/PeerDoesNotTrust S +1m"},
      {"one refuses, before the window", closed(told(dialled(), Answer::kNo)),
       "revision_delivered Waiting/PeerDoesNotTrust S +1m"},
      {"asked again after a minute", told(dialled(), Answer::kNo, Answer::kYes, 60s),
       "revision_delivered AskPeers Waiting/PeerDoesNotTrust S"},
      {"nobody can tell of one", told(dialled(), Answer::kUnknown), "revision_delivered Waiting/PeersNotJudged +1m"},
      {"nobody can tell, a minute later", told(dialled(), Answer::kUnknown, Answer::kYes, 60s),
       "revision_delivered AskPeers Waiting/PeersNotJudged"},
      {"one refuses and of one nobody can tell", told(dialled(), Answer::kUnknown, Answer::kNo),
       "revision_delivered Waiting/PeerDoesNotTrust S +1m"},
      {"told of another revision", with(told(dialled(), Answer::kYes), [](auto& o) { o.peers->revision = 1; }),
       "revision_delivered AskPeers Waiting/AskingPeers"},
      {"told of other peers: the Edge has changed",
       with(told(dialled(), Answer::kYes), [](auto& o) { o.peers->edge_generation = 2; }),
       "revision_delivered AskPeers Waiting/AskingPeers"},
      {"told by a clock that ran ahead", told(dialled(), Answer::kYes, Answer::kYes, -1h),
       "revision_delivered AskPeers Waiting/AskingPeers"},
      {"the question itself failed",
       with(dialled(), [](auto& o) { o.failures = failed("AskPeers", ErrorKind::kUnavailable, o.now); }),
       "revision_delivered Waiting/ClusterUnavailable +916ms"},
      {"asked for by annotation: no window, but the peers all the same",
       with(told(dialled(), Answer::kNo), [](auto& o) { annotate(o, api::kRotateRequestedAt); }),
       "revision_delivered Waiting/PeerDoesNotTrust S +1m"},
  });
}

TEST(Peers, TheMessageNamesPeerAndRoot) {
  const Decision decision = decide(told(dialled(), Answer::kYes, Answer::kNo));
  EXPECT_EQ(
      ready_message(decision),
      "nothing is pushed while a peer of Edge edge01 would refuse the chain of revision 2: sbc-2: among its roots "
      "is no \"New Root\"; load what is missing into the peer, then into its trustBundleRef");
  ASSERT_EQ(decision.announcements.size(), 1U) << "whoever looks after the peer hears of it";
  EXPECT_TRUE(decision.announcements[0].warning);
  EXPECT_EQ(decision.announcements[0].reason, "PeerDoesNotTrust");
  EXPECT_FALSE(decision.status.delivery);
}

// A changed Secret, a restart: they are asked anew, and nobody is told that anything has become better.
TEST(Peers, WhatWasSaidOfThemStaysUntilTheyHaveAnswered) {
  for (const Answer answer : {Answer::kNo, Answer::kUnknown}) {
    Observation o = told(dialled(), answer);
    o.object.status = decide(o).status;
    const std::string before = ready_message(decide(o));
    forgive(o);
    const Decision asking = decide(o);
    expect_sane(o, asking);
    EXPECT_EQ(summary(o, asking), answer == Answer::kNo ? "revision_delivered AskPeers Waiting/PeerDoesNotTrust S"
                                                        : "revision_delivered AskPeers Waiting/PeersNotJudged");
    EXPECT_EQ(ready_message(asking), before);
    EXPECT_TRUE(asking.announcements.empty());
  }
}

// What was served before is known to work: the way back is open whatever the peers say now.
TEST(Peers, StopNoRollback) {
  const auto refusing = [](Observation o) {
    change(o.edge, [](api::Edge& edge) { edge.spec.sip.peers = {{.name = "sbc-1"}}; });
    o.peers = PeersLook{.revision = 1, .edge_generation = 1, .peers = {{"sbc-1", Answer::kNo, "x"}}, .at = o.now};
    return o;
  };
  check({
      {"decided",
       refusing(with(observing(),
                     [](auto& o) {
                       o.now += 10min;
                       o.health = {.bad_in_row = 2, .last_at = o.now, .last = Health::kBad};
                     })),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"under way", refusing(with(rolling_back(), [](auto& o) { o.pushed.reset(); })),
       "delivery_under_way Push RollingBack/RollingBack R"},
  });
  EXPECT_EQ(decided(refusing(with(ready(),
                                  [](auto& o) {
                                    o.revisions[0] = whole(0);
                                    annotate(o, api::kRollbackRequestedAt);
                                  }))),
            "rollback_asked_for LookAtEdge RollingBack/RollingBack R");
}

TEST(Baseline, IsTakenRightBeforeThePush) {
  Observation o = told(dialled(), Answer::kYes);
  o.look->evidence->peers = {{"sbc-1", Answer::kYes, ""}, {"sbc-2", Answer::kNo, "an old root"}};
  o.look->evidence->options_status = 200;
  o.look->evidence->trunks = {{.name = "SBC ny", .state = ports::TrunkState::kUp},
                              {.name = "SBC la", .state = ports::TrunkState::kDown}};
  const Decision decision = decide(o);
  ASSERT_TRUE(decision.status.delivery && decision.status.delivery->baseline);
  EXPECT_EQ(*decision.status.delivery->baseline,
            (api::Baseline{.options_answered = true, .peers = {"sbc-1"}, .trunks = {"SBC ny"}}));
  EXPECT_THAT(ready_message(decision),
              testing::HasSubstr("witnesses: its status, the SIP-TLS port, SIP OPTIONS, peers: 1, trunks: 1"));
  // A look at less, from the adoption say, is no baseline.
  o.look->evidence.reset();
  const Decision looking = decide(o);
  EXPECT_EQ(summary(o, looking), "revision_delivered LookAtEdge Waiting/LookingAtEdge");
  EXPECT_TRUE(std::get<effect::LookAtEdge>(*looking.effect).closely);
}

TEST(Observing, LooksCloselyAndARollbackNeedsLess) {
  const auto closely = [](const Observation& o) { return std::get<effect::LookAtEdge>(*decide(o).effect).closely; };
  EXPECT_TRUE(closely(with(observing(), [](auto& o) { o.now += 1min; })));
  EXPECT_FALSE(closely(with(rolling_back(), [](auto& o) { o.look.reset(); })));
}

}  // namespace
}  // namespace edgetrust::decide::certificate
