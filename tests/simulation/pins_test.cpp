// The engine of PinPolicies in ReportOnly: what it says while the endpoint's certificate changes, how often it looks
// and writes, and that it writes nothing to an Edge.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/reconcile/pin_policy_reconciler.hpp"
#include "simulation/pin_world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using api::condition::kHandshakeValid;
using api::condition::kPinsCurrent;
using api::condition::kReady;
using testing::HasSubstr;
using testing::IsEmpty;

struct PinsTest : testing::Test {
  World world;
  Endpoint endpoint;
  MemoryObjects<api::PinPolicy> policies{world.etcd, world.moments};
  reconcile::World real = world.ports();
  reconcile::World around{real.clock,       real.certificates, real.edges,  real.policies, real.issuers,
                          real.connections, real.secrets,      real.events, real.backends, real.lookup,
                          endpoint,         real.pki,          real.slots};
  std::unique_ptr<reconcile::PinBoard> board;
  std::unique_ptr<reconcile::PinPolicyReconciler> engine;

  PinsTest() {
    restart();
    put("cloud", [](api::PinPolicySpec& spec) { spec.pins.static_pins = {colons('a')}; });
  }
  void restart() {
    board = std::make_unique<reconcile::PinBoard>();
    engine = std::make_unique<reconcile::PinPolicyReconciler>(around, reconcile::PinPorts{policies, endpoint, endpoint},
                                                              *board);
  }
  void put(const std::string& name, const std::function<void(api::PinPolicySpec&)>& change) {
    api::PinPolicy policy;
    if (const auto known = policies.get({"voice", name})) policy = *known;
    policy.meta.ns = "voice";
    policy.meta.name = name;
    policy.meta.uid = "uid-" + name;
    policy.meta.creation_time = policy.meta.creation_time.value_or(world.clock.now());
    ++policy.meta.generation;
    policy.spec.endpoint.host = "api.example.com";
    policy.spec.edge_selector = api::LabelSelector{};
    change(policy.spec);
    policies.put(policy);
  }
  reconcile::Outcome pass(const std::string& name = "cloud") {
    const auto outcome = engine->reconcile({"voice", name}, {});
    EXPECT_FALSE(outcome.error) << outcome.error->message();
    return outcome;
  }
  // The pass that the last one asked for.
  reconcile::Outcome next_pass() {
    const auto last = pass();
    EXPECT_TRUE(last.wake_at);
    if (last.wake_at) world.clock.advance(*last.wake_at - world.clock.now());
    return pass();
  }
  [[nodiscard]] api::PinPolicyStatus status(const std::string& name = "cloud") const {
    return policies.get({"voice", name})->status;
  }
  [[nodiscard]] std::string said(std::string_view type, const std::string& name = "cloud") const {
    const auto conditions = status(name).conditions;
    const auto* condition = api::find(conditions, type);
    if (condition == nullptr) return "-";
    const char truth = condition->status == api::Truth::kTrue    ? '+'
                       : condition->status == api::Truth::kFalse ? '-'
                                                                 : '?';
    return truth + condition->reason;
  }
  [[nodiscard]] std::string message(std::string_view type) const {
    const auto conditions = status().conditions;
    return api::find(conditions, type)->message;
  }
  [[nodiscard]] int events(const std::string& reason) const {
    return static_cast<int>(std::ranges::count(world.events, reason, &World::Event::reason));
  }
};

TEST_F(PinsTest, SaysWhatItSeesAndWhatItWouldWrite) {
  const auto outcome = pass();
  EXPECT_EQ(outcome.effect, "LookAtEndpoint");
  EXPECT_EQ(said(kReady), "+Ready");
  EXPECT_EQ(said(kPinsCurrent), "+Matched");
  EXPECT_EQ(said(kHandshakeValid), "+Validated");
  EXPECT_THAT(message(kReady), HasSubstr("Enforce would not write either: every pin is of what the endpoint presents"));
  const auto now = status();
  ASSERT_EQ(now.observed.size(), 2U) << "ready to be pasted, as either kind of pin";
  EXPECT_EQ(now.observed[0].fingerprint, colons('a'));
  EXPECT_EQ(now.observed[1].fingerprint, colons('A'));
  EXPECT_EQ(now.observed[1].root, "subject r");
  EXPECT_EQ(now.observed[0].at, world.clock.now());
  EXPECT_EQ(now.pins, "1");
  EXPECT_EQ(now.matched_of_total, "0/1") << "of the Edge nobody knows";
  EXPECT_EQ(now.summary->not_observed, 1);
  EXPECT_FALSE(world.edges.get({"voice", "edge01"})->status.pins) << "nothing is written to an Edge";

  put("cloud", [](auto& spec) { spec.pins.next = {colons('b')}; });
  pass();
  EXPECT_THAT(message(kReady), HasSubstr("in Enforce the file would hold 2 pins"));
}

TEST_F(PinsTest, WhenNothingChangesNothingIsWritten) {
  pass();
  const int before = world.moments.count();
  const int looks = endpoint.looks;
  for (int i = 0; i < 10; ++i) next_pass();
  EXPECT_EQ(world.moments.count(), before);
  EXPECT_EQ(endpoint.looks, looks + 10) << "one look an interval, whatever else wakes it";
  for (int i = 0; i < 10; ++i) pass();
  EXPECT_EQ(endpoint.looks, looks + 10);
  restart();
  pass();
  EXPECT_EQ(world.moments.count(), before) << "nor after a start";
}

TEST_F(PinsTest, AChangeThatNobodyConfirmsIsAlarmedAndNotLearned) {
  pass();
  endpoint.leaf = 'b';
  for (int i = 0; i < 3; ++i) next_pass();
  EXPECT_EQ(said(kPinsCurrent), "-Unconfirmed");
  EXPECT_EQ(said(kReady), "-Unconfirmed");
  EXPECT_THAT(message(kReady), HasSubstr(colons('b')));
  EXPECT_EQ(events("Unconfirmed"), 1) << "once, not each interval";
  EXPECT_EQ(status().observed[0].fingerprint, colons('b'));
  EXPECT_EQ(status().pins, "1");
  put("cloud", [](auto& spec) { spec.pins.static_pins.push_back(colons('b')); });
  pass();
  EXPECT_EQ(said(kReady), "+Ready");
}

TEST_F(PinsTest, OneConfirmationIsEnoughWhereThePolicySaysSo) {
  put("cloud", [](auto& spec) { spec.rotation.confirmations = 1; });
  pass();
  endpoint.leaf = 'b';
  next_pass();
  EXPECT_EQ(said(kPinsCurrent), "+Matched");
  EXPECT_EQ(events("UnannouncedChange"), 1);
  EXPECT_EQ(status().pins, "2");
  restart();
  next_pass();
  EXPECT_EQ(events("UnannouncedChange"), 1) << "what was learned is in the status";
  EXPECT_EQ(said(kPinsCurrent), "+Matched");
}

TEST_F(PinsTest, AnAnnouncedChangeIsAcceptedAheadAndAlarmsNobody) {
  endpoint.announcement = ports::PinAnnouncement{.certificate_sha256 = hash('a'), .next_certificate_sha256 = hash('b')};
  pass();
  EXPECT_EQ(endpoint.asked, std::vector<std::string>{"a"});
  EXPECT_EQ(status().pins, "2, 1 next");
  EXPECT_EQ(status().next.front().fingerprint, colons('b'));
  EXPECT_EQ(status().observed.size(), 4U);
  endpoint.leaf = 'b';
  endpoint.announcement = ports::PinAnnouncement{.certificate_sha256 = hash('b'), .next_certificate_sha256 = {}};
  next_pass();
  EXPECT_EQ(said(kReady), "+Ready");
  EXPECT_THAT(status().next, IsEmpty());
  EXPECT_EQ(events("UnannouncedChange") + events("Unconfirmed"), 0);
}

TEST_F(PinsTest, WhoeverIsNotPinnedIsNotAsked) {
  endpoint.leaf = 'x';
  endpoint.announcement = ports::PinAnnouncement{.certificate_sha256 = hash('x'), .next_certificate_sha256 = {}};
  pass();
  endpoint.leaf = 'a';
  endpoint.problem = "\"Proxy CA\" is no known root";
  next_pass();
  EXPECT_THAT(endpoint.asked, IsEmpty());
  EXPECT_EQ(status().pins, "1");
}

TEST_F(PinsTest, AnAnnouncementThatCannotBeReadIsForTheLogAlone) {
  endpoint.announcement_error = Error{.kind = ErrorKind::kProtocol, .what = "certificateFingerprint is missing"};
  const auto outcome = pass();
  ASSERT_TRUE(outcome.effect_error);
  EXPECT_EQ(said(kReady), "+Ready");
}

TEST_F(PinsTest, AChainThatDoesNotValidateIsShownAndTeachesNothing) {
  put("cloud", [](auto& spec) { spec.rotation.confirmations = 1; });
  endpoint.leaf = 'p';
  endpoint.problem = "\"Proxy CA\" is no known root";
  pass();
  EXPECT_EQ(said(kReady), "-ChainInvalid");
  EXPECT_EQ(said(kHandshakeValid), "-ChainInvalid");
  EXPECT_EQ(said(kPinsCurrent), "?NotSeen");
  EXPECT_THAT(message(kReady), HasSubstr("Proxy CA"));
  EXPECT_EQ(status().observed[0].fingerprint, colons('p'));
  EXPECT_EQ(status().observed[0].root, "");
  EXPECT_EQ(status().pins, "1");
}

TEST_F(PinsTest, AnEndpointThatDoesNotAnswerIsAskedAgainSoonAndLosesNothing) {
  pass();
  const auto seen = status().observed;
  endpoint.silence = Error{.kind = ErrorKind::kTimeout, .what = "no answer in time"};
  world.clock.advance(5min);
  const auto outcome = pass();
  EXPECT_LE(*outcome.wake_at - world.clock.now(), 36s);
  EXPECT_TRUE(outcome.effect_error);
  EXPECT_EQ(said(kReady), "-EndpointUnavailable");
  EXPECT_EQ(said(kHandshakeValid), "?EndpointUnavailable");
  EXPECT_EQ(status().observed.size(), seen.size());
  EXPECT_EQ(status().pins, "1");
  for (int i = 0; i < 20; ++i) {
    const auto again = next_pass().wake_at;
    EXPECT_LE(*again - world.clock.now(), 5min) << "never beyond the interval";
  }
  endpoint.silence.reset();
  next_pass();
  EXPECT_EQ(said(kReady), "+Ready");
}

TEST_F(PinsTest, DisabledLooksAtNothing) {
  pass();
  const int looks = endpoint.looks;
  put("cloud", [](auto& spec) { spec.mode = api::PinMode::kDisabled; });
  EXPECT_EQ(pass().wake_at, std::nullopt);
  EXPECT_EQ(endpoint.looks, looks);
  EXPECT_EQ(said(kReady), "+Disabled");
  EXPECT_EQ(said(kPinsCurrent), "-");
  EXPECT_THAT(status().observed, IsEmpty());
}

TEST_F(PinsTest, WhatWasLearnedOutlivesASpecThatIsWrongForAWhile) {
  const std::vector<std::function<void(api::PinPolicySpec&)>> wrongs{
      [](auto& spec) { spec.mode = api::PinMode::kDisabled; },
      [](auto& spec) { spec.pins.static_pins = {"1A:2B"}; },
  };
  put("cloud", [](auto& spec) {
    spec.pins.static_pins.clear();
    spec.rotation.confirmations = 1;
  });
  pass();
  ASSERT_EQ(events("PinLearned"), 1);
  for (const auto& wrong : wrongs) {
    const api::PinPolicySpec right = policies.get({"voice", "cloud"})->spec;
    put("cloud", wrong);
    pass();
    put("cloud", [&](auto& spec) { spec = right; });
    pass();
    ASSERT_EQ(status().current.size(), 1U);
    EXPECT_EQ(status().current[0].fingerprint, colons('a'));
  }
  EXPECT_EQ(events("PinLearned"), 1);
}

TEST_F(PinsTest, APinThatCannotBeReadIsSaid) {
  put("cloud",
      [](auto& spec) { spec.pins.static_pins = {"1A:2B:3C:4D:5E:6F:7A:8B:9C:0D:1E:2F:3A:4B:5C:6D:7E:8F:9A:0B"}; });
  pass();
  EXPECT_EQ(said(kReady), "-Invalid");
  EXPECT_THAT(message(kReady), HasSubstr("SHA-1")) << "the guide's own example";
}

TEST_F(PinsTest, ItsOwnRootsAreTheOnlyOnesAndAreReadAnewWhenTheyChange) {
  pass();
  EXPECT_EQ(endpoint.roots, "") << "the public ones";
  world.bundles["cloud-roots"] = "the cloud's root";
  put("cloud",
      [](auto& spec) { spec.endpoint.ca_bundle_ref = api::CaBundleRef{.name = "cloud-roots", .key = "ca.crt"}; });
  pass();
  EXPECT_EQ(endpoint.roots, "the cloud's root");
  world.bundles["cloud-roots"] = "another";
  pass();
  EXPECT_EQ(endpoint.roots, "the cloud's root") << "not before the interval is over";
  engine->look_anew({"voice", "cloud"});
  pass();
  EXPECT_EQ(endpoint.roots, "another");
  world.bundles["cloud-roots"] = kNoRoot;
  engine->look_anew({"voice", "cloud"});
  pass();
  EXPECT_EQ(said(kReady), "-EndpointRefused");
  EXPECT_THAT(message(kReady), HasSubstr("endpoint.caBundleRef: no root"));
}

TEST_F(PinsTest, OfTwoPoliciesForOneEdgeTheOlderHoldsIt) {
  world.clock.advance(1h);
  put("younger", [](auto& spec) { spec.pins.static_pins = {colons('a')}; });
  pass();
  pass("younger");
  EXPECT_EQ(said(kReady), "+Ready");
  EXPECT_EQ(status().summary->total, 1);
  EXPECT_EQ(said(kReady, "younger"), "-Conflict");
  EXPECT_EQ(status("younger").summary->total, 0);
  policies.erase({"voice", "cloud"});
  pass();
  pass("younger");
  EXPECT_EQ(said(kReady, "younger"), "+Ready");
}

TEST_F(PinsTest, AThousandEdgesFitIntoOneStatus) {
  const auto known = world.edges.get({"voice", "edge01"});
  for (int i = 0; i < 1000; ++i) {
    api::Edge edge = *known;
    edge.meta.name = std::string(180, 'e') + std::to_string(i);
    edge.status.pins =
        api::EdgePins{.policy = "cloud", .state = api::EdgePinState::kUnreachable, .message = std::string(4000, 'm')};
    world.edges.put(edge);
  }
  put("cloud", [](auto& spec) {
    spec.rotation.confirmations = 1;
    spec.rotation.overlap = 8760h;
  });
  for (char leaf = 'a'; leaf <= 'z'; ++leaf) {
    endpoint.leaf = leaf;
    pass();
    world.clock.advance(5min);
  }
  EXPECT_EQ(status().matched_of_total, "0/1001");
  EXPECT_EQ(status().summary->unreachable, 1000);
  EXPECT_FALSE(status().not_matched.empty());
  EXPECT_LE(status().not_matched.size(), 50U);
  EXPECT_LE(api::encode_status(*policies.get({"voice", "cloud"})).size(), 16U * 1024);
}

}  // namespace
}  // namespace edgetrust::simulation
