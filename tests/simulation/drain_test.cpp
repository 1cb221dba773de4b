// A drained rotation: out of service, calls end, the push, back in service. Crashed at every change of the world, with
// a good certificate and with one that is rolled back.
#include "edgetrust/api/conditions.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using When = Moments::When;

const api::EdgeCertificate& certificate(const World& world) { return *world.certificates.get({"voice", "edge01"}); }
std::string installed_serial(const World& world) { return Token::parse(world.installed)->serial; }
std::string_view reason(const World& world) { return api::reason_said(certificate(world).status.conditions); }
void change(World& world, const std::function<void(api::EdgeCertificate&)>& what) {
  api::EdgeCertificate changed = certificate(world);
  what(changed);
  world.certificates.put(changed);
}
bool was_said(const World& world, std::string_view what) {
  return std::ranges::any_of(world.events, [&](const auto& event) { return event.reason == what; });
}

// The first certificate is live, its renewal is asked for, and calls are up that last so long.
std::unique_ptr<World> with_calls(std::chrono::milliseconds last) {
  auto world = std::make_unique<World>();
  EXPECT_TRUE(run(*world, 10min));
  api::RotationPolicy policy = *world->policies.get({"voice", "default"});
  policy.spec.drain = api::Drain{.policy = api::DrainPolicy::kDrain, .timeout = 20min};
  world->policies.put(policy);
  world->calls_last = last;
  change(*world, [](auto& o) { o.meta.annotations[std::string(api::kRenewRequestedAt)] = "now"; });
  return world;
}

// What holds at the end of every story. Empty when it does.
std::string wrong_about(const World& world, const std::string& serial) {
  const auto& object = certificate(world);
  if (!world.in_service) return "the Edge is left out of service";
  if (object.status.drain) return "the status still speaks of a drain";
  if (object.status.delivery) return "a delivery is still under way";
  if (installed_serial(world) != serial) return "the Edge ends with " + installed_serial(world);
  if (world.pushed_with_calls.contains("serial2")) return "it was pushed while calls were up";
  if (object.status.slots) return "the status still names slots";
  for (const auto& slot : world.slots().list("voice")) {
    if (slot.holder) return "a slot is left behind";
  }
  if (!object.meta.finalizers.empty()) return "a finalizer is left behind";
  return {};
}

struct Told {
  std::unique_ptr<World> world;
  bool came_to_rest = false;
  int changes = 0;
};
Told tell(bool bad, int crash_at, When when) {
  Told told{.world = with_calls(5min)};
  World& world = *told.world;
  if (bad) world.bad_serials = {"serial2"};
  const int before = world.moments.count();
  if (crash_at > 0) world.moments.crash_at(before + crash_at, when);
  told.came_to_rest = run(world, 1h);
  told.changes = world.moments.count() - before;
  return told;
}

void crash_everywhere(bool bad, const std::string& serial, api::Phase phase) {
  const int changes = tell(bad, 0, When::kBefore).changes;
  ASSERT_GT(changes, 20);
  for (int n = 0; n <= changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      const Told told = tell(bad, n, when);
      SCOPED_TRACE(testing::Message() << "crash " << (when == When::kBefore ? "before" : "after") << " change " << n);
      EXPECT_TRUE(told.came_to_rest);
      EXPECT_EQ(wrong_about(*told.world, serial), "");
      EXPECT_EQ(certificate(*told.world).status.phase, phase);
      EXPECT_EQ(told.world->orders, 2);
      EXPECT_EQ(told.world->times_out, 1) << "a rollback is at once, and a crash is no reason to drain again";
    }
  }
}

TEST(Drain, CrashedAtEveryChangeItEndsInServiceOnTheNewCertificate) {
  crash_everywhere(false, "serial2", api::Phase::kReady);
}

TEST(Drain, CrashedAtEveryChangeOfARollbackItEndsInServiceOnThePreviousOne) {
  crash_everywhere(true, "serial1", api::Phase::kRolledBack);
}

TEST(Drain, CallsThatDoNotEndAreNotCut) {
  const auto world = with_calls(21min);
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world, "serial1"), "");
  EXPECT_EQ(reason(*world), "DrainTimedOut");
  EXPECT_TRUE(was_said(*world, "DrainTimedOut"));
  EXPECT_GT(world->patience, 1h) << "nor by the vendor, should we be away";
  world->calls_last = 0s;
  ASSERT_TRUE(run(*world, 25h));
  EXPECT_EQ(wrong_about(*world, "serial2"), "");
}

// The API refuses us once the Edge is out of service.
TEST(Drain, RefusedCredentialsAreSaidAndTriedUntilTheyWork) {
  const auto world = with_calls(5min);
  ASSERT_TRUE(run(*world, 1min));
  ASSERT_FALSE(world->in_service);
  world->service_error = Error{.kind = ErrorKind::kUnauthorized, .what = "invalid_client"};
  ASSERT_TRUE(run(*world, 2h));
  EXPECT_EQ(reason(*world), "NotBackInService");
  EXPECT_TRUE(was_said(*world, "NotBackInService"));
  EXPECT_FALSE(certificate(*world).meta.finalizers.empty());
  EXPECT_TRUE(certificate(*world).status.slots) << "nobody else starts meanwhile";
  EXPECT_EQ(world->tried_uploads, 1) << "nobody knows whether calls have ended";
  world->service_error.reset();
  ASSERT_TRUE(run(*world, 5min));
  EXPECT_EQ(wrong_about(*world, "serial1"), "");
  ASSERT_TRUE(run(*world, 25h));
  EXPECT_EQ(wrong_about(*world, "serial2"), "");
}

TEST(Drain, WhatIsDeletedMeanwhileGoesOnceTheEdgeIsBack) {
  for (const bool pushed : {false, true}) {
    SCOPED_TRACE(pushed);
    const auto world = with_calls(5min);
    ASSERT_TRUE(run(*world, pushed ? 5min + 20s : 1min));
    EXPECT_EQ(installed_serial(*world), pushed ? "serial2" : "serial1");
    change(*world, [&](auto& o) { o.meta.deletion_time = world->clock.now(); });
    ASSERT_TRUE(run(*world, 1h));
    EXPECT_TRUE(world->in_service);
    EXPECT_TRUE(certificate(*world).meta.finalizers.empty());
    EXPECT_EQ(installed_serial(*world), pushed ? "serial2" : "serial1");
  }
}

TEST(Drain, WhoIsSuspendedMeanwhileIsNotPushed) {
  const auto world = with_calls(5min);
  ASSERT_TRUE(run(*world, 1min));
  change(*world, [](auto& o) {
    o.spec.suspend = true;
    ++o.meta.generation;
  });
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_TRUE(world->in_service && !certificate(*world).status.drain && !certificate(*world).status.slots);
  EXPECT_EQ(installed_serial(*world), "serial1");
  EXPECT_EQ(reason(*world), "Suspended");
}

// Taken out of service, without calls, and pushed to; it is not back yet.
std::unique_ptr<World> pushed_while_out() {
  auto world = with_calls(0s);
  world->stays_out_with = {"serial2"};
  while (world->uploads < 2 && run(*world, 1s)) world->clock.advance(1s);
  world->stays_out_with.clear();
  EXPECT_EQ(installed_serial(*world), "serial2");
  EXPECT_FALSE(world->in_service);
  return world;
}

TEST(Drain, ARollbackThatIsAskedForDoesNotWaitUntilTheEdgeIsBack) {
  const auto world = pushed_while_out();
  world->service_error = Error{.kind = ErrorKind::kUnauthorized, .what = "invalid_client"};
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(installed_serial(*world), "serial2") << "that nobody can put the Edge back is not the certificate's doing";
  change(*world, [](auto& o) { o.meta.annotations[std::string(api::kRollbackRequestedAt)] = "now"; });
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_FALSE(world->in_service);
  EXPECT_EQ(installed_serial(*world), "serial1");
  EXPECT_EQ(reason(*world), "NotBackInService");
  EXPECT_EQ(world->uploads, 3);
  world->service_error.reset();
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world, "serial1"), "");
  EXPECT_EQ(certificate(*world).status.phase, api::Phase::kRolledBack);
  EXPECT_EQ(world->uploads, 3);
}

TEST(Drain, AnEdgeThatDoesNotComeBackGetsItsPreviousCertificate) {
  const auto story = [](int crash_at, When when) {
    Told told{.world = with_calls(0s)};
    told.world->stays_out_with = {"serial2"};
    const int before = told.world->moments.count();
    if (crash_at > 0) told.world->moments.crash_at(before + crash_at, when);
    told.came_to_rest = run(*told.world, 1h);
    told.changes = told.world->moments.count() - before;
    return told;
  };
  const int changes = story(0, When::kBefore).changes;
  ASSERT_GT(changes, 20);
  for (int n = 0; n <= changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      const Told told = story(n, when);
      SCOPED_TRACE(testing::Message() << "crash " << (when == When::kBefore ? "before" : "after") << " change " << n);
      EXPECT_TRUE(told.came_to_rest);
      EXPECT_EQ(wrong_about(*told.world, "serial1"), "");
      EXPECT_EQ(certificate(*told.world).status.phase, api::Phase::kRolledBack);
      EXPECT_LE(told.world->uploads, 4) << "the first, the second, and its way back, once more after a crash";
      EXPECT_TRUE(n > 0 || was_said(*told.world, "NotBackInService"));
    }
  }
}

TEST(Drain, WhatCannotBePutBackDoesNotKeepTheEdgeOutOfService) {
  const auto world = pushed_while_out();
  change(*world, [](auto& o) { o.meta.annotations[std::string(api::kRollbackRequestedAt)] = "now"; });
  world->uploads_fail = true;
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_TRUE(world->in_service);
  EXPECT_EQ(installed_serial(*world), "serial2");
  world->uploads_fail = false;
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world, "serial1"), "");
}

// Whom we did not take out of service we do not put into it.
TEST(Drain, AnEdgeThatAPersonTookOutOfServiceIsLeftAlone) {
  const auto world = with_calls(0s);
  world->in_service = false;
  ASSERT_TRUE(run(*world, 2h));
  EXPECT_FALSE(world->in_service);
  EXPECT_EQ(installed_serial(*world), "serial1");
  EXPECT_EQ(certificate(*world).status.phase, api::Phase::kWaiting);
  EXPECT_TRUE(certificate(*world).meta.finalizers.empty());
  world->in_service = true;
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world, "serial2"), "");
}

TEST(Drain, APersonWhoPutsItBackMeanwhileIsNotFought) {
  const auto world = with_calls(10min);
  ASSERT_TRUE(run(*world, 2min));
  ASSERT_FALSE(world->in_service);
  world->in_service = true;
  ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(wrong_about(*world, "serial1"), "");
  EXPECT_EQ(world->times_out, 1);
  EXPECT_EQ(reason(*world), "DrainUndone");
}

}  // namespace
}  // namespace edgetrust::simulation
