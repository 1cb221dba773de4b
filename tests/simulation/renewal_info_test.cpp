// A CA that would have a certificate renewed sooner than the rule (RFC 9773), with the real engine, crashed at every
// change of the world.
#include "edgetrust/api/conditions.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using When = Moments::When;
using Serials = std::vector<std::string>;

const api::EdgeCertificate& certificate(const World& world) { return *world.certificates.get({"voice", "edge01"}); }

int said(const World& world, const std::string& reason) {
  return static_cast<int>(std::ranges::count(world.events, reason, &World::Event::reason));
}

// A window of an hour that begins then.
ports::RenewalInfo suggestion(TimePoint start) {
  return {.start = start, .end = start + 1h, .explanation_url = "https://ca.example/incident", .retry_after = 6h};
}

// A certificate is live, and the CA has no wish for months.
void begin(World& world) {
  world.offers_renewal_info = true;
  for (const char* serial : {"serial1", "serial2", "serial3"})
    world.suggestions[serial] = suggestion(world.clock.now() + 2000h);
  ASSERT_TRUE(run(world, 10min));
  ASSERT_EQ(certificate(world).status.phase, api::Phase::kReady);
  ASSERT_EQ(world.renewal_looks, 1);
}

// The CA has to revoke the certificate: its window is over, and at the next look that is known.
struct Told {
  std::unique_ptr<World> world = std::make_unique<World>();
  bool came_to_rest = false;
  int changes = 0;

  [[nodiscard]] const std::string& crashed_at(int n) const {
    return world->moments.log.at(static_cast<std::size_t>(world->moments.count() - changes + n - 1));
  }
};
Told tell(int crash_at, When when, std::set<std::string> unreplaceable = {}) {
  Told told;
  World& world = *told.world;
  begin(world);
  world.suggestions["serial1"] = suggestion(world.clock.now() - 2h);
  world.unreplaceable = std::move(unreplaceable);
  const int before = world.moments.count();
  if (crash_at > 0) world.moments.crash_at(before + crash_at, when);
  told.came_to_rest = run(world, 30h);
  told.changes = world.moments.count() - before;
  return told;
}

std::string wrong_about(const Told& told, const Serials& replaced) {
  const World& world = *told.world;
  const auto& status = certificate(world).status;
  if (!told.came_to_rest) return "the engine does not come to rest";
  if (status.revision != 2 || status.phase != api::Phase::kReady) return "revision 2 is not live";
  if (world.orders != 2) return std::to_string(world.orders) + " orders instead of 2";
  if (world.replaced != replaced) return "the orders have replaced " + join(world.replaced, ", ");
  for (const auto& [key, count] : world.orders_by_key) {
    if (count != 1) return "key " + key + " has " + std::to_string(count) + " certificates";
  }
  if (status.order || status.delivery || status.slots) return "something is still under way";
  if (!certificate(world).meta.finalizers.empty() || !world.records.empty()) return "something is left behind";
  if (!status.renewal_info || status.renewal_info->revision != 2) return "nothing is known of the new certificate";
  return {};
}

TEST(RenewalInfo, OneThatLiesFarAheadChangesNothingAndIsWrittenOnce) {
  World world;
  begin(world);
  const int before = world.moments.count();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run(world, 6h));
  EXPECT_EQ(world.moments.count(), before) << "a look is no reason to write";
  EXPECT_GE(world.renewal_looks, 9);
  EXPECT_LE(world.renewal_looks, 21) << "each new engine asks once more";
  EXPECT_EQ(world.orders, 1);
}

TEST(RenewalInfo, ARenewalIsBroughtForwardOnce) {
  const Told told = tell(0, When::kBefore);
  EXPECT_EQ(wrong_about(told, {"-", "serial1"}), "");
  EXPECT_EQ(said(*told.world, "RenewalBroughtForward"), 1);
  World& world = *told.world;
  ASSERT_TRUE(run(world, 24h * 20));
  EXPECT_EQ(world.orders, 2) << "the new certificate has a window of its own";
}

TEST(RenewalInfo, CrashedAtEveryChangeItIsOneOrder) {
  const int changes = tell(0, When::kBefore).changes;
  ASSERT_GT(changes, 15);
  for (int n = 1; n <= changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      const Told told = tell(n, when);
      EXPECT_TRUE(told.world->moments.has_crashed());
      EXPECT_EQ(wrong_about(told, {"-", "serial1"}), "") << "crash " << (when == When::kBefore ? "before" : "after")
                                                         << " change " << n << " (" << told.crashed_at(n) << ")";
    }
  }
}

TEST(RenewalInfo, AReplacementThatTheCaRefusesIsOrderedOnceMoreWithoutIt) {
  const Told told = tell(0, When::kBefore, {"serial1"});
  EXPECT_EQ(wrong_about(told, {"-", "-"}), "");
  EXPECT_EQ(told.world->refused_replacements, 1);
  for (int n = 1; n <= told.changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      const Told crashed = tell(n, when, {"serial1"});
      EXPECT_EQ(wrong_about(crashed, {"-", "-"}), "") << "change " << n << " (" << crashed.crashed_at(n) << ")";
      EXPECT_LE(crashed.world->refused_replacements, 2) << "the refusal itself may be forgotten once";
    }
  }
}

// It waits like any other renewal: here for its window, which opens at night.
TEST(RenewalInfo, WhatIsBroughtForwardWaitsForItsWindow) {
  World world;
  begin(world);
  api::EdgeCertificate closed = certificate(world);
  closed.spec.rotation = api::RotationOverrides{.windows = {{.start = "03:00", .duration = 2h, .days = {}}}};
  world.certificates.put(closed);
  world.suggestions["serial1"] = suggestion(world.clock.now() - 2h);
  ASSERT_TRUE(run(world, 7h));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kWaiting);
  EXPECT_EQ(world.orders, 2);
  EXPECT_EQ(world.uploads, 1);
  ASSERT_TRUE(run(world, 24h));
  EXPECT_EQ(certificate(world).status.revision, 2);
}

TEST(RenewalInfo, ACaThatOffersNoneIsAskedOnceADay) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(world.renewal_looks, 1);
  const int before = world.moments.count();
  ASSERT_TRUE(run(world, 24h));
  EXPECT_LE(world.renewal_looks, 3);
  EXPECT_EQ(world.moments.count(), before);
  EXPECT_EQ(world.replaced, Serials{"-"});
}

TEST(RenewalInfo, IsNotAskedForWhereTheIssuerSaysSo) {
  World world;
  api::AcmeIssuer issuer = *world.issuers.get({"voice", "le"});
  issuer.spec.use_ari = false;
  world.issuers.put(issuer);
  world.offers_renewal_info = true;
  ASSERT_TRUE(run(world, 10min));
  api::EdgeCertificate asked = certificate(world);
  asked.meta.annotations[std::string(api::kRenewRequestedAt)] = "2026-11-22T13:00:00Z";
  world.certificates.put(asked);
  ASSERT_TRUE(run(world, 48h));
  EXPECT_EQ(certificate(world).status.revision, 2);
  EXPECT_EQ(world.renewal_looks, 0);
  EXPECT_EQ(world.replaced, (Serials{"-", "-"}));
}

}  // namespace
}  // namespace edgetrust::simulation
