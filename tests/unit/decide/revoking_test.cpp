// Certificates that a person wants revoked: revocation_asked_for, and what is due because of it.
#include "story.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using ports::RevocationReason;

constexpr std::string_view kServer = "https://ca.example/dir";

void issued_here(Observation& o) {
  for (auto& [number, revision] : o.revisions) revision.server = kServer;
}
Observation asking(std::string request, Observation o = ready()) {
  issued_here(o);
  annotate(o, api::kRevokeRequestedAt, std::move(request));
  return o;
}
// The request is written down.
Observation noted(std::string request, Observation o = ready()) {
  o = asking(std::move(request), std::move(o));
  o.object.status = decide(o).status;
  return o;
}
std::string told(const Decision& decision) {
  return decision.announcements.empty() ? ""
                                        : decision.announcements[0].reason + ": " + decision.announcements[0].message;
}
const effect::RevokeCertificate* revocation_of(const Decision& decision) {
  return decision.effect ? std::get_if<effect::RevokeCertificate>(&*decision.effect) : nullptr;
}

TEST(Revocation, IsWrittenDownFirst) {
  const Observation o = asking("2027-01-03 keyCompromise");
  const Decision decision = decide(o);
  expect_sane(o, decision);
  EXPECT_EQ(decision.rule, "revocation_asked_for");
  EXPECT_FALSE(decision.effect);
  ASSERT_TRUE(decision.status.revocation);
  EXPECT_EQ(decision.status.revocation->revisions, std::vector<int>{1});
  EXPECT_EQ(decision.status.revocation->reason, "keyCompromise");
  EXPECT_EQ(decision.status.handled_requests->revoke, "2027-01-03 keyCompromise");
  EXPECT_EQ(told(decision), "RevocationAccepted: revision 1 is revoked as keyCompromise at once");
}

TEST(Revocation, OfACompromisedKeyIsAtOnce) {
  const Observation o = noted("t keyCompromise");
  const Decision decision = decide(o);
  expect_sane(o, decision);
  ASSERT_NE(revocation_of(decision), nullptr);
  EXPECT_EQ(revocation_of(decision)->revision, 1);
  EXPECT_EQ(revocation_of(decision)->reason, RevocationReason::kKeyCompromise);
}

TEST(Revocation, OtherwiseWaitsForASuccessorThatIsLive) {
  for (const std::string reason : {"superseded", "unspecified", "affiliationChanged", "cessationOfOperation"}) {
    const Observation o = noted("t " + reason);
    EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R") << reason;
    Observation replaced = o;
    replaced.revisions[2] = whole(2, o.now - 1h);
    replaced.revisions[2].server = kServer;
    replaced.look = look(2, o.now);
    replaced.object.status.revision = 2;
    const Decision decision = decide(replaced);
    expect_sane(replaced, decision);
    ASSERT_NE(revocation_of(decision), nullptr) << reason;
    EXPECT_EQ(revocation_of(decision)->revision, 1);
  }
}

TEST(Revocation, IsRemembered) {
  Observation o = noted("t keyCompromise");
  o.revoked = {1};
  const Decision decision = decide(o);
  EXPECT_FALSE(decision.status.revocation);
  EXPECT_EQ(decision.status.history[0].revoked, "keyCompromise");
  EXPECT_EQ(told(decision), "Revoked: revision 1 was revoked: keyCompromise");
  // What is revoked and served is due, and as urgent as what has expired.
  o.object.status = decision.status;
  o.revoked.clear();
  const Decision next = decide(o);
  EXPECT_EQ(next.rule, "revision_issued");
  EXPECT_EQ(next.announcements[0].message, "begins revision 2: the certificate that the Edge serves was revoked");
}

TEST(Revocation, ACompromisedKeyIsNotKept) {
  Observation o = ready();
  o.object.spec.private_key = api::PrivateKeySpec{.rotation_policy = api::KeyRotation::kNever};
  o.object.status.history[0].revoked = "keyCompromise";
  EXPECT_EQ(std::get<effect::CreateKey>(*decide(o).effect).copy_from, std::nullopt);
}

TEST(Revocation, OfACompromisedKeyIsOfEveryCertificateThatHasIt) {
  Observation o = ready();
  o.revisions[0] = whole(0);
  o.revisions[2] = whole(2);
  o.revisions[0].chain->public_key_sha256 = o.revisions[1].chain->public_key_sha256;
  EXPECT_EQ(decide(asking("t keyCompromise", o)).status.revocation->revisions, (std::vector<int>{1, 0}));
  EXPECT_EQ(decide(asking("t superseded", o)).status.revocation->revisions, std::vector<int>{1});
}

TEST(Revocation, MayBeOfAnotherRevision) {
  Observation o = ready();
  o.revisions[0] = whole(0);
  o = noted("t superseded 0", std::move(o));
  EXPECT_EQ(o.object.status.revocation->revisions, std::vector<int>{0});
  const Decision decision = decide(o);
  ASSERT_NE(revocation_of(decision), nullptr) << "the Edge does not serve it: nothing is waited for";
  EXPECT_EQ(revocation_of(decision)->revision, 0);
}

// Asked of the CA that issued it, and of no other: the issuer may be gone, or another one in use.
TEST(Revocation, WaitsForTheIssuerThatIssuedIt) {
  Observation o = noted("t keyCompromise");
  const auto first = o.issuer;
  o.issuer.reset();
  EXPECT_EQ(revocation_of(decide(o)), nullptr);
  api::AcmeIssuer second = *first;
  second.spec.server = "https://second.example/dir";
  o.issuer = std::make_shared<const api::AcmeIssuer>(second);
  EXPECT_EQ(revocation_of(decide(o)), nullptr);
  EXPECT_TRUE(decide(o).status.revocation);
  o.other_issuer = first;
  EXPECT_NE(revocation_of(decide(o)), nullptr);
}

// rotationPolicy Never: the key of an order under way may be a copy of the compromised one.
TEST(Revocation, OfACompromisedKeyGivesUpTheOrderUnderWay) {
  const Observation o = asking("t keyCompromise", ordered(ports::OrderStatus::kPending));
  const Decision decision = decide(o);
  ASSERT_TRUE(decision.status.order);
  EXPECT_TRUE(decision.status.order->url.empty());
  EXPECT_EQ(decision.status.order->revision, 3);
  EXPECT_FALSE(decision.status.order->failures) << "nobody's failure";
}

TEST(Revocation, WhatIsToBeRevokedIsNotPushed) {
  Observation o = deliverable();
  issued_here(o);
  ASSERT_TRUE(decided(o).starts_with("revision_delivered"));
  o.object.status.revocation = api::RevocationStatus{{1, 2}, "keyCompromise"};
  o.failures = failed("RevokeCertificate", ErrorKind::kUnavailable, o.now);
  EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R");
}

TEST(Revocation, IsRefusedWithItsReason) {
  const auto refusal = [](
                           std::string request, const std::function<void(Observation&)>& change = [](auto&) {}) {
    Observation o = asking(std::move(request));
    change(o);
    const Decision decision = decide(o);
    EXPECT_FALSE(decision.status.revocation);
    EXPECT_FALSE(decision.effect);
    EXPECT_TRUE(decision.status.handled_requests && !decision.status.handled_requests->revoke.empty());
    return told(decision);
  };
  for (const char* text : {"keyCompromise", "t", "t caCompromise", "t KeyCompromise", "t superseded x",
                           "t superseded -1", "t superseded 1 1"})
    EXPECT_THAT(refusal(text), testing::StartsWith("RevocationRefused: nothing is revoked: the annotation has to say"));
  EXPECT_THAT(refusal("t superseded 7"), testing::HasSubstr("there is no such certificate"));
  EXPECT_THAT(refusal("t superseded", [](auto& o) { o.object.status.history[0].revoked = "superseded"; }),
              testing::HasSubstr("revoked already"));
  EXPECT_THAT(refusal("t superseded", [](auto& o) { o.revisions[1].chain->not_after = o.now; }),
              testing::HasSubstr("has expired"));
  EXPECT_THAT(refusal("t superseded", [](auto& o) { o.revisions[1].server = "https://other.example/dir"; }),
              testing::HasSubstr("issued by https://other.example/dir"));
  EXPECT_THAT(refusal("t superseded", [](auto& o) { o.issuer.reset(); }), testing::HasSubstr("no usable AcmeIssuer"));
  Observation theirs = sourced(ready(), chain(1));
  annotate(theirs, api::kRevokeRequestedAt, "t keyCompromise");
  EXPECT_THAT(told(decide(theirs)), testing::HasSubstr("somebody else"));
}

TEST(Revocation, ThatFailsIsTriedAgainAndHoldsUpNothing) {
  Observation o = noted("t superseded 0", with(ready(), [](auto& ready) { ready.revisions[0] = whole(0); }));
  change(o.issuer, [](auto& issuer) { issuer.spec.use_ari = false; });
  o.failures = failed("RevokeCertificate", ErrorKind::kUnavailable, o.now);
  const Decision decision = decide(o);
  EXPECT_EQ(decision.rule, "rest");
  EXPECT_EQ(reason_in(decision.status), "IssuerUnavailable");
  ASSERT_TRUE(decision.wake_at);
  EXPECT_LE(*decision.wake_at, o.now + 5min);
  EXPECT_TRUE(decision.status.revocation);
}

TEST(Revocation, ThatTheCaRefusesIsGivenUpAndSaid) {
  Observation o = noted("t superseded 0", with(ready(), [](auto& ready) { ready.revisions[0] = whole(0); }));
  for (const auto kind :
       {ErrorKind::kInvalid, ErrorKind::kUnauthorized, ErrorKind::kUnsupported, ErrorKind::kForbidden}) {
    o.failures = failed("RevokeCertificate", kind, o.now);
    const Decision decision = decide(o);
    EXPECT_FALSE(decision.status.revocation);
    EXPECT_EQ(told(decision), "RevocationRefused: revision 0: no luck");
    EXPECT_EQ(decision.status.history[0].revoked, "");
  }
}

// Whole stories: the request comes while all is quiet, and the process dies at every effect once.
TEST(Revocation, EndsWithASuccessorWhereverItIsInterrupted) {
  for (const std::string reason : {"keyCompromise", "superseded"}) {
    for (const Fate when : {Fate::kDone, Fate::kCrashBefore, Fate::kCrashAfter, Fate::kFails, Fate::kAnswerLost}) {
      SCOPED_TRACE(reason + " " + std::to_string(static_cast<int>(when)));
      Story story(asking("t " + reason));
      story.served = fingerprint(1);
      bool struck = false;
      story.fate = [&](const std::string& effect) {
        return effect.starts_with("RevokeCertificate") && !std::exchange(struck, true) ? when : Fate::kDone;
      };
      ASSERT_TRUE(story.run(24h)) << story.last_lines(20);
      EXPECT_EQ(story.o.object.status.revision, 2);
      EXPECT_FALSE(story.o.object.status.revocation);
      ASSERT_FALSE(story.revoked.empty());
      for (const auto& [revision, why] : story.revoked) EXPECT_EQ(revision, 1);
      const auto first =
          std::ranges::find_if(story.done, [](const auto& e) { return e.starts_with("RevokeCertificate"); });
      const auto push = std::ranges::find_if(story.done, [](const auto& e) { return e.starts_with("Push"); });
      EXPECT_EQ(first < push, reason == "keyCompromise");
      EXPECT_TRUE(std::ranges::any_of(story.o.object.status.history, [&](const auto& entry) {
        return entry.revision == 1 && entry.revoked == reason;
      }));
    }
  }
}

}  // namespace
}  // namespace edgetrust::decide::certificate
