// How a change goes through a fleet: wave.cpp and the rule that waits for it.
#include "edgetrust/decide/wave.hpp"

#include "edgetrust/decide/schedule.hpp"
#include "sane.hpp"

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;
using api::RevisionResult;
using support::kNow;

const std::string kOld = "letsencrypt/X1/RSA-2048/0.1.0";
const std::string kNew = "letsencrypt/X2/RSA-2048/0.1.0";

std::vector<api::Wave> waves() {
  return {{.name = "canary", .edge_selector = {{{"wave", "0"}}}, .soak = 24h},
          {.name = "early", .edge_selector = {{{"wave", "1"}}}, .soak = 48h},
          {.name = "rest", .edge_selector = {}, .soak = 0h}};
}
api::RotationPolicy policy() {
  api::RotationPolicy made;
  made.meta.name = "default";
  made.spec.waves = waves();
  return made;
}

struct Built {
  std::shared_ptr<api::EdgeCertificate> certificate = std::make_shared<api::EdgeCertificate>();
  std::shared_ptr<api::Edge> edge = std::make_shared<api::Edge>();
  [[nodiscard]] Member member() const { return {.certificate = certificate, .edge = edge}; }
};
Built edge_in(const std::string& name, const std::string& wave) {
  Built built;
  built.certificate->meta = {.ns = "voice", .name = name, .uid = "uid-" + name};
  built.certificate->spec.issuer_ref = api::IssuerRef{.name = "letsencrypt"};
  built.certificate->status.phase = api::Phase::kReady;
  built.certificate->status.renewal_time = kNow + 400h;
  built.edge->meta = {.ns = "voice", .name = name};
  if (!wave.empty()) built.edge->meta.labels["wave"] = wave;
  return built;
}
Built& ended(Built& built, const std::string& variant, RevisionResult result, TimePoint at) {
  auto& history = built.certificate->status.history;
  const bool good = result == RevisionResult::kActive;
  history.insert(history.begin(), {.revision = static_cast<int>(history.size()) + 1,
                                   .result = result,
                                   .at = at,
                                   .variant = variant,
                                   .live_since = good ? std::optional(at) : std::nullopt});
  return built;
}
Built& waiting_for(Built& built, const std::string& variant) {
  built.certificate->status.phase = api::Phase::kWaiting;
  built.certificate->status.variant = variant;
  return built;
}

TEST(Waves, AnEdgeIsInTheFirstThatFits) {
  EXPECT_EQ(wave_of(waves(), *edge_in("a", "0").edge), 0U);
  EXPECT_EQ(wave_of(waves(), *edge_in("a", "1").edge), 1U);
  EXPECT_EQ(wave_of(waves(), *edge_in("a", "").edge), 2U);
  EXPECT_EQ(wave_of({waves()[0]}, *edge_in("a", "1").edge), 1U) << "none: after all";
}

TEST(Waves, AVariantSaysWhatPeersAndEdgesCouldMind) {
  api::EdgeCertificateSpec spec;
  spec.issuer_ref = api::IssuerRef{.name = "letsencrypt"};
  ports::ChainFacts chain{.issuer = "R11", .root = "ISRG Root X1", .key = {ports::KeyAlgorithm::kRsa, 2048}};
  EXPECT_EQ(variant_of(spec, chain, "0.1.0"), "letsencrypt/ISRG Root X1/RSA-2048/0.1.0");
  chain.issuer = "R12";
  EXPECT_EQ(variant_of(spec, chain, "0.1.0"), "letsencrypt/ISRG Root X1/RSA-2048/0.1.0") << "drawn by the CA each time";
  chain.key = {ports::KeyAlgorithm::kEcdsa, 256};
  EXPECT_EQ(variant_of(spec, chain, "0.2.0"), "letsencrypt/ISRG Root X1/ECDSA-256/0.2.0");
}

TEST(Waves, EachEarlierWaveSoaksOnceTheOtherHas) {
  Built canary = edge_in("canary", "0");
  Built early = edge_in("early", "1");
  const auto wait = [&](std::size_t before) {
    return wave_to_wait_for(kNew, before, policy(), {canary.member(), early.member()}, kNow);
  };
  EXPECT_FALSE(wait(0)) << "the first waits for nobody";
  ASSERT_TRUE(wait(1));
  EXPECT_EQ(wait(1)->wave, 0U);
  EXPECT_FALSE(wait(1)->until) << "nobody has it yet";
  ended(canary, kNew, RevisionResult::kActive, kNow - 23h);
  EXPECT_EQ(wait(1)->until, kNow + 1h);
  canary.certificate->status.history.front().live_since = kNow - 24h;
  EXPECT_FALSE(wait(1));
  EXPECT_EQ(wait(2)->wave, 1U);
  ended(early, kNew, RevisionResult::kActive, kNow - 48h);
  EXPECT_FALSE(wait(2));
}

TEST(Waves, AWaveWithoutEdgesIsNotWaitedFor) {
  Built early = edge_in("early", "1");
  EXPECT_FALSE(wave_to_wait_for(kNew, 1, policy(), {early.member()}, kNow));
  Built elsewhere = edge_in("elsewhere", "0");
  elsewhere.certificate->spec.policy_ref = api::LocalRef{"other"};
  EXPECT_FALSE(wave_to_wait_for(kNew, 1, policy(), {elsewhere.member()}, kNow)) << "of another policy";
}

TEST(Waves, AWaveWithoutAnEdgeThatCanHaveItIsNotWaitedFor) {
  const auto waits = [](const Built& canary) {
    return wave_to_wait_for(kNew, 1, policy(), {canary.member()}, kNow).has_value();
  };
  Built canary = edge_in("canary", "0");
  EXPECT_TRUE(waits(canary));
  canary.certificate->spec.private_key = api::PrivateKeySpec{.algorithm = api::KeyAlgorithm::kEcdsa};
  EXPECT_FALSE(waits(canary)) << "another kind of key";
  canary.certificate->spec.private_key.reset();
  canary.certificate->spec.issuer_ref->name = "letsencrypt-b";
  EXPECT_FALSE(waits(canary)) << "another issuer";
  canary.certificate->spec.issuer_ref.reset();
  canary.certificate->spec.source_secret_ref = api::LocalRef{"x"};
  EXPECT_FALSE(waits(canary)) << "nobody can make whoever renews it do so";
  ended(canary, kNew, RevisionResult::kActive, kNow - 1h);
  EXPECT_TRUE(waits(canary)) << "it has it, and it soaks";
}

TEST(Waves, WhatWasNeverDeliveredIsNoProof) {
  Built canary = edge_in("canary", "0");
  ended(canary, kNew, RevisionResult::kSuperseded, kNow - 100h);
  EXPECT_TRUE(wave_to_wait_for(kNew, 1, policy(), {canary.member()}, kNow));
  EXPECT_TRUE(report_waves(policy(), {canary.member()}, kNow).soaked.empty());
}

TEST(Waves, ARollbackBeginsTheSoakAnew) {
  Built canary = edge_in("canary", "0");
  Built second = edge_in("second", "0");
  ended(canary, kNew, RevisionResult::kActive, kNow - 30h);
  ended(second, kNew, RevisionResult::kRolledBack, kNow - 1h);
  const auto members = std::vector{canary.member(), second.member()};
  ASSERT_TRUE(wave_to_wait_for(kNew, 1, policy(), members, kNow));
  EXPECT_TRUE(proof_of(kNew, "default", waves(), 0, members).failed);
  ended(second, kNew, RevisionResult::kActive, kNow - 30min);
  EXPECT_EQ(wave_to_wait_for(kNew, 1, policy(), {canary.member(), second.member()}, kNow)->until, kNow + 23h + 30min);
}

TEST(Waves, WhatWasReplacedSinceHasSoakedAllTheSame) {
  Built canary = edge_in("canary", "0");
  ended(canary, kNew, RevisionResult::kActive, kNow - 100h);
  canary.certificate->status.history.front().result = RevisionResult::kSuperseded;
  canary.certificate->status.history.front().at = kNow;  // when it was replaced
  EXPECT_FALSE(wave_to_wait_for(kNew, 1, policy(), {canary.member()}, kNow));
}

TEST(Waves, WhatHasGoneThroughOnceIsNoChange) {
  Built canary = edge_in("canary", "0");
  api::RotationPolicy known = policy();
  known.status.soaked = {kNew};
  EXPECT_FALSE(wave_to_wait_for(kNew, 2, known, {canary.member()}, kNow));
}

TEST(Waves, TheOneThatIsDueFirstIsRenewedEarlyWhenALaterWaveWaits) {
  Built a = edge_in("a", "0");
  Built b = edge_in("b", "0");
  b.certificate->status.renewal_time = kNow + 300h;
  Built rest = edge_in("rest", "");
  const auto wanted = [&](const Built& who) {
    return wanted_early(*who.certificate, *who.edge, policy(), {a.member(), b.member(), rest.member()}, kNow);
  };
  EXPECT_FALSE(wanted(b)) << "nobody waits";
  waiting_for(rest, kNew);
  EXPECT_TRUE(wanted(b));
  EXPECT_FALSE(wanted(a));
  EXPECT_FALSE(wanted(rest));
  EXPECT_EQ(*wanted(b), "the next wave waits for " + kNew + " to soak in wave canary");

  a.certificate->status.renewal_time = kNow + 24h;
  EXPECT_FALSE(wanted(b)) << "a is due within the soak";
  a.certificate->status.renewal_time = kNow + 400h;
  a.certificate->status.phase = api::Phase::kIssuing;
  EXPECT_FALSE(wanted(b)) << "a is on its way";
  a.certificate->status.phase = api::Phase::kReady;
  ended(a, kNew, RevisionResult::kActive, kNow - 1h);
  EXPECT_FALSE(wanted(b)) << "it soaks";
}

TEST(Waves, NobodyIsRenewedEarlyForWhatFailedOrAgainAndAgain) {
  Built a = edge_in("a", "0");
  Built rest = edge_in("rest", "");
  waiting_for(rest, kNew);
  const auto wanted = [&] {
    return wanted_early(*a.certificate, *a.edge, policy(), {a.member(), rest.member()}, kNow).has_value();
  };
  ended(a, kOld, RevisionResult::kActive, kNow - 24h);
  EXPECT_TRUE(wanted());
  a.certificate->status.history.front().at = kNow - 23h;
  EXPECT_FALSE(wanted()) << "it was renewed a moment ago and did not become the new one";
  a.certificate->status.history.front().at = kNow - 24h;
  ended(a, kNew, RevisionResult::kRolledBack, kNow - 50h);
  EXPECT_FALSE(wanted()) << "it was rolled back: a person has to look";
}

// Whatever comes out of it: a canary is renewed early once a day at the most, and not for what it cannot become.
TEST(Waves, EarlyRenewalsDoNotGoOnForEver) {
  Built a = edge_in("a", "0");
  Built rest = edge_in("rest", "");
  waiting_for(rest, kNew);
  api::RotationPolicy hasty = policy();
  hasty.spec.waves[0].soak = 0h;
  int renewals = 0;
  TimePoint now = kNow;
  a.certificate->status.renewal_time = kNow + 2000h;
  for (int i = 0; i < 30 * 24 * 3; ++i, now += 20min) {
    if (!wanted_early(*a.certificate, *a.edge, hasty, {a.member(), rest.member()}, now)) continue;
    ++renewals;
    a.certificate->status.history.clear();
    ended(a, kOld, RevisionResult::kActive, now);
  }
  EXPECT_LE(renewals, 30);
  EXPECT_GE(renewals, 25);
  waiting_for(rest, "letsencrypt-b/X1/RSA-2048/0.1.0");
  EXPECT_FALSE(wanted_early(*a.certificate, *a.edge, hasty, {a.member(), rest.member()}, now + 48h));
}

TEST(Waves, OneThatIsStuckHoldsUpNoOtherEarlyRenewal) {
  Built a = edge_in("a", "0");
  Built b = edge_in("b", "0");
  Built rest = edge_in("rest", "");
  waiting_for(rest, kNew);
  const auto wanted = [&] {
    return wanted_early(*a.certificate, *a.edge, policy(), {a.member(), b.member(), rest.member()}, kNow).has_value();
  };
  for (const auto phase : {api::Phase::kFailed, api::Phase::kPending, api::Phase::kHeld}) {
    b.certificate->status.phase = phase;
    EXPECT_TRUE(wanted()) << static_cast<int>(phase);
  }
  b.certificate->status.phase = api::Phase::kWaiting;
  EXPECT_FALSE(wanted());
  api::set(b.certificate->status.conditions,
           {.type = std::string(api::condition::kStalled), .status = api::Truth::kTrue, .reason = "NoTimeZone"}, kNow);
  EXPECT_TRUE(wanted());
}

TEST(Waves, ThePolicySaysWhatHasSoakedAndWhichWaveIsWaitedFor) {
  Built canary = edge_in("canary", "0");
  Built early = edge_in("early", "1");
  Built rest = edge_in("rest", "");
  api::RotationPolicy p = policy();
  const auto report = [&] { return report_waves(p, {canary.member(), early.member(), rest.member()}, kNow); };
  waiting_for(rest, kNew);
  EXPECT_EQ(report().wave, "canary");
  EXPECT_TRUE(report().soaked.empty());
  ended(canary, kNew, RevisionResult::kActive, kNow - 23h);
  EXPECT_EQ(report().next, kNow + 1h);
  canary.certificate->status.history.front().live_since = kNow - 24h;
  EXPECT_EQ(report().wave, "early");
  ended(early, kNew, RevisionResult::kActive, kNow - 48h);
  EXPECT_EQ(report().soaked, std::vector{kNew});
  EXPECT_EQ(report().wave, "");
  // Whatever becomes of those Edges.
  p.status.soaked = {kNew};
  canary.certificate->status.history.clear();
  early.certificate->status.history.clear();
  EXPECT_EQ(report().soaked, std::vector{kNew});
  p.spec.waves.clear();
  EXPECT_TRUE(report().soaked.empty());
}

TEST(Waves, EdgesInNoWaveAreGuardedByTheLastToo) {
  Built canary = edge_in("canary", "0");
  Built outside = edge_in("outside", "7");
  api::RotationPolicy p = policy();
  p.spec.waves = {waves()[0]};
  ended(canary, kNew, RevisionResult::kActive, kNow - 1h);
  EXPECT_TRUE(report_waves(p, {canary.member()}, kNow).soaked == std::vector{kNew}) << "it guards nobody";
  EXPECT_TRUE(report_waves(p, {canary.member(), outside.member()}, kNow).soaked.empty());
}

}  // namespace
}  // namespace edgetrust::decide

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;

Observation in_wave(Observation o, const std::string& label) {
  change(o.policy, [](api::RotationPolicy& policy) {
    policy.meta.name = "default";
    policy.spec.waves = {{.name = "canary", .edge_selector = {{{"wave", "0"}}}, .soak = 24h},
                         {.name = "rest", .edge_selector = {}}};
  });
  change(o.edge, [&](api::Edge& edge) { edge.meta.labels["wave"] = label; });
  auto canary = std::make_shared<api::EdgeCertificate>(named<api::EdgeCertificate>("canary"));
  canary->meta.uid = "uid-canary";
  canary->spec.issuer_ref = o.object.spec.issuer_ref;
  canary->status.phase = api::Phase::kReady;
  auto edge = std::make_shared<api::Edge>(*o.edge);
  edge->meta.labels["wave"] = "0";
  o.fleet.members.push_back({.certificate = canary, .edge = edge});
  return o;
}
void prove(Observation& o, TimePoint since) {
  auto canary = std::make_shared<api::EdgeCertificate>(*o.fleet.members.front().certificate);
  canary->status.history = {{.revision = 1,
                             .result = api::RevisionResult::kActive,
                             .at = since,
                             .variant = variant_of(o.object.spec, *o.revisions.at(2).chain, o.operator_version),
                             .live_since = since}};
  o.fleet.members.front().certificate = canary;
}

TEST(WaitForWave, AChangeSoaksInTheCanariesFirst) {
  const Observation later = in_wave(deliverable(), "1");
  const TimePoint now = later.now;
  check({{"a canary goes at once", in_wave(deliverable(), "0"), "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"nobody has it", later, "revision_delivered Waiting/WaitingForWave +1h"},
         {"it soaks", with(later, [&](auto& o) { prove(o, now - 20h); }),
          "revision_delivered Waiting/WaitingForWave +4h"},
         {"it has soaked", with(later, [&](auto& o) { prove(o, now - 24h); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"a person cannot wait", with(later, [](auto& o) { annotate(o, api::kRotateRequestedAt, "now"); }),
          "revision_delivered SetFinalizer Delivering/Pushing R"}});
  const Decision decision = decide(with(later, [&](auto& o) { prove(o, now - 20h); }));
  EXPECT_EQ(decision.status.variant, "ca/Test CA/RSA-2048/");
  EXPECT_EQ(decision.status.next, "wave canary until 2027-01-31T16:00:00Z");
  EXPECT_EQ(ready_message(decision),
            "revision 2 is ready; ca/Test CA/RSA-2048/ has to be live in wave canary for 24h first");
}

TEST(WaitForWave, TheHistoryRemembersTheVariantAndSinceWhenItWasLive) {
  Observation o = observing();
  o.operator_version = "0.1.0";
  o.health = {.good_for = 24h, .last_at = o.now + 20min, .last = Health::kGood};
  o.now += 20min;
  const Decision promoted = decide(o);
  ASSERT_EQ(promoted.status.history.front().result, api::RevisionResult::kActive);
  EXPECT_EQ(promoted.status.history.front().variant, "ca/Test CA/RSA-2048/0.1.0");
  EXPECT_EQ(promoted.status.history.front().live_since, o.now);
}

TEST(WaitForWave, ACanaryThatIsQuietIsRenewedEarly) {
  Observation o = in_wave(ready(), "0");
  o.object.status.renewal_time =
      renewal_time(o.revisions[1].chain->not_before, o.revisions[1].chain->not_after, {}, 0h, 0);
  auto rest = std::make_shared<api::EdgeCertificate>(named<api::EdgeCertificate>("rest"));
  rest->meta.uid = "uid-rest";
  rest->status.phase = api::Phase::kWaiting;
  rest->status.variant = "ca/New Root/RSA-2048/";
  auto me = std::make_shared<api::EdgeCertificate>(o.object);
  auto outside = std::make_shared<api::Edge>(*o.edge);
  outside->meta.labels.clear();
  o.fleet.members = {{.certificate = me, .edge = o.edge}, {.certificate = rest, .edge = outside}};
  EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R");
  o.fleet.members.pop_back();
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
