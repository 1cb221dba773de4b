// Whole rotations, from the first look to rest: as they should go, crashed at every step, and with a world that fails.
#include "story.hpp"

#include "support/fake_random.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using api::Phase;
using api::RevisionResult;

// What must hold whenever a story has come to rest.
void expect_rest(const Story& story) {
  const auto& o = story.o;
  EXPECT_TRUE(story.records.empty()) << "a TXT record is left behind";
  EXPECT_TRUE(o.object.meta.finalizers.empty()) << "a quiet object has no finalizer";
  EXPECT_TRUE(story.in_service && !o.object.status.drain) << "the Edge is left out of service";
  for (const auto& [revision, certificates] : story.finalized)
    EXPECT_EQ(certificates, 1) << "I1: the key of revision " << revision << " has several certificates";
  if (!o.object.status.revision) return;
  EXPECT_EQ(story.served, fingerprint(*o.object.status.revision)) << "the status does not say what the Edge serves";
  EXPECT_EQ(o.serving_fingerprint, story.served) << "secretName does not hold what the Edge serves";
  EXPECT_TRUE(story.slots.empty() && !o.object.status.slots) << "a slot of the budget is left behind";
}

// Looks at the Edge are many; with fewer of them every one can be crashed at.
Story quick_story() {
  Story story;
  story.o.object.spec.rotation->observe = api::Observe{.settle = 20s, .period = 2min, .interval = 30s};
  return story;
}
// A story that has its first certificate.
Story first_certificate(Story story = Story()) {
  EXPECT_TRUE(story.run(1h));
  EXPECT_EQ(story.o.object.status.phase, Phase::kReady);
  return story;
}
void ask_for_renewal(Story& story, std::string value = "1") {
  annotate(story.o, api::kRenewRequestedAt, std::move(value));
}

void drain(Story& story, api::Duration calls_last) {
  story.o.object.spec.rotation->drain = api::Drain{.policy = api::DrainPolicy::kDrain, .timeout = 30min};
  story.calls_last = calls_last;
}

TEST(Story, TheFirstCertificateIsIssuedDeliveredAndProved) {
  Story story;
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.last_rule, "rest");
  std::vector<std::string> looks_aside;
  std::ranges::copy_if(story.done, std::back_inserter(looks_aside),
                       [](const std::string& e) { return !e.starts_with("Look"); });
  EXPECT_EQ(looks_aside,
            (std::vector<std::string>{"CreateKey 1", "NewOrder 1", "SetFinalizer", "PresentRecord", "AnswerChallenge",
                                      "FinalizeOrder 1", "StoreBundle 1", "RemoveRecord", "SetFinalizer", "AskVendor 1",
                                      "SetFinalizer", "ClaimSlots", "Push 1", "ReleaseSlots", "SetFinalizer",
                                      "WriteServingSecret 1"}));
  expect_rest(story);
  EXPECT_EQ(story.o.object.status.history.front().result, RevisionResult::kActive);
  EXPECT_TRUE(story.wake_at) << "the renewal is not forgotten";
}

TEST(Story, ALifeOfRenewals) {
  Story story = first_certificate();
  for (int revision = 2; revision <= 9; ++revision) {
    story.o.now = *story.o.object.status.renewal_time;
    ASSERT_TRUE(story.run(24h));
    expect_rest(story);
    ASSERT_EQ(story.o.object.status.revision, revision);
    EXPECT_LE(story.o.revisions.size(), 3U);
    EXPECT_TRUE(story.o.revisions.contains(revision - 1)) << "I3: the one before is kept";
  }
  EXPECT_EQ(story.pushes(), "1 2 3 4 5 6 7 8 9");
  EXPECT_EQ(story.orders.size(), 9U);
  EXPECT_GT(story.o.now - kNow, 8 * 45 * 24h) << "and not sooner than half a lifetime each";
}

TEST(Story, ABadCertificateIsRolledBackAndNeverPushedAgain) {
  Story story = first_certificate();
  story.sick = {2, 3};
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(1h));
  expect_rest(story);
  EXPECT_EQ(story.pushes(), "1 2 1");
  EXPECT_EQ(story.o.object.status.phase, Phase::kRolledBack);
  EXPECT_EQ(story.o.object.status.revision, 1);
  // At its renewal the next is tried, once, and then a person must decide.
  story.o.now = *story.wake_at;
  ASSERT_TRUE(story.run(10 * 24h));
  EXPECT_EQ(story.pushes(), "1 2 1 3 1");
  EXPECT_EQ(story.last_rule, "revision_issued");
  EXPECT_NE(api::find(story.o.object.status.conditions, api::condition::kStalled), nullptr);
  // If nobody does, another is tried before what is served runs out.
  Story left_alone = story;
  ASSERT_TRUE(left_alone.run(60 * 24h));
  EXPECT_EQ(left_alone.pushes(), "1 2 1 3 1 4");
  EXPECT_LT(*left_alone.o.object.status.history.front().at, *story.o.object.status.not_after);
  ask_for_renewal(story, "2");
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.pushes(), "1 2 1 3 1 4") << support::decided(story.o);
  EXPECT_EQ(story.o.object.status.phase, Phase::kReady);
  expect_rest(story);
}

// What fails beside a renewal has waits of its own, and the renewal's tries have theirs.
TEST(Story, WhatCannotBeWrittenHoldsUpNoRenewal) {
  for (const std::string blocked : {"WriteServingSecret", "MarkRejected", "DeleteRevision"}) {
    SCOPED_TRACE(blocked);
    Story story = first_certificate(quick_story());
    story.sick = {2};
    ask_for_renewal(story);
    int tries = 0;
    int orders = 0;
    story.fate = [&](const std::string& effect) {
      if (effect.starts_with(blocked)) ++tries;
      if (effect.starts_with("NewOrder") && ++orders % 10 != 0) return Fate::kFails;
      return effect.starts_with(blocked) ? Fate::kFails : Fate::kDone;
    };
    const TimePoint begin = story.o.now;
    ASSERT_TRUE(story.run(1h));
    ask_for_renewal(story, "2");
    ASSERT_TRUE(story.run(2h));
    EXPECT_EQ(story.pushes(), "1 2 1 3");
    EXPECT_EQ(orders, 20) << "nine failures before each success";
    const auto minutes = static_cast<int>((story.o.now - begin) / 1min);
    EXPECT_LE(tries, 10 + minutes) << "no hot loop";
  }
}

TEST(Story, ARollbackThatIsAskedForDuringARollbackIsThatOne) {
  Story story = first_certificate(quick_story());
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(1h));
  story.sick = {3};
  ask_for_renewal(story, "2");
  story.fate = [&](const std::string& effect) {
    if (effect == "Push 2") annotate(story.o, api::kRollbackRequestedAt, "now");
    return Fate::kDone;
  };
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.pushes(), "1 2 3 2");
  EXPECT_EQ(story.o.object.status.revision, 2);
  expect_rest(story);
}

TEST(Story, ARecordThatIsLeftBehindIsSaid) {
  Story story(quick_story());
  story.fate = [&](const std::string& effect) {
    if (effect == "AnswerChallenge") story.o.object.meta.deletion_time = story.o.now;
    return effect == "RemoveRecord" ? Fate::kFails : Fate::kDone;
  };
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(std::ranges::count(story.said, "RecordLeftBehind", &Announcement::reason), 1);
  EXPECT_TRUE(story.o.object.meta.finalizers.empty());
}

TEST(Story, ARollbackIsQuick) {
  Story story = first_certificate();
  story.sick = {2};
  story.sick_state = ports::EdgeState::kCritical;
  ask_for_renewal(story);
  TimePoint pushed{};
  TimePoint back{};
  story.fate = [&](const std::string& effect) {
    if (effect == "Push 2") pushed = story.o.now;
    if (effect == "Push 1") back = story.o.now;
    return Fate::kDone;
  };
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.pushes(), "1 2 1");
  EXPECT_LE(back - pushed, 17s) << "two looks, an interval apart";
}

TEST(Story, CallsAreWaitedForBeforeThePushAndTheEdgeIsBackBeforeItIsJudged) {
  Story story = first_certificate(quick_story());
  const std::size_t before = story.done.size();
  drain(story, 10min);
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(2h));
  expect_rest(story);
  std::vector<std::string> order;
  std::copy_if(story.done.begin() + static_cast<std::ptrdiff_t>(before), story.done.end(), std::back_inserter(order),
               [](const std::string& e) {
                 return e.starts_with("SetService") || e.starts_with("Push") || e.ends_with("Slots");
               });
  EXPECT_EQ(order,
            (std::vector<std::string>{"ClaimSlots", "SetService out", "Push 2", "SetService in", "ReleaseSlots"}));
  EXPECT_EQ(story.o.object.status.phase, Phase::kReady);
  EXPECT_EQ(story.pushed_with_calls, "1 ");
  EXPECT_LT(story.count("LookAtService"), 30) << "each interval, and around it";
}

TEST(Story, CallsThatDoNotEndAreNotCutAndItIsTriedAgainInTheNextWindow) {
  Story story = first_certificate(quick_story());
  drain(story, 31min);
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(2h));
  EXPECT_TRUE(story.in_service);
  EXPECT_EQ(story.pushes(), "1");
  EXPECT_EQ(api::reason_said(story.o.object.status.conditions), "DrainTimedOut");
  EXPECT_EQ(story.o.object.status.phase, Phase::kWaiting);
  EXPECT_TRUE(story.slots.empty() && !story.o.object.status.slots && !story.o.object.status.delivery);
  EXPECT_TRUE(story.o.object.meta.finalizers.empty());
  EXPECT_EQ(std::ranges::count(story.said, "DrainTimedOut", &Announcement::reason), 1);
  EXPECT_EQ(story.count("SetService out"), 1);
  story.calls_last = 5min;
  ASSERT_TRUE(story.run(25h));
  EXPECT_EQ(story.pushes(), "1 2");
  EXPECT_EQ(story.count("SetService out"), 2) << "once a window";
  expect_rest(story);
}

TEST(Story, WhatIsUrgentIsPushedAlthoughCallsAreUp) {
  Story story = first_certificate(quick_story());
  drain(story, 100h);
  story.o.now = *story.o.object.status.not_after - 71h;
  ASSERT_TRUE(story.run(2h));
  EXPECT_EQ(story.pushes(), "1 2");
  EXPECT_EQ(story.pushed_with_calls, "1 2 ");
  EXPECT_EQ(std::ranges::count(story.said, "DrainTimedOut", &Announcement::reason), 1) << "and said";
  expect_rest(story);
}

// An outage of the credentials in the middle of a drain.
TEST(Story, AnEdgeThatCannotBePutBackIsNeverForgotten) {
  Story story = first_certificate(quick_story());
  drain(story, 10min);
  ask_for_renewal(story);
  int refused = 0;
  story.fate = [&](const std::string& effect) {
    if (effect != "SetService in") return Fate::kDone;
    ++refused;
    return Fate::kFails;
  };
  ASSERT_TRUE(story.run(6h));
  EXPECT_FALSE(story.in_service);
  EXPECT_EQ(story.served, fingerprint(2));
  EXPECT_EQ(story.pushes(), "1 2") << "an Edge that is out of service is not judged";
  EXPECT_EQ(story.o.object.status.phase, Phase::kDraining);
  const auto* stalled = api::find(story.o.object.status.conditions, api::condition::kStalled);
  ASSERT_NE(stalled, nullptr);
  EXPECT_EQ(stalled->reason, "NotBackInService");
  EXPECT_FALSE(story.slots.empty());
  EXPECT_FALSE(story.o.object.meta.finalizers.empty());
  EXPECT_EQ(std::ranges::count(story.said, "NotBackInService", &Announcement::reason), 1) << "one alarm";
  EXPECT_GT(refused, 6 * 60) << "at least once a minute";
  EXPECT_LT(refused, 6 * 60 * 3);
  // Also when the object goes.
  Story deleted = story;
  deleted.o.object.meta.deletion_time = deleted.o.now;
  ASSERT_TRUE(deleted.run(6h));
  EXPECT_FALSE(deleted.o.object.meta.finalizers.empty());
  for (Story* one : {&story, &deleted}) {
    one->fate = [](const std::string&) { return Fate::kDone; };
    ASSERT_TRUE(one->run(2h));
    EXPECT_TRUE(one->in_service && !one->o.object.status.drain);
    EXPECT_TRUE(one->o.object.meta.finalizers.empty() && one->slots.empty());
  }
  EXPECT_EQ(story.o.object.status.phase, Phase::kReady);
  expect_rest(story);
}

TEST(Story, AWindowIsWaitedForAndThenUsed) {
  Story story;
  set_windows(story.o, {{.start = "02:00", .duration = 2h, .days = {api::Day::kTue}}});
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.pushes(), "");
  EXPECT_EQ(story.o.object.status.phase, Phase::kWaiting);
  EXPECT_EQ(story.o.object.status.next, "window Tue 02:00 Europe/Berlin");
  EXPECT_TRUE(story.records.empty());
  EXPECT_TRUE(story.o.object.meta.finalizers.empty()) << "it may wait for days, with nothing to be undone";
  EXPECT_EQ(format_rfc3339(*story.wake_at), "2026-11-24T01:00:00Z");
  story.o.now = *story.wake_at;
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.pushes(), "1");
  expect_rest(story);
}

// --- crashed

// Runs `prepare`d stories to rest, each crashed at another step in another way, and compares how they end.
void crash_everywhere(const std::function<Story()>& prepare, api::Duration limit, const std::string& pushes) {
  Story reference = prepare();
  const std::size_t before = reference.done.size();
  ASSERT_TRUE(reference.run(limit));
  ASSERT_EQ(reference.pushes(), pushes);
  const int steps = static_cast<int>(reference.done.size() - before);
  ASSERT_GT(steps, 3);
  for (const Fate how : {Fate::kCrashBefore, Fate::kCrashAfter, Fate::kFails, Fate::kAnswerLost}) {
    for (int n = 0; n < steps; ++n) {
      Story story = prepare();
      int step = 0;
      std::string where;
      story.fate = [&](const std::string& effect) {
        if (step++ != n) return Fate::kDone;
        where = effect;
        return how;
      };
      ASSERT_TRUE(story.run(limit));
      SCOPED_TRACE(testing::Message() << "fate " << static_cast<int>(how) << " at step " << n << " (" << where << ")");
      expect_rest(story);
      EXPECT_EQ(story.o.object.status.phase, reference.o.object.status.phase);
      EXPECT_EQ(story.o.object.status.revision, reference.o.object.status.revision);
      EXPECT_EQ(story.orders.size(), reference.orders.size()) << "a lost order is found again";
      EXPECT_EQ(story.o.revisions.size(), reference.o.revisions.size());
      EXPECT_EQ(story.o.object.status.history.size(), reference.o.object.status.history.size());
      EXPECT_EQ(story.pushes(), pushes) << "the Edge itself is asked before anything is pushed again";
    }
  }
}

// A story that has its first certificate, and what happens to it then.
std::function<Story()> after_the_first(std::function<void(Story&)> then) {
  return [then = std::move(then)] {
    Story story = first_certificate(quick_story());
    then(story);
    return story;
  };
}

TEST(Crashed, TheFirstCertificateEndsLive) { crash_everywhere(quick_story, 2h, "1"); }

TEST(Crashed, ARenewalEndsLive) {
  crash_everywhere(after_the_first([](Story& story) { ask_for_renewal(story); }), 2h, "1 2");
}

TEST(Crashed, ARollbackEndsWithThePreviousOne) {
  crash_everywhere(after_the_first([](Story& story) {
                     story.sick = {2};
                     ask_for_renewal(story);
                   }),
                   2h, "1 2 1");
}

TEST(Crashed, ARollbackOnRequestEndsWithThePreviousOne) {
  crash_everywhere(after_the_first([](Story& story) {
                     ask_for_renewal(story);
                     EXPECT_TRUE(story.run(1h));
                     annotate(story.o, api::kRollbackRequestedAt, "now");
                   }),
                   2h, "1 2 1");
}

TEST(Crashed, ADrainedRenewalEndsLiveAndInService) {
  crash_everywhere(after_the_first([](Story& story) {
                     drain(story, 2min);
                     ask_for_renewal(story);
                   }),
                   2h, "1 2");
}

TEST(Crashed, ARollbackAfterADrainEndsInService) {
  crash_everywhere(after_the_first([](Story& story) {
                     drain(story, 2min);
                     story.sick = {2};
                     ask_for_renewal(story);
                   }),
                   2h, "1 2 1");
}

// --- restored

TEST(Restored, ARecreatedObjectFindsItsRevisionsAgainAndOrdersNothing) {
  Story story = first_certificate(quick_story());
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(1h));
  Story restored(fresh());
  restored.o.now = story.o.now;
  restored.o.object.meta.uid = "another";
  restored.o.revisions = story.o.revisions;
  restored.served = story.served;
  ASSERT_TRUE(restored.run(1h));
  EXPECT_EQ(restored.o.object.status.revision, 2);
  EXPECT_EQ(restored.o.object.status.history.front().result, RevisionResult::kAdopted);
  EXPECT_TRUE(restored.orders.empty());
  EXPECT_EQ(restored.pushes(), "");
  restored.o.now = *restored.o.object.status.renewal_time;
  ASSERT_TRUE(restored.run(1h));
  EXPECT_EQ(restored.o.object.status.revision, 3) << "above every number that was ever used";
}

// A backup has the annotations and not the status that says which of them were acted on.
TEST(Restored, ARollbackThatWasAskedForBeforeIsNotMadeAgain) {
  Story story = first_certificate(quick_story());
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(1h));
  Story restored(fresh());
  restored.o.now = story.o.now;
  restored.o.revisions = story.o.revisions;
  restored.served = story.served;
  annotate(restored.o, api::kRollbackRequestedAt, "last month");
  ASSERT_TRUE(restored.run(1h));
  EXPECT_EQ(restored.pushes(), "") << "no Edge gets an older certificate than it has";
  EXPECT_EQ(restored.o.object.status.revision, 2);
  annotate(restored.o, api::kRollbackRequestedAt, "now");
  ASSERT_TRUE(restored.run(1h));
  EXPECT_EQ(restored.o.object.status.revision, 1) << "asked for anew";
}

// An etcd of yesterday: status and Secrets know of one certificate less than the Edge has.
TEST(Restored, AnOlderStatusWithoutTheNewSecretsPushesNothingOverWhatIsServed) {
  Story story = first_certificate(quick_story());
  const Observation yesterday = story.o;
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(1h));
  ASSERT_EQ(story.served, fingerprint(2));
  for (const bool due : {false, true}) {
    Story restored(yesterday);
    restored.crash();
    restored.served = "somebody's";  // its own of today, which nobody remembers
    restored.o.now = due ? *yesterday.object.status.renewal_time + 1min : story.o.now + 1h;
    ASSERT_TRUE(restored.run(5h));
    EXPECT_EQ(reason_in(restored.o.object.status), due ? "ForeignCertificate" : "Ready");
    EXPECT_EQ(restored.pushes(), "");
    EXPECT_EQ(restored.served, "somebody's");
  }
}

TEST(Restored, AStoredBundleIsNeverOrderedAgain) {
  Story story;
  story.o.revisions = {{4, whole(4, kNow - 1h)}};  // stored, never delivered, the status is lost
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.o.object.status.revision, 4);
  EXPECT_TRUE(story.orders.empty());
}

// --- a CA that refuses

// I7: at most 1 + elapsed / backoff orders, whatever else happens.
TEST(Refused, OrdersAreMadeLessAndLessOften) {
  Story story;
  story.ca_refuses = true;
  ASSERT_TRUE(story.run(100h));
  EXPECT_EQ(story.orders.size(), 8U) << "after 0, 1, 3, 7, 15, 31, 63 and 95 hours";
  EXPECT_TRUE(story.records.empty()) << support::decided(story.o);
  EXPECT_EQ(story.o.revisions.size(), 1U) << "one key for all of them";
  EXPECT_EQ(story.o.object.status.order->failures, 8);
  story.ca_refuses = false;
  ++story.o.object.meta.generation;  // a changed spec is a new start
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.o.object.status.revision, 1);
  expect_rest(story);
}

TEST(Refused, ARequestInBetweenIsOneMoreOrderAndNoLoop) {
  Story story;
  story.ca_refuses = true;
  ASSERT_TRUE(story.run(10min));
  EXPECT_EQ(story.orders.size(), 1U);
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(30min));
  EXPECT_EQ(story.orders.size(), 2U);
}

// A vendor that is down for an hour: fewer and fewer tries, then a pause, and no certificate is blamed for it.
TEST(Refused, APushThatFailsIsTriedAtAHumanPace) {
  Story story = first_certificate(quick_story());
  int tries = 0;
  story.fate = [&](const std::string& effect) {
    if (!effect.starts_with("Push")) return Fate::kDone;
    ++tries;
    return Fate::kFails;
  };
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(1h));
  EXPECT_GT(tries, 10);
  EXPECT_LT(tries, 40);
  EXPECT_EQ(story.served, fingerprint(1));
  EXPECT_GE(std::ranges::count(story.said, "PushPutOff", &Announcement::reason), 2);
  story.fate = [](const std::string&) { return Fate::kDone; };
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.served, fingerprint(2));
  expect_rest(story);
}

// --- an Edge without a way back

TEST(NoWayBack, ABadFirstCertificateIsMendedByTheNext) {
  Story story;
  story.sick = {1};
  ASSERT_TRUE(story.o.revisions.empty());
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.o.object.status.phase, Phase::kFailed);
  EXPECT_EQ(std::ranges::count(story.said, "RollbackImpossible", &Announcement::reason), 1) << "one alarm";
  EXPECT_EQ(story.pushes(), "1");
  ask_for_renewal(story);
  ASSERT_TRUE(story.run(2h));
  EXPECT_EQ(story.pushes(), "1 2");
  EXPECT_EQ(story.o.object.status.phase, Phase::kReady);
  expect_rest(story);
}

TEST(NoWayBack, AnEdgeThatRecoversKeepsItsCertificate) {
  Story story;
  story.sick = {1};
  ASSERT_TRUE(story.run(1h));
  story.sick.clear();
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.o.object.status.phase, Phase::kReady);
  EXPECT_EQ(story.pushes(), "1");
}

// --- anything may happen

// One long walk: faults at every effect, edits of the spec at any phase, crashes, requests, a sick Edge, a jumping
// clock. expect_sane() looks at each decision; in the end the world is well and all comes to rest.
class Walk {
 public:
  explicit Walk(std::uint64_t seed) : story(quick_story()), random_(seed), calls_(seed + 1'000'000) {
    story.o.object.spec.revision_history_limit = 2;
    story.fate = [this](const std::string& effect) {
      if (!calm_ && pushes_fail_ && effect.starts_with("Push")) return Fate::kFails;
      if (calm_ || !chance(12)) return Fate::kDone;
      return static_cast<Fate>(1 + random_.below(4));
    };
    if (chance(2)) set_windows(story.o, {{.start = "02:00", .duration = 6h, .days = {}}});
    change(story.o.edge, [this](api::Edge& edge) {
      edge.spec.site = "ny";
      if (chance(2)) edge.spec.sip.peers = {{.name = "sbc-1"}, {.name = "sbc-2"}};
    });
    if (calls_.below(4) == 0) drain(story, std::chrono::minutes{calls_.below(40)});
    if (chance(3)) story.o.object.spec.rotation->retry = api::RetryRule{.backoff = 2h, .max_attempts = 20};
  }
  void go(int passes) {
    for (int i = 0; i < passes && !testing::Test::HasFailure(); ++i) {
      if (chance(15)) something_happens();
      if (!story.pass()) wait();
    }
  }
  bool come_to_rest() {
    calm_ = true;
    story.edge_is_down = story.status_unknown = story.takes_nothing = story.ca_refuses = false;
    story.peers_refuse = story.vendor_refuses = story.trunk_is_down = story.trunks_unlisted = false;
    story.o.neighbours.clear();
    story.sick.clear();
    story.calls_last = {};
    story.o.object.spec.suspend = false;
    story.o.object.meta.annotations.erase(std::string(api::kHoldUntil));
    story.o.failures.clear();
    if (!story.o.issuer) story.o.issuer = issuer_;
    ++story.o.object.meta.generation;
    if (!story.run(1h)) return false;
    // Where nothing can be put back a person must ask for another certificate.
    if (story.o.object.status.delivery) annotate(story.o, api::kRenewRequestedAt, "at last");
    // A renewal may have begun right before the end of that.
    return story.run(40h, 5000) && (!story.o.object.status.delivery || story.run(2h));
  }
  Story story;

 private:
  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  void wait() {
    const TimePoint soon = story.o.now + std::chrono::minutes{1 + random_.below(600)};
    story.o.now = story.wake_at ? std::min(std::max(*story.wake_at, story.o.now), soon) : soon;
  }
  void something_happens() {
    Observation& o = story.o;
    const std::string value = std::to_string(++events_);
    if (calls_.below(12) == 0) story.calls_last = std::chrono::minutes{calls_.below(60)};
    if (calls_.below(24) == 0) o.object.spec.rotation->drain.reset();
    switch (random_.below(23)) {
      case 0: story.crash(); break;
      case 1: annotate(o, api::kRenewRequestedAt, value); break;
      case 2: annotate(o, api::kRotateRequestedAt, value); break;
      case 3: annotate(o, api::kRollbackRequestedAt, value); break;
      case 4:
        o.object.spec.dns_names =
            chance(2) ? std::vector<std::string>{kName} : std::vector<std::string>{kName, "sip.example.com"};
        ++o.object.meta.generation;
        break;
      case 5: story.edge_is_down = !story.edge_is_down; break;
      case 6: story.status_unknown = !story.status_unknown; break;
      case 7: story.takes_nothing = chance(3); break;
      case 8: story.ca_refuses = chance(3); break;
      case 9: story.sick.insert(static_cast<int>(random_.below(12))); break;
      case 10: story.sick_state = chance(2) ? ports::EdgeState::kCritical : ports::EdgeState::kOk; break;
      case 11:
        o.object.spec.suspend = chance(4);
        ++o.object.meta.generation;
        break;
      case 12: annotate(o, api::kHoldUntil, chance(4) ? format_rfc3339(o.now + 2h) + " wait" : ""); break;
      case 13:
        if (o.issuer) issuer_ = o.issuer;
        o.issuer = chance(4) ? nullptr : issuer_;
        break;
      case 14: o.now += 24h * static_cast<int>(random_.below(60)); break;  // long quiet, or a jump
      case 15: o.now -= 1h; break;
      case 16: pushes_fail_ = chance(2); break;
      case 17:  // restored from Git: the Secrets are there, the status is not
        if (!chance(8)) break;
        o.object.status = {};
        story.records.clear();  // what the status alone knew of is lost
        story.in_service = true;
        story.crash();
        break;
      case 18:
        story.peers_refuse = chance(2);
        if (chance(2)) forgive(o);
        break;
      case 19: story.trunk_is_down = chance(3); break;
      case 20: story.trunks_unlisted = chance(3); break;
      case 21: the_other_edge_says(chance(2) ? api::Truth::kTrue : api::Truth::kFalse); break;
      case 22: story.vendor_refuses = chance(3); break;
      default: break;
    }
  }
  void the_other_edge_says(api::Truth healthy) {
    api::Edge other = named<api::Edge>("edge02");
    api::set(other.status.conditions,
             {.type = std::string(api::condition::kSipHealthy), .status = healthy, .reason = "Said", .message = "said"},
             story.o.now);
    story.o.neighbours = {std::make_shared<const api::Edge>(other)};
  }
  support::FakeRandom random_;
  support::FakeRandom calls_;  // of drained walks
  std::shared_ptr<const api::AcmeIssuer> issuer_ = story.o.issuer;
  int events_ = 0;
  bool pushes_fail_ = chance(10);
  bool calm_ = false;
};

TEST(Walks, NoDecisionIsInsaneAndAllComesToRest) {
  std::map<std::string, int> effects;
  std::set<std::string> reasons;
  for (std::uint64_t seed = 1; seed <= 240 && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Walk walk(seed);
    walk.go(200);
    ASSERT_TRUE(walk.come_to_rest()) << walk.story.last_lines(30);
    const auto& status = walk.story.o.object.status;
    EXPECT_TRUE(walk.story.records.empty() ||
                std::ranges::count(walk.story.said, "RecordLeftBehind", &Announcement::reason) > 0);
    EXPECT_TRUE(walk.story.o.object.meta.finalizers.empty());
    EXPECT_FALSE(status.delivery);
    EXPECT_TRUE(walk.story.in_service && !status.drain) << walk.story.last_lines(60);
    // Where no port answers and no status call tells a fingerprint, an acknowledgement is all the proof there is.
    const bool can_be_seen = !walk.story.served.empty();
    EXPECT_TRUE(!status.revision || !can_be_seen || walk.story.served == fingerprint(*status.revision))
        << walk.story.last_lines(60);
    for (const auto& [revision, certificates] : walk.story.finalized)
      EXPECT_EQ(certificates, 1) << "I1: revision " << revision;
    for (const auto& effect : walk.story.done) ++effects[effect.substr(0, effect.find(' '))];
    for (const auto& said : walk.story.said) reasons.insert(said.reason);
  }
  // The walks have been everywhere.
  for (const char* effect : {"CreateKey", "NewOrder", "PresentRecord", "RemoveRecord", "AnswerChallenge",
                             "FinalizeOrder", "StoreBundle", "Push", "WriteServingSecret", "DeleteRevision",
                             "SetFinalizer", "AskPeers", "AskVendor", "LookAtService", "SetService"}) {
    EXPECT_GT(effects[effect], 30) << effect;
  }
  for (const char* reason : {"Rotated", "RolledBack", "RollingBack", "RollbackImpossible", "PushPutOff", "OrderInvalid",
                             "Adopted", "NothingToRotate", "PeerDoesNotTrust", "VendorRefusesChain", "SiteWideFailure",
                             "BackInService", "DrainTimedOut"}) {
    EXPECT_TRUE(reasons.contains(reason)) << reason;
  }
}

}  // namespace
}  // namespace edgetrust::decide::certificate
