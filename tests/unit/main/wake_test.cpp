#include "wake.hpp"

#include "edgetrust/decide/budget.hpp"
#include "objects.hpp"

namespace edgetrust {
namespace {

constexpr Wake kNothing{};
constexpr Wake kItself{.itself = true};
constexpr Wake kAll{.itself = true, .dependants = Rouse::kForgive};
constexpr Wake kDependants{.itself = false, .dependants = Rouse::kWake};
constexpr Wake kForgiven{.itself = false, .dependants = Rouse::kForgive};

template <class Kind>
Wake after(const std::function<void(Kind&)>& change) {
  const Kind before = object<Kind>();
  Kind changed = before;
  changed.meta.resource_version = "8";
  change(changed);
  return wake(&before, &changed);
}

template <class Kind>
class WakeOf : public testing::Test {
 public:
  // An EdgeCertificate leans on no other, so nobody leans on what others did to it.
  static constexpr Wake kDone = std::is_same_v<Kind, api::EdgeCertificate> ? kItself : kAll;
};
using Kinds = testing::Types<api::EdgeCertificate, api::Edge, api::RotationPolicy, api::AcmeIssuer,
                             api::GenesysConnection, api::PinPolicy>;
TYPED_TEST_SUITE(WakeOf, Kinds);

TYPED_TEST(WakeOf, WhatOthersDidCounts) {
  EXPECT_EQ(after<TypeParam>([](auto& o) { o.meta.generation = 4; }), this->kDone);
  EXPECT_EQ(after<TypeParam>([](auto& o) { o.meta.annotations["edgetrust.io/hold"] = "until Monday"; }), this->kDone);
  EXPECT_EQ(after<TypeParam>([](auto& o) { o.meta.annotations.clear(); }), this->kDone);
}

TYPED_TEST(WakeOf, ComingGoingAndBeingDeletedCount) {
  const auto known = object<TypeParam>();
  const TypeParam* none = nullptr;
  EXPECT_EQ(wake(none, &known), this->kDone);
  EXPECT_TRUE(wake(&known, none).itself);
  EXPECT_NE(wake(&known, none).dependants, Rouse::kNobody);
  EXPECT_TRUE(after<TypeParam>([](auto& o) { o.meta.deletion_time = kNow; }).itself);
  const Wake made_anew = after<TypeParam>([](auto& o) { o.meta.uid = "uid-2"; });
  EXPECT_TRUE(made_anew.itself);
  EXPECT_NE(made_anew.dependants, Rouse::kNobody);
}

TYPED_TEST(WakeOf, WhatWeWroteWakesNobody) {
  EXPECT_EQ(after<TypeParam>([](auto&) {}), kNothing) << "managedFields, say";
  EXPECT_EQ(after<TypeParam>([](auto& o) { o.meta.finalizers.emplace_back(api::kGroup); }), kNothing);
  EXPECT_EQ(after<TypeParam>([](auto& o) {
              say(o, api::condition::kReady, api::Truth::kFalse, "ConnectionUnavailable", "as never before: 4711");
            }),
            kNothing);
}

// A fleet of a thousand whose Edges are looked at all the time: only what a policy counts has it count.
TEST(Wake, WhatAPinPolicyCountsOfAnEdgeHasItCount) {
  const auto known = object<api::Edge>();
  const auto counts = [&](const std::function<void(api::Edge&)>& change) {
    auto changed = known;
    change(changed);
    return counts_for_pins(&known, &changed);
  };
  EXPECT_TRUE(counts_for_pins(nullptr, &known));
  EXPECT_TRUE(counts_for_pins(&known, nullptr));
  EXPECT_FALSE(counts([](auto& o) { o.status.online_status = "OFFLINE"; }));
  EXPECT_TRUE(counts([](auto& o) { o.meta.labels["pinned"] = "yes"; }));
  EXPECT_TRUE(counts([](auto& o) { o.status.pins = api::EdgePins{.policy = "cloud"}; }));
  EXPECT_TRUE(counts([](auto& o) { o.status.pins = api::EdgePins{.state = api::EdgePinState::kMatched}; }));
}

TEST(Wake, AnEdgeCertificateThatGivesItsEdgeFreeWakesTheOthers) {
  const auto known = object<api::EdgeCertificate>();
  EXPECT_EQ(wake(&known, static_cast<const api::EdgeCertificate*>(nullptr)), (Wake{true, Rouse::kWake}));
  EXPECT_EQ(after<api::EdgeCertificate>([](auto& o) { o.meta.deletion_time = kNow; }), (Wake{true, Rouse::kWake}))
      << "from then on it holds its Edge no more";
  EXPECT_EQ(after<api::EdgeCertificate>([](auto& o) {
              o.meta.generation = 4;
              o.spec.edge_ref.name = "edge02";
            }),
            (Wake{true, Rouse::kWake}));
}

// The Edge tells what its peers stop, so it hears when that begins and when it is over; not of what else is said.
TEST(Wake, AnEdgeCertificateThatItsPeersStopWakesItsEdge) {
  const auto known = object<api::EdgeCertificate>();
  const auto saying = [&](std::string_view reason) {
    auto changed = known;
    say(changed, api::condition::kStalled, api::Truth::kTrue, std::string(reason), "a root is missing");
    return changed;
  };
  const auto stopped = saying(api::reason::kPeerDoesNotTrust);
  const auto unknown = saying(api::reason::kPeersNotJudged);
  EXPECT_EQ(wake(&known, &stopped), (Wake{.edge = true}));
  EXPECT_EQ(wake(&stopped, &unknown), (Wake{.edge = true}));
  EXPECT_EQ(wake(&stopped, &known), (Wake{.edge = true}));
  EXPECT_EQ(wake(&stopped, &stopped), kNothing);
  const auto other = saying("NoTimeZone");
  EXPECT_EQ(wake(&known, &other), kNothing);
  EXPECT_TRUE(wake(&stopped, static_cast<const api::EdgeCertificate*>(nullptr)).edge);
}

// While it is being deleted it holds its Edge until the delivery that it has begun is over: only then do the others
// wait for nobody.
TEST(Wake, AnEdgeCertificateThatIsDeletedInMidDeliveryWakesTheOthersWhenThatIsOver) {
  auto delivering = object<api::EdgeCertificate>();
  delivering.status.delivery.emplace();
  auto deleted = delivering;
  deleted.meta.deletion_time = kNow;
  EXPECT_EQ(wake(&delivering, &deleted), kItself);
  auto over = deleted;
  over.status.delivery.reset();
  EXPECT_EQ(wake(&deleted, &over), kDependants);
  const api::EdgeCertificate* gone = nullptr;
  EXPECT_EQ(wake(&deleted, gone), (Wake{true, Rouse::kWake}));
  EXPECT_EQ(wake(&over, gone), (Wake{true, Rouse::kWake}));
}

TEST(Wake, AnEdgeTellsItsCertificatesWhatTheyReadOfIt) {
  EXPECT_EQ(after<api::Edge>([](auto& o) { o.status.time_zone = "Europe/Berlin"; }), kDependants);
  EXPECT_EQ(after<api::Edge>([](auto& o) { o.status.served_certificate.emplace().fingerprint_sha256 = "ab"; }),
            kDependants);
  EXPECT_EQ(after<api::Edge>([](auto& o) {
              say(o, api::condition::kStalled, api::Truth::kTrue, "Conflict", "the Edge edge00 is older");
            }),
            kDependants);
}

TEST(Wake, AnEdgeKeepsToItselfWhatTheyDoNotRead) {
  EXPECT_EQ(after<api::Edge>([](auto& o) {
              o.status.online_status = "OFFLINE";
              o.status.trunks.push_back({.name = "sbc"});
              say(o, api::condition::kReady, api::Truth::kTrue, "Ready", "the Edge is online");
              say(o, api::condition::kStalled, api::Truth::kTrue, "ApiForbidden", "the answer is 403");
            }),
            kNothing);
  api::Edge before = object<api::Edge>();
  before.status.served_certificate.emplace().fingerprint_sha256 = "ab";
  api::Edge seen_again = before;
  seen_again.status.served_certificate->at = kNow;
  EXPECT_EQ(wake(&before, &seen_again), kNothing);
}

TEST(Wake, TheEndOfASoftwareUpdateWakesWhoWaitsForIt) {
  EXPECT_EQ(after<api::Edge>([](auto& o) { o.status.software_update = "SUCCEEDED"; }), kDependants);
  EXPECT_EQ(after<api::Edge>([](auto& o) { o.status.service_state = "OutOfService"; }), kDependants);
  EXPECT_EQ(after<api::Edge>([](auto& o) { o.status.site = "dublin"; }), kDependants) << "another budget";
}

TEST(Wake, APolicyThatIsResumedWakesThoseThatWaitForIt) {
  auto halted = object<api::RotationPolicy>();
  halted.status.state = api::PolicyState::kHalted;
  auto open = halted;
  open.status.state = api::PolicyState::kOpen;
  EXPECT_EQ(wake(&halted, &open), kDependants);
  EXPECT_EQ(wake(&open, &halted), kNothing) << "they ask before they start";
  auto soaked = open;
  soaked.status.soaked = {"letsencrypt/X1/RSA-2048/0.1.0"};
  EXPECT_EQ(wake(&open, &soaked), kDependants);
  auto narrow = open;
  say(narrow, api::condition::kInfeasible, api::Truth::kTrue, "Budget", "too narrow");
  EXPECT_EQ(wake(&open, &narrow), kDependants) << "each says so too";
}

TEST(LeavesTurn, WhoWaitedForNothingElseAndCannotBegin) {
  const auto saying = [](std::string_view reason) {
    auto certificate = object<api::EdgeCertificate>();
    certificate.status.phase = api::Phase::kWaiting;
    say(certificate, api::condition::kReconciling, api::Truth::kTrue, std::string(reason), "");
    return certificate;
  };
  const auto waiting = saying(decide::kWaitingForTurn);
  const auto looking = saying(decide::kLookingAtEdge);
  const auto unhealthy = saying("EdgeUnhealthy");
  EXPECT_TRUE(leaves_turn(&looking, &unhealthy));
  EXPECT_TRUE(leaves_turn(&waiting, &unhealthy));
  EXPECT_TRUE(leaves_turn(&looking, nullptr)) << "it was deleted";
  EXPECT_FALSE(leaves_turn(&waiting, &looking));
  EXPECT_FALSE(leaves_turn(&unhealthy, &unhealthy));
  EXPECT_FALSE(leaves_turn(nullptr, &waiting));
  auto pushing = saying("Pushing");
  pushing.status.delivery.emplace();
  EXPECT_FALSE(leaves_turn(&looking, &pushing)) << "its slots tell the others when they are free";
}

TEST(ChangesFleet, WhatAPolicyCountsAndNothingElse) {
  const auto changes = [](const std::function<void(api::EdgeCertificate&)>& change) {
    const auto before = object<api::EdgeCertificate>();
    auto changed = before;
    change(changed);
    return changes_fleet(&before, &changed);
  };
  EXPECT_FALSE(changes([](auto& o) { o.status.phase = api::Phase::kIssuing; }));
  EXPECT_TRUE(changes([](auto& o) { o.status.delivery.emplace(); }));
  EXPECT_TRUE(changes([](auto& o) { o.spec.policy_ref = api::LocalRef{"prod"}; }));
  EXPECT_TRUE(changes(
      [](auto& o) { o.status.history.push_back({.revision = 9, .result = api::RevisionResult::kRolledBack}); }));
  auto rolling = object<api::EdgeCertificate>();
  rolling.status.delivery.emplace();
  auto back = rolling;
  back.status.delivery->rolling_back_since = kNow;
  EXPECT_TRUE(changes_fleet(&rolling, &back));
  EXPECT_TRUE(changes_fleet(nullptr, &rolling));
  EXPECT_TRUE(changes_fleet(&rolling, nullptr));
}

template <class Kind>
void expect_readiness_to_wake() {
  const auto saying = [](api::Truth truth) {
    auto kind = object<Kind>();
    say(kind, api::condition::kReady, truth, "Said", "so");
    return kind;
  };
  const auto ready = saying(api::Truth::kTrue);
  const auto unready = saying(api::Truth::kFalse);
  const auto silent = object<Kind>();
  EXPECT_EQ(wake(&unready, &ready), kForgiven);
  EXPECT_EQ(wake(&silent, &ready), kForgiven);
  EXPECT_EQ(wake(&ready, &unready), kNothing);
  EXPECT_EQ(wake(&ready, &ready), kNothing);
}

TEST(Wake, AnIssuerThatBecomesReadyWakesThoseThatWaitForIt) { expect_readiness_to_wake<api::AcmeIssuer>(); }

TEST(Wake, AnIssuerThatWasRefusedIsLookedAtSoThatItIsSaidWhenThatIsOver) {
  const auto before = object<api::AcmeIssuer>();
  auto after = before;
  after.status.last_refusal = api::RefusalStatus{.at = TimePoint{}, .until = TimePoint{} + std::chrono::hours{1}};
  EXPECT_TRUE(wake(&before, &after).itself);
  EXPECT_EQ(wake(&before, &after).dependants, Rouse::kNobody) << "they have named that time";
  auto over = after;
  over.status.last_refusal.reset();
  EXPECT_FALSE(wake(&after, &over).itself);
}

TEST(Wake, AConnectionThatBecomesReadyWakesThoseThatWaitForIt) { expect_readiness_to_wake<api::GenesysConnection>(); }

template <class Kind>
bool counts(const std::function<void(Kind&)>& change) {
  const Kind before = object<Kind>();
  Kind changed = before;
  change(changed);
  return counts_anew(&before, &changed);
}

TEST(CountsAnew, WhenAnEdgeComesGoesOrIsReady) {
  const auto known = object<api::Edge>();
  const api::Edge* none = nullptr;
  EXPECT_TRUE(counts_anew(none, &known));
  EXPECT_TRUE(counts_anew(&known, none));
  EXPECT_TRUE(counts<api::Edge>([](auto& o) { o.spec.connection_ref.name = "test"; }));
  EXPECT_TRUE(counts<api::Edge>([](auto& o) { say(o, api::condition::kReady, api::Truth::kTrue); }));
  EXPECT_FALSE(counts<api::Edge>([](auto& o) { say(o, api::condition::kReady, api::Truth::kFalse); }));
  EXPECT_FALSE(counts<api::Edge>([](auto& o) { o.status.trunks.push_back({.name = "sbc"}); }));
}

TEST(CountsAnew, WhenACertificateGoesOnOrNoFurther) {
  using Certificate = api::EdgeCertificate;
  const auto known = object<Certificate>();
  const Certificate* none = nullptr;
  EXPECT_TRUE(counts_anew(none, &known));
  EXPECT_TRUE(counts<Certificate>([](auto& o) { o.status.phase = api::Phase::kObserving; }));
  EXPECT_TRUE(counts<Certificate>([](auto& o) { o.status.not_after = kNow; }));
  EXPECT_TRUE(counts<Certificate>([](auto& o) { o.meta.deletion_time = kNow; }));
  EXPECT_TRUE(counts<Certificate>([](auto& o) { say(o, api::condition::kStalled, api::Truth::kTrue); }));
  EXPECT_FALSE(counts<Certificate>([](auto& o) { say(o, api::condition::kReady, api::Truth::kTrue); }));
  EXPECT_FALSE(counts<Certificate>([](auto& o) { o.status.next = "renews 2027-01-03"; }));
}

TEST(CountsAnew, NothingOfTheOtherKinds) {
  const auto policy = object<api::RotationPolicy>();
  EXPECT_FALSE(counts_anew(static_cast<const api::RotationPolicy*>(nullptr), &policy));
  const auto connection = object<api::GenesysConnection>();
  EXPECT_FALSE(counts_anew(static_cast<const api::GenesysConnection*>(nullptr), &connection))
      << "that is looked at for itself";
}

}  // namespace
}  // namespace edgetrust
