// The CAs of trustAnchors, kept in Genesys step by step.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

struct AnchorsTest : testing::Test {
  World world;
  reconcile::World ports = world.ports();
  reconcile::FleetListings listings{ports};
  reconcile::ConnectionReconciler connections{ports, listings, {"voice"}};
  const api::ObjectKey key{"voice", "prod"};
  const TimePoint begin = world.clock.now();

  AnchorsTest() { sync({.sync = true, .services = {}, .bundle_refs = {{.name = "sbc", .key = "ca.crt"}}}); }

  void sync(const api::TrustAnchors& anchors) {
    api::GenesysConnection next = *world.connections.get(key);
    next.spec.trust_anchors = anchors;
    ++next.meta.generation;
    world.connections.put(next);
  }
  [[nodiscard]] std::string ca(const std::string& serial) const {
    return Token{.serial = serial, .key = "key", .names = {}, .not_before = begin, .not_after = begin + 1000h}.pem();
  }
  // Passes until nothing is due for a minute.
  void settle() {
    for (int i = 0; i < 50; ++i) {
      const auto outcome = connections.reconcile(key, {});
      ASSERT_FALSE(outcome.error);
      const auto wait = outcome.wake_at.value() - world.clock.now();
      if (wait > 1min) return;
      world.clock.advance(wait);
    }
    FAIL() << "it does not come to rest";
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& authority : world.authorities) names.push_back(authority.name);
    return names;
  }
  [[nodiscard]] api::Condition synced() const {
    const auto object = *world.connections.get(key);
    const auto* found = api::find(object.status.conditions, api::condition::kTrustAnchorsSynced);
    return found == nullptr ? api::Condition{} : *found;
  }
  ports::TrustedAuthority foreign(const std::string& pem) {
    return {.id = "theirs", .name = "sbc 2026", .version = 3, .services = {"SIP"}, .certificate_pem = pem};
  }
};

TEST_F(AnchorsTest, EveryCaOfABundleIsMadeOnce) {
  world.bundles["sbc"] = ca("1") + ca("2") + ca("1");
  world.authorities = {foreign("not PEM at all")};
  settle();
  EXPECT_THAT(names(), ElementsAre("sbc 2026", "edgetrust voice/prod fp-1", "edgetrust voice/prod fp-2"));
  EXPECT_EQ(world.authorities[1].services, std::vector<std::string>{"SIP"});
  EXPECT_EQ(world.authorities[1].certificate_pem, ca("1"));
  EXPECT_EQ(synced().reason, "Synced");
  EXPECT_EQ(synced().message, "2 CAs are trusted");
  EXPECT_EQ(world.fleet_checks, 1) << "the steps do not log in anew";
  EXPECT_EQ(std::ranges::count(world.events, "TrustAnchorAdded", &World::Event::reason), 2) << "each is told";
  world.clock.advance(1h);
  settle();
  EXPECT_EQ(world.authorities.size(), 3U);
}

TEST_F(AnchorsTest, ACaThatIsExchangedGoesAfterItsSuccessorHasCome) {
  world.bundles["sbc"] = ca("1");
  settle();
  world.bundles["sbc"] = ca("2");
  world.moments.log.clear();
  world.clock.advance(5min);
  settle();
  EXPECT_THAT(names(), ElementsAre("edgetrust voice/prod fp-2"));
  std::erase(world.moments.log, "status");
  EXPECT_THAT(world.moments.log, ElementsAre("create authority", "remove authority"));
}

TEST_F(AnchorsTest, WhoLeadsNoLongerChangesNothing) {
  world.bundles["sbc"] = ca("1");
  const LeadUntil lead(world.moments, 0);
  reconcile::World around = world.ports();
  around.leadership = &lead;
  reconcile::ConnectionReconciler other{around, listings, {"voice"}};
  EXPECT_FALSE(other.reconcile(key, {}).error);
  EXPECT_TRUE(world.authorities.empty());
  settle();
  EXPECT_EQ(world.authorities.size(), 1U);
}

TEST_F(AnchorsTest, AForeignOneIsNeitherDoubledNorTouched) {
  world.bundles["sbc"] = ca("1");
  world.authorities = {foreign(ca("1"))};
  settle();
  EXPECT_EQ(world.authorities, std::vector<ports::TrustedAuthority>{foreign(ca("1"))});
  sync({.sync = true, .services = {}, .bundle_refs = {}});
  settle();
  EXPECT_EQ(world.authorities.size(), 1U);
}

TEST_F(AnchorsTest, WithoutSyncNothingIsAskedAndWhatIsThereStays) {
  world.bundles["sbc"] = ca("1");
  settle();
  sync({.sync = false, .services = {}, .bundle_refs = {}});
  settle();
  EXPECT_EQ(world.authorities.size(), 1U);
  EXPECT_EQ(synced().type, "");
}

TEST_F(AnchorsTest, ABundleThatCannotBeReadTakesNothingAway) {
  world.bundles["sbc"] = ca("1");
  settle();
  world.bundles["sbc"] = "-----BEGIN CERTIFICATE-----\nhalf";
  world.clock.advance(5min);
  settle();
  EXPECT_EQ(world.authorities.size(), 1U);
  EXPECT_EQ(synced().status, api::Truth::kFalse);
  EXPECT_EQ(synced().reason, "TrustAnchorsRefused");
  EXPECT_THAT(synced().message, HasSubstr("sbc key ca.crt"));
  const auto connection = world.connections.get(key);
  EXPECT_EQ(api::find(connection->status.conditions, api::condition::kReady)->status, api::Truth::kTrue);
}

TEST_F(AnchorsTest, AConflictIsReadAnewAndAnotherFaultWaits) {
  world.bundles["sbc"] = ca("1");
  world.authority_error = Error{.kind = ErrorKind::kConflict, .what = "the version must match"};
  auto outcome = connections.reconcile(key, {});
  EXPECT_EQ(*outcome.wake_at - world.clock.now(), 5s);
  world.authority_error = Error{.kind = ErrorKind::kForbidden, .what = "no"};
  world.clock.advance(5s);
  outcome = connections.reconcile(key, {});
  EXPECT_GT(*outcome.wake_at - world.clock.now(), 4min);
  EXPECT_EQ(synced().reason, "TrustAnchorsForbidden");
  world.authority_error.reset();
  world.clock.advance(5min);
  settle();
  EXPECT_EQ(synced().reason, "Synced");
}

TEST_F(AnchorsTest, AConflictThatStaysIsNotAskedAgainAllTheTime) {
  world.bundles["sbc"] = ca("1");
  world.authority_error = Error{.kind = ErrorKind::kConflict, .what = "a name that is taken"};
  int passes = 0;
  for (TimePoint end = world.clock.now() + 1h; world.clock.now() < end; ++passes) {
    const auto outcome = connections.reconcile(key, {});
    world.clock.advance(*outcome.wake_at - world.clock.now());
  }
  EXPECT_LE(passes, 20);
  EXPECT_EQ(synced().status, api::Truth::kFalse);
  EXPECT_THAT(synced().message, HasSubstr("a name that is taken"));
}

// The answer is lost, or the operator dies after the vendor has taken it.
TEST_F(AnchorsTest, ACrashAfterAStepDoublesNothing) {
  world.bundles["sbc"] = ca("1") + ca("2");
  for (const auto when : {Moments::When::kBefore, Moments::When::kAfter}) {
    for (int change = 1; change <= 4; ++change) {
      world.authorities.clear();
      reconcile::FleetListings fresh_listings(ports);
      auto engine =
          std::make_unique<reconcile::ConnectionReconciler>(ports, fresh_listings, std::vector<std::string>{"voice"});
      world.moments.crash_at(world.moments.count() + change, when);
      for (int pass = 0; pass < 30; ++pass) {
        try {
          const auto outcome = engine->reconcile(key, {});
          world.clock.advance(std::max<std::chrono::milliseconds>(*outcome.wake_at - world.clock.now(), 1ms));
        } catch (const Crash&) {
          engine = std::make_unique<reconcile::ConnectionReconciler>(ports, fresh_listings,
                                                                     std::vector<std::string>{"voice"});
        }
      }
      EXPECT_THAT(names(), ElementsAre("edgetrust voice/prod fp-1", "edgetrust voice/prod fp-2")) << change;
    }
  }
}

}  // namespace
}  // namespace edgetrust::simulation
