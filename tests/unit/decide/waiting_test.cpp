// From the stored bundle to the push: revision_delivered.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::RevisionResult;
using ports::EdgeState;
using ports::SipState;

TEST(RevisionDelivered, StartsWhenNothingIsInItsWay) {
  check({{"nothing to deliver", ready(), "rest Ready/Ready +renewal"},
         {"a key alone is no revision", with(ready(), [](auto& o) { o.revisions[2] = key_only(2); }),
          "rest Ready/Ready +renewal"},
         {"stored and allowed", deliverable(), "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"stored for other names: another is issued first",
          with(deliverable(), [](auto& o) { o.revisions[2].chain->dns_names = {"old.example.com"}; }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"the newest of several", with(deliverable(), [](auto& o) { store_parsed(o, whole(4, o.now - 1h)); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"the first of all, on an Edge without any",
          with(seeing(fresh(), empty_look()), [](auto& o) { store_parsed(o, whole(1)); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"an import is never delivered",
          with(ready(),
               [](auto& o) {
                 o.revisions[0] = whole(0);
                 o.object.status.revision.reset();
                 o.object.status.history.clear();
                 o.revisions.erase(1);
                 o.look = empty_look();
               }),
          "revision_issued CreateKey Issuing/CreatingKey R"}});
}

TEST(RevisionDelivered, TheIntentionIsWrittenBeforeThePush) {
  Observation o = deliverable();
  const Decision decision = decide(o);
  ASSERT_TRUE(decision.status.delivery);
  EXPECT_EQ(decision.status.delivery->revision, 2);
  EXPECT_EQ(decision.status.delivery->fallback, 1);
  EXPECT_TRUE(decision.status.delivery->port_answered);
  EXPECT_EQ(decision.status.delivery->started_at, o.now);
  EXPECT_FALSE(decision.status.delivery->installed_at);
  EXPECT_EQ(push_of(decision), nullptr);
  EXPECT_EQ(decision.status.revision, 1) << "what is served is what is proved";
  EXPECT_EQ(condition(decision, api::condition::kReady)->status, api::Truth::kTrue);
  EXPECT_EQ(condition(decision, api::condition::kRollbackAvailable)->status, api::Truth::kTrue);
  o.object.status = decision.status;
  o.object.meta.finalizers = {std::string(api::kFinalizer)};
  o.look->at = o.now;
  o.slots_claimed_for = o.object.status.delivery->started_at;
  const Decision next = decide(o);
  ASSERT_NE(push_of(next), nullptr);
  EXPECT_EQ(push_of(next)->revision, 2);
  EXPECT_FALSE(push_of(next)->rollback);
  EXPECT_TRUE(is_guarded(*next.effect)) << "not on the word of a stale cache";
}

TEST(RevisionDelivered, KnowsWhatARollbackWouldReturnTo) {
  const auto back = [](const Observation& o) { return decide(o).status.delivery->fallback; };
  const auto ending = [](api::Duration left) {
    return [left](Observation& o) {
      o.revisions[1].chain->not_after = o.now + left;
      o.look->served->not_after = o.now + left;
    };
  };
  EXPECT_EQ(back(deliverable()), 1);
  EXPECT_EQ(back(with(deliverable(), ending(11min + 30s + 1ms))), 1) << "valid beyond settle and period";
  EXPECT_EQ(back(with(deliverable(), ending(11min + 30s))), -1);
  EXPECT_EQ(back(with(deliverable(), ending(-1h))), -1) << "expired";
  EXPECT_EQ(back(with(deliverable(), [](auto& o) { o.revisions[1].has_key = false; })), -1);
  EXPECT_EQ(back(with(deliverable(),
                      [](auto& o) {
                        o.object.status.history = {{.revision = 1, .result = RevisionResult::kRejected}};
                        o.revisions[1].marked_rejected = true;
                      })),
            -1)
      << "what was rejected is no way back";
  EXPECT_EQ(back(with(seeing(fresh(), empty_look()), [](auto& o) { store_parsed(o, whole(1)); })), -1);
}

// --- a chain that is not fit

TEST(RevisionDelivered, ABrokenChainNeverLeavesTheCluster) {
  const Observation broken = with(
      deliverable(), [](auto& o) { o.revisions[2].defect = error(ErrorKind::kInvalid, "an intermediate is missing"); });
  check({{"rejected", broken, "revision_delivered Issuing/ChainRejected R +0s"},
         {"rejected, no attempt left",
          with(broken, [](auto& o) { o.object.spec.rotation->retry = api::RetryRule{.max_attempts = 1}; }),
          "revision_delivered Failed/ChainRejected S +0s"}});
  const Decision decision = decide(broken);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_TRUE(decision.announcements[0].warning);
  EXPECT_EQ(decision.announcements[0].message, "revision 2 is not fit to be pushed: an intermediate is missing");
  EXPECT_EQ(decision.status.history.front().result, RevisionResult::kRejected);
  EXPECT_EQ(decision.status.failures, 1);
  Observation after = broken;
  after.object.status = decision.status;
  after.revisions[2].marked_rejected = true;
  EXPECT_EQ(decided(after), "revision_issued Issuing/Rejected R +24h");
  after.now += 24h;
  EXPECT_EQ(decided(after), "revision_issued CreateKey Issuing/CreatingKey R");
  EXPECT_EQ(decide(after).status.order->revision, 3);
}

// --- the channel

TEST(RevisionDelivered, WithoutAChannelItIsIssuedAndNotDelivered) {
  const Observation o = with(deliverable(), [](auto& c) {
    change(c.connection, [](auto& connection) { connection.spec.certificate_upload.reset(); });
  });
  check({{"a certificate of ours is live", o, "revision_delivered Waiting/NoDeliveryChannel S"}});
  const Observation first = with(seeing(fresh(), empty_look()), [](auto& c) {
    c.revisions[1] = whole(1);
    change(c.connection, [](auto& connection) { connection.spec.certificate_upload.reset(); });
  });
  check({{"none is", first, "revision_delivered Waiting/NoDeliveryChannel S"}});
  const Decision decision = decide(first);
  EXPECT_EQ(condition(decision, api::condition::kIssued)->status, api::Truth::kTrue);
  EXPECT_EQ(condition(decision, api::condition::kDelivered)->status, api::Truth::kFalse);
  EXPECT_EQ(condition(decision, api::condition::kDelivered)->reason, "NoDeliveryChannel");
}

TEST(RevisionDelivered, ARenewalThatWasAskedForMeanwhileIsThisOne) {
  Observation o = deliverable();
  annotate(o, api::kRenewRequestedAt, "now");
  EXPECT_EQ(decide(o).status.handled_requests->renew, "now") << "or a rollback would be followed by another at once";
}

// --- the Edge right before the change

TEST(RevisionDelivered, AnEdgeThatIsNotWellIsNotTouched) {
  const Observation o = deliverable();
  const auto is = [&](EdgeState state, SipState sip) { return seeing(o, with_health(*o.look, state, sip)); };
  const auto unasked = [&](ErrorKind kind) {
    return with(o, [kind](auto& c) {
      c.look->health.reset();
      c.look->health_error = error(kind);
    });
  };
  const auto silent = [](Observation c) {
    c.look->served.reset();
    c.look->served_error = error(ErrorKind::kUnavailable);
    return c;
  };
  const auto unprobed = [](Observation c) {
    c.look->served.reset();
    c.look->probed = false;
    return c;
  };
  const auto expired = [](Observation c) {
    c.now += 30 * 24h;
    c.look->at = c.now;
    c.revisions[2] = whole(2, c.now - 1h);
    return c;
  };
  check({
      {"nobody has looked", with(o, [](auto& c) { c.look.reset(); }),
       "revision_delivered LookAtEdge Waiting/LookingAtEdge"},
      {"a look of 30 s ago will do", with(o, [](auto& c) { c.look->at -= 30s; }),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"one that is older will not", with(o, [](auto& c) { c.look->at -= 30s + 1ms; }),
       "revision_delivered LookAtEdge Waiting/LookingAtEdge"},
      {"nor one from before the clock was set back", with(o, [](auto& c) { c.look->at += 24h; }),
       "revision_delivered LookAtEdge Waiting/LookingAtEdge"},
      {"well", is(EdgeState::kOk, SipState::kUp), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"a warning", is(EdgeState::kWarning, SipState::kUp), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"critical", is(EdgeState::kCritical, SipState::kUp), "revision_delivered Waiting/EdgeUnhealthy +1m"},
      {"SIP_DOWN", is(EdgeState::kOk, SipState::kDown), "revision_delivered Waiting/EdgeUnhealthy +1m"},
      {"unknown", is(EdgeState::kUnknown, SipState::kUnknown), "revision_delivered Waiting/EdgeUnhealthy +1m"},
      {"critical, a minute later", with(is(EdgeState::kCritical, SipState::kUp), [](auto& c) { c.now += 60s; }),
       "revision_delivered LookAtEdge Waiting/EdgeUnhealthy"},
      {"critical, and the window closes meanwhile",
       with(is(EdgeState::kCritical, SipState::kUp),
            [](auto& c) { set_windows(c, {{.start = "02:00", .duration = 2h}}); }),
       "revision_delivered Waiting/WaitingForWindow +13h"},
      {"critical, and what it serves is close to its end",
       with(is(EdgeState::kCritical, SipState::kUp),
            [](auto& c) {
              c.now = c.revisions[1].chain->not_after - 72h;
              c.look->at = c.now;
            }),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"critical and not probed", unprobed(is(EdgeState::kCritical, SipState::kUp)),
       "revision_delivered Waiting/EdgeUnhealthy +1m"},
      {"critical and silent", silent(is(EdgeState::kCritical, SipState::kUp)),
       "revision_delivered Waiting/EdgeUnhealthy +1m"},
      {"well and silent: the operator may not reach the port", silent(o),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"well and not probed", unprobed(o), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"the status call is not answered", unasked(ErrorKind::kTimeout),
       "revision_delivered Waiting/EdgeStatusUnavailable +1m"},
      {"the endpoint does not know the call or the Edge", unasked(ErrorKind::kNotFound),
       "revision_delivered Waiting/EndpointUnavailable +1m"},
      {"the status call is not answered, a minute later",
       with(unasked(ErrorKind::kTimeout), [](auto& c) { c.now += 61s; }),
       "revision_delivered LookAtEdge Waiting/EdgeStatusUnavailable"},
      {"critical, but what it serves has expired", expired(is(EdgeState::kCritical, SipState::kUp)),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"critical and silent, and ours has expired", silent(expired(is(EdgeState::kCritical, SipState::kUp))),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"critical, and what it serves was rejected",
       with(is(EdgeState::kCritical, SipState::kUp),
            [](auto& c) {
              c.object.status.history = {{.revision = 1, .result = RevisionResult::kRejected}};
              c.revisions[1].marked_rejected = true;
            }),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"the first of all, on an Edge that is down for want of one",
       with(seeing(fresh(), with_health(empty_look(), EdgeState::kCritical, SipState::kDown)),
            [](auto& c) { store_parsed(c, whole(1)); }),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"the first of ours, on an Edge that is down and of which nothing can be seen",
       with(unprobed(seeing(fresh(), with_health(look(""), EdgeState::kCritical, SipState::kDown))),
            [](auto& c) { store_parsed(c, whole(1)); }),
       "revision_delivered Waiting/EdgeUnhealthy R +1m"},
      {"expired, but the status call is not answered: the key would go anywhere", expired(unasked(ErrorKind::kTimeout)),
       "revision_delivered Waiting/EdgeStatusUnavailable R +1m"},
  });
  EXPECT_FALSE(decide(silent(o)).status.delivery->port_answered) << "its silence after the push is no evidence";
}

// The reason stays as it is while the Edge is looked at again: a status that flaps is written again and again.
TEST(RevisionDelivered, WaitingForTheEdgeDoesNotFlap) {
  Observation o = deliverable();
  o.look = with_health(*o.look, EdgeState::kCritical, SipState::kUp);
  settle(o);
  const auto written = [&] { return api::encode_status(o.object); };
  const std::string before = written();
  for (int minute = 0; minute < 10; ++minute) {
    o.object.status = decide(o).status;  // waits
    o.now += 60s + 5ms;
    const Decision looking = decide(o);
    EXPECT_EQ(name_of(looking.effect.value()), "LookAtEdge");
    o.object.status = looking.status;
    o.look->at = o.now;
    EXPECT_EQ(written(), before);
  }
}

// --- a push that was put off

TEST(RevisionDelivered, APushThatWasPutOffWaits) {
  const Observation put_off = with(deliverable(), [](auto& o) { o.object.status.next_attempt = o.now + 10min; });
  check({{"not yet", put_off, "revision_delivered Waiting/PushPutOff +10m"},
         {"over", with(put_off, [](auto& o) { o.object.status.next_attempt = o.now; }),
          "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"asked for", with(put_off, [](auto& o) { annotate(o, api::kRotateRequestedAt); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"}});
}

// --- what has ended is not delivered again

TEST(RevisionDelivered, ARejectedRevisionIsNeverACandidateAgain) {
  for (const auto result : {RevisionResult::kRolledBack, RevisionResult::kRejected, RevisionResult::kSuperseded}) {
    Observation o = deliverable();
    o.object.status.history.insert(o.object.status.history.begin(), {.revision = 2, .result = result});
    o.revisions[2].marked_rejected = result != RevisionResult::kSuperseded;
    EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R");
    EXPECT_EQ(decide(o).status.order->revision, 3);
  }
}

// The history holds ten entries; what fell out of it is not forgotten to have been rejected.
TEST(RevisionDelivered, NotEvenAfterTheHistoryHasForgottenIt) {
  Observation o = deliverable();
  o.object.spec.rotation->retry = api::RetryRule{.max_attempts = 20};
  o.revisions.erase(2);
  for (int revision = 2; revision < 20; ++revision) {
    o.revisions[revision] = whole(revision, o.now - 1h);
    o.revisions[revision].defect = error(ErrorKind::kInvalid, "broken");
    const Decision decision = decide(o);
    expect_sane(o, decision);
    ASSERT_EQ(decision.rule, "revision_delivered");
    ASSERT_EQ(decision.status.history.front().revision, revision);
    o.object.status = decision.status;
    o.revisions[revision].marked_rejected = true;
    ASSERT_EQ(decide(o).rule, "revision_issued") << "revision " << revision << " rejected, and an older one is tried";
  }
  EXPECT_EQ(o.object.status.history.size(), 10U);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
