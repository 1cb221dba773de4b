// What a quiet object still needs, and its rest: serving_secret_right, old_revisions_pruned, finalizer_released, rest.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::RevisionResult;

TEST(ServingSecretRight, SecretNameHoldsWhatTheEdgeServes) {
  const Observation missing = with(ready(), [](auto& o) { o.serving_fingerprint.reset(); });
  check({{"right", ready(), "rest Ready/Ready +renewal"},
         {"missing", missing, "serving_secret_right WriteServingSecret Ready/Ready"},
         {"of another revision", with(ready(), [](auto& o) { o.serving_fingerprint = fingerprint(7); }),
          "serving_secret_right WriteServingSecret Ready/Ready"},
         {"broken", with(ready(), [](auto& o) { o.serving_fingerprint = ""; }),
          "serving_secret_right WriteServingSecret Ready/Ready"},
         {"someone else's",
          with(missing, [](auto& o) { o.failures = failed("WriteServingSecret", ErrorKind::kConflict, o.now); }),
          "rest Failed/SecretConflict S +916ms"},
         {"it could not be written",
          with(missing, [](auto& o) { o.failures = failed("WriteServingSecret", ErrorKind::kForbidden, o.now); }),
          "rest Ready/ClusterForbidden S +13s740ms"},
         {"which stops no renewal",
          with(missing,
               [](auto& o) {
                 o.failures = failed("WriteServingSecret", ErrorKind::kConflict, o.now);
                 o.object.meta.annotations[std::string(api::kRenewRequestedAt)] = "now";
               }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"there is no key to write", with(missing, [](auto& o) { o.revisions[1].has_key = false; }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"nothing is served", with(fresh(), [](auto& o) { o.look = empty_look(); }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"what is coming is not served yet",
          with(deliverable(), [](auto& o) { o.serving_fingerprint = fingerprint(2); }),
          "serving_secret_right WriteServingSecret Ready/Ready"}});
}

// Revisions 1 to `serving` are stored, the last is live, all others were.
Observation with_history(int serving) {
  Observation o = ready();
  o.revisions.clear();
  o.object.status.history.clear();
  for (int n = serving; n >= 1; --n) {
    o.revisions[n] = whole(n, kNow - 24h);
    o.object.status.history.push_back(
        {.revision = n, .result = n == serving ? RevisionResult::kActive : RevisionResult::kSuperseded});
  }
  o.object.status.revision = serving;
  o.look = look(serving);
  o.serving_fingerprint = fingerprint(serving);
  settle(o);
  return o;
}
int pruned(const Observation& o) {
  const Decision decision = decide(o);
  expect_sane(o, decision);
  const auto* removal = decision.effect ? std::get_if<effect::DeleteRevision>(&*decision.effect) : nullptr;
  return removal == nullptr ? -1 : removal->revision;
}

TEST(OldRevisionsPruned, NoMoreAreKeptThanAskedFor) {
  const auto limit = [](int n) { return [n](Observation& o) { o.object.spec.revision_history_limit = n; }; };
  EXPECT_EQ(pruned(with_history(3)), -1);
  EXPECT_EQ(pruned(with_history(4)), 1) << "three by default, the oldest goes";
  EXPECT_EQ(pruned(with(with_history(5), limit(2))), 1);
  EXPECT_EQ(pruned(with(with_history(5), limit(5))), -1);
  EXPECT_EQ(pruned(with(with_history(2), limit(2))), -1);
  check(
      {{"within the limit", with_history(3), "rest Ready/Ready +renewal"},
       {"beyond it", with_history(4), "old_revisions_pruned DeleteRevision Ready/Ready"},
       {"it could not be removed: the rest goes on, and it is tried later",
        with(with_history(4), [](auto& o) { o.failures = failed("DeleteRevision", ErrorKind::kConflict, o.now); }),
        "rest Ready/Ready +916ms"},
       {"later",
        with(with_history(4), [](auto& o) { o.failures = failed("DeleteRevision", ErrorKind::kConflict, o.now - 1s); }),
        "old_revisions_pruned DeleteRevision Ready/Ready"}});
}

TEST(RejectionsMarked, WhatWasRejectedSaysSoItself) {
  Observation o = with_history(2);
  o.revisions[3] = whole(3);
  o.object.status.history.insert(o.object.status.history.begin(),
                                 {.revision = 3, .result = RevisionResult::kRolledBack});
  const Decision decision = decide(o);
  ASSERT_TRUE(decision.effect && std::holds_alternative<effect::MarkRejected>(*decision.effect));
  EXPECT_EQ(std::get<effect::MarkRejected>(*decision.effect).revision, 3);
  // A cluster restored without the status: what the Secret says is enough.
  o = fresh();
  o.revisions[2] = whole(2);
  o.revisions[3] = with(whole(3), [](auto& revision) { revision.marked_rejected = true; });
  o.look = look(2, o.now);
  o.object.status = decide(o).status;
  EXPECT_EQ(o.object.status.revision, 2);
  o.serving_fingerprint = fingerprint(2);
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal");
}

TEST(OldRevisionsPruned, WhatIsServedAndTheOneBeforeAreNeverRemoved) {
  Observation o = with(with_history(6), [](auto& p) { p.object.spec.revision_history_limit = 2; });
  std::vector<int> removed;
  for (int n = pruned(o); n >= 0; n = pruned(o)) {
    removed.push_back(n);
    o.revisions.erase(n);
  }
  EXPECT_EQ(removed, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_TRUE(o.revisions.contains(5) && o.revisions.contains(6));
}

TEST(OldRevisionsPruned, RejectedOnesGoAndDoNotCountAsTheOneBefore) {
  // 2 is live, 1 the one before; 3 and 4 were rolled back.
  Observation o = with_history(2);
  o.object.spec.revision_history_limit = 2;
  for (int n : {3, 4}) {
    o.revisions[n] = whole(n);
    o.revisions[n].marked_rejected = true;
    o.object.status.history.insert(o.object.status.history.begin(),
                                   {.revision = n, .result = RevisionResult::kRolledBack, .message = "no"});
  }
  EXPECT_EQ(pruned(o), 3);
  o.revisions.erase(3);
  EXPECT_EQ(pruned(o), 4);
  o.revisions.erase(4);
  EXPECT_EQ(pruned(o), -1);
  // 3 is live after 2 was rolled back: 1 is what came before.
  o = with_history(3);
  o.object.spec.revision_history_limit = 2;
  o.object.status.history[1].result = RevisionResult::kRolledBack;
  o.revisions[2].marked_rejected = true;
  EXPECT_EQ(pruned(o), 2);
}

TEST(OldRevisionsPruned, WhatWasPassedOverIsNotTheOneBefore) {
  Observation o = with_history(4);
  o.object.spec.revision_history_limit = 2;
  std::erase_if(o.object.status.history, [](const auto& entry) { return entry.revision == 3; });  // never delivered
  EXPECT_EQ(pruned(o), 1);
  o.revisions.erase(1);
  EXPECT_EQ(pruned(o), 3) << "2 is what was live before";
  // When the status was lost nobody knows: the newest that is whole is kept.
  o = with_history(4);
  o.object.spec.revision_history_limit = 2;
  o.object.status.history = {{.revision = 4, .result = RevisionResult::kAdopted}};
  o.revisions[3] = key_only(3);
  EXPECT_EQ(pruned(o), 1);
  o.revisions.erase(1);
  EXPECT_EQ(pruned(o), 3);
}

TEST(OldRevisionsPruned, TheNumberOfWhatIsRemovedIsNotUsedAgain) {
  Observation o = with_history(2);
  o.object.spec.revision_history_limit = 2;
  o.revisions[3] = whole(3);
  o.revisions[3].chain->dns_names = {"old.example.com"};  // the spec had another name for a while
  const Decision decision = decide(o);
  EXPECT_EQ(pruned(o), 3);
  EXPECT_EQ(decision.status.history.back().revision, 3);
  EXPECT_EQ(decision.status.history.back().message, "never delivered");
  o.object.status = decision.status;
  o.revisions.erase(3);
  annotate(o, api::kRenewRequestedAt);
  EXPECT_EQ(decide(o).status.order->revision, 4);
}

TEST(OldRevisionsPruned, AnImportCountsAsARevision) {
  Observation o = with_history(1);
  o.revisions[0] = whole(0);
  o.object.spec.revision_history_limit = 2;
  EXPECT_EQ(pruned(o), -1) << "it is what a rollback returns to";
  o = with_history(3);
  o.revisions[0] = whole(0);
  EXPECT_EQ(pruned(o), 0);
}

TEST(FinalizerReleased, AnObjectWithNothingToBeUndoneHasNone) {
  const auto hold = [](auto& o) { o.object.meta.finalizers = {"someone.else/too", std::string(api::kFinalizer)}; };
  check({{"quiet", ready(), "rest Ready/Ready +renewal"},
         {"quiet with finalizer", with(ready(), hold), "finalizer_released SetFinalizer Ready/Ready"},
         {"someone else's is none of ours",
          with(ready(), [](auto& o) { o.object.meta.finalizers = {"someone.else/too"}; }), "rest Ready/Ready +renewal"},
         {"a record is there", with(answering(), hold), "revision_issued LookForRecords Issuing/Answering R"},
         {"while waiting for a window",
          with(with(deliverable(), hold), [](auto& o) { set_windows(o, {{.start = "02:00", .duration = 2h}}); }),
          "finalizer_released SetFinalizer Ready/Ready"},
         {"it could not be released: the rest goes on",
          with(with(ready(), hold), [](auto& o) { o.failures = failed("SetFinalizer", ErrorKind::kConflict, o.now); }),
          "rest Ready/Ready +916ms"}});
}

TEST(Rest, SleepsUntilTheCertificateIsDue) {
  const Decision decision = decide(ready());
  EXPECT_EQ(decision.rule, "rest");
  EXPECT_EQ(decision.wake_at, decision.status.renewal_time);
  EXPECT_EQ(decision.status.next, "renews " + format_rfc3339(*decision.wake_at).substr(0, 10));
  EXPECT_EQ(decision.status.expires, "2027-02-19");
  EXPECT_EQ(ready_message(decision), "the Edge serves revision 1");
}

// I12: at rest nothing is written any more.
TEST(Rest, WritesNothingTheNextTime) {
  for (Observation o : {ready(), rolled_back()}) {
    o.serving_fingerprint = fingerprint(1);
    settle(o);
    const std::string before = api::encode_status(o.object);
    for (int i = 0; i < 10; ++i) {
      o.now += 1min;
      const Decision decision = decide(o);
      EXPECT_FALSE(decision.effect);
      EXPECT_TRUE(decision.announcements.empty());
      o.object.status = decision.status;
      EXPECT_EQ(api::encode_status(o.object), before);
    }
  }
}

TEST(Rest, ARequestToRotateNothingIsAnsweredAndDoesNotWait) {
  Observation o = ready();
  annotate(o, api::kRotateRequestedAt, "now");
  const Decision decision = decide(o);
  EXPECT_EQ(decision.rule, "rest");
  EXPECT_EQ(decision.status.handled_requests->rotate, "now");
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "NothingToRotate");
  // Months later the window is waited for.
  o = with(deliverable(), [&](auto& later) {
    annotate(later, api::kRotateRequestedAt, "now");
    later.object.status.handled_requests = decision.status.handled_requests;
    set_windows(later, {{.start = "02:00", .duration = 2h}});
  });
  EXPECT_EQ(decided(o), "revision_delivered Waiting/WaitingForWindow +13h");
}

TEST(Rest, TheConditionsAreThoseOfTheContract) {
  const auto types = [](const Decision& decision) {
    std::string line;
    for (const auto& c : decision.status.conditions)
      line += (line.empty() ? "" : " ") + c.type + "=" +
              (c.status == api::Truth::kTrue    ? "True"
               : c.status == api::Truth::kFalse ? "False"
                                                : "Unknown");
    return line;
  };
  EXPECT_EQ(types(decide(ready())), "Ready=True Issued=True Delivered=True EdgeHealthy=True RollbackAvailable=True");
  EXPECT_EQ(types(decide(fresh())), "Ready=False Reconciling=True Delivered=False RollbackAvailable=False");
  EXPECT_EQ(types(decide(ordered(ports::OrderStatus::kProcessing))),
            "Ready=True Issued=False Delivered=True EdgeHealthy=True RollbackAvailable=True Reconciling=True");
  EXPECT_EQ(types(decide(with(deliverable(), [](auto& o) { set_windows(o, {{.start = "02:00", .duration = 2h}}); }))),
            "Ready=True Issued=True Delivered=True EdgeHealthy=True RollbackAvailable=True");
  EXPECT_EQ(
      types(decide(rolled_back())),
      "Ready=True Issued=True Delivered=True EdgeHealthy=True RollbackAvailable=True Reconciling=True RolledBack=True");
}

TEST(Rest, AnExpiredCertificateIsNotReadyWhateverIsDone) {
  Observation o = due();
  o.now = o.revisions[1].chain->not_after;
  const Decision decision = decide(o);
  const auto* ready_now = condition(decision, api::condition::kReady);
  EXPECT_EQ(ready_now->status, api::Truth::kFalse);
  EXPECT_EQ(ready_now->reason, "Expired");
  EXPECT_NE(condition(decision, api::condition::kReconciling), nullptr);
}

TEST(Rest, WhatIsServedAndDoesNotFitTheSpecIsNotReady) {
  const Observation o = with(ready(), [](auto& misfit) {
    misfit.object.spec.dns_names = {"other.example.com"};
    ++misfit.object.meta.generation;
  });
  EXPECT_EQ(condition(decide(o), api::condition::kReady)->status, api::Truth::kFalse);
}

TEST(Rest, SaysLongBeforeThatTheNextRenewalHasNoIssuer) {
  const Observation without = with(ready(), [](auto& o) { o.issuer.reset(); });
  check({{"it is gone", without, "rest Ready/IssuerNotFound S +renewal"},
         {"it cannot be read",
          with(ready(),
               [](auto& o) { change(o.issuer, [](auto& issuer) { issuer.broken = error(ErrorKind::kInvalid); }); }),
          "rest Ready/IssuerInvalid S +renewal"}});
  const Decision decision = decide(without);
  EXPECT_EQ(condition(decision, api::condition::kReady)->status, api::Truth::kTrue) << "what is served is good";
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "IssuerNotFound");
}

// --- who has to do something hears of it

TEST(Stalled, IsToldOnceForEachReason) {
  Observation o = with(ready(), [](auto& held) { held.object.spec.suspend = true; });
  const auto told = [&] {
    const Decision decision = decide(o);
    o.object.status = decision.status;
    return decision.announcements.empty() ? "" : decision.announcements.front().reason;
  };
  EXPECT_EQ(told(), "Suspended");
  EXPECT_EQ(told(), "");
  o.object.spec.suspend = false;
  o.look = look("strange", o.now);
  EXPECT_EQ(told(), "ForeignCertificate") << "although it was held before";
  EXPECT_EQ(told(), "");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
