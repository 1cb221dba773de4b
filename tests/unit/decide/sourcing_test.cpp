// A certificate that somebody else renews: source_is_anothers, source_taken, and what a source changes in other rules.
#include "edgetrust/decide/certificate/source.hpp"
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::RevisionResult;

const std::string kSecretName = "from-elsewhere";

// Revision 1 is live, and the source holds it.
Observation quiet() { return sourced(ready(), chain(1)); }
// The same, and somebody has renewed it.
Observation renewed() { return sourced(ready(), chain(2, kNow - 1h)); }
// Nothing is live yet; the Edge is well and serves nothing.
Observation first() {
  return sourced(with(fresh(), [](auto& o) { o.look = empty_look(); }), chain(1));
}
// Revision 2 was rolled back, and the source still holds it.
Observation failed_before() { return sourced(rolled_back(), chain(2, kNow - 1h)); }

Observation holding(Observation o, ports::ChainFacts leaf) {
  o.source = Source{.exists = true, .chain = std::move(leaf)};
  return o;
}
Observation without_secret(Observation o) {
  o.source = Source{};
  return o;
}
Observation lacking(Observation o, std::string what) {
  o.source = Source{.exists = true, .lacks = std::move(what)};
  return o;
}
Observation refusing(Observation o, std::string why) {
  o.source->defect = error(ErrorKind::kInvalid, std::move(why));
  return o;
}
Observation doubting(Observation o) {
  o.source->unjudged = error(ErrorKind::kUnavailable, "the public roots cannot be read");
  return o;
}
const effect::StoreSource* taken(const Decision& decision) {
  return decision.effect ? std::get_if<effect::StoreSource>(&*decision.effect) : nullptr;
}
bool says(const Decision& decision, const std::string& reason) {
  return std::ranges::any_of(decision.announcements, [&](const auto& one) { return one.reason == reason; });
}

TEST(SourceTaken, ANewLeafIsTheNextRevision) {
  check({{"the first", first(), "source_taken StoreSource Issuing/Copying R"},
         {"the next", renewed(), "source_taken StoreSource Issuing/Copying R"},
         {"what is served is no news", quiet(), "rest Ready/Ready +1488h"},
         {"an older one than what is served", holding(quiet(), chain(9, kNow - 48h)),
          "source_taken StoreSource Issuing/Copying R"},
         {"stored already: the rest is delivery", with(renewed(), [](auto& o) { store_parsed(o, whole(2)); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"storing it failed",
          with(renewed(), [](auto& o) { o.failures = failed("StoreSource", ErrorKind::kForbidden, o.now); }),
          "source_taken Issuing/ClusterForbidden R +13s740ms"},
         {"and is tried again",
          with(renewed(), [](auto& o) { o.failures = failed("StoreSource", ErrorKind::kForbidden, o.now - 1h); }),
          "source_taken StoreSource Issuing/ClusterForbidden R"},
         {"suspended", with(renewed(), [](auto& o) { o.object.spec.suspend = true; }),
          "not_suspended Held/Suspended S"}});
  const Decision decision = decide(renewed());
  ASSERT_NE(taken(decision), nullptr);
  EXPECT_EQ(taken(decision)->revision, 2);
  EXPECT_EQ(taken(decision)->secret, kSecretName);
  EXPECT_EQ(taken(decision)->fingerprint, fingerprint(2));
  EXPECT_TRUE(says(decision, "Copying"));
  EXPECT_EQ(decision.status.next, "takes revision 2 from Secret from-elsewhere");
}

TEST(SourceTaken, NoIssuerIsNeeded) {
  for (const Observation& o : {first(), renewed(), quiet()}) {
    EXPECT_FALSE(o.issuer);
    EXPECT_EQ(condition(decide(o), api::condition::kStalled), nullptr);
  }
}

TEST(SourceTaken, AKeyThatACrashLeftIsForItsOwnLeafAlone) {
  const auto leftover = [](std::string leaf) {
    return [leaf](auto& o) { o.revisions[2] = {.number = 2, .has_key = true, .source = leaf}; };
  };
  const Decision same = decide(with(renewed(), leftover(fingerprint(2))));
  EXPECT_EQ(taken(same)->revision, 2) << "it is gone on with";
  const Decision other = decide(with(renewed(), leftover(fingerprint(7))));
  EXPECT_EQ(taken(other)->revision, 3) << "the Secret changed in between";
}

TEST(SourceTaken, AServedRevisionThatHasLostASecretGetsItBack) {
  for (const auto& lose : std::vector<std::function<void(Observation&)>>{
           [](auto& o) { o.revisions[1].has_key = false; }, [](auto& o) { o.revisions[1].chain.reset(); },
           [](auto& o) { o.revisions.clear(); }}) {
    const Observation o = with(quiet(), lose);
    const Decision decision = decide(o);
    ASSERT_NE(taken(decision), nullptr);
    EXPECT_EQ(taken(decision)->revision, 1);
    expect_sane(o, decision);
  }
}

TEST(SourceTaken, ACopyThatIsUnfitIsNotMadeAgain) {
  Observation o = renewed();
  o.revisions[2] = whole(2);
  o.revisions[2].defect = error(ErrorKind::kInvalid, "the chain is incomplete");
  EXPECT_EQ(decided(o), "source_taken Failed/SourceRefused S +2136h");
  o.revisions[2] = {.number = 2, .has_key = false, .source = fingerprint(2), .chain = chain(2)};
  o.revisions[2].defect = error(ErrorKind::kInvalid, "its key is lost");
  EXPECT_EQ(taken(decide(o))->revision, 2) << "but a Secret of it that is lost is";
}

TEST(SourceTaken, WhatIsMissingIsWaitedFor) {
  check({{"nothing is live", without_secret(first()), "source_taken Pending/SourceNotFound R"},
         {"something is", without_secret(quiet()), "rest Ready/SourceNotFound S +2136h"},
         {"what is live has expired", with(without_secret(quiet()), [](auto& o) { o.now += 90 * 24h; }),
          "source_taken Pending/SourceNotFound R"},
         {"it is not filled yet", lacking(first(), "it has no tls.key"), "source_taken Pending/SourceIncomplete R"},
         {"nor is the next one", lacking(quiet(), "it has no tls.key"), "rest Ready/SourceIncomplete S +2136h"},
         {"what was taken before is delivered all the same",
          with(without_secret(renewed()), [](auto& o) { store_parsed(o, whole(2)); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"}});
  EXPECT_NE(ready_message(decide(without_secret(first()))).find("Secret from-elsewhere"), std::string::npos);
  EXPECT_EQ(ready_message(decide(lacking(first(), "it has no tls.key"))),
            "Secret from-elsewhere holds no certificate yet: it has no tls.key");
}

TEST(SourceTaken, WhatIsWrongIsRefusedUntilSomebodyChangesIt) {
  const std::string why = "its tls.key is not the key of its tls.crt: replace the two in one update";
  check({{"nothing is live", refusing(first(), why), "source_taken Failed/SourceRefused S"},
         {"something is", refusing(renewed(), why), "source_taken Failed/SourceRefused S +2136h"},
         {"what is live is refused under a new spec", refusing(quiet(), why),
          "source_taken Failed/SourceRefused S +2136h"},
         {"it has expired", holding(quiet(), chain(2, kNow - kLifetime)), "source_taken Failed/SourceRefused S +2136h"},
         {"what was taken before is delivered all the same",
          with(refusing(holding(quiet(), chain(3)), why), [](auto& o) { store_parsed(o, whole(2)); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"}});
  const Decision decision = decide(refusing(renewed(), why));
  EXPECT_EQ(condition(decision, api::condition::kReady)->status, api::Truth::kTrue) << "what is served is good";
  EXPECT_EQ(ready_message(decision), "Secret from-elsewhere is not delivered: " + why +
                                         "; correct it there, or the spec where that asks for the wrong thing");
  EXPECT_TRUE(says(decision, "SourceRefused"));
  EXPECT_FALSE(says(decide(with(refusing(renewed(), why), [&](auto& o) { o.object.status = decision.status; })),
                    "SourceRefused"))
      << "said once";
}

TEST(SourceTaken, WhatNobodyCanJudgeIsAskedAgain) {
  check({{"nothing is live", doubting(first()), "source_taken Waiting/SourceNotJudged R +1m"},
         {"it is new", doubting(renewed()), "source_taken Waiting/SourceNotJudged +1m"},
         {"it is served", doubting(quiet()), "rest Ready/Ready +1488h"}});
}

TEST(SourceTaken, NoNameThatTheSpecOrTheEdgeAsksForMayBeMissing) {
  const auto names = [](std::vector<std::string> all) {
    return with(quiet(), [&](auto& o) {
      o.revisions[1].chain->dns_names = all;
      o.source->chain->dns_names = all;
    });
  };
  const auto is_ready = [](const Observation& o) {
    return condition(decide(o), api::condition::kReady)->status == api::Truth::kTrue;
  };
  EXPECT_TRUE(is_ready(names({kName})));
  EXPECT_TRUE(is_ready(names({"more.example.com", kName}))) << "more is no fault";
  EXPECT_TRUE(is_ready(names({"*.example.com"})));
  EXPECT_FALSE(is_ready(names({"*.com"}))) << "a wildcard stands for one label";
  EXPECT_FALSE(is_ready(names({"edge02.example.com"})));
  EXPECT_FALSE(is_ready(with(names({kName}), [](auto& o) { o.object.spec.dns_names = {"also.example.com"}; })));
}

TEST(SourceTaken, AnAddressIsNoNameToCover) {
  api::EdgeCertificateSpec spec;
  api::Edge edge;
  for (const auto& [host, expected] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{{"edge01.example.com", {"edge01.example.com"}},
                                                                     {"Edge01.Example.com", {"edge01.example.com"}},
                                                                     {"10.0.0.5", {}},
                                                                     {"fd00::5", {}},
                                                                     {"", {}}}) {
    edge.spec.sip.host = host;
    EXPECT_EQ(names_to_cover(spec, &edge).dns_names, expected) << host;
  }
  spec.dns_names = {"edge01.example.com", "b.example.com"};
  EXPECT_EQ(names_to_cover(spec, nullptr).dns_names, spec.dns_names);
  edge.spec.sip.host = "edge01.example.com";
  EXPECT_EQ(names_to_cover(spec, &edge).dns_names, spec.dns_names) << "no name twice";
}

// --- going back in the source

TEST(SourceTaken, ALeafThatComesBackIsDeliveredAgainUnderANewNumber) {
  Observation o = sourced(ready(), chain(1));
  o.revisions[2] = whole(2, kNow - 1h);
  o.look = look(2);
  o.serving_fingerprint = fingerprint(2);
  o.object.status.revision = 2;
  o.object.status.history = {
      {.revision = 2, .fingerprint_sha256 = fingerprint(2), .result = RevisionResult::kActive},
      {.revision = 1, .fingerprint_sha256 = fingerprint(1), .result = RevisionResult::kSuperseded}};
  Decision decision = decide(o);
  ASSERT_NE(taken(decision), nullptr);
  EXPECT_EQ(taken(decision)->revision, 3);
  EXPECT_EQ(taken(decision)->fingerprint, fingerprint(1));
  expect_sane(o, decision);

  store_parsed(o, {.number = 3, .has_key = true, .source = fingerprint(1), .chain = chain(1)});
  decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "revision_delivered SetFinalizer Delivering/Pushing R");
  EXPECT_EQ(decision.status.delivery->revision, 3);
  EXPECT_EQ(decision.status.delivery->fallback, 2);
}

TEST(SourceTaken, WhatIsStoredAndNoLongerInTheSourceIsNotDelivered) {
  Observation o = quiet();
  store_parsed(o, whole(2, kNow - 1h));
  EXPECT_EQ(decided(o), "rest Ready/Ready +1488h") << "somebody took it back in time";
  o = holding(o, chain(2, kNow - 1h));
  EXPECT_EQ(decided(o), "revision_delivered SetFinalizer Delivering/Pushing R") << "and put it there again";
}

TEST(SourceTaken, TheSameLeafUnderAnOlderNumberIsNoWayBack) {
  Observation o = with(quiet(), [](auto& q) {
    q.object.spec.adoption = api::Adoption{.on_foreign_certificate = api::ForeignCertificate::kReplace};
    q.look = look("foreign");
  });
  const Decision decision = decide(o);
  ASSERT_NE(taken(decision), nullptr) << "what the Edge should serve is put there again";
  EXPECT_EQ(taken(decision)->revision, 2);
  store_parsed(o, {.number = 2, .has_key = true, .source = fingerprint(1), .chain = chain(1)});
  EXPECT_EQ(decide(o).status.delivery->fallback, -1);
}

// --- after a rollback

TEST(SourceTaken, ALeafThatFailedIsNotTakenAgain) {
  check({{"rolled back", failed_before(), "source_taken RolledBack/RolledBack S +456h"},
         {"also when it is asked for", with(failed_before(), [](auto& o) { annotate(o, api::kRenewRequestedAt); }),
          "source_taken RolledBack/RolledBack S +456h"},
         {"also when its Secrets are pruned", with(failed_before(), [](auto& o) { o.revisions.erase(2); }),
          "source_taken RolledBack/RolledBack S +456h"},
         {"also when the status is lost",
          with(failed_before(),
               [](auto& o) {
                 o.object.status.history = {{.revision = 1, .result = RevisionResult::kAdopted}};
                 o.object.status.failures.reset();
               }),
          "source_taken RolledBack/RolledBack S +456h"},
         {"the source has gone back to what is served", holding(failed_before(), chain(1)),
          "rest Ready/SourceNotRenewed S +456h"}});
  const Decision decision = decide(failed_before());
  EXPECT_NE(ready_message(decision).find("Secret from-elsewhere still holds it"), std::string::npos);
  EXPECT_EQ(decision.status.next, "waits for Secret from-elsewhere");
}

TEST(SourceTaken, AnotherLeafIsTriedAsRetryAllows) {
  const auto another = holding(failed_before(), chain(3, failed_before().now));
  const auto later = [](Observation o, api::Duration how_much) {
    o.now += how_much;
    return o;
  };
  const auto policy = [](Observation o, api::RetryPolicy which) {
    o.object.spec.rotation->retry = api::RetryRule{.policy = which};
    return o;
  };
  check({{"not before the backoff is over", another, "source_taken RolledBack/RolledBack R +24h"},
         {"then it is", later(another, 24h), "source_taken StoreSource Issuing/Copying R"},
         {"or when it is asked for", with(another, [](auto& o) { annotate(o, api::kRenewRequestedAt); }),
          "source_taken StoreSource Issuing/Copying R"},
         {"or when the spec has changed", with(another, [](auto& o) { ++o.object.meta.generation; }),
          "source_taken StoreSource Issuing/Copying R"},
         {"OnChange: it is a change", later(policy(another, api::RetryPolicy::kOnChange), 24h),
          "source_taken StoreSource Issuing/Copying R"},
         {"Never", later(policy(another, api::RetryPolicy::kNever), 24h), "source_taken RolledBack/RolledBack S"},
         {"not more often than maxAttempts", later(with(another, [](auto& o) { o.object.status.failures = 2; }), 24h),
          "source_taken RolledBack/RolledBack S"}});
  const Decision asked = decide(with(another, [](auto& o) { annotate(o, api::kRenewRequestedAt); }));
  EXPECT_EQ(asked.status.handled_requests->renew, "1");
  EXPECT_FALSE(asked.status.next_attempt) << "or the push would wait for it";
}

TEST(SourceTaken, ASuccessorEndsADeliveryThatCannotBeUndone) {
  Observation o = sourced(observing(), chain(2, kNow - 1h));
  o.object.status.delivery->fallback = -1;
  o.object.status.delivery->verdict = "the Edge reports SIP_DOWN";
  o.revisions.erase(1);
  o.object.status.revision.reset();
  o.object.status.history.clear();
  o.health = {.bad_in_row = 5, .last_at = o.now, .last = Health::kBad, .reason = "the Edge reports SIP_DOWN"};
  const Decision held = decide(o);
  EXPECT_EQ(held.status.phase, api::Phase::kFailed);
  EXPECT_NE(ready_message(held).find("renew Secret from-elsewhere"), std::string::npos) << ready_message(held);
  const Decision given_up = decide(holding(o, chain(3, o.now)));
  EXPECT_FALSE(given_up.status.delivery);
  EXPECT_TRUE(rejected_in(given_up.status, 2));
}

TEST(SourceTaken, TheRejectedLeafIsRememberedWhileTheSourceHoldsIt) {
  Observation o = failed_before();
  o.object.spec.revision_history_limit = 2;
  o.revisions[3] = whole(3);
  o.revisions[3].marked_rejected = true;
  o.source = Source{.exists = true, .chain = chain(1)};
  o.serving_fingerprint = fingerprint(1);
  const Decision pruned = decide(o);
  ASSERT_TRUE(pruned.effect && std::holds_alternative<effect::DeleteRevision>(*pruned.effect)) << decided(o);
  EXPECT_EQ(std::get<effect::DeleteRevision>(*pruned.effect).revision, 2);
  o = holding(o, chain(2, kNow - 1h));
  EXPECT_EQ(decided(o), "source_taken RolledBack/RolledBack S +456h");
}

// --- what is said

TEST(DescribeSource, SaysOnceWhenTheSourceIsNotRenewed) {
  const auto at = [](api::Duration before_end) {
    return with(quiet(), [&](auto& o) {
      o.now = o.revisions[1].chain->not_after - before_end;
      o.look.reset();
    });
  };
  check({{"30 days before the end whoever renews is about to", at(30 * 24h), "rest Ready/Ready +72h"},
         {"three days later it is late", at(27 * 24h), "rest Ready/SourceNotRenewed S +648h"},
         {"expired", at(-1h), "rest Ready/SourceNotRenewed S"}});
  const Decision late = decide(at(27 * 24h));
  EXPECT_TRUE(says(late, "SourceNotRenewed"));
  EXPECT_EQ(condition(late, api::condition::kReady)->status, api::Truth::kTrue);
  EXPECT_FALSE(says(decide(with(at(26 * 24h), [&](auto& o) { o.object.status = late.status; })), "SourceNotRenewed"));
  EXPECT_EQ(condition(decide(at(-1h)), api::condition::kReady)->reason, "Expired");
}

TEST(DescribeSource, TellsWhatIsWaitedForAndNoDate) {
  const Decision decision = decide(with(quiet(), [](auto& o) { o.object.status.renewal_time = o.now; }));
  EXPECT_EQ(decision.status.next, "waits for Secret from-elsewhere");
  EXPECT_FALSE(decision.status.renewal_time) << "somebody else knows";
}

TEST(DescribeSource, InfeasibleCountsFromWhenTheSourceShouldBeRenewed) {
  const auto frozen = [](api::Duration before_end) {
    return with(quiet(), [&](auto& o) {
      const TimePoint end = o.revisions[1].chain->not_after;
      change(o.policy,
             [&](auto& policy) { policy.spec.freezes = {{.name = "f", .from = end - before_end, .to = end + 24h}}; });
    });
  };
  EXPECT_NE(condition(decide(frozen(28 * 24h)), api::condition::kInfeasible), nullptr);
  EXPECT_EQ(condition(decide(frozen(26 * 24h)), api::condition::kInfeasible), nullptr);
}

TEST(DescribeSource, ARenewalCannotBeAskedForHere) {
  const Decision decision = decide(with(quiet(), [](auto& o) { annotate(o, api::kRenewRequestedAt, "now"); }));
  EXPECT_TRUE(says(decision, "NothingToRenew"));
  EXPECT_EQ(decision.status.handled_requests->renew, "now");
  EXPECT_FALSE(decision.effect);
}

// --- adoption

TEST(SourceFoundOnEdge, WhatTheEdgeServesAlreadyIsAdoptedWithoutAPush) {
  const Observation restored = sourced(with(fresh(), [](auto& o) { o.look = look(1); }), chain(1));
  check({{"no revision is stored", restored, "served_certificate_known StoreSource Issuing/Copying R"},
         {"its revision is", with(restored, [](auto& o) { o.revisions[4] = whole(1); }),
          "served_certificate_known Pending/Adopted R +0s"},
         {"the source holds another: foreign as ever", holding(restored, chain(2)),
          "served_certificate_known Held/ForeignCertificate S +1h"},
         {"the source is missing", without_secret(restored), "served_certificate_known Held/ForeignCertificate S +1h"},
         {"it is not fit", refusing(restored, "its tls.crt: no"), "served_certificate_known Failed/SourceRefused S"},
         {"nobody can tell", doubting(restored), "served_certificate_known Waiting/SourceNotJudged R +1m"},
         {"put there by hand before it was delivered", seeing(renewed(), look(2)),
          "served_certificate_known StoreSource Issuing/Copying R"}});
  Observation o = restored;
  o.revisions[1] = whole(1);
  o.object.status = decide(o).status;
  o.serving_fingerprint = fingerprint(1);
  EXPECT_EQ(o.object.status.history.front().result, RevisionResult::kAdopted);
  EXPECT_EQ(decided(o), "rest Ready/Ready +1488h");
}

// --- a Secret of our own

TEST(SourceIsAnothers, TheSecretThatIsWrittenHereIsRefused) {
  const auto named = [](std::string source, std::string own) {
    return with(quiet(), [&](auto& o) {
      o.object.spec.source_secret_ref->name = source;
      o.object.spec.secret_name = own;
    });
  };
  check({{"the default name", named("edge01-tls", ""), "source_is_anothers Failed/SourceConflict S"},
         {"the name in the spec", named("live", "live"), "source_is_anothers Failed/SourceConflict S"},
         {"the default name is free then", named("edge01-tls", "live"), "rest Ready/Ready +1488h"}});
}

// --- from an issuer to a source, and back

TEST(SourceTaken, AnOrderUnderWayIsDropped) {
  Observation o = sourced(ordered(ports::OrderStatus::kPending), chain(3));
  EXPECT_FALSE(o.object.status.order);
  EXPECT_EQ(taken(decide(o))->revision, 3) << "the key of the order is for no certificate of somebody else's";
}

TEST(SourceTaken, BackToAnIssuerWhatIsServedIsRenewedByIt) {
  Observation o = ready();
  o.revisions[1].source = fingerprint(1);
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
