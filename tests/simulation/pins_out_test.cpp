// The engines of pins where an Edge is out, or about to be: whose file refuses what it is presented, who leaves while
// the endpoint changes, what hangs, and what nobody can be asked. None of them is held for ever, or kept out by what
// was meant to guard it.
#include "simulation/enforced_pins.hpp"

namespace edgetrust::simulation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct PinsOut : testing::Test, Enforced {
  void observe_everywhere(int confirmations = 2) {
    put_policy([&](auto& spec) {
      spec.observe_from = {api::PinVantage::kOperator, api::PinVantage::kEdge};
      spec.rotation.confirmations = confirmations;
    });
  }
  [[nodiscard]] std::string current() const {
    std::string origins;
    for (const auto& pin : policies.get({"voice", "cloud"})->status.current)
      origins += pin.origin == api::PinOrigin::kHandshake ? "H" : "";
    return origins;
  }
  void make_canary(const std::string& name) {
    change_policy_of_rotation([](auto& spec) {
      spec.waves = {{.name = "canary", .edge_selector = {.match_labels = {{"wave", "0"}}}, .soak = 2h}};
    });
    change_edge(name, [](api::Edge& edge) { edge.meta.labels["wave"] = "0"; });
  }
  void override_for(std::chrono::seconds time) {
    put_policy([&](auto& spec) {
      spec.emergency_override =
          api::EmergencyOverride{.disable_pinning = true, .until = world.clock.now() + time, .reason = "INC-1"};
    });
  }
};

const Error kNoAnswer{.kind = ErrorKind::kTimeout, .what = "no answer in time"};
const Error kUnreached{
    .kind = ErrorKind::kUnavailable, .what = "refused", .code = std::string(ports::kEndpointUnreached)};

// --- a file that is known to refuse

TEST_F(PinsOut, NobodyGoesBackToTheFileThatKeptItOut) {
  observe_everywhere();
  run(60s);
  close_the_window(*this);
  machine().comes_up_after = 20s;
  endpoint.leaf = 'b';
  run_until_restarted();
  machine().endpoint_out = kUnreached;  // for longer than a proof may take
  run(5min);
  EXPECT_EQ(machine().pins(), "abz");
  EXPECT_EQ(events("PinsRolledBack"), 0);
  machine().endpoint_out.reset();
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().restarts, 2);
}

TEST_F(PinsOut, AnEdgeThatIsOutIsNotHeldByAHalt) {
  observe_everywhere();
  run(60s);
  for (const char* name : {"edge02", "edge03"}) {
    add_edge(name);
    machine(name).broken_when_pinned = true;
  }
  due.clear();
  run(10min);
  ASSERT_EQ(pins("edge03").state, EdgePinState::kRolledBack);
  endpoint.leaf = 'b';
  run(12min);
  EXPECT_EQ(machine().pins(), "abz") << pins().message;
}

// The clock of the operator, its roots, a link that one node leaves out: nobody knows what the chain has.
TEST_F(PinsOut, AChainThatDoesNotValidateIsNoRefusal) {
  pin_the_root(*this);
  run(60s);
  ASSERT_EQ(pins().state, EdgePinState::kMatched);
  endpoint.problem = "it has expired";
  run(11min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched) << pins().message;
  EXPECT_EQ(events("PinsRefuse"), 0);
}

// By the leaf alone it is known all the same.
TEST_F(PinsOut, ALeafThatNoPinAcceptsIsRefusedAlsoInAChainThatDoesNotValidate) {
  run(60s);
  ASSERT_EQ(pins().state, EdgePinState::kMatched);
  endpoint.problem = "\"Private CA\" is no known root";
  run(11min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched) << "its leaf is pinned";
  endpoint.leaf = 'b';
  run(11min);
  EXPECT_EQ(pins().state, EdgePinState::kRefusing) << pins().message;
  EXPECT_THAT(pins().message, HasSubstr("is no known root"));
  EXPECT_EQ(events("PinsRefuse"), 1);
  close_the_window(*this);
  remove(policies, "cloud");
  run(10min);
  EXPECT_EQ(machine().pins(), "") << "who is out does not wait for a window";
}

TEST_F(PinsOut, AServiceThatIsDownForItsFileGetsTheBetterOne) {
  observe_everywhere();
  run(60s);
  machine().broken_with = machine().file;
  endpoint.leaf = 'b';
  machine().start_service();
  run(6min);
  EXPECT_EQ(machine().pins(), "abz") << pins().message;
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
}

// --- leaving while the endpoint changes

TEST(PinsLeaving, WhoeverIsOutMeanwhileDoesNotWaitForItsWindow) {
  const std::vector<std::pair<const char*, std::function<void(Enforced&)>>> ways{
      {"the policy is deleted", [](Enforced& e) { e.remove(e.policies, "cloud"); }},
      {"the Edge is deleted", [](Enforced& e) { e.remove(e.world.edges, "edge01"); }},
      {"it is disabled", [](Enforced& e) { e.put_policy([](auto& spec) { spec.mode = api::PinMode::kDisabled; }); }},
  };
  for (const auto& [name, leave] : ways) {
    Enforced story;
    story.run(60s);
    close_the_window(story);
    leave(story);
    story.run(10min);
    ASSERT_EQ(story.machine().pins(), "az") << name;
    story.endpoint.leaf = 'b';
    story.run(10min);
    EXPECT_EQ(story.machine().pins(), "") << name;
    EXPECT_EQ(story.machine().restarts, 2) << name;
  }
}

// The CA is what it reaches the endpoint by, as long as its file pins.
TEST(PinsLeaving, TheCaGoesWithTheFileInTheWindow) {
  Enforced story;
  trust_proxy(story);
  story.machine().instead = '1';
  story.run(6min);
  ASSERT_THAT(story.machine().anchors, ElementsAre(hash(kProxyCa)));
  close_the_window(story);
  story.remove(story.policies, "cloud");
  story.run(30min);
  EXPECT_THAT(story.machine().anchors, ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(story.machine().restarts, 1);
  open_the_window(story);
  story.run(10min);
  EXPECT_EQ(story.machine().pins(), "");
  EXPECT_THAT(story.machine().anchors, IsEmpty());
}

TEST(PinsLeaving, WithoutItsPolicyTheWordOfTheCloudIsTaken) {
  Enforced story;
  story.run(60s);
  close_the_window(story);
  story.policies.erase({"voice", "cloud"});  // with its finalizer, by hand
  story.be_online(api::Truth::kTrue);
  story.run(10min);
  ASSERT_EQ(story.machine().pins(), "az");
  story.be_online(api::Truth::kFalse);
  story.run(2min);
  EXPECT_EQ(story.machine().pins(), "");
}

TEST(PinsLeaving, NeitherAHaltNorAWrongClockIsWaitedFor) {
  Enforced story;
  story.run(60s);
  for (const char* name : {"edge02", "edge03"}) {
    story.add_edge(name);
    story.machine(name).broken_when_pinned = true;
  }
  story.due.clear();
  story.run(10min);
  ASSERT_EQ(story.pins("edge03").state, EdgePinState::kRolledBack);
  story.machine().clock_offset = 1h;
  story.remove(story.policies, "cloud");
  story.run(6min);
  EXPECT_EQ(story.machine().pins(), "");
  EXPECT_FALSE(story.policies.get({"voice", "cloud"}));
}

TEST(PinsLeaving, AFileWhosePinsCannotBeReadIsSwitchedOffToo) {
  Enforced story;
  story.run(60s);
  // As the vendor's own sample has it: 20 octets.
  story.machine().file = R"({"certificatePinning": {"enabled": true, "algorithm": "SHA256", "fingerprint":
      "AB:CD:EF:12:34:56:78:90:AB:CD:EF:12:34:56:78:90:AB:CD:EF:12"}})";
  story.remove(story.policies, "cloud");
  story.run(6min);
  EXPECT_THAT(*story.machine().file, HasSubstr("\"enabled\": false"));
  EXPECT_EQ(story.machine().running, *story.machine().file);
  EXPECT_FALSE(story.policies.get({"voice", "cloud"}));
}

TEST(PinsLeaving, ACaThatCannotBeTakenOutIsSaid) {
  Enforced story;
  trust_proxy(story);
  story.run(6min);
  ASSERT_THAT(story.machine().anchors, ElementsAre(hash(kProxyCa)));
  story.machine().wrong["distrust"] = Error{.kind = ErrorKind::kUnavailable, .what = "exit status 77"};
  story.remove(story.policies, "cloud");
  story.run(12min);
  ASSERT_TRUE(story.policies.get({"voice", "cloud"}));
  EXPECT_EQ(story.machine().pins(), "");
  EXPECT_THAT(story.message(), HasSubstr("exit status 77"));
  story.machine().wrong.clear();
  story.run(6min);
  EXPECT_FALSE(story.policies.get({"voice", "cloud"}));
}

// --- while the operator sees nothing itself

TEST_F(PinsOut, NothingIsLearnedThroughAnIntermediary) {
  add_edge("edge02");
  trust_proxy(*this);
  run(6min);
  endpoint.silence = kNoAnswer;
  policy_engine->look_anew({"voice", "cloud"});
  for (auto& [name, machine] : machines.all) machine->instead = '1';
  run(20min);
  EXPECT_EQ(current(), "");
  EXPECT_EQ(events("UnannouncedChange") + events("PinLearned"), 0);
}

TEST_F(PinsOut, NothingIsLearnedThatTheOperatorDoesNotSeeTheEndpointFor) {
  add_edge("edge02");
  observe_everywhere();
  run(6min);
  endpoint.silence = kNoAnswer;
  policy_engine->look_anew({"voice", "cloud"});
  for (auto& [name, machine] : machines.all) machine->instead = 'q';  // a chain that validates, of whomever
  run(20min);
  EXPECT_EQ(current(), "");
  for (const auto& [name, machine] : machines.all) EXPECT_EQ(machine->pins(), "az") << name;
}

TEST_F(PinsOut, AnOverriddenEdgeIsAVantageStill) {
  observe_everywhere();
  run(60s);
  override_for(3h);
  run(2min);
  ASSERT_EQ(machine().pins(), "");
  endpoint.leaf = 'b';
  run(12min);
  EXPECT_EQ(events("UnannouncedChange"), 1);
  ASSERT_TRUE(pins().observed);
  EXPECT_EQ(pins().observed->fingerprint, colons('b'));
  run(3h);
  EXPECT_EQ(machine().pins(), "abz");
}

TEST_F(PinsOut, ThatNoNewLeafCanBeConfirmedIsSaidBeforeThereIsOne) {
  run(60s);
  ASSERT_EQ(said(api::condition::kReady), "+Ready");
  EXPECT_THAT(message(), HasSubstr("rotation.confirmations asks for 2 vantages, and there is 1"));
  observe_everywhere();
  run(60s);
  EXPECT_THAT(message(), Not(HasSubstr("rotation.confirmations")));
}

// --- what hangs

TEST_F(PinsOut, ATimerThatHangsHoldsNeitherSlotsNorCalls) {
  drain(*this);
  world.calls_last = 1min;
  machine().comes_up_after = 20s;
  run_until_restarted();
  machine().timer->at = TimePoint::max();
  for (const char* what : {"restore", "confirm"})
    machine().wrong[what] = Error{.kind = ErrorKind::kConflict, .what = "another script is at work"};
  run(8min);
  EXPECT_FALSE(pins().change);
  EXPECT_FALSE(pins().drain);
  EXPECT_TRUE(world.in_service);
  EXPECT_TRUE(slots_are_free());
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_THAT(pins().message, HasSubstr("has not come to its end"));
  machine().wrong.clear();
  machine().timer->at = machine().now;
  run(10min);
  EXPECT_FALSE(machine().file);
  EXPECT_EQ(pins().state, EdgePinState::kRolledBack);
}

TEST_F(PinsOut, WhatNobodyHasConfirmedIsUndoneThoughItsRecordIsLost) {
  machine().comes_up_after = 20s;
  run_until_restarted();
  machine().timer.reset();  // and its undo failed
  machine().broken_when_pinned = true;
  change_edge("edge01", [](api::Edge& edge) { edge.status.pins.reset(); });
  run(10min);
  EXPECT_FALSE(machine().file);
  EXPECT_TRUE(machine().is_up());
  EXPECT_EQ(pins().state, EdgePinState::kRolledBack);
}

TEST_F(PinsOut, AnEdgeIsNotKeptOutOfServiceForASetThatDoesNotCome) {
  drain(*this);
  world.calls_last = 2h;
  run(2min);
  ASSERT_FALSE(world.in_service);
  put_policy([](auto& spec) { spec.pins.static_pins = {"no pin"}; });
  run(8min);
  EXPECT_TRUE(world.in_service);
  EXPECT_FALSE(pins().drain);
  EXPECT_TRUE(slots_are_free());
}

TEST_F(PinsOut, AChangeGoesFirstThoughItsMachineMissesALook) {
  machine().comes_up_after = 20s;
  run_until_restarted();
  machine().silence = kNoAnswer;
  run(5s);
  ASSERT_EQ(pins().state, EdgePinState::kUnreachable);
  ASSERT_TRUE(pins().change);
  EXPECT_EQ(reconcile::rank_of(*world.edges.get({"voice", "edge01"})), runtime::Rank::kFirst);
}

TEST_F(PinsOut, ABrokenChronyKeepsNoCaThere) {
  trust_proxy(*this);
  run(6min);
  ASSERT_THAT(machine().anchors, ElementsAre(hash(kProxyCa)));
  machine().wrong["time servers"] = Error{.kind = ErrorKind::kUnavailable, .what = "506 Cannot talk to daemon"};
  put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; });
  run(kTrusted);
  EXPECT_THAT(machine().anchors, IsEmpty());
  EXPECT_THAT(pins().message, HasSubstr("506 Cannot talk to daemon"));
}

// --- restarts that are not needed

TEST_F(PinsOut, AMissedLookIsNoReasonForARestart) {
  put_policy([](api::PinPolicySpec& spec) {
    spec.pins.type = api::PinType::kPublicKey;
    spec.pins.match = api::PinMatch::kAnyInChain;
    spec.pins.static_pins = {colons('R'), colons('Z')};
  });
  run(60s);
  machine().silence = kNoAnswer;
  run(6min);
  ASSERT_EQ(pins().state, EdgePinState::kUnreachable);
  endpoint.leaf = 'b';
  machine().silence.reset();
  run(11min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().restarts, 1);
}

// --- waves

TEST_F(PinsOut, AChangeOfTheTlsAloneGoesInWavesToo) {
  add_edge("edge02");
  make_canary("edge02");
  run(3h);
  ASSERT_EQ(pins("edge01").state, EdgePinState::kMatched);
  put_policy([](auto& spec) { spec.tls.min_version = api::TlsVersion::kTls13; });
  run(60min);
  EXPECT_EQ(machine("edge02").restarts, 2);
  EXPECT_EQ(machine("edge01").restarts, 1);
  EXPECT_THAT(pins("edge01").message, HasSubstr("wave canary"));
  run(90min);
  EXPECT_EQ(machine("edge01").restarts, 2);
}

TEST_F(PinsOut, ACanaryThatIsGoneForGoodIsNotWaitedFor) {
  add_edge("edge02");
  make_canary("edge02");
  machine("edge02").silence = kNoAnswer;
  change_edge("edge02", [&](api::Edge& edge) {
    edge.status.conditions.push_back({.type = std::string(api::condition::kOnline),
                                      .status = api::Truth::kFalse,
                                      .last_transition_time = world.clock.now()});
  });
  run(6h);
  EXPECT_EQ(machine("edge01").changes, 0) << "it may come back";
  run(19h);
  EXPECT_EQ(pins("edge01").state, EdgePinState::kMatched);
}

TEST_F(PinsOut, ACanaryThatHasSoakedMayFallSilentAfterwards) {
  add_edge("edge02");
  make_canary("edge02");
  run(119min);
  ASSERT_EQ(pins("edge02").state, EdgePinState::kMatched);
  ASSERT_EQ(machine("edge01").changes, 0);
  machine("edge02").silence = kNoAnswer;
  run(20min);
  EXPECT_EQ(pins("edge01").state, EdgePinState::kMatched) << pins("edge01").message;
}

// It answers by SSH, and its service is not with the cloud any more: that may be the file's doing.
TEST_F(PinsOut, ACanaryThatTheCloudMissesHasNotSoaked) {
  add_edge("edge02");
  make_canary("edge02");
  run(10min);
  ASSERT_EQ(pins("edge02").state, EdgePinState::kMatched);
  change_edge("edge02", [&](api::Edge& edge) {
    edge.status.conditions.push_back({.type = std::string(api::condition::kOnline),
                                      .status = api::Truth::kFalse,
                                      .last_transition_time = world.clock.now()});
  });
  run(4h);
  EXPECT_EQ(machine("edge01").changes, 0);
}

TEST_F(PinsOut, ACanaryThatHasLostTheFileHasNotSoaked) {
  add_edge("edge02");
  make_canary("edge02");
  run(10min);
  ASSERT_EQ(pins("edge02").state, EdgePinState::kMatched);
  machine("edge02").file.reset();  // a software update
  machine("edge02").disk = Error{.kind = ErrorKind::kInvalid, .what = "the disk is read-only"};
  run(4h);
  ASSERT_NE(pins("edge02").state, EdgePinState::kMatched);
  EXPECT_EQ(machine("edge01").changes, 0);
}

}  // namespace
}  // namespace edgetrust::simulation
