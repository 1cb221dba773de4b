// Whether an object may be worked on at all: deleted, readable, not_suspended, only_claim_on_edge, references_exist.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::condition::kReady;
using api::condition::kStalled;

void remove_object(Observation& o) { o.object.meta.deletion_time = o.now; }
void hold_finalizer(Observation& o) { o.object.meta.finalizers = {std::string(api::kFinalizer)}; }

TEST(Rules, AreNamedInTheirOrderWithWhatTheyEnsure) {
  std::vector<std::string> names;
  for (const auto& rule : rule_list()) {
    names.emplace_back(rule.name);
    EXPECT_GT(rule.ensures.size(), 15U) << rule.name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"deleted",
                                             "readable",
                                             "delivery_under_way",
                                             "edge_back_in_service",
                                             "slots_returned",
                                             "source_is_anothers",
                                             "not_suspended",
                                             "only_claim_on_edge",
                                             "references_exist",
                                             "order_cleaned_up",
                                             "finalizer_released",
                                             "served_certificate_known",
                                             "rollback_asked_for",
                                             "revocation_asked_for",
                                             "rejections_marked",
                                             "serving_secret_right",
                                             "revision_issued",
                                             "source_taken",
                                             "revision_delivered",
                                             "old_revisions_pruned",
                                             "renewal_info_known",
                                             "rest"}));
}

TEST(Deleted, TakesItsRecordsWithItAndLetsGo) {
  const Observation gone = with(answering(), remove_object);
  check({{"not deleted", ready(), "rest Ready/Ready +renewal"},
         {"without finalizer nothing is to be done", with(ready(), remove_object), "deleted Ready/Deleted"},
         {"a record is removed first", gone, "deleted RemoveRecord Issuing/Deleted R"},
         {"then the finalizer", with(gone, [](auto& o) { o.removed = {record_id(kRecord)}; }),
          "deleted SetFinalizer Issuing/Deleted R"},
         {"without an order as well", with(with(ready(), remove_object), hold_finalizer),
          "deleted SetFinalizer Ready/Deleted"},
         {"a delivery is brought to its end first", with(observing(), remove_object),
          "delivery_under_way LookAtEdge Observing/Observing R"},
         {"but not for ever", with(with(observing(), [](auto& o) { o.now += 24h; }), remove_object),
          "deleted SetFinalizer Observing/Deleted R"},
         {"nor where nothing can be put back",
          with(with(observing(), [](auto& o) { o.object.status.delivery->verdict = "Critical"; }), remove_object),
          "deleted SetFinalizer Observing/Deleted R"},
         {"a failed removal waits",
          with(gone, [](auto& o) { o.failures = failed("RemoveRecord", ErrorKind::kTimeout, o.now, 3); }),
          "deleted Issuing/Deleted R +3s664ms"},
         {"but not for ever",
          with(gone, [](auto& o) { o.failures = failed("RemoveRecord", ErrorKind::kTimeout, o.now, 5); }),
          "deleted SetFinalizer Issuing/RecordLeftBehind R"},
         {"without an issuer nobody can remove it", with(gone, [](auto& o) { o.issuer.reset(); }),
          "deleted SetFinalizer Issuing/RecordLeftBehind R"},
         {"a finalizer that cannot be removed waits",
          with(with(with(ready(), remove_object), hold_finalizer),
               [](auto& o) { o.failures = failed("SetFinalizer", ErrorKind::kConflict, o.now, 1); }),
          "deleted Ready/Deleted +916ms"},
         {"an object that cannot be read lets go too",
          with(gone,
               [](auto& o) {
                 o.object.broken = error(ErrorKind::kInvalid);
                 o.issuer.reset();
               }),
          "deleted SetFinalizer Issuing/RecordLeftBehind R"}});
}

TEST(Deleted, SaysWhichRecordIsLeftBehind) {
  const Decision decision = decide(with(with(answering(), remove_object), [](auto& o) { o.issuer.reset(); }));
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_TRUE(decision.announcements[0].warning);
  EXPECT_EQ(decision.announcements[0].reason, "RecordLeftBehind");
  EXPECT_NE(decision.announcements[0].message.find(kRecordName), std::string::npos);
}

TEST(Readable, WhatCannotBeReadIsReportedByItself) {
  const auto broken = [](auto& o) { o.object.broken = error(ErrorKind::kInvalid, "spec.rotation.observe.settle: no"); };
  check({{"fresh", with(fresh(), broken), "readable Failed/Invalid S"},
         {"live", with(ready(), broken), "readable Failed/Invalid S"},
         {"even while watching an Edge", with(observing(), broken), "readable Failed/Invalid S"}});
  const Decision decision = decide(with(ready(), broken));
  EXPECT_EQ(condition(decision, kStalled)->message, "spec.rotation.observe.settle: no");
  EXPECT_EQ(condition(decision, kReady)->status, api::Truth::kTrue) << "what is served is valid all the same";
}

TEST(NotSuspended, NothingIsChangedWhileSuspended) {
  const auto suspend = [](auto& o) { o.object.spec.suspend = true; };
  check({{"quiet", with(ready(), suspend), "not_suspended Held/Suspended S"},
         {"due", with(due(), suspend), "not_suspended Held/Suspended S"},
         {"fresh", with(fresh(), suspend), "not_suspended Held/Suspended S"},
         {"with an order under way", with(answering(), suspend), "not_suspended Held/Suspended S"},
         {"a delivery under way is finished", with(delivering(), suspend),
          "delivery_under_way Push Delivering/Pushing R"},
         {"a rollback too", with(rolling_back(), suspend), "delivery_under_way Push RollingBack/RollingBack R"}});
}

TEST(NotSuspended, TheAnnotationHoldsUntilItsTime) {
  const auto hold = [](std::string text) {
    return [text = std::move(text)](auto& o) { annotate(o, api::kHoldUntil, text); };
  };
  check(
      {{"until later", with(ready(), hold("2026-11-22T14:00:00Z audit")), "not_suspended Held/HeldByAnnotation S +2h"},
       {"without a reason", with(ready(), hold("2026-11-22T14:00:00Z")), "not_suspended Held/HeldByAnnotation S +2h"},
       {"with an offset", with(ready(), hold("2026-11-22T14:00:00+01:00 audit")),
        "not_suspended Held/HeldByAnnotation S +1h"},
       {"with white space around", with(ready(), hold("  2026-11-22T14:00:00Z   audit  ")),
        "not_suspended Held/HeldByAnnotation S +2h"},
       {"until now is over", with(ready(), hold("2026-11-22T12:00:00Z audit")), "rest Ready/Ready +renewal"},
       {"until before is over", with(ready(), hold("2020-01-01T00:00:00Z audit")), "rest Ready/Ready +renewal"},
       {"empty is none", with(ready(), hold("")), "rest Ready/Ready +renewal"},
       {"blank is none", with(ready(), hold("   ")), "rest Ready/Ready +renewal"},
       {"what is no time holds until it is mended", with(ready(), hold("tomorrow audit")),
        "not_suspended Held/HeldByAnnotation S"},
       {"a date alone is no time", with(ready(), hold("2026-11-23 audit")), "not_suspended Held/HeldByAnnotation S"},
       {"a delivery under way is finished", with(observing(), hold("2030-01-01T00:00:00Z audit")),
        "delivery_under_way LookAtEdge Observing/Observing R"}});
  EXPECT_EQ(condition(decide(with(ready(), hold("2026-11-22T14:00:00Z  the audit"))), kStalled)->message, "the audit");
  EXPECT_EQ(decide(with(ready(), hold("2026-11-22T14:00:00Z"))).status.next, "held until 2026-11-22T14:00:00Z");
  EXPECT_EQ(condition(decide(with(ready(), hold("soon"))), kStalled)->message,
            "the annotation edgetrust.io/hold-until does not begin with a time such as 2027-01-03T02:00:00Z");
}

TEST(OnlyClaimOnEdge, TheYoungerOfTwoStepsBack) {
  const auto other = [](auto& o) { o.edge_holder = "older"; };
  check({{"fresh", with(fresh(), other), "only_claim_on_edge Failed/Conflict S"},
         {"live", with(ready(), other), "only_claim_on_edge Failed/Conflict S"},
         {"alone", ready(), "rest Ready/Ready +renewal"}});
  EXPECT_EQ(condition(decide(with(fresh(), other)), kStalled)->message,
            "the EdgeCertificate older holds Edge edge01; delete one of the two");
}

TEST(ReferencesExist, WhatIsMissingIsNamedAndWaitedFor) {
  const auto broken = [](auto& object) { object.broken = error(ErrorKind::kInvalid, "spec.x: no"); };
  check({{"no Edge", with(fresh(), [](auto& o) { o.edge.reset(); }), "references_exist Pending/EdgeNotFound R"},
         {"no Edge, though live", with(ready(), [](auto& o) { o.edge.reset(); }),
          "references_exist Pending/EdgeNotFound R"},
         {"a broken Edge", with(fresh(), [&](auto& o) { change(o.edge, broken); }),
          "references_exist Pending/EdgeInvalid R"},
         {"an Edge in conflict",
          with(fresh(),
               [](auto& o) {
                 change(o.edge, [](auto& e) {
                   e.status.conditions = {{.type = "Stalled",
                                           .status = api::Truth::kTrue,
                                           .reason = "Conflict",
                                           .message = "edge00 has this id"}};
                 });
               }),
          "references_exist Pending/EdgeConflict R"},
         {"an Edge stalled for another reason",
          with(ready(),
               [](auto& o) {
                 change(o.edge, [](auto& e) { e.status.conditions = {{.type = "Stalled", .reason = "Other"}}; });
               }),
          "rest Ready/Ready +renewal"},
         {"no connection", with(fresh(), [](auto& o) { o.connection.reset(); }),
          "references_exist Pending/ConnectionNotFound R"},
         {"a broken connection", with(fresh(), [&](auto& o) { change(o.connection, broken); }),
          "references_exist Pending/ConnectionInvalid R"},
         {"no policy, though named", with(fresh(), [](auto& o) { o.object.spec.policy_ref = api::LocalRef{"night"}; }),
          "references_exist Pending/PolicyNotFound R"},
         {"no policy, none named", ready(), "rest Ready/Ready +renewal"},
         {"a broken policy", with(fresh(), [&](auto& o) { change(o.policy, broken); }),
          "references_exist Pending/PolicyInvalid R"}});
  EXPECT_EQ(ready_message(decide(with(fresh(), [](auto& o) { o.connection.reset(); }))),
            "there is no GenesysConnection prod, which Edge edge01 names");
  EXPECT_EQ(decide(with(ready(), [](auto& o) { o.edge.reset(); })).status.phase, api::Phase::kPending);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
