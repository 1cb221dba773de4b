// The engines of pins in Enforce, with the machines of Edges: a first pin, changes of the endpoint, what stops a
// change, and leaving Enforce; crashed at every change of the world. Whatever happens, no Edge is locked out by the
// operator.
#include "simulation/enforced_pins.hpp"

namespace edgetrust::simulation {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

struct PinsEnforced : testing::Test, Enforced {};

// --- what is done

TEST_F(PinsEnforced, TheFirstPinTakesOneRestart) {
  run(60s);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().pins(), "az");
  EXPECT_EQ(machine().running, *machine().file);
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_EQ(machine().failed_handshakes, 0);
  EXPECT_FALSE(machine().timer);
  EXPECT_TRUE(pins().enforced);
  EXPECT_TRUE(is_held());
  EXPECT_TRUE(policy_is_held());
  EXPECT_FALSE(pins().slots);
  EXPECT_TRUE(slots_are_free());
  EXPECT_EQ(said(api::condition::kReady), "+Ready");
  EXPECT_EQ(said(api::condition::kIntercepted), "-NotIntercepted");
  EXPECT_EQ(policies.get({"voice", "cloud"})->status.matched_of_total, "1/1");
  EXPECT_EQ(events("PinsApplied"), 1);
}

TEST_F(PinsEnforced, WhenNothingChangesNothingIsWritten) {
  run(60s);
  const int before = world.moments.count();
  const int looks = machine().looks;
  run(50min);
  EXPECT_EQ(world.moments.count(), before);
  EXPECT_EQ(machine().looks, looks + 10) << "one look an interval";
  start();
  run(10s);
  EXPECT_EQ(world.moments.count(), before) << "nor after a start";
}

TEST_F(PinsEnforced, ReportOnlyOnlySays) {
  put_policy([](auto& spec) { spec.mode = api::PinMode::kReportOnly; });
  run(60s);
  EXPECT_EQ(pins().state, EdgePinState::kDrifted);
  EXPECT_EQ(machine().changes, 0);
  EXPECT_FALSE(is_held());
  EXPECT_FALSE(policy_is_held());
}

TEST_F(PinsEnforced, AnAnnouncedRotationFailsNoHandshake) {
  endpoint.announcement = ports::PinAnnouncement{.certificate_sha256 = hash('a'), .next_certificate_sha256 = {}};
  run(60s);
  endpoint.announcement->next_certificate_sha256 = hash('b');
  run(6min);
  EXPECT_EQ(machine().pins(), "abz");
  endpoint.leaf = 'b';
  endpoint.announcement = ports::PinAnnouncement{.certificate_sha256 = hash('b'), .next_certificate_sha256 = {}};
  run(12min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().failed_handshakes, 0);
  EXPECT_EQ(events("PinsRolledBack"), 0);
}

// Seen by operator and Edge, it is learned; the Edge is out already, and its window is not waited for.
TEST_F(PinsEnforced, AnUnannouncedRotationIsConfirmedByTheEdgeAndDoesNotWait) {
  put_policy([](auto& spec) { spec.observe_from = {api::PinVantage::kOperator, api::PinVantage::kEdge}; });
  run(60s);
  change_policy_of_rotation([](auto& spec) { spec.windows = {{.start = "03:00", .duration = 1h, .days = {}}}; });
  endpoint.leaf = 'b';
  run(12min);
  EXPECT_EQ(events("UnannouncedChange"), 1);
  EXPECT_EQ(machine().pins(), "abz");
  EXPECT_EQ(machine().restarts, 2);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_TRUE(machine().accepts('b'));
}

void let_the_leaf_change(Enforced& story) {
  story.put_policy([](auto& spec) { spec.observe_from = {api::PinVantage::kOperator, api::PinVantage::kEdge}; });
  story.run(60s);
  story.endpoint.leaf = 'b';
}

TEST_F(PinsEnforced, AnEdgeThatIsOutWaitsForTheEndOfAFreeze) {
  let_the_leaf_change(*this);
  const TimePoint now = world.clock.now();
  change_policy_of_rotation(
      [&](auto& spec) { spec.freezes = {{.name = "sale", .from = now, .to = now + 1h, .reason = ""}}; });
  run(30min);
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_THAT(pins().message, HasSubstr("freeze sale"));
}

TEST_F(PinsEnforced, EdgesThatAreOutGoOneOfASiteAtATime) {
  change_policy_of_rotation(
      [](auto& spec) { spec.budget = api::Budget{.max_concurrent = 8, .max_concurrent_per_site = 8}; });
  for (int i = 2; i <= 4; ++i) add_edge("edge0" + std::to_string(i));
  run(5min);
  let_the_leaf_change(*this);
  close_the_window(*this);
  at_once = 0;
  run(15min);
  for (const auto& [name, machine] : machines.all) EXPECT_TRUE(machine->accepts('b')) << name;
  EXPECT_EQ(at_once, 1);
  EXPECT_TRUE(slots_are_free());
}

TEST_F(PinsEnforced, AnEdgeThatTheCloudSeesIsNotOut) {
  let_the_leaf_change(*this);
  close_the_window(*this);
  be_online(api::Truth::kTrue);
  run(12min);
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_THAT(pins().message, HasSubstr("03:00"));
  be_online(api::Truth::kFalse);
  run(2min);
  EXPECT_EQ(machine().restarts, 2);
}

TEST_F(PinsEnforced, ASpecThatNamesAnotherEndpointIsNoReasonToHurry) {
  run(60s);
  close_the_window(*this);
  endpoint.leaf = 'b';
  put_policy([](auto& spec) {
    spec.endpoint.port = 8443;
    spec.pins.static_pins = {colons('b'), colons('z')};
  });
  run(30min);
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_THAT(pins().message, HasSubstr("03:00"));
}

TEST_F(PinsEnforced, AnUnconfirmedRotationIsNeverInstalled) {
  run(60s);
  endpoint.leaf = 'b';
  run(30min);
  EXPECT_EQ(machine().pins(), "az");
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_EQ(said(api::condition::kReady), "-Unconfirmed");
  EXPECT_EQ(pins().state, EdgePinState::kRefusing);
  EXPECT_THAT(pins().message, HasSubstr("no pin accepts what the endpoint presents"));
  EXPECT_EQ(policies.get({"voice", "cloud"})->status.summary->refusing, 1);
  EXPECT_EQ(policies.get({"voice", "cloud"})->status.matched_of_total, "0/1");
  EXPECT_EQ(events("PinsRefuse"), 1);
}

TEST_F(PinsEnforced, AnEndpointWithTwoLeavesCostsOneRestart) {
  put_policy([](auto& spec) { spec.pins.static_pins = {colons('a'), colons('b'), colons('z')}; });
  run(60s);
  for (int i = 0; i < 12; ++i) {
    endpoint.leaf = endpoint.leaf == 'a' ? 'b' : 'a';
    run(5min);
  }
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().restarts, 1);
}

TEST_F(PinsEnforced, ANewLeafUnderAPinnedRootCostsNoRestart) {
  pin_the_root(*this);
  run(60s);
  const std::string file = machine().file.value_or("");
  endpoint.leaf = 'b';
  run(11min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().restarts, 1);
  machine().file = std::string(file).replace(file.find("fingerprint"), 11, "fingerprinX");
  run(6min);
  EXPECT_THAT(*machine().file, HasSubstr(to_colon_hex(std::string(32, 'b'))))
      << "what somebody has edited is put right";
}

TEST_F(PinsEnforced, DriftIsRepaired) {
  run(60s);
  machine().file.reset();  // a software update
  run(6min);
  EXPECT_EQ(machine().pins(), "az");
  EXPECT_EQ(machine().restarts, 2);
  machine().is_private = false;
  run(6min);
  EXPECT_TRUE(machine().is_private);
  EXPECT_EQ(machine().restarts, 2) << "nobody has to read it anew";
}

TEST_F(PinsEnforced, WhatSomebodyElsePutThereIsKept) {
  machine().file = R"({"vendor": {"key": 1}, "certificatePinning": {"other": "x"}})";
  run(60s);
  EXPECT_EQ(machine().pins(), "az");
  EXPECT_THAT(*machine().file, HasSubstr("\"vendor\""));
  EXPECT_THAT(*machine().file, HasSubstr("\"other\""));
}

// --- a trusted intermediary

TEST_F(PinsEnforced, ATrustedIntermediaryIsAcceptedUntilItsDate) {
  machine().instead = '1';
  run(6min);
  ASSERT_EQ(pins().state, EdgePinState::kIntercepted);
  trust_proxy(*this);
  run(6min);
  EXPECT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_THAT(machine().file.value_or(""), HasSubstr(colons('P'))) << "its key";
  EXPECT_EQ(pins().state, EdgePinState::kMatched) << pins().message;
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_EQ(events("UnannouncedChange") + events("PinLearned"), 0) << "nothing is learned through it";
  EXPECT_EQ(events("PinsRolledBack"), 0);
  machine().anchors.clear();
  run(6min);
  EXPECT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(machine().restarts, 1) << "the service has read it";
  machine().anchors.clear();  // a software update, which starts the service anew
  machine().start_service();
  run(6min);
  EXPECT_THAT(machine().trusted, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(machine().restarts, 2);

  machine().instead.reset();
  run(kTrusted);
  EXPECT_THAT(machine().anchors, IsEmpty());
  EXPECT_EQ(machine().pins(), "az");
  EXPECT_THAT(*machine().file, testing::Not(HasSubstr(colons('P'))));
  EXPECT_EQ(machine().restarts, 3);
}

TEST_F(PinsEnforced, TheCaOfAProxyThatComesLaterIsThereBeforeTheRestart) {
  run(60s);
  machine().instead = '1';
  run(6min);
  ASSERT_EQ(pins().state, EdgePinState::kIntercepted);
  trust_proxy(*this);
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched) << pins().message;
  EXPECT_THAT(machine().trusted, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(machine().restarts, 2);
}

TEST_F(PinsEnforced, ACaThatCannotBePutThereIsSaidAndKeepsNoPinFromAnEdgeThatRefuses) {
  for (const ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kInvalid}) {
    Enforced story;
    story.run(60s);
    story.machine().instead = '1';
    story.run(6min);
    story.machine().wrong["trust"] = Error{.kind = kind, .what = "the disk is full"};
    trust_proxy(story);
    story.run(11min);
    EXPECT_THAT(story.machine().file.value_or(""), HasSubstr(colons('P')));
    EXPECT_EQ(story.pins().state, EdgePinState::kBlocked);
    EXPECT_THAT(story.pins().message, HasSubstr("the disk is full"));
    EXPECT_EQ(story.machine().restarts, 2);
    story.machine().wrong.clear();
    story.run(11min);
    EXPECT_THAT(story.machine().trusted, testing::ElementsAre(hash(kProxyCa))) << "it is started anew for it";
    EXPECT_EQ(story.machine().restarts, 3);
    EXPECT_EQ(story.pins().message, "the file is as it should be");
  }
}

void trust_in_vain(Enforced& story) {
  story.run(60s);
  story.machine().instead = '1';
  story.run(6min);
  story.machine().wrong["trust"] = Error{.kind = ErrorKind::kInvalid, .what = "exit status 77"};
  trust_proxy(story);
  story.run(11min);
  ASSERT_THAT(story.machine().file.value_or(""), HasSubstr(colons('P')));
  ASSERT_THAT(story.machine().trusted, IsEmpty());
}

TEST_F(PinsEnforced, TheRestartForACaThatComesLateIsOneLikeAnyOther) {
  trust_in_vain(*this);
  be_online(api::Truth::kTrue);
  close_the_window(*this);
  machine().wrong.clear();
  run(11min);
  EXPECT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(machine().restarts, 2);
  EXPECT_EQ(pins().state, EdgePinState::kDrifted);
  EXPECT_THAT(pins().message, HasSubstr("has not read the CA of a trusted intermediary"));
  EXPECT_THAT(pins().message, HasSubstr("03:00"));
  be_online(api::Truth::kFalse);
  run(6min);
  EXPECT_THAT(machine().trusted, testing::ElementsAre(hash(kProxyCa))) << "who is out waits for no window";
  EXPECT_EQ(pins().state, EdgePinState::kMatched) << pins().message;
  EXPECT_EQ(pins().restarts.size(), machine().restarts_within(1h));
  EXPECT_TRUE(slots_are_free());
}

// Somebody else may have put the CA there before.
TEST_F(PinsEnforced, AFirstPinBehindAProxyWaitsForItsWindow) {
  close_the_window(*this);
  machine().instead = '1';
  trust_proxy(*this);
  run(11min);
  EXPECT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(machine().restarts, 0);
  EXPECT_THAT(pins().message, HasSubstr("03:00"));
}

TEST_F(PinsEnforced, TheRestartForACaIsOneOfThreeAnHour) {
  trust_in_vain(*this);
  machine().wrong.clear();
  change_edge("edge01", [&](api::Edge& edge) {
    edge.status.pins->restarts = {world.clock.now() - 3s, world.clock.now() - 2s, world.clock.now() - 1s};
  });
  run(30min);
  EXPECT_EQ(machine().restarts, 2);
  EXPECT_THAT(pins().message, HasSubstr("too often this hour"));
  run(40min);
  EXPECT_THAT(machine().trusted, testing::ElementsAre(hash(kProxyCa)));
}

TEST_F(PinsEnforced, ARestartForACaThatFailsIsSaidAndTakesNothingBack) {
  trust_in_vain(*this);
  machine().wrong = {{"restart", Error{.kind = ErrorKind::kUnavailable, .what = "exit status 71"}}};
  for (int i = 0; i < 600 && (pins().change || pins().message.find("exit status 71") == std::string::npos); ++i)
    run(1s);
  EXPECT_THAT(pins().message, HasSubstr("exit status 71"));
  EXPECT_THAT(machine().file.value_or(""), HasSubstr(colons('P')));
  EXPECT_EQ(events("PinsRolledBack"), 0);
  machine().wrong.clear();
  run(70min);
  EXPECT_THAT(machine().trusted, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(machine().restarts, 3);
  EXPECT_TRUE(slots_are_free());
}

TEST_F(PinsEnforced, ACaThatCannotBeReadChangesNothing) {
  trust_proxy(*this);
  run(6min);
  ASSERT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  world.bundles.clear();
  policy_engine->look_anew({"voice", "cloud"});
  run(20min);
  EXPECT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_EQ(said(api::condition::kReady), "-NotEnforceable");
  EXPECT_THAT(message(), HasSubstr("dc-proxy"));
}

TEST_F(PinsEnforced, AnOverrideWaitsForNoClock) {
  run(60s);
  ASSERT_EQ(machine().pins(), "az");
  machine().clock_offset = 1h;
  put_policy([&](auto& spec) {
    spec.emergency_override =
        api::EmergencyOverride{.disable_pinning = true, .until = world.clock.now() + kTrusted, .reason = "INC-1"};
  });
  run(60s);
  EXPECT_EQ(machine().pins(), "");
}

void override_pinning(Enforced& story) {
  story.put_policy([&](auto& spec) {
    spec.emergency_override =
        api::EmergencyOverride{.disable_pinning = true, .until = story.world.clock.now() + kTrusted, .reason = "INC-1"};
  });
}

// What it needs besides its file is nothing to a file that pins nothing.
TEST(PinsNotes, WhatItsMachineCannotDoKeepsNobodyPinned) {
  const std::vector<std::pair<const char*, std::function<void(Enforced&)>>> needs{
      {"trust", [](Enforced& e) { trust_proxy(e); }},
      {"time servers",
       [](Enforced& e) { e.put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; }); }},
  };
  const std::vector<std::pair<const char*, std::function<void(Enforced&)>>> ways{
      {"an override", override_pinning},
      {"the policy is deleted", [](Enforced& e) { e.remove(e.policies, "cloud"); }},
      {"the mode is another",
       [](Enforced& e) { e.put_policy([](auto& spec) { spec.mode = api::PinMode::kReportOnly; }); }},
  };
  for (const ErrorKind kind : {ErrorKind::kInvalid, ErrorKind::kUnavailable}) {
    for (const auto& [what, need] : needs) {
      for (const auto& [name, end_pinning] : ways) {
        Enforced story;
        story.run(60s);
        story.machine().wrong[what] = Error{.kind = kind, .what = "exit status 78"};
        need(story);
        story.run(20s);
        ASSERT_EQ(story.machine().restarts, 1) << what;
        end_pinning(story);
        story.run(15s);
        EXPECT_EQ(story.machine().pins(), "") << name << ", " << what << ": " << story.pins().message;
        EXPECT_EQ(story.machine().running, *story.machine().file) << name << ", " << what;
      }
    }
  }
}

TEST(PinsNotes, WhatIsLeftToDoForNoLongerIsSaidNoLonger) {
  const std::vector<std::pair<const char*, std::function<void(Enforced&)>>> ends{
      {"it is there after all", [](Enforced& e) { e.machine().time_servers = {"ntp1.example.com"}; }},
      {"nobody wants it", [](Enforced& e) { e.put_policy([](auto& spec) { spec.clock.servers.clear(); }); }},
  };
  for (const auto& [name, end] : ends) {
    Enforced story;
    story.run(60s);
    story.machine().wrong["time servers"] = Error{.kind = ErrorKind::kUnavailable, .what = "506 Cannot talk to daemon"};
    story.put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; });
    story.run(2min);
    ASSERT_THAT(story.pins().message, HasSubstr("506 Cannot talk to daemon")) << name;
    end(story);
    story.run(6min);
    EXPECT_EQ(story.pins().message, "the file is as it should be") << name;
  }
}

TEST(PinsNotes, TimeServersThatFailKeepNoCaFromTheServiceThatIsRestarted) {
  for (const ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kInvalid}) {
    Enforced story;
    story.run(60s);
    story.machine().wrong["time servers"] = Error{.kind = kind, .what = "506 Cannot talk to daemon"};
    story.put_policy([](auto& spec) {
      spec.clock.servers = {"ntp1.example.com"};
      spec.rotation.interval = 1h;
    });
    story.run(2min);
    story.machine().instead = '1';
    trust_proxy(story);
    story.run(2min);
    EXPECT_THAT(story.machine().file.value_or(""), HasSubstr(colons('P'))) << story.pins().message;
    EXPECT_THAT(story.machine().trusted, testing::ElementsAre(hash(kProxyCa)));
    EXPECT_EQ(story.machine().restarts, 2);
  }
}

TEST_F(PinsEnforced, LeavingTakesTheCaAlong) {
  trust_proxy(*this);
  run(6min);
  ASSERT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  remove(policies, "cloud");
  run(6min);
  EXPECT_EQ(machine().pins(), "");
  EXPECT_THAT(machine().anchors, IsEmpty());
  EXPECT_FALSE(policies.get({"voice", "cloud"}));
}

// --- what stops it

TEST_F(PinsEnforced, AnInterceptedEdgeIsLeftAlone) {
  machine().instead = '1';
  run(10min);
  EXPECT_EQ(pins().state, EdgePinState::kIntercepted);
  EXPECT_THAT(pins().message, HasSubstr("Proxy CA"));
  EXPECT_EQ(machine().changes, 0);
  EXPECT_EQ(events("Intercepted"), 1);
  EXPECT_EQ(said(api::condition::kIntercepted), "+ForeignChain");
  EXPECT_EQ(said(api::condition::kReady), "-EdgesIntercepted");
  EXPECT_FALSE(is_held());
  machine().instead.reset();
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
}

TEST_F(PinsEnforced, AChainThatIsWrongForEverybodyIsNoInterception) {
  run(60s);
  endpoint.problem = "it has expired";
  run(11min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(events("Intercepted"), 0);
  EXPECT_EQ(said(api::condition::kHandshakeValid), "-ChainInvalid");
}

TEST_F(PinsEnforced, WhoeverIsInterceptedBearsNoWitness) {
  put_policy([](auto& spec) {
    spec.observe_from = {api::PinVantage::kOperator, api::PinVantage::kEdge};
    spec.rotation.confirmations = 1;
  });
  machine().instead = '1';
  run(12min);
  EXPECT_EQ(events("UnannouncedChange") + events("PinLearned"), 0);
}

TEST_F(PinsEnforced, AHostThatIsAnotherIsAPersonsAffair) {
  machine().silence =
      Error{.kind = ErrorKind::kForbidden, .what = "another host key", .code = std::string(ports::kHostKeyRefused)};
  run(60s);
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_THAT(pins().message, HasSubstr("another host key"));
  machine().silence = Error{.kind = ErrorKind::kTimeout, .what = "no answer in time"};
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kUnreachable);
}

TEST_F(PinsEnforced, ADiskThatTakesNothingIsTriedOnceAnInterval) {
  machine().file = "{}";
  machine().disk = Error{.kind = ErrorKind::kInvalid, .what = "the disk is read-only"};
  run(29min);
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_THAT(pins().message, HasSubstr("read-only"));
  EXPECT_EQ(*machine().file, "{}");
  EXPECT_LE(machine().changes, 6);
  EXPECT_EQ(machine().restarts, 0);
  EXPECT_TRUE(slots_are_free());
  machine().disk.reset();
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
}

TEST_F(PinsEnforced, AServiceThatDoesNotComeBackGetsItsFileBackAndIsLeftAlone) {
  machine().broken_when_pinned = true;
  run(30min);
  EXPECT_EQ(pins().state, EdgePinState::kRolledBack);
  EXPECT_FALSE(machine().file);
  EXPECT_TRUE(machine().is_up());
  EXPECT_EQ(machine().restarts, 2);
  EXPECT_EQ(events("PinsRolledBack"), 1);
  EXPECT_EQ(said(api::condition::kReady), "-RolledBack");
  EXPECT_TRUE(slots_are_free());
}

TEST_F(PinsEnforced, TooManyRollbacksHaltThePolicy) {
  for (const char* name : {"edge02", "edge03"}) add_edge(name);
  for (auto& [name, machine] : machines.all) machine->broken_when_pinned = true;
  run(30min);
  EXPECT_EQ(pins("edge01").state, EdgePinState::kRolledBack);
  EXPECT_EQ(pins("edge02").state, EdgePinState::kRolledBack);
  EXPECT_EQ(machine("edge03").changes, 0);
  EXPECT_THAT(pins("edge03").message, HasSubstr("halted after 2 rollbacks (Edge edge01, Edge edge02)"));
}

TEST_F(PinsEnforced, AClockThatIsOffStopsChangeAndRestart) {
  machine().clock_offset = 1h;
  run(10min);
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_EQ(machine().changes, 0);
  EXPECT_EQ(said(api::condition::kClockInSync), "-OffsetTooLarge");
  const int before = world.moments.count();
  machine().clock_offset = 1h + 37ms;
  run(10min);
  EXPECT_EQ(world.moments.count(), before) << "that is no news";
  machine().clock_offset = 0ms;
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(said(api::condition::kClockInSync), "+InSync");
}

TEST_F(PinsEnforced, WithoutABackupNothingIsEnforced) {
  put_policy([](auto& spec) { spec.pins.static_pins = {colons('a')}; });
  run(60s);
  EXPECT_EQ(said(api::condition::kReady), "-NotEnforceable");
  EXPECT_EQ(machine().changes, 0);
}

TEST_F(PinsEnforced, WhereTheEndpointCannotBeSeenFromTheEdgeNothingBegins) {
  machine().endpoint_out = Error{.kind = ErrorKind::kForbidden,
                                 .what = "the SSH server does not dial for us",
                                 .code = std::string(ports::kForwardingRefused)};
  run(10min);
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_EQ(machine().changes, 0);
}

// --- windows and turns

TEST_F(PinsEnforced, WaitsForItsWindowAndImmediateDoesNot) {
  change_policy_of_rotation([](auto& spec) { spec.windows = {{.start = "14:00", .duration = 1h, .days = {}}}; });
  run(30min);
  EXPECT_EQ(pins().state, EdgePinState::kDrifted);
  EXPECT_THAT(pins().message, HasSubstr("14:00"));
  EXPECT_EQ(machine().changes, 0);
  run(92min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  put_policy([](auto& spec) { spec.service.restart = api::ServiceRestart::kImmediate; });
  run(2h);
  machine().file.reset();
  run(6min);
  EXPECT_EQ(machine().pins(), "az");
}

TEST_F(PinsEnforced, AFreezeIsWaitedForEvenByImmediate) {
  const TimePoint now = world.clock.now();
  change_policy_of_rotation([&](auto& spec) {
    spec.freezes = {{.name = "sale", .from = now - 1h, .to = now + 1h, .reason = "Black Friday"}};
  });
  put_policy([](auto& spec) { spec.service.restart = api::ServiceRestart::kImmediate; });
  run(30min);
  EXPECT_THAT(pins().message, HasSubstr("freeze sale (Black Friday)"));
  EXPECT_EQ(machine().changes, 0);
  run(32min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
}

TEST_F(PinsEnforced, OneEdgeOfASiteAtATimeWhateverTheBudget) {
  change_policy_of_rotation(
      [](auto& spec) { spec.budget = api::Budget{.max_concurrent = 8, .max_concurrent_per_site = 8}; });
  for (int i = 2; i <= 6; ++i) add_edge("edge0" + std::to_string(i));
  run(10min);
  for (const auto& [name, machine] : machines.all) {
    EXPECT_EQ(pins(name).state, EdgePinState::kMatched) << name;
    EXPECT_EQ(machine->restarts, 1) << name;
  }
  EXPECT_EQ(at_once, 1);
  EXPECT_TRUE(slots_are_free());
}

TEST_F(PinsEnforced, ALaterWaveWaitsUntilTheFirstHasSoaked) {
  change_policy_of_rotation([](auto& spec) {
    spec.waves = {{.name = "canary", .edge_selector = {.match_labels = {{"wave", "0"}}}, .soak = 2h}};
  });
  add_edge("edge02");
  api::Edge first = *world.edges.get({"voice", "edge02"});
  first.meta.labels["wave"] = "0";
  world.edges.put(first);
  run(60min);
  EXPECT_EQ(pins("edge02").state, EdgePinState::kMatched);
  EXPECT_EQ(machine("edge01").changes, 0);
  EXPECT_THAT(pins("edge01").message, HasSubstr("wave canary"));
  run(70min);
  EXPECT_EQ(pins("edge01").state, EdgePinState::kMatched);
}

TEST_F(PinsEnforced, WhoDoesNotWaitAnyMoreHoldsUpNobody) {
  for (const char* name : {"edge02", "edge03"}) add_edge(name);
  machine("edge01").comes_up_after = 40s;
  run(20s);
  ASSERT_EQ(machine("edge01").restarts, 1);
  ASSERT_THAT(pins("edge02").message, HasSubstr("waits for its turn"));
  change_edge("edge02", [](api::Edge& edge) { edge.spec.ssh.reset(); });
  run(5min);
  EXPECT_EQ(machine("edge02").changes, 0);
  EXPECT_EQ(pins("edge03").state, EdgePinState::kMatched);
}

// --- what is held, and what is not

TEST_F(PinsEnforced, AFinalizerThatWasTakenOffByHandComesBack) {
  run(60s);
  api::PinPolicy policy = *policies.get({"voice", "cloud"});
  policy.meta.finalizers.clear();
  policies.put(policy);
  change_edge("edge01", [](api::Edge& edge) { edge.meta.finalizers.clear(); });
  run(10s);
  EXPECT_TRUE(is_held());
  EXPECT_TRUE(policy_is_held());
  put_policy([](auto& spec) { spec.pins.static_pins = {colons('a'), colons('y')}; });
  run(60s);
  EXPECT_EQ(machine().pins(), "ay");
}

// Its machine is not there any more, in the midst of a change: what it holds is given back all the same.
TEST(PinsDark, AnEdgeThatGoesDarkInAChangeHoldsNothing) {
  const std::vector<std::function<void(Enforced&)>> ways{
      [](Enforced& e) { e.machine().silence = Error{.kind = ErrorKind::kTimeout, .what = "no answer in time"}; },
      [](Enforced& e) { e.change_edge("edge01", [](api::Edge& edge) { edge.spec.ssh.reset(); }); },
  };
  for (const auto& goes_dark : ways) {
    Enforced story;
    story.change_policy_of_rotation(
        [](auto& spec) { spec.drain = api::Drain{.policy = api::DrainPolicy::kDrain, .timeout = 30min}; });
    story.world.calls_last = 1min;
    story.run_until_restarted();
    goes_dark(story);
    story.run(2min);
    EXPECT_TRUE(story.pins().change) << "the timer there may still be at work";
    story.run(6min);
    EXPECT_FALSE(story.pins().change);
    EXPECT_FALSE(story.pins().drain);
    EXPECT_TRUE(story.world.in_service);
    EXPECT_TRUE(story.slots_are_free());
    story.machine().silence.reset();
    story.change_edge("edge01", [](api::Edge& edge) { edge.spec.ssh = api::SshEndpoint{.host = "10.0.1.1"}; });
    story.run(10min);
    EXPECT_EQ(story.pins().state, EdgePinState::kMatched) << "it is judged anew";
    EXPECT_EQ(story.machine().pins(), "az");
  }
}

TEST_F(PinsEnforced, AnEdgeThatPinsAndCannotBeFollowedIsSaid) {
  run(60s);
  change_edge("edge01", [](api::Edge& edge) { edge.spec.ssh.reset(); });
  run(10s);
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_THAT(pins().message, HasSubstr("nobody follows the endpoint there"));
  EXPECT_TRUE(is_held());
}

// --- by which TLS

TEST(PinsTls, AnEndpointThatWouldNotTakeTheFilesTlsIsNotEnforced) {
  struct Cell {
    std::function<void(api::PinTls&)> wanted;
    const char* named;
    ErrorKind refuses_by = ErrorKind::kProtocol;
  };
  const auto tls13 = [](auto& tls) { tls.min_version = api::TlsVersion::kTls13; };
  const auto other_suite = [](auto& tls) { tls.cipher_suites = {"ECDHE-RSA-CHACHA20-POLY1305"}; };
  const std::vector<Cell> cells{
      {tls13, "tls.minVersion is TLS1.3"},
      {other_suite, "none of tls.cipherSuites"},
      {other_suite, "none of tls.cipherSuites", ErrorKind::kUnavailable},  // it just closes the connection
      {other_suite, "tls.cipherSuites names none that OpenSSL knows", ErrorKind::kInvalid},
  };
  for (const auto& cell : cells) {
    Enforced story;
    story.endpoint.newest = ports::TlsVersion::kTls12;
    story.endpoint.refuses_by = cell.refuses_by;
    story.put_policy([&](auto& spec) { cell.wanted(spec.tls); });
    story.run(10min);
    EXPECT_EQ(story.machine().changes, 0) << cell.named;
    EXPECT_EQ(story.pins().state, EdgePinState::kBlocked) << cell.named;
    EXPECT_THAT(story.pins().message, HasSubstr(cell.named));
    EXPECT_EQ(story.said(api::condition::kReady), "-NotEnforceable") << cell.named;
    EXPECT_THAT(story.message(), HasSubstr(cell.named));
  }
}

TEST_F(PinsEnforced, WhatAloneTheEdgeIsRefusedIsSaidToo) {
  machine().way = endpoint;
  machine().way->newest = ports::TlsVersion::kTls12;
  put_policy([](auto& spec) { spec.tls.min_version = api::TlsVersion::kTls13; });
  run(10min);
  EXPECT_EQ(machine().changes, 0);
  EXPECT_THAT(pins().message, HasSubstr("as the Edge sees it, the endpoint speaks TLSv1.2 at best"));
}

TEST_F(PinsEnforced, TheProofIsMadeByTheTlsOfTheNewFile) {
  put_policy([](auto& spec) { spec.tls.min_version = api::TlsVersion::kTls13; });
  machine().comes_up_after = 20s;
  run_until_restarted();
  endpoint.newest = ports::TlsVersion::kTls12;
  run(5min);
  EXPECT_EQ(pins().state, EdgePinState::kRolledBack);
  EXPECT_FALSE(machine().file);
  EXPECT_EQ(machine().restarts, 2);
}

TEST_F(PinsEnforced, AConnectionThatIsLostIsNoRefusal) {
  machine().loses = 1;
  machine().comes_up_after = 20s;
  run_until_restarted();
  machine().loses = 1;
  run(2min);
  EXPECT_EQ(machine().loses, 0);
  EXPECT_EQ(pins().state, EdgePinState::kMatched) << pins().message;
  EXPECT_EQ(machine().restarts, 1);
}

// --- right before the restart

TEST_F(PinsEnforced, WhatHasChangedSinceTheInstallationCostsNoRestart) {
  machine().wrong["restart"] = Error{.kind = ErrorKind::kUnavailable, .what = "the connection was reset"};
  for (int i = 0; i < 60 && !machine().timer; ++i) run(1s);
  ASSERT_TRUE(machine().timer);
  machine().wrong.clear();
  machine().instead = '1';
  run(5min);
  EXPECT_EQ(machine().restarts, 0);
  EXPECT_FALSE(machine().file);
  EXPECT_EQ(pins().state, EdgePinState::kIntercepted);
  EXPECT_EQ(events("PinsRolledBack"), 0);
  machine().instead.reset();
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().restarts, 1);
}

// --- whose machine it is

void move_to(Enforced& story, const std::string& host, const std::string& edge = "edge01") {
  story.change_edge(edge, [&](api::Edge& one) {
    one.spec.ssh = api::SshEndpoint{.host = host};
    ++one.meta.generation;
  });
}
void annotate(Enforced& story, std::string_view which, const std::string& value) {
  story.change_edge("edge01", [&](api::Edge& edge) { edge.meta.annotations[std::string(which)] = value; });
}

TEST_F(PinsEnforced, AMachineThatPinsIsNotLeftBehindInSilence) {
  run(60s);
  ASSERT_EQ(pins().machine, "10.0.1.1:22");
  const auto old = machines.all["edge01"];
  machines.all["edge01"] = std::make_shared<Machine>(world, endpoint);
  move_to(*this, "10.0.1.99");
  run(11min);
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_THAT(pins().message, HasSubstr("10.0.1.1:22 has a pin file by this Edge"));
  EXPECT_EQ(events("MachineLeftBehind"), 1);
  EXPECT_EQ(machine().changes, 0);
  EXPECT_TRUE(is_held());

  // Nor by leaving Enforce.
  remove(policies, "cloud");
  run(6min);
  ASSERT_TRUE(policies.get({"voice", "cloud"}));
  EXPECT_THAT(message(), HasSubstr("10.0.1.1:22 has a pin file by this Edge"));
  EXPECT_EQ(events("PinsLeft"), 0);

  machines.all["edge01"] = old;
  move_to(*this, "10.0.1.1");
  run(6min);
  EXPECT_EQ(machine().pins(), "");
  EXPECT_FALSE(policies.get({"voice", "cloud"}));
}

TEST_F(PinsEnforced, WhoHasSeenToTheOldMachineSaysSo) {
  run(60s);
  machines.all["edge01"] = std::make_shared<Machine>(world, endpoint);
  move_to(*this, "10.0.1.99");
  run(60s);
  annotate(*this, api::kForgetMachine, "10.0.1.2:22");
  run(60s);
  EXPECT_EQ(machine().changes, 0) << "that is another one";
  annotate(*this, api::kForgetMachine, "10.0.1.1:22");
  run(60s);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(pins().machine, "10.0.1.99:22");
  EXPECT_EQ(machine().pins(), "az");
  EXPECT_EQ(events("PinsLeft"), 1);
}

TEST_F(PinsEnforced, AMachineUnderAnotherAddressIsTheSame) {
  run(60s);
  move_to(*this, "10.0.1.99");
  run(60s);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(pins().machine, "10.0.1.99:22");
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_EQ(events("MachineMoved"), 1);
  EXPECT_EQ(events("MachineLeftBehind"), 0);
}

// Of one fleet all files are alike.
TEST_F(PinsEnforced, ASisterWithTheSameFileIsAnotherMachine) {
  run(60s);
  const auto old = machines.all["edge01"];
  machines.all["edge01"] = std::make_shared<Machine>(world, endpoint);
  machine().id = "2";
  machine().file = machine().running = *old->file;
  move_to(*this, "10.0.1.99");
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_THAT(pins().message, HasSubstr("10.0.1.1:22 has a pin file by this Edge"));
  EXPECT_EQ(events("MachineMoved"), 0);
}

TEST_F(PinsEnforced, AMachineThatPinsIsLeftBehindByWhomKeepAllowsIt) {
  put_policy([](auto& spec) { spec.deletion_policy = api::PinDeletionPolicy::kKeep; });
  run(60s);
  const auto old = machines.all["edge01"];
  machines.all["edge01"] = std::make_shared<Machine>(world, endpoint);
  move_to(*this, "10.0.1.99");
  run(60s);
  EXPECT_EQ(old->pins(), "az");
  EXPECT_EQ(machine().pins(), "az");
  EXPECT_EQ(events("PinsLeft"), 1);
}

TEST_F(PinsEnforced, OfTwoEdgesWithOneMachineOneHoldsStill) {
  run(60s);
  add_edge("edge00");
  machines.all["edge00"] = machines.all["edge01"];
  move_to(*this, "10.0.1.1", "edge00");
  run(11min);
  EXPECT_EQ(pins("edge00").state, EdgePinState::kBlocked);
  EXPECT_THAT(pins("edge00").message, HasSubstr("Edge voice/edge01 names the same machine, 10.0.1.1:22"));
  EXPECT_EQ(machine().changes, 3) << "install, restart, confirm";
  EXPECT_FALSE(is_held("edge00"));

  // As a rename in Git prunes the old one: it leaves first.
  remove(world.edges, "edge01");
  run(12min);
  EXPECT_FALSE(world.edges.get({"voice", "edge01"}));
  EXPECT_EQ(pins("edge00").state, EdgePinState::kMatched);
  EXPECT_EQ(machine().pins(), "az");
}

// --- asked for by a person

TEST_F(PinsEnforced, ARolledBackFileIsTriedAgainWhenSomebodyAsks) {
  machine().broken_when_pinned = true;
  run(5min);
  ASSERT_EQ(pins().state, EdgePinState::kRolledBack);
  machine().broken_when_pinned = false;
  annotate(*this, api::kRetryRequestedAt, "2026-11-30T02:00:00Z");
  run(2min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().restarts, 3);
  EXPECT_EQ(pins().handled_retry, "2026-11-30T02:00:00Z");
}

TEST_F(PinsEnforced, TheSameRequestIsHeardOnce) {
  annotate(*this, api::kRetryRequestedAt, "now");
  machine().broken_when_pinned = true;
  run(10min);
  EXPECT_EQ(machine().restarts, 2);
  EXPECT_EQ(pins().state, EdgePinState::kRolledBack);
}

// --- machines that do not answer

TEST_F(PinsEnforced, AMachineThatDoesNotAnswerIsAskedForOneWordFirstAndSeldom) {
  run(60s);
  machine().silence = Error{.kind = ErrorKind::kTimeout, .what = "no answer in time"};
  run(6min);
  ASSERT_EQ(pins().state, EdgePinState::kUnreachable);
  EXPECT_EQ(reconcile::rank_of(*world.edges.get({"voice", "edge01"})), runtime::Rank::kLast);
  const int writes = world.moments.count();
  const int looks = machine().looks;
  machine().silence = Error{.kind = ErrorKind::kUnavailable, .what = "no route"};
  run(50min);
  EXPECT_EQ(world.moments.count(), writes) << "that it is silent is no news";
  EXPECT_GT(machine().greetings, 8);
  EXPECT_LE(machine().greetings, 16) << "each five minutes in the end, less up to a fifth";
  EXPECT_LE(machine().looks - looks, 5) << "the others are cheap";
  machine().silence.reset();
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
}

TEST_F(PinsEnforced, AnEdgeThatIsBeingChangedGoesFirst) {
  machine().comes_up_after = 20s;
  run_until_restarted();
  EXPECT_EQ(reconcile::rank_of(*world.edges.get({"voice", "edge01"})), runtime::Rank::kFirst);
}

// --- the site's time servers

TEST_F(PinsEnforced, TimeServersThatTheSiteDoesNotHaveAreSaid) {
  put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; });
  change_edge("edge01", [](api::Edge& edge) { edge.status.time_servers = {"ntp2.example.com"}; });
  run(6min);
  const auto conditions = world.edges.get({"voice", "edge01"})->status.conditions;
  const auto* clock = api::find(conditions, api::condition::kClockInSync);
  ASSERT_NE(clock, nullptr);
  EXPECT_EQ(clock->status, api::Truth::kTrue);
  EXPECT_THAT(clock->message, HasSubstr("ntpSettings of its site in Genesys ntp2.example.com"));
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
}

// --- waves, clocks

TEST_F(PinsEnforced, ACanaryThatHadTheFileAlreadySoaksFromWhenItIsSeen) {
  change_policy_of_rotation([](auto& spec) {
    spec.waves = {{.name = "canary", .edge_selector = {.match_labels = {{"wave", "0"}}}, .soak = 2h}};
  });
  add_edge("edge02");
  change_edge("edge02", [](api::Edge& edge) { edge.meta.labels["wave"] = "0"; });
  run(60s);
  ASSERT_EQ(pins("edge02").state, EdgePinState::kMatched);
  change_edge("edge02", [](api::Edge& edge) { edge.status.pins.reset(); });  // a restored cluster
  run(2h + 6min);
  EXPECT_EQ(pins("edge01").state, EdgePinState::kMatched);
}

TEST_F(PinsEnforced, AClockThatIsSetBackInTheMidstOfAChangeHoldsNothingForLong) {
  machine().comes_up_after = 40s;
  run_until_restarted();
  world.clock.jump_wall(-6h);
  due.clear();
  run(6min);
  EXPECT_FALSE(pins().change);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_TRUE(slots_are_free());
}

// What could not be taken back is no rollback.
TEST_F(PinsEnforced, AFileThatStaysIsNotSaidToBeRolledBack) {
  machine().broken_when_pinned = true;
  machine().wrong["restore"] = Error{.kind = ErrorKind::kUnavailable, .what = "the disk is full"};
  for (int i = 0; i < 600 && events("PinsNotRolledBack") == 0; ++i) {
    run(1s);
    if (machine().restarts > 0) machine().timer.reset();  // nor does it help itself
  }
  EXPECT_EQ(events("PinsNotRolledBack"), 1);
  EXPECT_EQ(events("PinsRolledBack"), 0);
  EXPECT_TRUE(machine().file);
}

// --- what is no proof

TEST_F(PinsEnforced, WhatTheCloudDoesNotSayIsNoProofAndNoFault) {
  be_online(api::Truth::kTrue);
  world.service_error = Error{.kind = ErrorKind::kUnavailable, .what = "the cloud API is out"};
  run(5min);
  EXPECT_EQ(pins().state, EdgePinState::kRolledBack);
  EXPECT_FALSE(machine().file);
  EXPECT_EQ(machine().restarts, 2);
  ASSERT_TRUE(pins().rejected_until);
  world.service_error.reset();
  run(std::chrono::ceil<std::chrono::seconds>(*pins().rejected_until - world.clock.now()) + 6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched) << "tried again";
  EXPECT_EQ(machine().restarts, 3);
}

TEST_F(PinsEnforced, WhatFailsEachTimeEndsAndIsSaid) {
  for (const char* what : {"install", "restart", "confirm"}) {
    Enforced story;
    story.machine().wrong[what] = Error{.kind = ErrorKind::kUnavailable, .what = "exit status 71"};
    story.run(26min);
    EXPECT_LE(story.machine().restarts, 3) << what;
    EXPECT_FALSE(story.machine().file) << what;
    EXPECT_FALSE(story.machine().timer) << what;
    EXPECT_FALSE(story.pins().change) << what;
    EXPECT_TRUE(story.slots_are_free()) << what;
    const bool is_said = story.pins().message.find("exit status 71") != std::string::npos;
    EXPECT_TRUE(is_said || story.pins().state == EdgePinState::kRolledBack) << what << ": " << story.pins().message;
  }
}

// --- drained

TEST_F(PinsEnforced, IsRestartedWhenItsCallsHaveEndedAndGoesBackIntoService) {
  drain(*this);
  world.calls_last = 10min;
  run(9min);
  EXPECT_FALSE(world.in_service);
  EXPECT_EQ(machine().changes, 0);
  EXPECT_TRUE(pins().drain);
  run(5min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(machine().restarts, 1);
  EXPECT_TRUE(world.in_service);
  EXPECT_EQ(world.times_out, 1);
  EXPECT_FALSE(pins().drain);
  EXPECT_TRUE(slots_are_free());
}

TEST_F(PinsEnforced, CallsThatDoNotEndAreNotCut) {
  drain(*this, 20min);
  world.calls_last = 2h;
  run(40min);
  EXPECT_TRUE(world.in_service);
  EXPECT_EQ(machine().changes, 0);
  EXPECT_EQ(world.times_out, 1) << "not before the next window";
  EXPECT_THAT(pins().message, HasSubstr("its calls did not end"));
  EXPECT_FALSE(pins().drain);
  EXPECT_TRUE(slots_are_free());
}

TEST_F(PinsEnforced, AnEdgeThatSomebodyHasTakenOutStaysOut) {
  drain(*this);
  world.in_service = false;
  run(30min);
  EXPECT_FALSE(world.in_service);
  EXPECT_EQ(machine().changes, 0);
  EXPECT_THAT(pins().message, HasSubstr("somebody has taken it out"));
}

TEST_F(PinsEnforced, AnEdgeThatDoesNotGoBackIntoServiceIsSaid) {
  drain(*this);
  world.calls_last = 1min;
  run_until_restarted();
  world.service_error = Error{.kind = ErrorKind::kUnavailable, .what = "the cloud API is out"};
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_THAT(pins().message, HasSubstr("goes back into service"));
  EXPECT_THAT(pins().message, HasSubstr("the cloud API is out"));
  world.service_error.reset();
  run(3min);
  EXPECT_TRUE(world.in_service);
  EXPECT_THAT(pins().message, testing::Not(HasSubstr("service")));
  EXPECT_EQ(events("NotBackInService"), 1);
}

TEST_F(PinsEnforced, ImmediateDrainsNothing) {
  drain(*this);
  put_policy([](auto& spec) { spec.service.restart = api::ServiceRestart::kImmediate; });
  run(60s);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_EQ(world.times_out, 0);
}

// --- the exceptions

TEST_F(PinsEnforced, AnEmergencyOverrideWaitsForNothingAndEndsByItself) {
  run(60s);
  change_policy_of_rotation([](auto& spec) { spec.windows = {{.start = "14:00", .duration = 1h, .days = {}}}; });
  machine().endpoint_out =
      Error{.kind = ErrorKind::kUnavailable, .what = "refused", .code = std::string(ports::kEndpointUnreached)};
  const TimePoint until = world.clock.now() + 3h;
  put_policy([&](auto& spec) {
    spec.emergency_override = api::EmergencyOverride{.disable_pinning = true, .until = until, .reason = "INC0042"};
  });
  run(60s);
  EXPECT_EQ(machine().pins(), "");
  EXPECT_EQ(machine().running, *machine().file);
  EXPECT_EQ(machine().restarts, 2);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  EXPECT_TRUE(pins().enforced);
  EXPECT_EQ(said(api::condition::kOverrideActive), "+Active");
  EXPECT_EQ(said(api::condition::kReady), "-Overridden");
  EXPECT_EQ(policies.get({"voice", "cloud"})->status.override_text, "until " + format_rfc3339(until));
  EXPECT_EQ(events("OverrideActive"), 1);
  machine().endpoint_out.reset();
  change_policy_of_rotation([](auto& spec) { spec.windows = {{.start = "00:00", .duration = 24h, .days = {}}}; });
  run(3h + 5min);
  EXPECT_EQ(machine().pins(), "az") << "the last good set";
  EXPECT_EQ(machine().restarts, 3);
  EXPECT_EQ(said(api::condition::kOverrideActive), "-Ended");
  EXPECT_EQ(events("OverrideActive"), 2);
}

TEST_F(PinsEnforced, TimeServersComeBeforeAnyChange) {
  put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; });
  machine().is_synchronised = false;
  run(10min);
  EXPECT_EQ(machine().time_servers, std::vector<std::string>{"ntp1.example.com"});
  EXPECT_EQ(pins().state, EdgePinState::kBlocked);
  EXPECT_EQ(machine().restarts, 0);
  machine().is_synchronised = true;
  run(6min);
  EXPECT_EQ(pins().state, EdgePinState::kMatched);
  remove(policies, "cloud");
  run(5min);
  EXPECT_THAT(machine().time_servers, IsEmpty()) << "they go with it";
  EXPECT_EQ(machine().pins(), "");
}

TEST_F(PinsEnforced, TimeServersGoAlsoWhereNothingPinsAnyMore) {
  put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; });
  run(60s);
  ASSERT_THAT(machine().time_servers, testing::SizeIs(1));
  machine().file.reset();  // a software update
  machine().wrong["time servers"] = Error{.kind = ErrorKind::kUnavailable, .what = "the disk is full"};
  remove(policies, "cloud");
  run(2s);
  EXPECT_TRUE(policies.get({"voice", "cloud"})) << "they are tried to be taken out first";
  machine().wrong.clear();
  run(5min);
  EXPECT_THAT(machine().time_servers, IsEmpty());
  EXPECT_FALSE(policies.get({"voice", "cloud"}));
}

// They do no harm there, and nobody is held for them.
TEST_F(PinsEnforced, TimeServersThatCannotBeTakenOutAreLeftAndSaid) {
  put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; });
  run(60s);
  ASSERT_THAT(machine().time_servers, testing::SizeIs(1));
  machine().wrong["time servers"] = Error{.kind = ErrorKind::kUnavailable, .what = "506 Cannot talk to daemon"};
  remove(policies, "cloud");
  run(5min);
  EXPECT_FALSE(policies.get({"voice", "cloud"}));
  EXPECT_FALSE(is_held());
  EXPECT_EQ(machine().pins(), "");
  const auto left = std::ranges::find(world.events, "PinsLeft", &World::Event::reason);
  ASSERT_NE(left, world.events.end());
  EXPECT_THAT(left->message, HasSubstr("could not be taken out, and stay: 506 Cannot talk to daemon"));
}

// A CA is not left behind, whatever becomes of the time servers.
TEST_F(PinsEnforced, TimeServersThatAreLeftLeaveNoCaBehind) {
  put_policy([](auto& spec) { spec.clock.servers = {"ntp1.example.com"}; });
  trust_proxy(*this);
  run(6min);
  ASSERT_THAT(machine().anchors, testing::ElementsAre(hash(kProxyCa)));
  for (const char* what : {"time servers", "distrust"})
    machine().wrong[what] = Error{.kind = ErrorKind::kUnavailable, .what = "the disk is full"};
  remove(policies, "cloud");
  run(20min);
  EXPECT_TRUE(policies.get({"voice", "cloud"}));
  EXPECT_THAT(pins().message, HasSubstr("a CA that the operator has put into the trust store cannot be taken out"));
  machine().wrong.erase("distrust");
  run(6min);
  EXPECT_THAT(machine().anchors, IsEmpty());
  EXPECT_FALSE(policies.get({"voice", "cloud"}));
}

// --- leaving Enforce

struct Way {
  const char* name;
  std::function<void(Enforced&)> leave;
};
const std::vector<Way>& ways() {
  static const std::vector<Way> kWays{
      {"the policy is deleted", [](Enforced& e) { e.remove(e.policies, "cloud"); }},
      {"the Edge is deleted", [](Enforced& e) { e.remove(e.world.edges, "edge01"); }},
      {"both are deleted",
       [](Enforced& e) {
         e.remove(e.policies, "cloud");
         e.remove(e.world.edges, "edge01");
       }},
      {"the mode is another",
       [](Enforced& e) { e.put_policy([](auto& spec) { spec.mode = api::PinMode::kReportOnly; }); }},
      {"it is disabled", [](Enforced& e) { e.put_policy([](auto& spec) { spec.mode = api::PinMode::kDisabled; }); }},
      {"it is selected no more",
       [](Enforced& e) {
         e.put_policy([](auto& spec) { spec.edge_selector = api::LabelSelector{.match_labels = {{"pinned", "yes"}}}; });
       }},
  };
  return kWays;
}

TEST(PinsLeft, HoweverAnEdgeLeavesItIsSwitchedOffFirst) {
  for (const Way& way : ways()) {
    Enforced story;
    story.run(60s);
    ASSERT_EQ(story.machine().pins(), "az") << way.name;
    way.leave(story);
    story.run(5min);
    EXPECT_EQ(story.machine().pins(), "") << way.name;
    EXPECT_THAT(*story.machine().file, HasSubstr("\"enabled\": false")) << way.name;
    EXPECT_EQ(story.machine().running, *story.machine().file) << way.name;
    EXPECT_EQ(story.machine().restarts, 2) << way.name;
    EXPECT_EQ(story.events("PinsLeft"), 1) << way.name;
    const auto edge = story.world.edges.get({"voice", "edge01"});
    const auto policy = story.policies.get({"voice", "cloud"});
    EXPECT_TRUE(!edge || edge->meta.finalizers.empty()) << way.name;
    EXPECT_TRUE(!edge || !edge->meta.deleting()) << way.name;
    EXPECT_TRUE(!policy || !policy->meta.deleting()) << way.name;
    const bool still_enforces = policy && policy->spec.mode == api::PinMode::kEnforce;
    EXPECT_TRUE(!policy || still_enforces || policy->meta.finalizers.empty()) << way.name;
    EXPECT_TRUE(story.slots_are_free()) << way.name;
  }
}

TEST(PinsLeft, KeepLeavesTheFileAndHoldsNobody) {
  for (const bool reachable : {true, false}) {
    Enforced story;
    story.run(60s);
    if (!reachable) story.machine().silence = Error{.kind = ErrorKind::kTimeout, .what = "no answer in time"};
    story.put_policy([](auto& spec) { spec.deletion_policy = api::PinDeletionPolicy::kKeep; });
    story.remove(story.policies, "cloud");
    story.run(60s);
    EXPECT_FALSE(story.policies.get({"voice", "cloud"}));
    EXPECT_FALSE(story.is_held());
    EXPECT_EQ(story.machine().pins(), "az");
    EXPECT_EQ(story.machine().restarts, 1);
  }
}

TEST(PinsLeft, WhatCannotBeReachedIsWaitedForAndSaid) {
  Enforced story;
  story.run(60s);
  story.machine().silence = Error{.kind = ErrorKind::kTimeout, .what = "no answer in time"};
  story.remove(story.policies, "cloud");
  story.run(10min);
  ASSERT_TRUE(story.policies.get({"voice", "cloud"}));
  EXPECT_EQ(story.said(api::condition::kReady), "-SwitchingOff");
  EXPECT_THAT(story.message(), HasSubstr("edge01 (no answer in time)"));
  EXPECT_THAT(story.message(), HasSubstr("set deletionPolicy to Keep"));
  story.machine().silence.reset();
  story.run(10min);
  EXPECT_FALSE(story.policies.get({"voice", "cloud"}));
  EXPECT_EQ(story.machine().pins(), "");
}

TEST(PinsLeft, APolicyWhoseFinalizerWasTakenAwayByHandLeavesNoPinBehind) {
  Enforced story;
  story.run(60s);
  story.policies.erase({"voice", "cloud"});
  story.due.clear();
  story.run(5min);
  EXPECT_EQ(story.machine().pins(), "");
  EXPECT_FALSE(story.is_held());
}

TEST(PinsLeft, ItsWindowIsWaitedFor) {
  Enforced story;
  story.run(60s);
  story.change_policy_of_rotation([](auto& spec) { spec.windows = {{.start = "14:00", .duration = 1h, .days = {}}}; });
  story.remove(story.policies, "cloud");
  story.run(30min);
  EXPECT_EQ(story.machine().restarts, 1);
  EXPECT_THAT(story.message(), HasSubstr("14:00"));
  story.run(95min);
  EXPECT_EQ(story.machine().pins(), "");
}

TEST(PinsLeft, AnotherPolicyTakesOverWithoutARestartWhereThePinsAreTheSame) {
  Enforced story;
  story.run(60s);
  story.put_heir([](auto& /*spec*/) {});
  story.remove(story.policies, "cloud");
  story.run(5min);
  EXPECT_EQ(story.machine().restarts, 1);
  EXPECT_EQ(story.pins().policy, "heir");
  EXPECT_FALSE(story.policies.get({"voice", "cloud"}));
  EXPECT_FALSE(story.policies.get({"voice", "heir"})->meta.finalizers.empty()) << "it is held from now on";
  story.put_heir([](auto& spec) { spec.pins.static_pins = {colons('a'), colons('y')}; });
  story.run(5min);
  EXPECT_EQ(story.machine().pins(), "ay");
  EXPECT_EQ(story.machine().restarts, 2);
  EXPECT_TRUE(story.slots_are_free());
}

TEST(PinsLeft, WhatTheEndpointPresentsKeepsNobodyFromLeaving) {
  const std::vector<std::pair<const char*, std::function<void(Enforced&)>>> troubles{
      {"it is out of reach",
       [](Enforced& e) {
         e.machine().endpoint_out =
             Error{.kind = ErrorKind::kUnavailable, .what = "refused", .code = std::string(ports::kEndpointUnreached)};
       }},
      {"the SSH server dials nobody",
       [](Enforced& e) {
         e.machine().endpoint_out =
             Error{.kind = ErrorKind::kForbidden, .what = "no", .code = std::string(ports::kForwardingRefused)};
       }},
      {"the cloud does not answer",
       [](Enforced& e) { e.world.service_error = Error{.kind = ErrorKind::kUnavailable, .what = "out"}; }},
      {"the service is slow", [](Enforced& e) { e.machine().comes_up_after = 70s; }},
  };
  for (const auto& [name, trouble] : troubles) {
    Enforced story;
    story.be_online(api::Truth::kTrue);
    story.run(2min);
    ASSERT_EQ(story.machine().pins(), "az") << name;
    trouble(story);
    story.remove(story.policies, "cloud");
    story.run(10min);
    EXPECT_EQ(story.machine().pins(), "") << name;
    EXPECT_EQ(story.machine().restarts, 2) << name;
    EXPECT_EQ(story.events("PinsRolledBack"), 0) << name;
    EXPECT_FALSE(story.policies.get({"voice", "cloud"})) << name;
  }
}

TEST(PinsLeft, OfAFileThatCannotBeReadNobodyKnows) {
  Enforced story;
  story.run(60s);
  story.machine().file_trouble = "pinning-config.json is larger than 64 KiB";
  story.remove(story.policies, "cloud");
  story.run(11min);
  EXPECT_TRUE(story.policies.get({"voice", "cloud"}));
  EXPECT_EQ(story.events("PinsLeft"), 0);
  EXPECT_THAT(story.message(), HasSubstr("larger than 64 KiB"));
  story.machine().file_trouble.clear();
  story.run(11min);
  EXPECT_FALSE(story.policies.get({"voice", "cloud"}));
  EXPECT_EQ(story.machine().pins(), "");
}

// --- crashed at every change of the world

void crash_everywhere(const std::function<void(Enforced&)>& begin, const std::function<void(Enforced&)>& then,
                      std::chrono::seconds time, const std::function<void(Enforced&, const std::string&)>& check) {
  int first = 0;
  int last = 0;
  {
    Enforced story;
    begin(story);
    first = story.world.moments.count();
    then(story);
    story.run(time);
    last = story.world.moments.count();
  }
  ASSERT_GT(last, first + 3);
  for (const auto down_for : {2s, 600s}) {
    for (int at = first + 1; at <= last; ++at) {
      for (const auto when : {Moments::When::kBefore, Moments::When::kAfter}) {
        Enforced story;
        begin(story);
        story.world.moments.crash_at(at, when);
        then(story);
        story.run(time + 30min, down_for);
        const std::string where = "change " + std::to_string(at) + " (" +
                                  story.world.moments.log.at(static_cast<std::size_t>(at) - 1) + "), " +
                                  (when == Moments::When::kBefore ? "before" : "after") + ", down for " +
                                  std::to_string(down_for.count()) + " s";
        EXPECT_TRUE(story.world.moments.has_crashed()) << where;
        EXPECT_FALSE(story.machine().timer) << where;
        EXPECT_FALSE(story.machine().previous) << where;
        EXPECT_EQ(story.machine().running, story.machine().file.value_or("")) << where << ": what is there is in force";
        EXPECT_TRUE(story.slots_are_free()) << where;
        const auto edge = story.world.edges.get({"voice", "edge01"});
        if (edge && edge->status.pins) {
          EXPECT_GE(edge->status.pins->restarts.size(), story.machine().restarts_within(1h)) << where;
        }
        // Down for longer than the timer waits, the previous file was put back and is replaced once more.
        EXPECT_EQ(story.events("PinsRolledBack"), 0) << where;
        check(story, where + (down_for > decide::pins::kRestoreAfter ? "" : "!"));
      }
    }
  }
}
int restarts_allowed(const std::string& where) { return where.ends_with("!") ? 1 : 3; }

TEST(PinsCrashed, TheFirstPinComesWithOneRestart) {
  crash_everywhere([](Enforced& /*story*/) {}, [](Enforced& /*story*/) {}, 60s,
                   [](Enforced& story, const std::string& where) {
                     EXPECT_EQ(story.pins().state, EdgePinState::kMatched) << where;
                     EXPECT_EQ(story.machine().pins(), "az") << where;
                     EXPECT_LE(story.machine().restarts, restarts_allowed(where)) << where;
                     EXPECT_EQ(story.machine().failed_handshakes, 0) << where;
                     EXPECT_TRUE(story.is_held() && story.policy_is_held()) << where;
                   });
}

TEST(PinsCrashed, ACaThatComesLateIsRead) {
  crash_everywhere([](Enforced& story) { trust_in_vain(story); },
                   [](Enforced& story) { story.machine().wrong.clear(); }, 11min,
                   [](Enforced& story, const std::string& where) {
                     if (!where.ends_with("!") && story.machine().restarts < 3) {
                       // The restart that was written down and not made counts until its hour is over.
                       EXPECT_THAT(story.pins().message, HasSubstr("has not read the CA")) << where;
                       story.run(15min);
                     }
                     EXPECT_EQ(story.pins().message, "the file is as it should be") << where;
                     EXPECT_THAT(story.machine().trusted, testing::ElementsAre(hash(kProxyCa))) << where;
                     EXPECT_EQ(story.machine().restarts, 3) << where;
                   });
}

TEST(PinsCrashed, ADrainedEdgeIsBackInServiceWhateverHappens) {
  crash_everywhere(
      [](Enforced& story) {
        drain(story);
        story.world.calls_last = 3min;
      },
      [](Enforced& /*story*/) {}, 6min,
      [](Enforced& story, const std::string& where) {
        EXPECT_TRUE(story.world.in_service) << where;
        EXPECT_FALSE(story.pins().drain) << where;
        // Whoever comes back later than it may still be asked to go out tries again in the next window.
        const bool is_put_off = story.pins().not_before && story.machine().restarts == 0;
        EXPECT_TRUE(story.pins().state == EdgePinState::kMatched || (is_put_off && !where.ends_with("!"))) << where;
        EXPECT_LE(story.machine().restarts, restarts_allowed(where)) << where;
      });
}

TEST(PinsCrashed, LeavingSwitchesOffWithOneRestart) {
  crash_everywhere(
      [](Enforced& story) { story.run(60s); },
      [](Enforced& story) {
        story.machine().endpoint_out =
            Error{.kind = ErrorKind::kUnavailable, .what = "refused", .code = std::string(ports::kEndpointUnreached)};
        story.remove(story.policies, "cloud");
        story.remove(story.world.edges, "edge01");
      },
      60s,
      [](Enforced& story, const std::string& where) {
        EXPECT_EQ(story.machine().pins(), "") << where;
        EXPECT_LE(story.machine().restarts, 1 + restarts_allowed(where)) << where;
        EXPECT_FALSE(story.world.edges.get({"voice", "edge01"})) << where;
        EXPECT_FALSE(story.policies.get({"voice", "cloud"})) << where;
      });
}

TEST(PinsCrashed, AnEdgeThatIsTakenOverIsHeldByItsNewPolicy) {
  crash_everywhere([](Enforced& story) { story.run(60s); },
                   [](Enforced& story) {
                     story.put_heir([](auto& /*spec*/) {});
                     story.remove(story.policies, "cloud");
                   },
                   30s,
                   [](Enforced& story, const std::string& where) {
                     EXPECT_EQ(story.pins().policy, "heir") << where;
                     EXPECT_EQ(story.pins().state, EdgePinState::kMatched) << where;
                     EXPECT_EQ(story.machine().restarts, 1) << where;
                     EXPECT_TRUE(story.is_held()) << where;
                     EXPECT_FALSE(story.policies.get({"voice", "heir"})->meta.finalizers.empty()) << where;
                     EXPECT_FALSE(story.policies.get({"voice", "cloud"})) << where;
                   });
}

// A file with which the Edge does not come back: whoever crashes, it has its previous one within the timer's time.
TEST(PinsCrashed, NobodyIsLockedOutByAFileThatDoesNotWork) {
  int last = 0;
  {
    Enforced story;
    story.machine().broken_when_pinned = true;
    story.run(5min);
    last = story.world.moments.count();
  }
  for (int at = 1; at <= last; ++at) {
    for (const auto when : {Moments::When::kBefore, Moments::When::kAfter}) {
      Enforced story;
      story.machine().broken_when_pinned = true;
      story.world.moments.crash_at(at, when);
      const std::string where = std::to_string(at) + (when == Moments::When::kBefore ? " before" : " after");
      story.run(20min, 130s);
      EXPECT_TRUE(story.machine().is_up()) << where;
      EXPECT_FALSE(story.machine().file) << where;
      EXPECT_FALSE(story.machine().timer) << where;
    }
  }
}

}  // namespace
}  // namespace edgetrust::simulation
