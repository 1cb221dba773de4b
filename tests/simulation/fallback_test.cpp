// The second issuer: asked when the first one's CA is away and little time is left; the next renewal is the first one's
// again. Crashed at every change of the world.
#include "edgetrust/api/conditions.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using When = Moments::When;

const api::EdgeCertificate& certificate(const World& world) { return *world.certificates.get({"voice", "edge01"}); }
std::string installed_serial(const World& world) { return Token::parse(world.installed)->serial; }
std::string_view reason(const World& world) { return api::reason_said(certificate(world).status.conditions); }
int orders_of(const World& world, const std::string& issuer) {
  const auto found = world.orders_of.find(issuer);
  return found == world.orders_of.end() ? 0 : found->second;
}

// The first certificate is live, of "le"; "zero" is the fallback from so long before its end.
std::unique_ptr<World> with_fallback(api::Duration when_remaining) {
  auto world = std::make_unique<World>();
  api::AcmeIssuer second = *world->issuers.get({"voice", "le"});
  second.meta.name = "zero";
  second.meta.uid = "uid-of-zero";
  second.spec.server = "https://zero.example/directory";
  world->issuers.put(second);
  api::EdgeCertificate object = certificate(*world);
  object.spec.fallback = api::Fallback{.issuer_ref = {"zero"}, .when_remaining = when_remaining};
  world->certificates.put(object);
  EXPECT_TRUE(run(*world, 10min));
  EXPECT_EQ(installed_serial(*world), "serial1");
  EXPECT_EQ(orders_of(*world, "le"), 1);
  return world;
}
TimePoint due(const World& world) { return *certificate(world).status.renewal_time; }
void advance_to(World& world, TimePoint at) { world.clock.advance(at - world.clock.now()); }

std::string wrong_about(const World& world) {
  const auto& status = certificate(world).status;
  if (status.phase != api::Phase::kReady) return "it is not ready";
  if (status.order || status.delivery || status.slots) return "something is still under way";
  if (!world.records.empty()) return "a TXT record is left behind";
  if (!certificate(world).meta.finalizers.empty()) return "a finalizer is left behind";
  for (const auto& [key, count] : world.orders_by_key) {
    if (count != 1) return "key " + key + " has " + std::to_string(count) + " certificates";
  }
  return {};
}

TEST(Fallback, IsAskedWhenTheFirstIsAwayAndTheFirstAgainAtTheNextRenewal) {
  const auto world = with_fallback(40 * 24h);
  advance_to(*world, due(*world));
  world->dead_issuers = {"le"};
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world), "");
  EXPECT_EQ(installed_serial(*world), "serial2");
  EXPECT_EQ(orders_of(*world, "zero"), 1);
  EXPECT_TRUE(std::ranges::any_of(world->events, [](const auto& e) { return e.reason == "AskingOtherIssuer"; }));
  world->dead_issuers.clear();
  advance_to(*world, due(*world));
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world), "");
  EXPECT_EQ(installed_serial(*world), "serial3");
  EXPECT_EQ(orders_of(*world, "le"), 2);
  EXPECT_EQ(orders_of(*world, "zero"), 1);
}

TEST(Fallback, CrashedAtEveryChangeItIsAskedOnce) {
  const auto story = [](int crash_at, When when, int& changes) {
    auto world = with_fallback(40 * 24h);
    advance_to(*world, due(*world));
    world->dead_issuers = {"le"};
    const int before = world->moments.count();
    if (crash_at > 0) world->moments.crash_at(before + crash_at, when);
    EXPECT_TRUE(run(*world, 2h));
    changes = world->moments.count() - before;
    return world;
  };
  int changes = 0;
  (void)story(0, When::kBefore, changes);
  ASSERT_GT(changes, 15);
  for (int n = 1; n <= changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      SCOPED_TRACE(testing::Message() << "crash " << (when == When::kBefore ? "before" : "after") << " change " << n);
      int ignored = 0;
      const auto world = story(n, when, ignored);
      EXPECT_EQ(wrong_about(*world), "");
      EXPECT_EQ(installed_serial(*world), "serial2");
      EXPECT_EQ(orders_of(*world, "zero"), 1);
    }
  }
}

TEST(Fallback, IsNotAskedWhileThereIsTime) {
  const auto world = with_fallback(20 * 24h);
  advance_to(*world, due(*world));
  world->dead_issuers = {"le"};
  ASSERT_TRUE(run(*world, 12h));
  EXPECT_EQ(orders_of(*world, "zero"), 0);
  EXPECT_EQ(reason(*world), "IssuerUnavailable");
  advance_to(*world, *certificate(*world).status.not_after - 20 * 24h);
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(orders_of(*world, "zero"), 1);
  EXPECT_EQ(installed_serial(*world), "serial2");
}

// The first one's CA goes away when it has the order: its records are removed, and the order is given up.
TEST(Fallback, AnOrderThatTheFirstHasIsGivenUp) {
  const auto world = with_fallback(40 * 24h);
  advance_to(*world, due(*world));
  for (int second = 0; second < 60 && world->records.empty(); ++second) {
    ASSERT_TRUE(run(*world, 1s));
    world->clock.advance(1s);
  }
  ASSERT_FALSE(world->records.empty());
  world->dead_issuers = {"le"};
  ASSERT_TRUE(run(*world, 2h));
  EXPECT_EQ(wrong_about(*world), "");
  EXPECT_EQ(orders_of(*world, "le"), 2);
  EXPECT_EQ(orders_of(*world, "zero"), 1);
}

// Both are away: they are tried in turn, and whichever comes back first is asked.
TEST(Fallback, BothAwayNeitherIsForgotten) {
  for (const std::string back : {"le", "zero"}) {
    SCOPED_TRACE(back);
    const auto world = with_fallback(40 * 24h);
    advance_to(*world, due(*world));
    world->dead_issuers = {"le", "zero"};
    ASSERT_TRUE(run(*world, 3h));
    world->dead_issuers.erase(back);
    ASSERT_TRUE(run(*world, 2h));
    EXPECT_EQ(wrong_about(*world), "");
    EXPECT_EQ(orders_of(*world, back), back == "le" ? 2 : 1);
  }
}

// Orders that come to nothing count as much as a CA that is away.
TEST(Fallback, IsAskedAfterAnOrderThatCameToNothing) {
  const auto world = with_fallback(40 * 24h);
  advance_to(*world, due(*world));
  world->refused_orders = world->orders + 1;
  ASSERT_TRUE(run(*world, 30min));
  EXPECT_EQ(wrong_about(*world), "");
  EXPECT_EQ(orders_of(*world, "le"), 2);
  EXPECT_EQ(orders_of(*world, "zero"), 1);
}

void prove_by_http(World& world, const std::string& issuer) {
  api::AcmeIssuer changed = *world.issuers.get({"voice", issuer});
  changed.spec.solvers = {api::Solver{.http01 = api::Http01Solver{}}};
  ++changed.meta.generation;
  world.issuers.put(changed);
}

// An upgrade has lost --http01-port: the first issuer is as good as away, and the second proves by DNS.
TEST(Fallback, IsAskedWhereTheFirstCannotProveTheNames) {
  const auto world = with_fallback(20 * 24h);
  prove_by_http(*world, "le");
  world->serves_http01 = false;
  advance_to(*world, due(*world));
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(reason(*world), "NoHttpEndpoint");
  EXPECT_EQ(orders_of(*world, "zero"), 0);
  const TimePoint reached = *certificate(*world).status.not_after - 20 * 24h;
  ASSERT_TRUE(run(*world, std::chrono::ceil<std::chrono::milliseconds>(reached + 1h - world->clock.now())))
      << "it wakes by itself when the time has come";
  EXPECT_EQ(wrong_about(*world), "");
  EXPECT_EQ(installed_serial(*world), "serial2");
  EXPECT_EQ(orders_of(*world, "zero"), 1);
  EXPECT_EQ(orders_of(*world, "le"), 1);
}

// One that cannot prove the names is not asked; where it turns out when it is asked, the first has its turn again.
TEST(Fallback, ThatCannotProveTheNamesDoesNotKeepTheFirstFromBeingAsked) {
  const auto world = with_fallback(40 * 24h);
  prove_by_http(*world, "zero");
  world->serves_http01 = false;
  advance_to(*world, due(*world));
  world->dead_issuers = {"le"};
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(reason(*world), "IssuerUnavailable") << "not NoHttpEndpoint of the second";

  api::EdgeCertificate asked = certificate(*world);
  ASSERT_TRUE(asked.status.order);
  asked.status.order->issuer = "zero";
  world->certificates.put(asked);
  world->dead_issuers.clear();
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world), "");
  EXPECT_EQ(orders_of(*world, "le"), 2);
  EXPECT_EQ(orders_of(*world, "zero"), 0);
}

// A first certificate has no time to lose.
TEST(Fallback, AnEdgeWithoutACertificateDoesNotWait) {
  World world;
  api::AcmeIssuer second = *world.issuers.get({"voice", "le"});
  second.meta.name = "zero";
  second.spec.server = "https://zero.example/directory";
  world.issuers.put(second);
  api::EdgeCertificate object = certificate(world);
  object.spec.fallback = api::Fallback{.issuer_ref = {"zero"}, .when_remaining = 24h};
  world.certificates.put(object);
  world.dead_issuers = {"le"};
  ASSERT_TRUE(run(world, 1h));
  EXPECT_EQ(wrong_about(world), "");
  EXPECT_EQ(orders_of(world, "zero"), 1);
}

}  // namespace
}  // namespace edgetrust::simulation
