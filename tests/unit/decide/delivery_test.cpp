// A change of the Edge, from the fence to the proof or the rollback: delivery_under_way.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::RevisionResult;
using ports::EdgeState;
using ports::SipState;

Observation failing_push(Observation o, ErrorKind kind, api::Duration ago = 0s, int count = 1) {
  o.failures = failed("Push", kind, o.now - ago, count);
  o.pushed_since_look = true;
  return o;
}
Observation refused_push(Observation o) {
  o = failing_push(std::move(o), ErrorKind::kInvalid);
  o.failures.begin()->second.error.code = ports::kCertificateRefused;
  return o;
}
// Looks that add up to this record, the last of them now.
Observation recorded(Observation o, HealthRecord record) {
  o.health = std::move(record);
  o.health.last_at = o.now;
  return o;
}
Observation later(Observation o, api::Duration by) {
  o.now += by;
  return o;
}

// --- before the push is acknowledged

TEST(Installing, TheEdgeItselfKnowsWhetherItHasTheCertificate) {
  check({
      {"no delivery", deliverable(), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"written down, not pushed", delivering(), "delivery_under_way Push Delivering/Pushing R"},
      {"after a crash nobody knows: it is looked at first", with(delivering(), [](auto& o) { crash(o); }),
       "delivery_under_way LookAtEdge Delivering/Pushing R"},
      {"an old look does not tell", with(delivering(), [](auto& o) { o.look->at = o.now - 1s; }),
       "delivery_under_way LookAtEdge Delivering/Pushing R"},
      {"it was pushed before the crash", seeing(delivering(), look(2, delivering().now)),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"it was pushed, only the status call tells",
       with(seeing(delivering(), empty_look(delivering().now)),
            [](auto& o) { o.look->health->fingerprint_sha256 = fingerprint(2); }),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"acknowledged", with(delivering(), [](auto& o) { o.pushed = 2; }),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"another revision was acknowledged once", with(delivering(), [](auto& o) { o.pushed = 1; }),
       "delivery_under_way Push Delivering/Pushing R"},
      {"the answer was lost", failing_push(delivering(), ErrorKind::kTimeout),
       "delivery_under_way Delivering/UploadUnavailable R +916ms"},
      {"the answer was lost, a second later", later(failing_push(delivering(), ErrorKind::kTimeout), 1s),
       "delivery_under_way LookAtEdge Delivering/UploadUnavailable R"},
      {"the answer was lost, and the Edge has it",
       later(seeing(failing_push(delivering(), ErrorKind::kTimeout), look(2, delivering().now)), 1s),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"the answer was lost, and the Edge does not have it",
       seeing(later(failing_push(delivering(), ErrorKind::kTimeout), 1s), look(1, delivering().now + 1s)),
       "delivery_under_way Push Delivering/UploadUnavailable R"},
      {"the answer was lost; the revision was acknowledged in an earlier delivery",
       with(failing_push(delivering(), ErrorKind::kTimeout), [](auto& o) { o.pushed = 2; }),
       "delivery_under_way Delivering/UploadUnavailable R +916ms"},
      {"credentials refused", failing_push(delivering(), ErrorKind::kUnauthorized),
       "delivery_under_way Delivering/UploadCredentialsRefused R +13s740ms"},
      {"the Edge is busy", failing_push(delivering(), ErrorKind::kConflict),
       "delivery_under_way Delivering/UploadConflict R +916ms"},
      {"the vendor refuses the certificate", refused_push(delivering()),
       "delivery_under_way Issuing/UploadRefused R +0s"},
      {"refused, but the status call failed as well: it may be the credentials",
       with(refused_push(delivering()), [](auto& o) { o.look->health.reset(); }),
       "delivery_under_way Delivering/UploadRefused R +13s740ms"},
      {"a mistake on our side is no refusal", failing_push(delivering(), ErrorKind::kInvalid),
       "delivery_under_way Delivering/UploadRefused R +13s740ms"},
      {"not in time: the operator was away", seeing(later(delivering(), 61s), look(1, delivering().now + 61s)),
       "delivery_under_way Waiting/PushPutOff +0s"},
      {"being deleted before anything was pushed",
       with(seeing(delivering(), look(1, delivering().now)), [](auto& o) { o.object.meta.deletion_time = o.now; }),
       "delivery_under_way Pending/Deleted R +0s"},
      {"without the finalizer", with(delivering(), [](auto& o) { o.object.meta.finalizers.clear(); }),
       "delivery_under_way SetFinalizer Delivering/Pushing R"},
      {"failing for ten minutes",
       seeing(later(failing_push(delivering(), ErrorKind::kTimeout), 10min + 1s), look(1, delivering().now + 10min)),
       "delivery_under_way Waiting/UploadUnavailable +10m"},
      {"the clock was set back", with(delivering(), [](auto& o) { o.now -= 24h; }),
       "delivery_under_way Delivering/ClockSetBack R +0s"},
      {"the Edge object is gone", with(delivering(), [](auto& o) { o.edge.reset(); }),
       "delivery_under_way Delivering/DeliveryInterrupted S"},
      {"the connection is gone", with(observing(), [](auto& o) { o.connection.reset(); }),
       "delivery_under_way Observing/DeliveryInterrupted S"},
      {"its upload endpoint is gone",
       with(rolling_back(), [](auto& o) { change(o.connection, [](auto& c) { c.spec.certificate_upload.reset(); }); }),
       "delivery_under_way RollingBack/DeliveryInterrupted S"},
  });
}

TEST(Installing, WhatIsTakenIsWatchedFromThen) {
  const Observation o = with(delivering(), [](auto& taken) { taken.pushed = 2; });
  const Decision decision = decide(o);
  EXPECT_EQ(decision.status.delivery->installed_at, o.now);
  EXPECT_EQ(decision.status.revision, 1) << "not proved yet";
}

TEST(Installing, ARefusedCertificateIsRejectedAndTheOldOneStays) {
  const Observation o = refused_push(delivering());
  const Decision decision = decide(o);
  EXPECT_FALSE(decision.status.delivery);
  EXPECT_EQ(decision.status.revision, 1);
  EXPECT_EQ(decision.status.history.front().result, RevisionResult::kRejected);
  EXPECT_EQ(decision.status.failures, 1);
  Observation after = o;
  after.object.status = decision.status;
  after.object.meta.finalizers.clear();
  EXPECT_EQ(decided(after), "rejections_marked MarkRejected Issuing/UploadRefused R");
  after.revisions[2].marked_rejected = true;
  after.serving_fingerprint = fingerprint(1);
  EXPECT_EQ(decided(after), "revision_issued Issuing/Rejected R +24h");
}

TEST(Installing, APushThatIsPutOffIsStartedAnewWithAllItsQuestions) {
  Observation o =
      seeing(later(failing_push(delivering(), ErrorKind::kTimeout), 10min + 1s), look(1, delivering().now + 10min));
  const Decision decision = decide(o);
  EXPECT_FALSE(decision.status.delivery);
  EXPECT_FALSE(decision.status.failures) << "the certificate is not to blame";
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "PushPutOff");
  o.object.status = decision.status;
  o.object.meta.finalizers.clear();
  EXPECT_EQ(decided(o), "revision_delivered Waiting/PushPutOff +10m");
  o.now += 10min;
  EXPECT_EQ(decided(o), "revision_delivered LookAtEdge Waiting/LookingAtEdge");
}

// --- watching

constexpr auto kSettle = 90s;
constexpr auto kPeriod = 10min;

TEST(Observing, ABadAnswerCountsAsTheContractSays) {
  const auto good = [](api::Duration so_far) { return HealthRecord{.good_for = so_far, .last = Health::kGood}; };
  const auto bad = [](int bad_in_row, int severe_in_row = 0, Health last = Health::kBad) {
    return HealthRecord{.bad_in_row = bad_in_row, .severe_in_row = severe_in_row, .last = last, .reason = "SIP_DOWN"};
  };
  const Observation inside = later(observing(), 30s);
  const Observation settled = later(observing(), kSettle);
  const Observation long_after = later(observing(), kSettle + kPeriod);
  check({
      {"no look yet", observing(), "delivery_under_way LookAtEdge Observing/Observing R"},
      {"looked a moment ago", recorded(inside, good(30s)), "delivery_under_way Observing/Observing R +15s"},
      {"looked an interval ago", later(recorded(inside, good(30s)), 15s),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"good, not long enough", recorded(long_after, good(kPeriod - 1ms)),
       "delivery_under_way Observing/Observing R +15s"},
      {"good, long enough", recorded(long_after, good(kPeriod)), "delivery_under_way Ready/Ready +0s"},
      {"good for longer than it is installed cannot be", recorded(settled, good(kPeriod)),
       "delivery_under_way Observing/Observing R +15s"},
      {"good before it was installed says nothing",
       with(long_after,
            [](auto& o) {
              o.health = {
                  .good_for = kPeriod, .last_at = *o.object.status.delivery->installed_at - 1s, .last = Health::kGood};
            }),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"bad before it was installed neither",
       with(settled,
            [](auto& o) {
              o.health = {.bad_in_row = 9,
                          .severe_in_row = 9,
                          .last_at = *o.object.status.delivery->installed_at - 1s,
                          .last = Health::kSevere};
            }),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"bad once inside settle", recorded(inside, bad(1)), "delivery_under_way Observing/Observing R +15s"},
      {"bad many times inside settle", recorded(inside, bad(6)), "delivery_under_way Observing/Observing R +15s"},
      {"bad inside settle and still at its end", recorded(settled, bad(2)),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"bad inside settle and good at its end", recorded(settled, {.last = Health::kGood, .reason = "SIP_DOWN"}),
       "delivery_under_way Observing/Observing R +15s"},
      {"bad once after settle", recorded(settled, bad(1)), "delivery_under_way Observing/Observing R +15s"},
      {"bad twice after settle", recorded(long_after, bad(2)), "delivery_under_way Push RollingBack/RollingBack R"},
      {"severe once inside settle", recorded(inside, bad(1, 1, Health::kSevere)),
       "delivery_under_way Observing/Observing R +15s"},
      {"severe twice inside settle", recorded(inside, bad(2, 2, Health::kSevere)),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"severe once after settle", recorded(settled, bad(1, 1, Health::kSevere)),
       "delivery_under_way Observing/Observing R +15s"},
      {"bad and severe after settle", recorded(settled, bad(2, 1, Health::kSevere)),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"unknown for hours: a person is told", recorded(later(long_after, 5h), {.last = Health::kUnknown}),
       "delivery_under_way Observing/VerdictUnavailable S +15s"},
      {"unknown after enough good", recorded(long_after, {.good_for = kPeriod, .last = Health::kUnknown}),
       "delivery_under_way Observing/Observing R +15s"},
      {"unknown after enough bad", recorded(long_after, bad(2, 0, Health::kUnknown)),
       "delivery_under_way Observing/Observing R +15s"},
      {"a person asks for a rollback",
       with(recorded(long_after, good(kPeriod)), [](auto& o) { annotate(o, api::kRollbackRequestedAt); }),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"a look from before the clock was set back",
       with(recorded(long_after, good(0s)), [](auto& o) { o.health.last_at = o.now + 24h; }),
       "delivery_under_way LookAtEdge Observing/Observing R"},
      {"the clock was set back to before the installation", with(observing(), [](auto& o) { o.now -= 400 * 24h; }),
       "delivery_under_way Observing/ClockSetBack R +0s"},
  });
}

TEST(Observing, FailAfterIsThePolicys) {
  Observation o = later(observing(), kSettle);
  o.object.spec.rotation->observe = api::Observe{.fail_after = 4};
  const auto bad = [](int n) { return HealthRecord{.bad_in_row = n, .last = Health::kBad, .reason = "SIP_DOWN"}; };
  EXPECT_EQ(decided(recorded(o, bad(3))), "delivery_under_way Observing/Observing R +15s");
  EXPECT_EQ(decided(recorded(o, bad(4))), "delivery_under_way Push RollingBack/RollingBack R");
}

TEST(Observing, WhatIsProvedIsLiveAndTheOldOneSuperseded) {
  const Observation o = recorded(later(observing(), kSettle + kPeriod), {.good_for = kPeriod, .last = Health::kGood});
  const Decision decision = decide(o);
  EXPECT_EQ(decision.status.revision, 2);
  EXPECT_EQ(decision.status.serial_number, "02");
  EXPECT_FALSE(decision.status.delivery);
  EXPECT_FALSE(decision.status.failures || decision.status.next_attempt);
  ASSERT_TRUE(decision.status.renewal_time);
  EXPECT_EQ(decision.status.next, "renews " + format_rfc3339(*decision.status.renewal_time).substr(0, 10));
  ASSERT_EQ(decision.status.history.size(), 2U);
  EXPECT_EQ(decision.status.history[0].result, RevisionResult::kActive);
  EXPECT_EQ(decision.status.history[1].result, RevisionResult::kSuperseded);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_FALSE(decision.announcements[0].warning);
  EXPECT_EQ(decision.announcements[0].reason, "Rotated");
  Observation after = o;
  after.object.status = decision.status;
  EXPECT_EQ(decided(after), "finalizer_released SetFinalizer Ready/Ready");
  after.object.meta.finalizers.clear();
  EXPECT_EQ(decided(after), "serving_secret_right WriteServingSecret Ready/Ready");
  after.serving_fingerprint = fingerprint(2);
  EXPECT_EQ(decided(after), "rest Ready/Ready +renewal");
}

// --- rolling back

HealthRecord severe() {
  return {.bad_in_row = 2, .severe_in_row = 2, .last = Health::kSevere, .reason = "the Edge reports Critical"};
}

TEST(RollingBack, TheIntentionIsWrittenBeforeThePreviousIsPushed) {
  Observation o = recorded(later(observing(), 30s), severe());
  o.look->health->correlation_id = "abc-1";
  o.look->served->certificates = 2;
  o.look->evidence->trunks = {{.name = "SBC ny", .state = ports::TrunkState::kUp}};
  const Decision decision = decide(o);
  ASSERT_TRUE(decision.status.delivery->rolling_back_since);
  EXPECT_EQ(*decision.status.delivery->rolling_back_since, o.now);
  EXPECT_EQ(decision.status.delivery->verdict, "the Edge reports Critical");
  EXPECT_EQ(push_of(decision)->revision, 1);
  EXPECT_TRUE(push_of(decision)->rollback);
  ASSERT_EQ(decision.announcements.size(), 1U);
  const std::string seen = "status OK, SIP_UP (correlation id abc-1); port: serial ff, chain of 2; trunks: 1 up";
  EXPECT_EQ(decision.status.delivery->evidence, seen);
  EXPECT_EQ(decision.announcements[0].message, "putting revision 1 back: the Edge reports Critical (" + seen + ")");
}

TEST(RollingBack, NeitherWindowNorHoldStandsInItsWay) {
  Observation o = recorded(later(observing(), 30s), severe());
  set_windows(o, {{.start = "02:00", .duration = 2h}});
  annotate(o, api::kHoldUntil, "2030-01-01T00:00:00Z freeze");
  EXPECT_EQ(decided(o), "delivery_under_way Push RollingBack/RollingBack R");
}

TEST(RollingBack, IsTriedUntilThePreviousIsSeen) {
  const Observation o = rolling_back();
  const Observation pushed = with(o, [](auto& p) { p.pushed = 1; });
  const auto told = [](EdgeLook seen) {
    seen.served.reset();
    seen.health->fingerprint_sha256 = fingerprint(1);
    return seen;
  };
  check({
      {"not pushed yet, the look is fresh", o, "delivery_under_way Push RollingBack/RollingBack R"},
      {"after a crash it is looked at first", with(o, [](auto& c) { crash(c); }),
       "delivery_under_way LookAtEdge RollingBack/RollingBack R"},
      {"after a crash, it was pushed", with(seeing(o, look(1, o.now)), [](auto& c) { c.pushed.reset(); }),
       "delivery_under_way RolledBack/RolledBack R +0s"},
      {"acknowledged, without the finalizer", with(pushed, [](auto& p) { p.object.meta.finalizers.clear(); }),
       "delivery_under_way SetFinalizer RollingBack/RollingBack R"},
      {"and it cannot be set",
       with(pushed,
            [](auto& p) {
              p.object.meta.finalizers.clear();
              p.failures = failed("SetFinalizer", ErrorKind::kConflict, p.now);
            }),
       "delivery_under_way RollingBack/RollingBack R +2s"},
      {"acknowledged, looked a moment ago", pushed, "delivery_under_way RollingBack/RollingBack R +2s"},
      {"acknowledged, the look is older", with(pushed, [](auto& c) { c.look->at -= 1s; }),
       "delivery_under_way LookAtEdge RollingBack/RollingBack R"},
      {"seen serving it", seeing(pushed, look(1, o.now)), "delivery_under_way RolledBack/RolledBack R +0s"},
      {"the status call alone is not enough where the port answered before", seeing(pushed, told(look(1, o.now))),
       "delivery_under_way RollingBack/RollingBack R +2s"},
      {"it is, where the port was silent before",
       with(seeing(pushed, told(look(1, o.now))), [](auto& c) { c.object.status.delivery->port_answered = false; }),
       "delivery_under_way RolledBack/RolledBack R +0s"},
      {"a look from the future tells nothing", seeing(pushed, look(1, o.now + 24h)),
       "delivery_under_way LookAtEdge RollingBack/RollingBack R"},
      {"no word at all, within its time", seeing(later(pushed, 119s), empty_look(o.now + 119s)),
       "delivery_under_way RollingBack/RollingBack R +2s"},
      {"no word at all: the acknowledgement is believed", seeing(later(pushed, 121s), empty_look(o.now + 121s)),
       "delivery_under_way RolledBack/RolledBack R +0s"},
      {"another certificate, within its time", seeing(later(pushed, 140s), look(2, o.now + 137s)),
       "delivery_under_way LookAtEdge RollingBack/RollingBack R"},
      {"another certificate after its time: it is pushed again", seeing(later(pushed, 155s), look(2, o.now + 152s)),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"refused", failing_push(o, ErrorKind::kInvalid), "delivery_under_way RollingBack/UploadRefused R +916ms"},
      {"refused for long: never more than ten seconds", failing_push(o, ErrorKind::kUnavailable, 0s, 50),
       "delivery_under_way RollingBack/UploadUnavailable R +9s160ms"},
      {"told to come back tomorrow: a minute is enough",
       with(failing_push(o, ErrorKind::kRateLimited),
            [](auto& c) { c.failures.begin()->second.error.retry_after = std::chrono::hours{24}; }),
       "delivery_under_way RollingBack/UploadRateLimited R +1m"},
      {"a second after a failure it is looked at", later(failing_push(o, ErrorKind::kTimeout), 1s),
       "delivery_under_way LookAtEdge RollingBack/UploadUnavailable R"},
      {"and pushed again", seeing(later(failing_push(o, ErrorKind::kTimeout), 1s), look(2, o.now + 1s)),
       "delivery_under_way Push RollingBack/UploadUnavailable R"},
      {"and not, if it was executed", seeing(later(failing_push(o, ErrorKind::kTimeout), 1s), look(1, o.now + 1s)),
       "delivery_under_way RolledBack/RolledBack R +0s"},
      {"the clock was set back", with(o, [](auto& c) { c.now -= 1h; }),
       "delivery_under_way RollingBack/ClockSetBack R +0s"},
  });
}

// A vendor that acknowledges and does nothing: one push each 150 s, with looks in between, and no hot loop.
TEST(RollingBack, AnEdgeThatDoesNotTakeItIsPushedAgainAtAHumanPace) {
  Observation o = rolling_back();
  o.pushed = 1;
  int pushes = 0;
  int looks = 0;
  const TimePoint end = o.now + 10min;
  for (int pass = 0; o.now < end; ++pass) {
    ASSERT_LT(pass, 2000);
    const Decision decision = decide(o);
    expect_sane(o, decision);
    o.object.status = decision.status;
    if (decision.wake_at) {
      o.now = *decision.wake_at;
    } else if (push_of(decision) != nullptr) {
      ++pushes;
      o.now += 1s;
    } else {
      ++looks;
      o.look = look(2, o.now);
    }
  }
  EXPECT_EQ(pushes, 3);
  EXPECT_GT(looks, 100);
}

TEST(RollingBack, WhatIsRolledBackIsRememberedAndThePreviousIsLive) {
  const Observation o = with(seeing(rolling_back(), look(1, rolling_back().now)), [](auto& c) { c.pushed = 1; });
  const Decision decision = decide(o);
  EXPECT_EQ(decision.status.revision, 1);
  EXPECT_FALSE(decision.status.delivery);
  EXPECT_EQ(decision.status.history.front().revision, 2);
  EXPECT_EQ(decision.status.history.front().result, RevisionResult::kRolledBack);
  EXPECT_EQ(decision.status.history.front().message,
            "revision 2 was rolled back to revision 1: the Edge reports SIP_DOWN");
  EXPECT_EQ(decision.status.failures, 1);
  EXPECT_EQ(decision.status.next_attempt, o.now + 24h);
  EXPECT_EQ(condition(decision, api::condition::kRolledBack)->status, api::Truth::kTrue);
  EXPECT_EQ(condition(decision, api::condition::kReady)->status, api::Truth::kTrue) << "what is served is valid";
}

// --- nothing to return to

TEST(RollbackImpossible, TheEdgeIsWatchedOnAndAPersonIsTold) {
  const auto no_way_back = [](auto& o) {
    o.object.status.delivery->fallback = -1;
    o.revisions.erase(1);
  };
  const Observation sick = with(recorded(later(observing(), 30s), severe()), no_way_back);
  const auto expired = [](auto& o) { o.revisions[1].chain->not_after = o.now; };
  const auto lost = [](auto& o) { o.revisions.erase(1); };
  const auto keyless = [](auto& o) { o.revisions[1].has_key = false; };
  const Observation known =
      with(sick, [](auto& o) { o.object.status.delivery->verdict = "the Edge reports Critical"; });
  check({
      {"there never was one", sick, "delivery_under_way Failed/RollbackImpossible S +15s"},
      {"it has expired meanwhile", with(recorded(later(observing(), 30s), severe()), expired),
       "delivery_under_way Failed/RollbackImpossible S +15s"},
      {"its Secrets are gone", with(recorded(later(observing(), 30s), severe()), lost),
       "delivery_under_way Failed/RollbackImpossible S +15s"},
      {"its key is gone", with(recorded(later(observing(), 30s), severe()), keyless),
       "delivery_under_way Failed/RollbackImpossible S +15s"},
      {"it is looked at again", later(sick, 15s), "delivery_under_way LookAtEdge Failed/RollbackImpossible S"},
      {"a single look at a sick Edge does not change that",
       with(known, [](auto& o) { o.health = {.last_at = o.now, .last = Health::kUnknown}; }),
       "delivery_under_way Failed/RollbackImpossible S +15s"},
      {"after a crash as well", with(known, [](auto& o) { crash(o); }),
       "delivery_under_way LookAtEdge Failed/RollbackImpossible S"},
      {"it recovers", with(known, [](auto& o) { o.health = {.last_at = o.now, .last = Health::kGood}; }),
       "delivery_under_way Observing/Observing R +15s"},
      {"it has recovered for long enough",
       with(later(known, kSettle + kPeriod),
            [](auto& o) { o.health = {.good_for = kPeriod, .last_at = o.now, .last = Health::kGood}; }),
       "delivery_under_way Ready/Ready +0s"},
      {"it expires in the middle of the rollback", with(rolling_back(), expired),
       "delivery_under_way Failed/RollbackImpossible S +0s"},
      {"but what is seen on the Edge is seen", with(seeing(rolling_back(), look(1, rolling_back().now)), expired),
       "delivery_under_way RolledBack/RolledBack R +0s"},
  });
  const Decision decision = decide(sick);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "RollbackImpossible");
  const Observation told = with(known, [&](auto& o) { o.object.status.conditions = decision.status.conditions; });
  EXPECT_TRUE(decide(told).announcements.empty()) << "one alarm";
  EXPECT_EQ(condition(decision, api::condition::kRollbackAvailable)->status, api::Truth::kFalse);
}

TEST(RollbackImpossible, ARequestForItIsAnsweredOnceAndDoesNotOutlastTheTrouble) {
  Observation o = recorded(later(observing(), 30s), {.good_for = 30s, .last = Health::kGood});
  o.object.status.delivery->fallback = -1;
  o.revisions.erase(1);
  annotate(o, api::kRollbackRequestedAt, "now");
  const Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "delivery_under_way Failed/RollbackImpossible S +15s");
  EXPECT_EQ(decision.status.handled_requests->rollback, "now");
  o.object.status = decision.status;
  EXPECT_EQ(decided(o), "delivery_under_way Observing/Observing R +15s");
  o = recorded(later(o, kSettle + kPeriod), {.good_for = kPeriod, .last = Health::kGood});
  EXPECT_EQ(decided(o), "delivery_under_way Ready/Ready +0s");
}

TEST(RollbackImpossible, AnotherOldCertificateIsAWayBackToo) {
  Observation o = recorded(later(observing(), 30s), severe());
  o.object.status.delivery->fallback = -1;
  const Decision decision = decide(o);
  expect_sane(o, decision);
  EXPECT_EQ(support::summary(o, decision), "delivery_under_way Push RollingBack/RollingBack R");
  EXPECT_EQ(decision.status.delivery->fallback, 1);
}

// The only way out of a bad first certificate is another one.
TEST(RollbackImpossible, APersonCanAskForAnotherCertificate) {
  const auto sick = [] {
    Observation o = recorded(later(observing(), 30s), severe());
    o.object.status.delivery->fallback = -1;
    o.object.status.delivery->verdict = "the Edge reports Critical";
    o.revisions.erase(1);
    return o;
  };
  for (const bool by_annotation : {true, false}) {
    SCOPED_TRACE(by_annotation ? "renew-requested-at" : "a changed spec");
    Observation o = sick();
    if (by_annotation)
      annotate(o, api::kRenewRequestedAt, "now");
    else
      ++o.object.meta.generation;
    Decision decision = decide(o);
    expect_sane(o, decision);
    EXPECT_EQ(support::summary(o, decision), "delivery_under_way Pending/Rejected R +0s");
    EXPECT_EQ(decision.status.revision, 2) << "it is what the Edge serves";
    EXPECT_EQ(decision.status.history.front().result, RevisionResult::kRejected);
    o.object.status = decision.status;
    o.object.meta.finalizers.clear();
    o.revisions[2].marked_rejected = true;
    o.serving_fingerprint = fingerprint(2);
    decision = decide(o);
    EXPECT_EQ(support::summary(o, decision), "revision_issued CreateKey Issuing/CreatingKey R");
    EXPECT_EQ(decision.status.order->revision, 3);
    o.object.status = decision.status;
    o.object.status.order.reset();
    store_parsed(o, whole(3, o.now - 1h));
    o.look = with_health(look(2, o.now), EdgeState::kCritical, SipState::kDown);
    decision = decide(o);
    EXPECT_EQ(support::summary(o, decision), "revision_delivered SetFinalizer Delivering/Pushing R")
        << "a sick Edge has nothing to lose";
    EXPECT_EQ(decision.status.delivery->fallback, -1) << "and nothing to return to";
  }
}

// --- another hand

TEST(AnotherHand, EndsADeliveryAndNothingIsPushedOverWhatItPutThere) {
  const auto foreign = [](const Observation& o) { return seeing(o, look("foreign", o.now)); };
  const Observation once = foreign(recorded(later(observing(), kSettle), {.bad_in_row = 1, .last = Health::kBad}));
  const Observation again = foreign(recorded(later(observing(), kSettle), {.bad_in_row = 2, .last = Health::kBad}));
  const Observation returning = foreign(rolling_back());
  const auto replacing = [](auto& o) {
    o.object.spec.adoption = api::Adoption{.on_foreign_certificate = api::ForeignCertificate::kReplace};
  };
  const TimePoint back_since = rolling_back().now;
  check({
      {"seen once it may be a mistake", once, "delivery_under_way Observing/Observing R +15s"},
      {"as often as what is bad", again, "delivery_under_way Held/ForeignCertificate S +0s"},
      {"which is to be replaced", with(again, replacing), "delivery_under_way Push RollingBack/RollingBack R"},
      {"an Edge that is Critical has fallen back to something",
       with(again, [](auto& o) { o.look = with_health(*o.look, ports::EdgeState::kCritical, ports::SipState::kUp); }),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"or one that is SIP_DOWN",
       with(again, [](auto& o) { o.look = with_health(*o.look, ports::EdgeState::kOk, ports::SipState::kDown); }),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"on the way back", returning, "delivery_under_way Held/ForeignCertificate S +0s"},
      {"on the way back, and it is to be replaced", with(returning, replacing),
       "delivery_under_way Push RollingBack/RollingBack R"},
      {"a look from before says nothing", seeing(rolling_back(), look("foreign", back_since - 1h)),
       "delivery_under_way LookAtEdge RollingBack/RollingBack R"},
      {"nor does a status without the port",
       seeing(rolling_back(),
              with(empty_look(back_since), [](auto& seen) { seen.health->fingerprint_sha256 = "foreign"; })),
       "delivery_under_way Push RollingBack/RollingBack R"},
  });
  EXPECT_FALSE(decide(again).status.delivery);
  const auto history = decide(returning).status.history;
  EXPECT_EQ(history.front().revision, 2);
  EXPECT_EQ(history.front().result, api::RevisionResult::kRolledBack) << "what was bad is never pushed again";
}

}  // namespace
}  // namespace edgetrust::decide::certificate
