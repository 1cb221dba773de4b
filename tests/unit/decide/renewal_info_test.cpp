// What the CA says of the time of a renewal (RFC 9773): renewal_info_known, the due time, what an order replaces.
#include "edgetrust/base/random.hpp"
#include "story.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;

constexpr const char* kRest = "rest Ready/Ready +renewal";
constexpr const char* kAsks = "renewal_info_known LookAtRenewalInfo Ready/Ready";
constexpr const char* kWhy = "https://ca.example/incident";

ports::RenewalInfo suggestion(TimePoint start, TimePoint end) {
  return {.start = start, .end = end, .explanation_url = kWhy, .retry_after = 6h};
}

// At rest with a certificate of the issuer's CA.
Observation issued() {
  Observation o = ready();
  o.revisions[1].server = o.issuer->spec.server;
  return o;
}
Observation told(Observation o, ports::RenewalInfo info, int revision = 1) {
  o.renewal_info = RenewalInfoLook{revision, std::move(info), o.now};
  return o;
}
Observation offered_nothing(Observation o) {
  o.renewal_info = RenewalInfoLook{1, {}, o.now};
  return o;
}
// The same once the rules have taken note of it.
Observation noted(Observation o) {
  const Decision decision = decide(o);
  expect_sane(o, decision);
  EXPECT_EQ(decision.rule, "renewal_info_known");
  EXPECT_FALSE(decision.effect);
  o.object.status = decision.status;
  return o;
}
const TimePoint kByRule = *ready().object.status.renewal_time;

// --- when it is asked for

TEST(RenewalInfoKnown, IsAskedForOfWhatTheIssuersCaHasIssued) {
  check(
      {{"never asked", issued(), kAsks},
       {"of another CA", with(issued(), [](auto& o) { o.revisions[1].server = "https://other.example/dir"; }), kRest},
       {"of nobody knows which", ready(), kRest},
       {"without an authority key identifier",
        with(issued(), [](auto& o) { o.revisions[1].chain->authority_key_id = ""; }), kRest},
       {"switched off",
        with(issued(), [](auto& o) { change(o.issuer, [](auto& issuer) { issuer.spec.use_ari = false; }); }), kRest},
       {"switched on",
        with(issued(), [](auto& o) { change(o.issuer, [](auto& issuer) { issuer.spec.use_ari = true; }); }), kAsks},
       {"without its issuer", with(issued(), [](auto& o) { o.issuer.reset(); }),
        "rest Ready/IssuerNotFound S +renewal"},
       {"somebody else renews", sourced(issued(), chain(1)), "rest Ready/Ready +1488h"},
       {"replaced by what was rolled back",
        with(issued(),
             [](auto& o) {
               o.revisions[2] = whole(2);
               o.revisions[2].server = o.issuer->spec.server;
               o.revisions[2].marked_rejected = true;
             }),
        kRest},
       {"expired",
        with(issued(),
             [](auto& o) {
               o.now = o.revisions[1].chain->not_after;
               o.look.reset();
             }),
        "revision_issued CreateKey Issuing/CreatingKey R"},
       {"while it is due", with(issued(), [](auto& o) { o.now = kByRule; }),
        "revision_issued CreateKey Issuing/CreatingKey R"},
       {"suspended", with(issued(), [](auto& o) { o.object.spec.suspend = true; }), "not_suspended Held/Suspended S"}});
  const auto decision = decide(issued());
  const auto& asked = std::get<effect::LookAtRenewalInfo>(*decision.effect);
  EXPECT_EQ(asked.certificate, (ports::CertificateId{"aa", "01"}));
}

TEST(RenewalInfoKnown, IsAskedForAgainWhenTheServerSaysWithinBounds) {
  const auto answered = [](std::optional<std::chrono::seconds> retry_after) {
    auto info = suggestion(kByRule + 24h, kByRule + 48h);
    info.retry_after = retry_after;
    return noted(told(issued(), info));
  };
  const auto after = [](Observation o, api::Duration passed) {
    o.now += passed;
    return o;
  };
  check({{"at once", answered(6h), "rest Ready/Ready +6h"},
         {"six hours later", after(answered(6h), 6h), kAsks},
         {"without a wish", answered({}), "rest Ready/Ready +6h"},
         {"a second", answered(1s), "rest Ready/Ready +1m"},
         {"ten days", answered(240h), "rest Ready/Ready +24h"},
         {"no such thing offered", offered_nothing(issued()), "rest Ready/Ready +24h"},
         {"a day later", after(offered_nothing(issued()), 24h), kAsks},
         {"said of an earlier one", told(issued(), suggestion(kNow, kNow + 1h), 0), kAsks},
         {"before the clock was set back", after(answered(6h), -1h), kAsks}});
}

TEST(RenewalInfoKnown, AfterAStartAFleetDoesNotAskAtOnce) {
  std::map<std::int64_t, int> by_minute;
  for (int i = 0; i < 1000; ++i) {
    Observation o = issued();
    o.object.meta.uid = "3f2a9c1e-0000-4000-8000-" + std::to_string(i);
    settle(o);
    o.known_since = o.now;
    const Decision decision = decide(o);
    ASSERT_TRUE(decision.wake_at || decision.effect);
    const TimePoint first = decision.wake_at.value_or(o.now);
    EXPECT_LE(first, o.now + 1h);
    by_minute[(first - o.now) / 1min] += 1;
    o.now = first;
    EXPECT_EQ(decided(o), kAsks);
  }
  for (const auto& [minute, count] : by_minute) EXPECT_LE(count, 40) << minute;
}

TEST(RenewalInfoKnown, WhatThisProcessHasIssuedIsAskedAboutAtOnce) {
  Observation o = issued();
  o.known_since = o.now;
  o.key_made = 1;
  EXPECT_EQ(decided(o), kAsks);
}

TEST(RenewalInfoKnown, AQuestionThatFailsChangesNothingAndIsAskedAgain) {
  const auto wait_after = [](ErrorKind kind, int count, std::optional<std::chrono::seconds> retry_after) {
    Observation o = issued();
    o.failures = failed("LookAtRenewalInfo", kind, o.now, count);
    o.failures.at("LookAtRenewalInfo").error.retry_after = retry_after;
    const Decision decision = decide(o);
    expect_sane(o, decision);
    EXPECT_EQ(api::encode_status(o.object),
              api::encode_status(with(o, [&](auto& x) { x.object.status = decision.status; }).object));
    EXPECT_TRUE(decision.announcements.empty());
    EXPECT_FALSE(decision.effect);
    const auto wait = *decision.wake_at - o.now;
    o.now = *decision.wake_at;
    EXPECT_EQ(decided(o), kAsks);
    return wait;
  };
  EXPECT_EQ(wait_after(ErrorKind::kNotFound, 1, {}), 6h);
  EXPECT_EQ(wait_after(ErrorKind::kProtocol, 5, {}), 6h);
  EXPECT_EQ(wait_after(ErrorKind::kUnavailable, 20, {}) / 1h, 5) << "six hours, less a fifth at most";
  EXPECT_LE(wait_after(ErrorKind::kTimeout, 1, {}), 1min);
  EXPECT_EQ(wait_after(ErrorKind::kUnavailable, 1, 1s), 1min);
  EXPECT_EQ(wait_after(ErrorKind::kRateLimited, 1, 240h), 24h);
  EXPECT_EQ(wait_after(ErrorKind::kProtocol, 1, 7200s), 2h);
}

TEST(RenewalInfoKnown, AQuestionThatFailsHoldsUpNoRenewal) {
  check({{"due",
          with(issued(),
               [](auto& o) {
                 o.now = kByRule;
                 o.failures = failed("LookAtRenewalInfo", ErrorKind::kUnavailable, o.now);
               }),
          "revision_issued CreateKey Issuing/CreatingKey R"}});
}

// --- what comes of it

TEST(RenewalInfoKnown, ARenewalIsBroughtForward) {
  const TimePoint start = kNow + 240h;
  const Observation o = told(issued(), suggestion(start, start + 48h));
  const Decision decision = decide(o);
  expect_sane(o, decision);
  const auto& info = decision.status.renewal_info.value();
  EXPECT_EQ(info.revision, 1);
  EXPECT_EQ(info.start, start);
  EXPECT_EQ(info.end, start + 48h);
  EXPECT_EQ(info.explanation_url, kWhy);
  EXPECT_GE(info.time, start);
  EXPECT_LT(info.time, start + 48h);
  EXPECT_EQ(decision.status.renewal_time, info.time);
  EXPECT_EQ(decision.status.next, "renews " + format_rfc3339(info.time).substr(0, 10));
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "RenewalBroughtForward");
  EXPECT_FALSE(decision.announcements[0].warning);
  EXPECT_EQ(decision.announcements[0].message,
            "the CA asks for a renewal between 2026-12-02T12:00:00Z and 2026-12-04T12:00:00Z: revision 1 is due " +
                format_rfc3339(info.time) + " instead of " + format_rfc3339(kByRule) +
                "; https://ca.example/incident says why");
  Observation after = noted(o);
  after.now = info.time - 1ms;
  after.renewal_info->at = after.now;
  EXPECT_EQ(decided(after), kRest);
  after.now = info.time;
  EXPECT_EQ(decided(after), "revision_issued CreateKey Issuing/CreatingKey R");
  EXPECT_EQ(ready_message(decide(after)), "revision 2: the CA asks for an early renewal");
}

TEST(RenewalInfoKnown, ItIsNeverPutOff) {
  for (const TimePoint start : {kByRule + 1s, kByRule + 240h, kByRule + 24h * 365 * 7000}) {
    const Observation o = told(issued(), suggestion(start, start + 48h));
    const Decision decision = decide(o);
    EXPECT_EQ(decision.status.renewal_time, kByRule);
    EXPECT_EQ(decision.status.next, "renews " + format_rfc3339(kByRule).substr(0, 10));
    EXPECT_TRUE(decision.announcements.empty());
    Observation due = noted(o);
    due.now = kByRule;
    EXPECT_EQ(decided(due), "revision_issued CreateKey Issuing/CreatingKey R");
    EXPECT_EQ(ready_message(decide(due)), "revision 2: renewal is due");
  }
}

// RFC 9773 section 4.2: what was drawn in the past is due now; nobody is blamed for not having known sooner.
TEST(RenewalInfoKnown, AWindowInThePastIsDueNowAndNotBefore) {
  for (const TimePoint start : {kNow - 2h, kNow - 24h * 365 * 6}) {
    const Observation o = noted(told(issued(), suggestion(start, start + 1h)));
    EXPECT_EQ(o.object.status.renewal_info->time, kNow);
    EXPECT_EQ(o.object.status.renewal_time, kNow);
    EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R");
  }
}

TEST(RenewalInfoKnown, WhatIsDueByItWaitsForAllThatARenewalWaitsFor) {
  const Observation now = noted(told(issued(), suggestion(kNow - 2h, kNow - 1h)));
  check({{"suspended", with(now, [](auto& o) { o.object.spec.suspend = true; }), "not_suspended Held/Suspended S"},
         {"held", with(now, [](auto& o) { annotate(o, api::kHoldUntil, "2026-12-24T00:00:00Z change freeze"); }),
          "not_suspended Held/HeldByAnnotation S +756h"},
         {"the window is closed",
          with(now,
               [](auto& o) {
                 store_parsed(o, whole(2, o.now - 1h));
                 set_windows(o, {{.start = "02:00", .duration = 2h}});
               }),
          "revision_delivered Waiting/WaitingForWindow +13h"}});
}

TEST(RenewalInfoKnown, AMomentIsDrawnOnceAWindow) {
  const TimePoint start = kNow + 240h;
  const Observation first = noted(told(issued(), suggestion(start, start + 48h)));
  const TimePoint drawn = first.object.status.renewal_info->time;
  const std::string written = api::encode_status(first.object);
  // Asked again, and by another process: nothing is written.
  Observation later = told(first, suggestion(start, start + 48h));
  for (int i = 0; i < 5; ++i) {
    later.now += 6h;
    later.renewal_info->at = later.now;
    const Decision decision = decide(later);
    EXPECT_EQ(decision.rule, "rest");
    later.object.status = decision.status;
    EXPECT_EQ(api::encode_status(later.object), written);
  }
  // The status was lost: the same moment.
  Observation lost = issued();
  lost.now = later.now;
  EXPECT_EQ(noted(told(lost, suggestion(start, start + 48h))).object.status.renewal_info->time, drawn);
  // Another window, another moment in it.
  const Observation moved = noted(told(first, suggestion(start + 480h, start + 528h)));
  EXPECT_GE(moved.object.status.renewal_info->time, start + 480h);
}

TEST(RenewalInfoKnown, AClockThatRanAheadHoldsUpNothing) {
  Observation o = noted(told(issued(), suggestion(kNow - 2h, kNow - 1h)));
  o.object.status.renewal_info->time = kNow + 24h * 365;  // as that clock would have written it
  settle(o);
  EXPECT_EQ(o.object.status.renewal_info->time, kNow);
  Observation fresh_start = issued();
  fresh_start.known_since = fresh_start.now + 24h * 365;
  EXPECT_EQ(decided(fresh_start), kAsks);
}

TEST(RenewalInfoKnown, TheMomentsOfAFleetAreSpreadOverTheWindow) {
  const TimePoint start = kNow + 240h;
  std::map<std::int64_t, int> parts;
  for (int i = 0; i < 1000; ++i) {
    Observation o = issued();
    o.object.meta.uid = "3f2a9c1e-0000-4000-8000-" + std::to_string(i);
    o.revisions[1].chain->fingerprint_sha256 = fingerprint(1);
    o = told(std::move(o), suggestion(start, start + 48h));
    parts[(decide(o).status.renewal_info->time - start) / 4h + 0] += 1;
  }
  double chi_square = 0;
  for (int part = 0; part < 12; ++part)
    chi_square += (parts[part] - 1000.0 / 12) * (parts[part] - 1000.0 / 12) / (1000.0 / 12);
  EXPECT_LT(chi_square, 31.3) << "11 degrees of freedom: by chance once in a thousand";
}

// A CA that would have each certificate renewed at once, even the one that it has just issued.
TEST(RenewalInfoKnown, WhatComesSoonAfterTheOneBeforeRestsForADay) {
  const auto follower = [](api::Duration after) {
    Observation o = issued();
    o.revisions[2] = whole(2, kNow - 24h + after);
    o.revisions[2].server = o.issuer->spec.server;
    o.object.status.revision = 2;
    o.look = look(2);
    o.serving_fingerprint = fingerprint(2);
    o.now = kNow - 24h + after + 1min;
    o.object.status.renewal_info = api::RenewalInfoStatus{.revision = 1, .start = kNow, .end = kNow + 1h, .time = kNow};
    const TimePoint past = o.now - 1h;
    return noted(told(o, suggestion(past, past + 30min), 2));
  };
  const Observation soon = follower(1h);
  EXPECT_EQ(soon.object.status.renewal_info->time, soon.revisions.at(2).chain->not_before + 24h);
  // It stays so while the CA moves its window.
  Observation moved = soon;
  moved.now += 6h;
  moved = noted(told(moved, suggestion(moved.now - 1h, moved.now - 30min), 2));
  EXPECT_EQ(moved.object.status.renewal_info->time, soon.object.status.renewal_info->time);
  EXPECT_EQ(follower(47h).object.status.renewal_info->time, kNow + 23h + 24h);
  const Observation late = follower(48h);
  EXPECT_EQ(late.object.status.renewal_info->time, late.now);
}

TEST(RenewalInfoKnown, WhatItSaidEndsWithTheSwitch) {
  Observation o = noted(told(issued(), suggestion(kNow + 1h, kNow + 2h)));
  change(o.issuer, [](auto& issuer) { issuer.spec.use_ari = false; });
  const Decision decision = decide(o);
  EXPECT_EQ(decision.rule, "rest");
  EXPECT_FALSE(decision.status.renewal_info);
  EXPECT_EQ(decision.status.renewal_time, kByRule);
}

// A GitOps tool may delete the issuer and make it again.
TEST(RenewalInfoKnown, WhatItSaidOutlivesAnIssuerThatIsGone) {
  Observation o = noted(told(issued(), suggestion(kNow + 1h, kNow + 2h)));
  const auto before = o.object.status;
  o.issuer.reset();
  EXPECT_EQ(decide(o).status.renewal_info, before.renewal_info);
  EXPECT_EQ(decide(o).status.renewal_time, before.renewal_time);
}

TEST(RenewalInfoKnown, WhatWasSaidOfAnEarlierRevisionIsNotOfThisOne) {
  Observation o = issued();
  o.object.status.renewal_info = api::RenewalInfoStatus{.revision = 0, .start = kNow, .end = kNow + 1h, .time = kNow};
  EXPECT_EQ(decide(o).status.renewal_time, kByRule);
}

// --- what an order replaces

std::optional<ports::CertificateId> replaced_by(const Observation& o) {
  const Decision decision = decide(o);
  expect_sane(o, decision);
  return std::get<effect::NewOrder>(decision.effect.value()).request.replaces;
}
Observation ordering_next() {
  Observation o = ordering();
  o.revisions[1].server = o.issuer->spec.server;
  return o;
}

TEST(Replaces, TheCertificateThatTheSameCaIssuedLast) {
  EXPECT_EQ(replaced_by(ordering_next()), (ports::CertificateId{"aa", "01"}));
  EXPECT_EQ(replaced_by(ordering()), std::nullopt) << "nobody knows whose it is";
  EXPECT_EQ(replaced_by(with(ordering_next(), [](auto& o) { o.revisions[1].server = "https://other.example/dir"; })),
            std::nullopt);
  EXPECT_EQ(replaced_by(with(ordering_next(),
                             [](auto& o) { change(o.issuer, [](auto& issuer) { issuer.spec.use_ari = false; }); })),
            std::nullopt);
  EXPECT_EQ(replaced_by(with(ordering_next(), [](auto& o) { o.revisions[1].chain->dns_names = {"old.example.com"}; })),
            std::nullopt)
      << "RFC 9773 section 5: they share a name";
}

// Revision 2 has replaced revision 1, though the Edge would not have it: revision 3 replaces revision 2.
TEST(Replaces, NoCertificateTwice) {
  Observation o = ordering_next();
  o.revisions[3] = key_only(3);
  o.revisions[2] = whole(2, o.now - 2h);
  o.revisions[2].server = o.issuer->spec.server;
  o.revisions[2].marked_rejected = true;
  o.object.status.order->revision = 3;
  o.key_made = 3;
  EXPECT_EQ(replaced_by(o), (ports::CertificateId{"aa", "02"}));
}

Observation refused(ErrorKind kind, const std::string& problem) {
  Observation o = ordering_next();
  o.failures = failed("NewOrder", kind, o.now);
  if (!problem.empty()) o.failures.at("NewOrder").error.code = "urn:ietf:params:acme:error:" + problem;
  return o;
}

TEST(Replaces, ARefusedReplacementIsAskedForOnceMoreWithoutIt) {
  for (const auto& [kind, problem] :
       std::vector<std::pair<ErrorKind, std::string>>{{ErrorKind::kConflict, "alreadyReplaced"},
                                                      {ErrorKind::kUnauthorized, "unauthorized"},
                                                      {ErrorKind::kProtocol, "malformed"},
                                                      {ErrorKind::kNotFound, "malformed"}}) {
    Observation o = refused(kind, problem);
    const Decision decision = decide(o);
    expect_sane(o, decision);
    ASSERT_FALSE(decision.effect) << problem;
    EXPECT_TRUE(decision.status.order->replaces_refused) << "written before anything is asked for again";
    EXPECT_FALSE(decision.status.order->failures) << "no order has failed";
    note_written(o, o.object.status, decision.status);
    o.object.status = decision.status;
    EXPECT_EQ(replaced_by(o), std::nullopt);
    // Refused all the same: a failure as any other, and not asked for a third time at once.
    o.failures = refused(kind, problem).failures;
    EXPECT_FALSE(decide(o).effect) << problem;
    EXPECT_EQ(decide(o).status.order->replaces_refused, true);
  }
}

TEST(Replaces, AnInternalErrorEachTimeMayBeARefusalOfIt) {
  Observation o = refused(ErrorKind::kUnavailable, "serverInternal");
  o.failures.at("NewOrder").count = 3;
  EXPECT_TRUE(decide(o).status.order->replaces_refused);
}

TEST(Replaces, WhatHasNothingToDoWithItIsNoRefusalOfIt) {
  check({{"rate limited", refused(ErrorKind::kRateLimited, "rateLimited"),
          "revision_issued Issuing/IssuerRateLimited R +916ms"},
         {"an internal error", refused(ErrorKind::kUnavailable, "serverInternal"),
          "revision_issued Issuing/IssuerUnavailable R +916ms"},
         {"no answer", refused(ErrorKind::kTimeout, ""), "revision_issued Issuing/IssuerUnavailable R +916ms"},
         {"a name that the CA does not like", refused(ErrorKind::kInvalid, "rejectedIdentifier"),
          "revision_issued Issuing/OrderFailed R +1h"}});
}

// --- whole renewals

struct AriStory : testing::Test {
  Story story;
  AriStory() {
    story.suggests = [this](int revision) {
      const auto found = windows.find(revision);
      const TimePoint start = found == windows.end() ? kNow + 24h * 3000 : found->second;
      return std::optional(suggestion(start, start + 1h));
    };
  }
  std::map<int, TimePoint> windows;  // that the CA suggests, an hour each; else one far ahead

  [[nodiscard]] int said(const std::string& reason) const {
    return static_cast<int>(std::ranges::count(story.said, reason, &Announcement::reason));
  }
};

TEST_F(AriStory, ARenewalThatIsBroughtForwardIsMadeOnce) {
  windows[1] = story.o.now + 200h;
  ASSERT_TRUE(story.run(199h));
  EXPECT_EQ(story.o.object.status.revision, 1);
  EXPECT_EQ(said("RenewalBroughtForward"), 1);
  ASSERT_TRUE(story.run(10h));
  EXPECT_EQ(story.o.object.status.revision, 2);
  ASSERT_TRUE(story.run(24h * 20));
  EXPECT_EQ(story.o.object.status.revision, 2) << "the window was one of revision 1";
  EXPECT_EQ(story.replaced, (std::vector<std::string>{"-", "01"}));
  EXPECT_EQ(said("RenewalBroughtForward"), 1);
}

TEST_F(AriStory, ACaThatWantsEveryCertificateRenewedAtOnceGetsOneADay) {
  for (int revision = 1; revision < 30; ++revision) windows[revision] = story.o.now - 240h;
  ASSERT_TRUE(story.run(24h * 10, 30000));
  EXPECT_GE(story.finalized.size(), 9U);
  EXPECT_LE(story.finalized.size(), 12U);
}

TEST_F(AriStory, AReplacementThatWasMadeElsewhereCostsNoOrder) {
  ASSERT_TRUE(story.run(1h));
  story.replaced.push_back("01");
  annotate(story.o, api::kRenewRequestedAt);
  ASSERT_TRUE(story.run(1h));
  EXPECT_EQ(story.o.object.status.revision, 2);
  EXPECT_EQ(story.orders.size(), 2U);
  EXPECT_EQ(story.replaced, (std::vector<std::string>{"-", "01", "-"}));
  EXPECT_FALSE(story.o.object.status.order);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
