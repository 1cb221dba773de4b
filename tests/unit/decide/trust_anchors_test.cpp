#include "edgetrust/decide/trust_anchors.hpp"

#include <gmock/gmock.h>

namespace edgetrust::decide {
namespace {

using Kind = AnchorStep::Kind;

const std::string kMark = anchor_mark("voice", "prod");
const std::string kA(64, 'a');
const std::string kB(64, 'b');

KnownAuthority known(const std::string& name, std::set<std::string> fingerprints,
                     std::vector<std::string> services = {"SIP"}) {
  return {.authority = {.id = "id of " + name,
                        .name = name,
                        .version = 7,
                        .services = std::move(services),
                        .certificate_pem = "PEM"},
          .fingerprints = std::move(fingerprints)};
}
KnownAuthority ours(const std::string& fingerprint, std::vector<std::string> services = {"SIP"}) {
  return known(kMark + fingerprint.substr(0, 16), {fingerprint}, std::move(services));
}
Anchor anchor(const std::string& fingerprint) {
  return {.fingerprint_sha256 = fingerprint, .pem = "PEM of " + fingerprint};
}

TEST(TrustAnchors, WhatIsMissingIsMadeWithOurMark) {
  const auto step = next_anchor_step({anchor(kA)}, {}, {"SIP"}, kMark);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Kind::kCreate);
  EXPECT_EQ(step->authority.name, "edgetrust voice/prod aaaaaaaaaaaaaaaa");
  EXPECT_EQ(step->authority.certificate_pem, "PEM of " + kA);
  EXPECT_EQ(step->authority.services, std::vector<std::string>{"SIP"});
}

TEST(TrustAnchors, WhatIsThereIsLeft) {
  EXPECT_FALSE(next_anchor_step({anchor(kA)}, {ours(kA)}, {"SIP"}, kMark));
  EXPECT_FALSE(next_anchor_step({}, {}, {"SIP"}, kMark));
  EXPECT_FALSE(next_anchor_step({anchor(kA)}, {ours(kA, {"PROVISION", "SIP"})}, {"SIP", "PROVISION", "SIP"}, kMark))
      << "the order says nothing";
}

TEST(TrustAnchors, OneOfOursThatIsListedWithoutItsCertificateIsThere) {
  EXPECT_FALSE(next_anchor_step({anchor(kA)}, {known(kMark + std::string(16, 'a'), {})}, {"SIP"}, kMark));
  const auto step = next_anchor_step({}, {known(kMark + std::string(16, 'a'), {})}, {"SIP"}, kMark);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Kind::kRemove);
}

TEST(TrustAnchors, AForeignOneThatServesWillDoAndIsNeverTouched) {
  EXPECT_FALSE(next_anchor_step({anchor(kA)}, {known("sbc", {kA, kB}, {"PROVISION", "SIP"})}, {"SIP"}, kMark));
  const auto step = next_anchor_step({anchor(kA)}, {known("sbc", {kA}, {"PROVISION"})}, {"SIP"}, kMark);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Kind::kCreate) << "its services are somebody else's business";
  EXPECT_FALSE(next_anchor_step({}, {known("sbc", {kA})}, {"SIP"}, kMark));
  EXPECT_FALSE(next_anchor_step({}, {known("edgetrust voice/prod2 aaaaaaaaaaaaaaaa", {kA})}, {"SIP"}, kMark))
      << "another connection's";
}

TEST(TrustAnchors, ServicesOfOursAreMadeRightByVersion) {
  const auto step = next_anchor_step({anchor(kA)}, {ours(kA, {"PROVISION"})}, {"SIP"}, kMark);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Kind::kUpdate);
  EXPECT_EQ(step->authority.version, 7);
  EXPECT_EQ(step->authority.services, std::vector<std::string>{"SIP"});
  EXPECT_EQ(step->authority.certificate_pem, "PEM");
}

TEST(TrustAnchors, WhatIsNoLongerNamedGoesAfterItsSuccessorHasCome) {
  const auto first = next_anchor_step({anchor(kB)}, {ours(kA)}, {"SIP"}, kMark);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, Kind::kCreate);
  const auto second = next_anchor_step({anchor(kB)}, {ours(kA), ours(kB)}, {"SIP"}, kMark);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->kind, Kind::kRemove);
  EXPECT_EQ(second->authority.name, ours(kA).authority.name);
}

TEST(TrustAnchors, OfTwoThatAreOursOneGoes) {
  KnownAuthority second = ours(kA);
  second.authority.id = "z";
  const auto step = next_anchor_step({anchor(kA)}, {second, ours(kA)}, {"SIP"}, kMark);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Kind::kRemove);
  EXPECT_EQ(step->authority.id, "z");
  KnownAuthority wrong = ours(kA, {"PROVISION"});
  wrong.authority.id = "a";
  const auto other = next_anchor_step({anchor(kA)}, {wrong, ours(kA)}, {"SIP"}, kMark);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->authority.id, "a") << "not the one that is right";
}

}  // namespace
}  // namespace edgetrust::decide
