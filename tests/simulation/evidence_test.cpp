// What stops a push, and what a delivery is judged by beside the status call and the port. The real engine.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using api::RevisionResult;
using testing::HasSubstr;

struct Witnesses : testing::Test {
  World world;

  const api::EdgeCertificateStatus& status() { return world.certificates.get({"voice", "edge01"})->status; }
  std::string reason() { return std::string(api::reason_said(status().conditions)); }
  std::string message() { return api::find(status().conditions, api::condition::kReady)->message; }
  std::string installed() {
    const auto token = Token::parse(world.installed);
    return token ? token->serial : "nothing";
  }
  void let_in(const std::string& bundle) {
    world.change_edge([&](api::Edge& edge) {
      edge.spec.sip.peers = {{.name = "sbc-1", .trust_bundle_ref = {.name = bundle, .key = "ca.crt"}}};
    });
  }
  void renew() {
    api::EdgeCertificate changed = *world.certificates.get({"voice", "edge01"});
    changed.meta.annotations[std::string(api::kRenewRequestedAt)] = format_rfc3339(world.clock.now());
    world.certificates.put(changed);
  }
  void first_certificate() {
    ASSERT_TRUE(run(world, 10min));
    ASSERT_EQ(status().phase, api::Phase::kReady);
    ASSERT_EQ(installed(), "serial1");
  }
  // The next certificate is put back, and this is why.
  void expect_rolled_back(const std::string& why) {
    renew();
    ASSERT_TRUE(run(world, 30min));
    EXPECT_EQ(status().phase, api::Phase::kRolledBack) << reason() << ": " << message();
    EXPECT_EQ(world.uploaded_serials, (std::vector<std::string>{"serial1", "serial2", "serial1"}));
    ASSERT_FALSE(status().history.empty());
    EXPECT_EQ(status().history.front().result, RevisionResult::kRolledBack);
    EXPECT_THAT(status().history.front().message, HasSubstr(why));
  }
};

TEST_F(Witnesses, APeerThatLacksTheRootStopsThePushUntilItHasIt) {
  world.bundles["sbc-roots"] = "another root";
  let_in("sbc-roots");
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(reason(), "PeerDoesNotTrust");
  EXPECT_THAT(message(), HasSubstr("sbc-1: among its roots is none of this CA (Secret sbc-roots, key ca.crt)"));
  EXPECT_EQ(world.tried_uploads, 0);
  EXPECT_EQ(status().phase, api::Phase::kWaiting);
  world.bundles["sbc-roots"] = kSimulatedRoot;
  ASSERT_TRUE(run(world, 5min)) << "nobody need tell: it is asked again";
  EXPECT_EQ(status().phase, api::Phase::kReady);
  EXPECT_EQ(world.uploads, 1);
  EXPECT_EQ(world.orders, 1);
}

TEST_F(Witnesses, ABundleThatCannotBeReadIsWaitedForAndIsNoStall) {
  let_in("no-such-secret");
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(reason(), "PeersNotJudged");
  EXPECT_EQ(api::find(status().conditions, api::condition::kStalled), nullptr);
  EXPECT_EQ(world.tried_uploads, 0);
  world.bundles["no-such-secret"] = "";  // there, and no root in it
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(reason(), "PeersNotJudged");
  EXPECT_EQ(world.tried_uploads, 0);
  let_in("roots");
  ASSERT_TRUE(run(world, 5min));
  EXPECT_EQ(status().phase, api::Phase::kReady);
}

TEST_F(Witnesses, WhatTheVendorsParserRefusesIsNotPushed) {
  first_certificate();
  EXPECT_EQ(world.parser_calls, 1);
  world.unparsable_serials = {"serial2"};
  renew();
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(std::ranges::count(world.events, "VendorRefusesChain", &World::Event::reason), 1);
  EXPECT_EQ(world.uploaded_serials, (std::vector<std::string>{"serial1"}));
  EXPECT_EQ(world.parser_calls, 2);
  EXPECT_EQ(reason(), "VendorRefusesChain");
  EXPECT_EQ(world.orders, 2);
  world.unparsable_serials.clear();
  ASSERT_TRUE(run(world, 2h));
  EXPECT_EQ(world.uploaded_serials, (std::vector<std::string>{"serial1", "serial2"})) << "asked again";
  EXPECT_EQ(world.orders, 2);
}

TEST_F(Witnesses, AnApiWithoutTheParserIsAskedOnceAChainAndDoneWithout) {
  world.parser_error = Error{.kind = ErrorKind::kNotFound, .what = "404"};
  first_certificate();
  EXPECT_EQ(world.parser_calls, 1);
  world.parser_error->kind = ErrorKind::kForbidden;
  renew();
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(status().revision, 2);
  EXPECT_EQ(world.parser_calls, 2);
}

TEST_F(Witnesses, AParserThatIsNotReachedStopsNothing) {
  world.parser_error = Error{.kind = ErrorKind::kUnavailable, .what = "503"};
  first_certificate();
  EXPECT_EQ(world.uploads, 1);
}

TEST_F(Witnesses, NoPeerStopsARollback) {
  let_in("roots");
  first_certificate();
  world.bad_serials = {"serial2"};
  world.moments.after = [this] { world.bundles["roots"] = "another root"; };  // as soon as the next one is on the Edge
  expect_rolled_back("SIP_DOWN");
}

// The bundle is the CA's too, so it is the peers' alone that changes.
TEST_F(Witnesses, APeerThatCouldAndCannotRollsBack) {
  world.bundles["sbc-roots"] = kSimulatedRoot;
  let_in("sbc-roots");
  first_certificate();
  world.moments.after = [this] { world.bundles["sbc-roots"] = "another root"; };
  expect_rolled_back("peer sbc-1 cannot complete a handshake any more: among its roots is none of this CA");
  EXPECT_THAT(status().history.front().evidence, HasSubstr("peers: 0 accept, refused by sbc-1"));
}

TEST_F(Witnesses, ATrunkThatGoesDownRollsBackWhateverTheStatusSays) {
  first_certificate();
  EXPECT_EQ(status().history.front().evidence, "status OK, SIP_UP; port: serial serial1, chain of 2; trunks: 1 up");
  world.trunk_breakers = {"serial2"};
  expect_rolled_back("trunk SBC to sbc.example went down: no answer");
  EXPECT_EQ(status().history.front().evidence,
            "status OK, SIP_UP; port: serial serial2, chain of 2; trunks: 0 up, 1 down (SBC)");
}

TEST_F(Witnesses, ATrunkThatWasDownBeforeIsNoEvidence) {
  first_certificate();
  world.trunk_breakers = {"serial1", "serial2"};
  renew();
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(status().phase, api::Phase::kReady);
  EXPECT_EQ(status().revision, 2);
}

TEST_F(Witnesses, TrunksThatCannotBeListedProveNothingAndRollNothingBack) {
  first_certificate();
  world.moments.after = [this] { world.trunks_unlisted = true; };
  renew();
  ASSERT_TRUE(run(world, 20min));
  EXPECT_EQ(status().phase, api::Phase::kObserving);
  EXPECT_EQ(reason(), "VerdictUnavailable");
  EXPECT_THAT(message(), HasSubstr("the trunks could not be listed"));
  EXPECT_EQ(world.uploads, 2);
  world.trunks_unlisted = false;
  ASSERT_TRUE(run(world, 5min));
  EXPECT_EQ(status().phase, api::Phase::kReady);
  EXPECT_EQ(status().revision, 2);
}

TEST_F(Witnesses, TrunksThatCouldNotBeListedBeforeAreNotMissed) {
  world.trunks_unlisted = true;
  first_certificate();
  renew();
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(status().revision, 2);
}

TEST_F(Witnesses, OptionsThatAreNotAnsweredAnyMoreRollBack) {
  world.change_edge([](api::Edge& edge) { edge.spec.sip.probe = api::SipProbe::kOptions; });
  first_certificate();
  EXPECT_THAT(status().history.front().evidence, HasSubstr("OPTIONS 200"));
  world.mute_serials = {"serial2"};
  expect_rolled_back("SIP OPTIONS are not answered any more: it answers 503");
}

TEST_F(Witnesses, OptionsAreNotAskedForWhereNobodyWantsThem) {
  first_certificate();
  world.mute_serials = {"serial2"};
  renew();
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(status().revision, 2);
}

// --- the look itself

TEST_F(Witnesses, ALookThatHasTakenLongAsksForNoMore) {
  let_in("roots");
  world.status_takes = 10s + 1ms;
  ASSERT_TRUE(run(world, 20min));
  ASSERT_EQ(status().phase, api::Phase::kReady);
  EXPECT_EQ(status().history.front().evidence,
            "status OK, SIP_UP; port: serial serial1, chain of 2; peers: 0 accept, unknown: sbc-1; trunks not listed");
  world.status_takes = 10s;
  renew();
  ASSERT_TRUE(run(world, 20min));
  ASSERT_EQ(status().revision, 2);
  EXPECT_THAT(status().history.front().evidence, HasSubstr("peers: 1 accept; trunks: 1 up"));
}

TEST_F(Witnesses, PeersThatShakeHandsInTheSameMannerShareOneHandshake) {
  const api::CaBundleRef roots{.name = "roots", .key = "ca.crt"};
  world.change_edge([&](api::Edge& edge) {
    edge.spec.sip.peers = {{.name = "as we do", .trust_bundle_ref = roots},
                           {.name = "by name", .server_name = "Voice.example.com", .trust_bundle_ref = roots},
                           {.name = "by the same name", .server_name = "voice.example.com", .trust_bundle_ref = roots},
                           {.name = "modern",
                            .server_name = "voice.example.com",
                            .trust_bundle_ref = roots,
                            .min_version = api::TlsVersion::kTls13}};
  });
  first_certificate();
  EXPECT_THAT(status().history.front().evidence, HasSubstr("peers: 4 accept"));
  ASSERT_GE(world.handshakes.size(), 3U);
  const auto last = world.handshakes.end() - 3;  // of the look that proved it
  EXPECT_EQ(last[0].server_name, "") << "our own";
  EXPECT_EQ(last[1].server_name, "voice.example.com");
  EXPECT_EQ(last[1].oldest, ports::TlsVersion::kTls12);
  EXPECT_EQ(last[2].server_name, "voice.example.com");
  EXPECT_EQ(last[2].oldest, ports::TlsVersion::kTls13);
}

TEST_F(Witnesses, NobodyShakesHandsWhereThePortIsNotLookedAt) {
  first_certificate();
  world.handshakes.clear();
  world.change_edge([](api::Edge& edge) {
    edge.spec.sip.probe = api::SipProbe::kNone;
    edge.spec.sip.peers = {{.name = "sbc-1", .trust_bundle_ref = {.name = "roots", .key = "ca.crt"}}};
  });
  renew();
  ASSERT_TRUE(run(world, 20min));
  ASSERT_EQ(status().revision, 2);
  EXPECT_TRUE(world.handshakes.empty());
  EXPECT_THAT(status().history.front().evidence, HasSubstr("peers: 0 accept, unknown: sbc-1"));
}

// --- the site

struct Site : Witnesses {
  void SetUp() override {
    world.change_edge([](api::Edge& edge) { edge.spec.site = "ny"; });
    first_certificate();
    neighbour(api::Truth::kTrue);
    world.bad_serials = {"serial2"};
    world.moments.after = [this] { neighbour(api::Truth::kFalse); };
  }
  void neighbour(api::Truth healthy) {
    api::Edge edge = *world.edges.get({"voice", "edge01"});
    edge.meta.name = "edge02";
    edge.meta.uid = "uid-edge02";
    edge.spec.site = "ny";
    edge.status = {};
    api::set(edge.status.conditions,
             {.type = std::string(api::condition::kSipHealthy), .status = healthy, .reason = "Said", .message = "said"},
             world.clock.now());
    world.edges.put(edge);
  }
};

TEST_F(Site, AnOutageOfItIsNoVerdictAndTheEdgeComesBackWithIt) {
  renew();
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(status().phase, api::Phase::kObserving);
  EXPECT_EQ(reason(), "SiteWideFailure");
  EXPECT_THAT(message(), HasSubstr("1 of 1 other Edges of site ny went down too, and nobody touched them: edge02"));
  EXPECT_EQ(world.uploads, 2);
  EXPECT_FALSE(status().failures);
  world.bad_serials.clear();
  neighbour(api::Truth::kTrue);
  ASSERT_TRUE(run(world, 5min));
  EXPECT_EQ(status().phase, api::Phase::kReady);
  EXPECT_EQ(status().revision, 2);
}

TEST_F(Site, AnEdgeThatStaysDownAfterItIsRolledBack) {
  renew();
  ASSERT_TRUE(run(world, 10min));
  ASSERT_EQ(reason(), "SiteWideFailure");
  neighbour(api::Truth::kTrue);
  ASSERT_TRUE(run(world, 5min));
  EXPECT_EQ(status().phase, api::Phase::kRolledBack);
  EXPECT_EQ(installed(), "serial1");
}

TEST_F(Site, AnEdgeThatIsDeliveredToItselfIsNoMeasure) {
  api::EdgeCertificate other = *world.certificates.get({"voice", "edge01"});
  other.meta.name = "edge02";
  other.meta.uid = "uid-other";
  other.spec.edge_ref.name = "edge02";
  other.status.delivery = api::DeliveryStatus{.revision = 1, .started_at = world.clock.now()};
  world.certificates.put(other);
  expect_rolled_back("SIP_DOWN");
}

TEST_F(Site, AnotherSiteIsNoMeasure) {
  world.change_edge([](api::Edge& edge) { edge.spec.site = "la"; });
  expect_rolled_back("SIP_DOWN");
}

TEST_F(Site, JudgeMeansAlone) {
  api::RotationPolicy policy = *world.policies.get({"voice", "default"});
  policy.spec.observe->on_site_wide_failure = api::SiteWideFailure::kJudge;
  world.policies.put(policy);
  expect_rolled_back("SIP_DOWN");
}

// --- the Edge's own object

struct PeersCondition : Witnesses {
  reconcile::World ports = world.ports();
  reconcile::FleetListings listings{ports};
  reconcile::EdgeReconciler edges{ports, listings};

  std::string said() {
    EXPECT_FALSE(edges.reconcile({"voice", "edge01"}, {}).error);
    const auto edge = world.edges.get({"voice", "edge01"});
    const auto* found = api::find(edge->status.conditions, api::condition::kPeersTrustChain);
    if (found == nullptr) return "absent";
    const char* truth = found->status == api::Truth::kTrue    ? "True"
                        : found->status == api::Truth::kFalse ? "False"
                                                              : "Unknown";
    return std::string(truth) + "/" + found->reason;
  }
};

TEST_F(PeersCondition, IsAboutWhatTheEdgeServesElseAboutWhatWaits) {
  EXPECT_EQ(said(), "absent");
  let_in("roots");
  EXPECT_EQ(said(), "Unknown/NotServed");
  first_certificate();
  EXPECT_EQ(said(), "True/Trusted");
  let_in("sbc-roots");
  EXPECT_EQ(said(), "Unknown/PeersNotJudged");
  world.bundles["sbc-roots"] = "another root";
  EXPECT_EQ(said(), "False/PeerDoesNotTrust");
  world.bundles["sbc-roots"] = kSimulatedRoot;
  EXPECT_EQ(said(), "True/Trusted");
  let_in("roots-to-come");
  renew();
  ASSERT_TRUE(run(world, 5min));
  EXPECT_EQ(said(), "Unknown/PeersNotJudged");
  world.bundles["roots-to-come"] = "another root";
  ASSERT_TRUE(run(world, 5min));
  ASSERT_EQ(reason(), "PeerDoesNotTrust");
  EXPECT_EQ(said(), "False/PeerDoesNotTrust");
  const auto edge = world.edges.get({"voice", "edge01"});
  EXPECT_THAT(api::find(edge->status.conditions, api::condition::kPeersTrustChain)->message,
              HasSubstr("nothing is pushed while a peer of Edge edge01 would refuse the chain of revision 2"));
  world.change_edge([](api::Edge& changed) { changed.spec.sip.peers.clear(); });
  EXPECT_EQ(said(), "absent");
}

// --- the 729 scripts

// Six looks, an interval of 10 s apart; settle 20 s, period 20 s, failAfter 2. As docs/states.md tells it: from left to
// right, unknown looks passed over.
std::string told_by_states_md(const std::string& script) {
  int bad_in_row = 0;
  int good_gaps = 0;
  for (std::size_t i = 0; i < script.size(); ++i) {
    const bool settled = i >= 2;
    if (script[i] == 'g') {
      bad_in_row = 0;
      if (i > 0 && script[i - 1] == 'g') ++good_gaps;
      if (settled && good_gaps >= 2) return "proved";
    }
    if (script[i] == 'b') {
      ++bad_in_row;
      good_gaps = 0;
      if (settled && bad_in_row >= 2) return "rolled back";
    }
  }
  return "watched";
}

TEST(Scripts, EachOfThe729EndsAsItShould) {
  std::map<std::string, int> count;
  for (int number = 0; number < 729; ++number) {
    std::string script;
    for (int rest = number, i = 0; i < 6; ++i, rest /= 3) script += "gbu"[rest % 3];
    World world;
    api::RotationPolicy policy = *world.policies.get({"voice", "default"});
    policy.spec.observe = api::Observe{.settle = 20s, .period = 20s, .interval = 10s, .fail_after = 2};
    world.policies.put(policy);
    ASSERT_TRUE(run(world, 10min));
    world.scripted_serial = "serial2";
    world.script = script;
    api::EdgeCertificate changed = *world.certificates.get({"voice", "edge01"});
    changed.meta.annotations[std::string(api::kRenewRequestedAt)] = "now";
    world.certificates.put(changed);
    ASSERT_TRUE(run(world, 2min));
    const auto& status = world.certificates.get({"voice", "edge01"})->status;
    const std::string found = status.phase == api::Phase::kReady        ? "proved"
                              : status.phase == api::Phase::kRolledBack ? "rolled back"
                              : status.phase == api::Phase::kObserving  ? "watched"
                                                                        : "something else";
    ASSERT_EQ(found, told_by_states_md(script)) << script;
    ASSERT_EQ(world.uploads, found == "rolled back" ? 3 : 2) << script;
    ++count[found];
  }
  EXPECT_EQ(count.size(), 3U);
}

}  // namespace
}  // namespace edgetrust::simulation
