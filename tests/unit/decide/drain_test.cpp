// Out of service for a push, and back: edge_drained, edge_back_in_service and wait_for_service.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using ports::CallDraining;

ServiceLook service(bool in_service, CallDraining draining, TimePoint at, int calls = 0) {
  return {.edge = {.in_service = in_service,
                   .active = true,
                   .software_status = "NONE",
                   .draining = draining,
                   .conversations = calls},
          .at = at};
}
ServiceLook in_service(TimePoint at) { return service(true, CallDraining::kNone, at); }
ServiceLook calls_up(TimePoint at) { return service(false, CallDraining::kWaiting, at, 3); }

Observation to_drain(Observation o, api::Duration timeout = 30min) {
  if (!o.object.spec.rotation) o.object.spec.rotation.emplace();
  o.object.spec.rotation->drain = api::Drain{.policy = api::DrainPolicy::kDrain, .timeout = timeout};
  return o;
}
// Everything is ready for the push, and the Edge was seen in service.
Observation beginning() {
  Observation o = to_drain(delivering());
  o.service = in_service(o.now);
  return o;
}
// Out of service for two minutes, three calls are up.
Observation draining(api::Duration since = 2min) {
  Observation o = to_drain(delivering());
  o.object.status.phase = api::Phase::kDraining;
  o.object.status.drain = api::DrainStatus{.since = o.now - since};
  o.service = calls_up(o.now);
  o.service_call = ServiceCall{.in_service = false, .at = o.now - since, .since = o.now - since};
  return o;
}
// The certificate is on the Edge, which is out of service.
Observation pushed() {
  Observation o = to_drain(observing());
  o.object.status.drain = api::DrainStatus{.since = o.now - 5min, .ended_at = o.now - 1min};
  o.service_call = ServiceCall{.in_service = false, .at = o.now - 5min, .since = o.now - 5min};
  return o;
}
Observation after_crash(Observation o) {
  const auto look = o.look;
  crash(o);
  o.look = look;
  return o;
}
void fail_service(Observation& o, ErrorKind kind, int count = 1) {
  o.failures = failed("SetService", kind, o.now, count);
}

TEST(Drain, AnEdgeIsLookedAtBeforeAndAskedForOnlyWhenNobodyElseTookItOut) {
  check(
      {{"without a drain it is not asked for", deliverable(), "revision_delivered SetFinalizer Delivering/Pushing R"},
       {"asked for", to_drain(deliverable()), "revision_delivered LookAtService Waiting/LookingAtEdge"},
       {"in service", with(to_drain(deliverable()), [](auto& o) { o.service = in_service(o.now); }),
        "revision_delivered SetFinalizer Delivering/Pushing R"},
       {"out of service",
        with(to_drain(deliverable()), [](auto& o) { o.service = service(false, CallDraining::kNone, o.now - 40s); }),
        "revision_delivered Waiting/EdgeOutOfService +20s"},
       {"out of service, a minute later",
        with(to_drain(deliverable()), [](auto& o) { o.service = service(false, CallDraining::kNone, o.now - 60s); }),
        "revision_delivered LookAtService Waiting/LookingAtEdge"},
       {"inactive",
        with(to_drain(deliverable()),
             [](auto& o) {
               o.service = in_service(o.now);
               o.service->edge.active = false;
             }),
        "revision_delivered Waiting/EdgeOutOfService +1m"},
       {"it updates its software",
        with(to_drain(deliverable()),
             [](auto& o) {
               o.service = in_service(o.now);
               o.service->edge.software_status = "IN_PROGRESS";
             }),
        "revision_delivered Waiting/SoftwareUpdate +1m"},
       {"nobody can be asked",
        with(to_drain(deliverable()),
             [](auto& o) { o.failures = failed("LookAtService", ErrorKind::kForbidden, o.now); }),
        "revision_delivered Waiting/ServiceForbidden +13s740ms"},
       {"without a drain its object tells",
        with(deliverable(), [](auto& o) { change(o.edge, [](auto& e) { e.status.service_state = "OutOfService"; }); }),
        "revision_delivered Waiting/EdgeOutOfService +384h"},
       {"with one the object may be minutes old",
        with(to_drain(deliverable()),
             [](auto& o) {
               change(o.edge, [](auto& e) { e.status.service_state = "OutOfService"; });
               o.service = in_service(o.now);
             }),
        "revision_delivered SetFinalizer Delivering/Pushing R"}});
}

// An Edge that a person has taken out stays untouched while the API is away for a while; a certificate does not run out
// because of it.
TEST(Drain, TheLastWordAboutAnEdgeHoldsUntilItIsUrgent) {
  const auto silent_api = [](auto& o) {
    change(o.edge, [](auto& e) {
      e.status.service_state = "OutOfService";
      e.status.conditions = {{.type = std::string(api::condition::kOnline), .status = api::Truth::kUnknown}};
    });
  };
  const auto urgent = [](auto& o) {
    o.now = kNow - 24h + kLifetime - 1h;
    o.look->at = o.now;
  };
  Observation waiting = with(deliverable(), silent_api);
  EXPECT_EQ(reason_in(decide(waiting).status), "EdgeOutOfService");
  ASSERT_TRUE(decide(waiting).wake_at);
  EXPECT_EQ(*decide(waiting).wake_at, kNow - 24h + kLifetime - 72h);
  urgent(waiting);
  EXPECT_EQ(decided(waiting), "revision_delivered SetFinalizer Delivering/Pushing R");
  Observation known =
      with(deliverable(), [](auto& o) { change(o.edge, [](auto& e) { e.status.service_state = "OutOfService"; }); });
  urgent(known);
  EXPECT_EQ(reason_in(decide(known).status), "EdgeOutOfService") << "the API says so now";
}

TEST(Drain, TheIntentionComesFirstThenCallsAreWaitedFor) {
  check({{"the first step", beginning(), "delivery_under_way SetService Draining/Draining R"},
         {"an old look does not tell", with(beginning(), [](auto& o) { o.service->at = o.now - 31s; }),
          "delivery_under_way LookAtService Draining/Draining R"},
         {"somebody was faster",
          with(beginning(), [](auto& o) { o.service = service(false, CallDraining::kNone, o.now); }),
          "delivery_under_way Waiting/EdgeOutOfService +0s"},
         {"too late to begin",
          with(beginning(),
               [](auto& o) {
                 o.now += 61s;
                 o.look = look(1, o.now);
               }),
          "delivery_under_way Waiting/PushPutOff +0s"},
         {"calls are up", draining(), "delivery_under_way Draining/Draining R +15s"},
         {"an interval later", with(draining(), [](auto& o) { o.service->at = o.now - 15s; }),
          "delivery_under_way LookAtService Draining/Draining R"},
         {"right before the time is over", with(draining(30min - 5s), [](auto& o) { o.service->at = o.now; }),
          "delivery_under_way Draining/Draining R +5s"},
         {"none is left", with(draining(), [](auto& o) { o.service = service(false, CallDraining::kComplete, o.now); }),
          "delivery_under_way Delivering/Pushing R +0s"},
         {"it has none to wait for",
          with(draining(), [](auto& o) { o.service = service(false, CallDraining::kNone, o.now); }),
          "delivery_under_way Delivering/Pushing R +0s"},
         {"it has not begun to count them",
          with(draining(1s), [](auto& o) { o.service = service(false, CallDraining::kNone, o.now); }),
          "delivery_under_way Draining/Draining R +15s"},
         {"it counts some and does not wait for them",
          with(draining(), [](auto& o) { o.service = service(false, CallDraining::kNone, o.now, 12); }),
          "delivery_under_way Draining/Draining R +15s"},
         {"the vendor cuts them",
          with(draining(), [](auto& o) { o.service = service(false, CallDraining::kCutting, o.now); }),
          "delivery_under_way Draining/Draining R +15s"},
         {"they are cut, and nobody knows of calls",
          with(draining(), [](auto& o) { o.service = service(false, CallDraining::kUnknown, o.now); }),
          "delivery_under_way Draining/Draining R +15s"},
         {"the policy drains no more", with(draining(), [](auto& o) { o.object.spec.rotation->drain.reset(); }),
          "delivery_under_way Delivering/Pushing R +0s"},
         {"suspended", with(draining(), [](auto& o) { o.object.spec.suspend = true; }),
          "delivery_under_way Waiting/DrainCalledOff +0s"},
         {"deleted", with(draining(), [](auto& o) { o.object.meta.deletion_time = o.now; }),
          "delivery_under_way Waiting/Deleted +0s"},
         {"after a crash it is looked at", with(after_crash(draining()), [](auto&) {}),
          "delivery_under_way LookAtService Draining/Draining R"},
         {"and asked again, soon after the first time",
          with(after_crash(draining(20s)), [](auto& o) { o.service = in_service(o.now); }),
          "delivery_under_way SetService Draining/Draining R"},
         {"the answer came, the API lags behind", with(draining(20s), [](auto& o) { o.service = in_service(o.now); }),
          "delivery_under_way Draining/Draining R +15s"},
         {"and never later", with(after_crash(draining()), [](auto& o) { o.service = in_service(o.now); }),
          "delivery_under_way Waiting/DrainUndone +0s"},
         {"refused",
          with(draining(20s),
               [](auto& o) {
                 o.service.reset();
                 o.service_call.reset();
                 fail_service(o, ErrorKind::kForbidden);
               }),
          "delivery_under_way Draining/ServiceForbidden R +916ms"},
         {"refused for a minute",
          with(draining(61s),
               [](auto& o) {
                 o.service = in_service(o.now);
                 o.service_call.reset();
                 fail_service(o, ErrorKind::kForbidden, 6);
               }),
          "delivery_under_way Waiting/ServiceForbidden +0s"},
         {"the time is over", draining(30min), "delivery_under_way Waiting/DrainTimedOut +0s"},
         {"the time was over while the operator was away",
          with(after_crash(draining(3h)), [](auto& o) { o.service = service(false, CallDraining::kComplete, o.now); }),
          "delivery_under_way Waiting/DrainTimedOut +0s"},
         {"the clock was set back", with(draining(), [](auto& o) { o.object.status.drain->since = o.now + 1h; }),
          "delivery_under_way Draining/ClockSetBack R +0s"}});
  const Decision first = decide(beginning());
  EXPECT_EQ(first.status.drain->since, beginning().now);
  EXPECT_EQ(first.announcements.at(0).reason, "Draining");
}

// The vendor has more patience than we have, so that none is cut by us or while we are away.
TEST(Drain, TheVendorIsToldToLetCallsLast) {
  for (const api::Duration timeout : {api::Duration{1min}, api::Duration{30min}, api::Duration{5h}}) {
    const Decision decision = decide(with(beginning(), [&](auto& o) { o = to_drain(o, timeout); }));
    const auto& out = std::get<effect::SetService>(*decision.effect);
    EXPECT_FALSE(out.in_service);
    EXPECT_EQ(out.calls_may_last, timeout == 5h ? 6h : 3h);
  }
}

TEST(Drain, WhatTimedOutWaitsForTheNextWindow) {
  const auto next = [](Observation o, std::vector<api::Window> windows) {
    set_windows(o, std::move(windows));
    return *decide(o).status.next_attempt - o.now;
  };
  const Observation o = draining(30min);  // noon in UTC, 13:00 in Berlin
  EXPECT_EQ(next(o, {{.start = "00:00", .duration = 24h, .days = {}}}), 24h) << "always open";
  EXPECT_EQ(next(o, {{.start = "12:00", .duration = 2h, .days = {}}}), 1h) << "this one closes";
  EXPECT_EQ(next(o, {{.start = "12:00", .duration = 1h, .days = {}}}), 23h) << "none is open: when the next one does";
}

TEST(Drain, WhatIsUrgentIsPushedWithCallsUp) {
  Observation o = draining(30min);
  const TimePoint urgent = *o.object.status.not_after - 71h;
  const auto shift = urgent - o.now;
  o.now = urgent;
  o.object.status.delivery->started_at += shift;
  o.object.status.drain->since += shift;
  o.look->at = o.service->at = o.now;
  const Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "delivery_under_way Delivering/Pushing R +0s");
  EXPECT_TRUE(decision.status.drain->ended_at);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_TRUE(decision.announcements[0].warning);
  EXPECT_EQ(decision.announcements[0].message,
            "revision 2 is urgent and pushed all the same: 3 calls are up on Edge edge01 after 30m");
}

TEST(Drain, WhatIsUrgentDoesNotWaitForAnApiThatDoesNotAnswer) {
  Observation o = to_drain(deliverable());
  o.now = *o.object.status.not_after - 71h;
  o.look = look(1, o.now);
  o.failures = failed("LookAtService", ErrorKind::kUnavailable, o.now);
  EXPECT_EQ(decided(o), "revision_delivered SetFinalizer Delivering/Pushing R");
  Observation begun = beginning();
  const auto shift = o.now - begun.now;
  begun.now = o.now;
  begun.object.status.delivery->started_at += shift;
  begun.look = look(1, o.now);
  begun.service.reset();
  begun.failures = o.failures;
  EXPECT_EQ(decided(begun), "delivery_under_way Push Delivering/Pushing R");
}

TEST(Drain, ThePushHasItsMinuteAfterTheDrain) {
  Observation o = draining(20min);
  o.object.status.delivery->started_at = o.now - 20min;
  o.object.status.drain->ended_at = o.now - 10s;
  check({{"looked at since", o, "delivery_under_way Push Delivering/Pushing R"},
         {"not since", with(o, [](auto& late) { late.look->at = late.now - 15s; }),
          "delivery_under_way LookAtEdge Delivering/Pushing R"},
         {"a minute is over", with(o, [](auto& late) { late.object.status.drain->ended_at = late.now - 61s; }),
          "delivery_under_way Waiting/PushPutOff +0s"},
         {"deleted", with(o, [](auto& gone) { gone.object.meta.deletion_time = gone.now; }),
          "delivery_under_way Pending/Deleted R +0s"}});
}

TEST(BackInService, ComesBeforeTheVerdict) {
  const auto asked = [](auto& o) {
    o.service_call = ServiceCall{.in_service = true, .at = o.now - 1s, .since = o.now - 1s};
  };
  const auto asked_and_in_service = [&](auto& o) {
    asked(o);
    o.service = in_service(o.now);
  };
  check({{"pushed",
          with(to_drain(delivering()),
               [](auto& o) {
                 o.pushed = 2;
                 o.object.status.drain = api::DrainStatus{.since = o.now - 5min, .ended_at = o.now};
               }),
          "delivery_under_way Observing/Observing R +0s"},
         {"it goes back", pushed(), "delivery_under_way SetService Draining/GoingBackIntoService R"},
         {"answered: is it there?", with(pushed(), asked),
          "delivery_under_way LookAtService Draining/GoingBackIntoService R"},
         {"not yet",
          with(pushed(),
               [&](auto& o) {
                 asked(o);
                 o.service = service(false, CallDraining::kComplete, o.now);
               }),
          "delivery_under_way Draining/GoingBackIntoService R +5s"},
         {"not for a minute",
          with(pushed(),
               [&](auto& o) {
                 o.service_call = ServiceCall{.in_service = true, .at = o.now - 60s, .since = o.now - 60s};
                 o.service = service(false, CallDraining::kComplete, o.now);
               }),
          "delivery_under_way SetService Draining/GoingBackIntoService R"},
         {"there", with(pushed(), asked_and_in_service), "delivery_under_way Observing/Observing R +0s"},
         {"a rollback that is asked for does not wait for it",
          with(pushed(), [](auto& o) { annotate(o, api::kRollbackRequestedAt); }),
          "delivery_under_way Push RollingBack/RollingBack R"},
         {"bad looks do not count",
          with(pushed(),
               [](auto& o) {
                 o.health = {.bad_in_row = 9, .severe_in_row = 9, .last_at = o.now};
                 o.health.last = Health::kSevere;
               }),
          "delivery_under_way SetService Draining/GoingBackIntoService R"},
         {"its upload endpoint is gone",
          with(pushed(), [](auto& o) { change(o.connection, [](auto& c) { c.spec.certificate_upload.reset(); }); }),
          "delivery_under_way SetService Draining/GoingBackIntoService R"},
         {"its connection is gone", with(pushed(), [](auto& o) { o.connection.reset(); }),
          "delivery_under_way Draining/NotBackInService S"}});
  const Observation o = with(pushed(), asked_and_in_service);
  const Decision decision = decide(o);
  EXPECT_FALSE(decision.status.drain);
  EXPECT_EQ(decision.status.delivery->installed_at, o.now) << "settle counts from here";
}

TEST(BackInService, AlsoWithoutADeliveryAndBeforeAnythingElse) {
  const auto over = [](Observation o) {
    o.object.status.delivery.reset();
    o.object.status.phase = api::Phase::kWaiting;
    o.object.status.slots = api::SlotsStatus{.revision = 2, .names = {"one"}};
    return o;
  };
  check({{"it goes back", over(draining()), "edge_back_in_service SetService Waiting/Ready"},
         {"suspended", with(over(draining()), [](auto& o) { o.object.spec.suspend = true; }),
          "edge_back_in_service SetService Waiting/Ready"},
         {"deleted", with(over(draining()), [](auto& o) { o.object.meta.deletion_time = o.now; }),
          "deleted SetService Waiting/Ready"},
         {"after a crash a look alone is not enough: the request to go out may be on its way",
          with(after_crash(over(draining(30s))), [](auto& o) { o.service = in_service(o.now); }),
          "edge_back_in_service SetService Waiting/Ready"},
         {"two minutes later it is", with(over(draining()), [](auto& o) { o.service = in_service(o.now); }),
          "edge_back_in_service Waiting/Ready +0s"},
         {"refused",
          with(over(draining(30s)),
               [](auto& o) {
                 o.service.reset();
                 fail_service(o, ErrorKind::kUnauthorized);
               }),
          "edge_back_in_service Draining/NotBackInService S +916ms"},
         {"refused, and may be in service all the same",
          with(over(draining()),
               [](auto& o) {
                 o.service.reset();
                 fail_service(o, ErrorKind::kUnauthorized);
               }),
          "edge_back_in_service LookAtService Draining/NotBackInService S"},
         {"no answer once",
          with(over(draining(30s)),
               [](auto& o) {
                 o.service.reset();
                 fail_service(o, ErrorKind::kTimeout);
               }),
          "edge_back_in_service Draining/NotBackInService R +916ms"},
         {"no answer for long",
          with(over(draining(30s)),
               [](auto& o) {
                 o.service.reset();
                 fail_service(o, ErrorKind::kTimeout, 5);
               }),
          "edge_back_in_service Draining/NotBackInService S +14s656ms"},
         {"deleted, and its Edge object with it",
          with(over(draining()),
               [](auto& o) {
                 o.object.meta.deletion_time = o.now;
                 o.edge.reset();
               }),
          "deleted ReleaseSlots Waiting/LeftOutOfService"},
         {"deleted, and Genesys does not know it",
          with(over(draining()),
               [](auto& o) {
                 o.object.meta.deletion_time = o.now;
                 o.object.status.slots.reset();
                 fail_service(o, ErrorKind::kNotFound);
               }),
          "deleted SetFinalizer Waiting/LeftOutOfService"}});
}

TEST(TimeNeeded, HasRoomForTheDrain) {
  const auto needed = [](const Observation& o) {
    return time_needed(api::effective_rotation(o.object.spec.rotation.value_or(api::RotationOverrides{}), nullptr));
  };
  EXPECT_EQ(needed(to_drain(fresh())) - needed(fresh()), 30min);
  Observation o = to_drain(deliverable());
  set_windows(o, {{.start = "00:00", .duration = 40min, .days = {}}});
  EXPECT_EQ(decided(o), "revision_delivered Waiting/WindowTooShort S +384h");
}

// An upload that the endpoint wants to have tomorrow keeps no Edge out of service until then.
TEST(Drain, AnUploadThatFailsSendsTheEdgeBackWithinMinutesAndDrainsItOnceANight) {
  Observation o = pushed();
  o.object.status.delivery->installed_at.reset();
  o.object.status.phase = api::Phase::kDelivering;
  o.pushed.reset();
  o.slots_claimed_for = o.object.status.delivery->started_at;
  o.look = look(1, o.now);
  o.failures = failed("Push", ErrorKind::kUnavailable, o.now);
  o.failures.begin()->second.error.retry_after = 24h;
  const Decision waits = decide(o);
  ASSERT_TRUE(waits.wake_at);
  EXPECT_LE(*waits.wake_at, o.now + 1min);

  o.now += 2min;
  o.look = look(1, o.now);
  const Decision later = decide(o);
  EXPECT_FALSE(later.status.delivery) << "nothing is pushed, and the Edge goes back";
  EXPECT_TRUE(later.status.drain);
  ASSERT_TRUE(later.status.next_attempt);
  EXPECT_GT(*later.status.next_attempt, o.now + 1h);
}

TEST(Drain, AnEdgeThatDoesNotComeBackIsTold) {
  Observation o = pushed();
  o.service = service(false, CallDraining::kNone, o.now);
  o.service_call = ServiceCall{.in_service = true, .at = o.now - 10s, .since = o.now - 2min};
  EXPECT_EQ(decide(o).announcements.size(), 0U);
  o.service_call->since = o.now - 3min;
  const Decision decision = decide(o);
  EXPECT_EQ(reason_in(decision.status), "NotBackInService");
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_TRUE(decision.announcements.front().warning);
}

TEST(Drain, AnEdgeThatNeverWentOutIsNoAlarm) {
  Observation o = draining(30s);
  o.object.status.delivery.reset();
  o.object.status.phase = api::Phase::kWaiting;
  o.service_call.reset();
  o.service = in_service(o.now);
  fail_service(o, ErrorKind::kForbidden, 6);
  EXPECT_EQ(decide(o).announcements.size(), 0U);
  EXPECT_NE(reason_in(decide(o).status), "NotBackInService");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
