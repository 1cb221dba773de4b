// What the Edge serves now, and whose it is: served_certificate_known; a rollback on request: rollback_asked_for.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::ForeignCertificate;
using api::RevisionResult;

Observation wishing(Observation o, ForeignCertificate wish) {
  o.object.spec.adoption = api::Adoption{.on_foreign_certificate = wish};
  return o;
}
Observation seeing(Observation o, EdgeLook seen) {
  o.look = std::move(seen);
  return o;
}
Observation importing(Observation o, std::optional<ports::ChainFacts> found, std::optional<Error> defect = {}) {
  o.object.spec.adoption = api::Adoption{.import_from = api::LocalRef{"current"}};
  o.import = Import{std::move(found), std::move(defect)};
  return o;
}

Observation two_live() {  // revision 2 is live, revision 1 the one before
  Observation o = ready();
  o.revisions[2] = whole(2, kNow - 1h);
  o.look = look(2);
  o.serving_fingerprint = fingerprint(2);
  o.object.status.revision = 2;
  o.object.status.history = {{.revision = 2, .result = RevisionResult::kActive},
                             {.revision = 1, .result = RevisionResult::kSuperseded}};
  settle(o);
  return o;
}

TEST(ServedCertificateKnown, LooksOnceAndAdoptsWhatIsStored) {
  check(
      {{"nobody has looked", fresh(), "served_certificate_known LookAtEdge Pending/Looking R"},
       {"known from before, no look is needed", with(ready(), [](auto& o) { o.look.reset(); }),
        "rest Ready/Ready +renewal"},
       {"nothing is served", seeing(fresh(), empty_look()), "revision_issued CreateKey Issuing/CreatingKey R"},
       {"nobody can tell", seeing(fresh(), EdgeLook{.at = kNow}), "revision_issued CreateKey Issuing/CreatingKey R"},
       {"ours", ready(), "rest Ready/Ready +renewal"},
       {"a stored one, after a restore from Git",
        with(seeing(fresh(), look(3)), [](auto& o) { o.revisions[3] = whole(3); }),
        "served_certificate_known Pending/Adopted R +0s"},
       {"another stored one than the status says",
        with(seeing(ready(), look(2)), [](auto& o) { o.revisions[2] = whole(2); }),
        "served_certificate_known LookAtEdge Observing/Observing R"},
       {"an older one again", with(seeing(two_live(), look(1)), [](auto& /*o*/) {}),
        "served_certificate_known Pending/Adopted R +0s"},
       {"nobody can see what a healthy Edge serves",
        with(fresh(), [](auto& o) { o.look = with_health(empty_look(), ports::EdgeState::kOk, ports::SipState::kUp); }),
        "served_certificate_known Held/ServedCertificateUnknown S +1h"},
       {"the same, and it shall be replaced",
        with(fresh(),
             [](auto& o) {
               o.look = with_health(empty_look(), ports::EdgeState::kOk, ports::SipState::kUp);
               o.object.spec.adoption = api::Adoption{.on_foreign_certificate = api::ForeignCertificate::kReplace};
             }),
        "revision_issued CreateKey Issuing/CreatingKey R"},
       {"the Edge's own object has seen another since",
        with(ready(),
             [](auto& o) {
               o.look = look(1, o.now - 1h);
               change(o.edge, [&](auto& e) {
                 e.status.served_certificate =
                     api::ServedCertificate{.fingerprint_sha256 = "foreign", .at = o.now - 1min};
               });
             }),
        "served_certificate_known LookAtEdge Ready/Ready"},
       {"ours, though its Secret is lost", with(ready(), [](auto& o) { o.revisions.clear(); }),
        "revision_issued CreateKey Issuing/CreatingKey R"}});
}

TEST(ServedCertificateKnown, AnAdoptedRevisionIsLiveAndNothingIsOrdered) {
  Observation o = seeing(fresh(), look(3));
  o.revisions = {{2, whole(2)}, {3, whole(3)}};
  const Decision decision = decide(o);
  EXPECT_EQ(decision.status.revision, 3);
  EXPECT_EQ(decision.status.serial_number, "03");
  ASSERT_EQ(decision.status.history.size(), 1U);
  EXPECT_EQ(decision.status.history[0].result, RevisionResult::kAdopted);
  EXPECT_EQ(decision.status.history[0].fingerprint_sha256, fingerprint(3));
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_FALSE(decision.announcements[0].warning);
  o.object.status = decision.status;
  EXPECT_EQ(decided(o), "serving_secret_right WriteServingSecret Pending/Adopted R");
  o.serving_fingerprint = fingerprint(3);
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal");
}

TEST(ServedCertificateKnown, AForeignCertificateIsTreatedAsAsked) {
  const auto expiring = [](TimePoint end) {
    EdgeLook seen = look("foreign");
    seen.served->not_before = end - kLifetime;
    seen.served->not_after = end;
    return seen;
  };
  const Observation foreign = seeing(fresh(), look("foreign"));
  const auto hours_ago = [](EdgeLook seen, std::chrono::hours ago) {
    seen.at = kNow - ago;
    return seen;
  };
  check({
      {"by default it is left alone", foreign, "served_certificate_known Held/ForeignCertificate S +1h"},
      {"Hold", wishing(foreign, ForeignCertificate::kHold), "served_certificate_known Held/ForeignCertificate S +1h"},
      {"looked at again every hour, for a hand may change it", seeing(fresh(), hours_ago(look("foreign"), 1h)),
       "served_certificate_known LookAtEdge Held/ForeignCertificate S"},
      {"a look from before the clock was set back is none", seeing(fresh(), look("foreign", kNow + 24h)),
       "served_certificate_known LookAtEdge Held/ForeignCertificate S"},
      {"Replace", wishing(foreign, ForeignCertificate::kReplace), "revision_issued CreateKey Issuing/CreatingKey R"},
      {"Replace, told by the status call alone",
       wishing(seeing(fresh(), with(empty_look(), [](auto& seen) { seen.health->fingerprint_sha256 = "foreign"; })),
               ForeignCertificate::kReplace),
       "revision_issued CreateKey Issuing/CreatingKey R"},
      {"ReplaceNearExpiry, far from it",
       wishing(seeing(fresh(), expiring(kNow + 60 * 24h)), ForeignCertificate::kReplaceNearExpiry),
       "served_certificate_known Waiting/ForeignCertificate R +1h"},
      {"ReplaceNearExpiry, minutes from it",
       wishing(seeing(fresh(), expiring(kNow + 30 * 24h + 151h + 12min)), ForeignCertificate::kReplaceNearExpiry),
       "served_certificate_known Waiting/ForeignCertificate R +47s798ms"},
      {"ReplaceNearExpiry, near it",
       wishing(seeing(fresh(), expiring(kNow + 29 * 24h)), ForeignCertificate::kReplaceNearExpiry),
       "revision_issued CreateKey Issuing/CreatingKey R"},
      {"ReplaceNearExpiry, expired",
       wishing(seeing(fresh(), expiring(kNow - 1h)), ForeignCertificate::kReplaceNearExpiry),
       "revision_issued CreateKey Issuing/CreatingKey R"},
      {"ReplaceNearExpiry when nobody can see the expiry",
       wishing(seeing(fresh(), with(empty_look(), [](auto& seen) { seen.health->fingerprint_sha256 = "foreign"; })),
               ForeignCertificate::kReplaceNearExpiry),
       "served_certificate_known Held/ForeignCertificate S +1h"},
      {"ours was replaced by hand: Hold", seeing(ready(), look("foreign")),
       "served_certificate_known Held/ForeignCertificate S +1h"},
      {"ours was replaced by hand: Replace", wishing(seeing(ready(), look("foreign")), ForeignCertificate::kReplace),
       "revision_issued CreateKey Issuing/CreatingKey R"},
  });
}

TEST(ServedCertificateKnown, AStoredRevisionDoesNotReplaceAForeignOneFarFromItsExpiry) {
  Observation o = wishing(seeing(fresh(), look("foreign")), ForeignCertificate::kReplaceNearExpiry);
  o.revisions = {{1, whole(1)}};
  EXPECT_EQ(decided(o), "served_certificate_known Waiting/ForeignCertificate R +1h");
}

TEST(ServedCertificateKnown, HoldingIsSaidOnce) {
  Observation o = seeing(fresh(), look("foreign"));
  const Decision first = decide(o);
  ASSERT_EQ(first.announcements.size(), 1U);
  EXPECT_TRUE(first.announcements[0].warning);
  EXPECT_EQ(first.announcements[0].message,
            "the Edge serves a certificate that is not ours (serial ff, issued by Some CA); set "
            "spec.adoption.onForeignCertificate to Replace to replace it, or importFrom to keep it as what a rollback "
            "returns to");
  o.object.status = first.status;
  EXPECT_TRUE(decide(o).announcements.empty());
}

TEST(ServedCertificateKnown, AnImportBecomesRevisionZero) {
  const auto served = [] { return with(chain(0), [](auto& c) { c.fingerprint_sha256 = "foreign"; }); };
  const Observation foreign = seeing(fresh(), look("foreign"));
  const Observation good = importing(foreign, served());
  check({{"it is what the Edge serves", good, "served_certificate_known StoreImport Pending/Importing R"},
         {"it is something else", importing(foreign, chain(7)), "served_certificate_known Held/ImportMismatch S +1h"},
         {"it cannot be read", importing(foreign, {}, error(ErrorKind::kNotFound)),
          "served_certificate_known Held/ImportInvalid S +1h"},
         {"it says nothing at all", importing(foreign, {}), "served_certificate_known Held/ImportMismatch S +1h"},
         {"import comes before Replace",
          with(good, [](auto& o) { o.object.spec.adoption->on_foreign_certificate = ForeignCertificate::kReplace; }),
          "served_certificate_known StoreImport Pending/Importing R"},
         {"storing it failed",
          with(good,
               [](auto& o) {
                 o.object.status.observed_generation = 1;
                 o.failures = failed("StoreImport", ErrorKind::kUnavailable, o.now);
               }),
          "served_certificate_known Pending/ImportUnavailable R +916ms"},
         {"it is stored",
          with(good, [&](auto& o) { o.revisions[0] = {.number = 0, .has_key = true, .chain = served()}; }),
          "served_certificate_known Pending/Adopted R +0s"}});

  Observation o = good;
  o.revisions[0] = {.number = 0, .has_key = true, .chain = served()};
  o.object.status = decide(o).status;
  EXPECT_EQ(o.object.status.revision, 0);
  o.serving_fingerprint = "foreign";
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal") << "it is as good as ours until it is due";
  o.now = kNow + 80 * 24h;
  EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R");
  EXPECT_EQ(decide(o).status.order->revision, 1);
}

TEST(ServedCertificateKnown, ARejectedRevisionOnTheEdgeIsRolledBackAgain) {
  const Observation again = seeing(rolled_back(), look(2, rolled_back().now));
  check({{"there is something to put back", again, "served_certificate_known Push RollingBack/RollingBack R"},
         {"there is not", with(again, [](auto& o) { o.revisions[1].has_key = false; }),
          "served_certificate_known Pending/RejectedRevision R +0s"}});
  const Decision decision = decide(again);
  EXPECT_EQ(push_of(decision)->revision, 1);
  EXPECT_EQ(decision.status.delivery->revision, 2);
  EXPECT_TRUE(rejected_in(decision.status, 2)) << "it stays rejected";
}

// --- rollback_asked_for

TEST(RollbackAskedFor, APersonMayAskForThePreviousCertificate) {
  const auto ask = [](auto& o) { annotate(o, api::kRollbackRequestedAt, "now"); };
  const Observation asked = with(two_live(), ask);
  check({{"not asked", two_live(), "rest Ready/Ready +renewal"},
         {"asked", asked, "rollback_asked_for LookAtEdge RollingBack/RollingBack R"},
         {"asked and done before",
          with(asked, [](auto& o) { o.object.status.handled_requests = api::HandledRequests{.rollback = "now"}; }),
          "rest Ready/Ready +renewal"},
         {"outside every window", with(asked, [](auto& o) { set_windows(o, {{.start = "03:00", .duration = 1h}}); }),
          "rollback_asked_for LookAtEdge RollingBack/RollingBack R"},
         {"suspended: nothing is changed", with(asked, [](auto& o) { o.object.spec.suspend = true; }),
          "not_suspended Held/Suspended S"},
         {"no earlier revision", with(ready(), ask), "rollback_asked_for Ready/RollbackImpossible +0s"},
         {"nothing of ours is live", with(seeing(fresh(), empty_look()), ask),
          "rollback_asked_for Pending/RollbackImpossible R +0s"},
         {"the earlier one has no key", with(asked, [](auto& o) { o.revisions[1].has_key = false; }),
          "rollback_asked_for Ready/RollbackImpossible +0s"},
         {"the earlier one expires too soon",
          with(asked, [](auto& o) { o.revisions[1].chain->not_after = o.now + 11min; }),
          "rollback_asked_for Ready/RollbackImpossible +0s"},
         {"the earlier one was rejected",
          with(asked, [](auto& o) { o.object.status.history[1].result = RevisionResult::kRolledBack; }),
          "rollback_asked_for Ready/RollbackImpossible +0s"},
         {"the earlier one was live, though the spec has other names by now",
          with(asked, [](auto& o) { o.revisions[1].defect = error(ErrorKind::kInvalid); }),
          "rollback_asked_for LookAtEdge RollingBack/RollingBack R"},
         {"the earlier one is broken and never was live",
          with(asked,
               [](auto& o) {
                 o.revisions[1].defect = error(ErrorKind::kInvalid);
                 o.object.status.history.pop_back();
               }),
          "rollback_asked_for Ready/RollbackImpossible +0s"},
         {"nowhere to push to",
          with(asked, [](auto& o) { change(o.connection, [](auto& c) { c.spec.certificate_upload.reset(); }); }),
          "rollback_asked_for Ready/RollbackImpossible +0s"}});
}

TEST(RollbackAskedFor, IsDoneOnceAndMarksTheRevisionRolledBack) {
  Observation o = two_live();
  annotate(o, api::kRollbackRequestedAt, "now");
  o.object.status = decide(o).status;
  EXPECT_EQ(o.object.status.handled_requests->rollback, "now");
  o.look = look(2, o.now);
  Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "delivery_under_way Push RollingBack/RollingBack R");
  EXPECT_EQ(push_of(decision)->revision, 1);
  o.object.status = decision.status;
  o.pushed = 1;
  o.now += 3s;
  EXPECT_EQ(decided(o), "delivery_under_way SetFinalizer RollingBack/RollingBack R") << "nothing held it so far";
  o.object.meta.finalizers = {std::string(api::kFinalizer)};
  EXPECT_EQ(decided(o), "delivery_under_way LookAtEdge RollingBack/RollingBack R");
  o.look = look(1, o.now);
  decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "delivery_under_way RolledBack/RolledBack R +0s");
  EXPECT_EQ(decision.status.revision, 1);
  EXPECT_TRUE(rejected_in(decision.status, 2));
  EXPECT_FALSE(decision.status.delivery);
  o.object.status = decision.status;
  EXPECT_EQ(decided(o), "finalizer_released SetFinalizer RolledBack/RolledBack R");
  o.object.meta.finalizers.clear();
  EXPECT_EQ(decided(o), "rejections_marked MarkRejected RolledBack/RolledBack R");
  o.revisions[2].marked_rejected = true;
  o.serving_fingerprint = fingerprint(1);
  EXPECT_EQ(decided(o), "rest RolledBack/RolledBack S +renewal") << "what is served now is not due";
}

TEST(RollbackAskedFor, WhatIsImpossibleIsSaidOnceAndDoesNotWaitForTheNextRotation) {
  Observation o = ready();
  annotate(o, api::kRollbackRequestedAt, "now");
  const Decision decision = decide(o);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "RollbackImpossible");
  o.object.status = decision.status;
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal");
  // Months later, the next certificate is watched as any other.
  o = with(observing(), [](auto& later) {
    annotate(later, api::kRollbackRequestedAt, "now");
    later.object.status.handled_requests = api::HandledRequests{.rollback = "now"};
  });
  EXPECT_EQ(decided(o), "delivery_under_way LookAtEdge Observing/Observing R");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
