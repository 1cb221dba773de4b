#include "chain.hpp"

#include "support/fake_clock.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::sim {
namespace {

using support::TestCa;
using support::TestCertificate;

const TimePoint kNow = support::FakeClock().now();

std::string code(const std::string& chain, const std::string& key, const std::string& trust = "",
                 TimePoint now = kNow) {
  const auto complaint = complaint_about(chain, Secret(key), trust, now);
  return complaint ? complaint->code : "";
}

TEST(Chain, AWholeChainIsTakenWhateverItsRoot) {
  const TestCa root("root");
  const TestCa upper = root.intermediate("upper");
  const TestCa lower = upper.intermediate("lower");
  const TestCertificate leaf = lower.issue({.dns = {"edge01.edges.test"}});
  EXPECT_EQ(code(leaf.chain_pem, leaf.key_pem), "");
  EXPECT_EQ(code(leaf.chain_pem + root.certificate_pem(), leaf.key_pem), "") << "with its root";
}

TEST(Chain, AGapIsABrokenChain) {
  const TestCa root("root");
  const TestCa upper = root.intermediate("upper");
  const TestCa lower = upper.intermediate("lower");
  const TestCertificate leaf = lower.issue({.dns = {"a.test"}});
  EXPECT_EQ(code(leaf.certificate_pem, leaf.key_pem, root.certificate_pem()), "certificate.chain.broken");
  const auto middle = complaint_about(leaf.certificate_pem + upper.certificate_pem(), Secret(leaf.key_pem), "", kNow);
  ASSERT_TRUE(middle);
  EXPECT_EQ(middle->code, "certificate.chain.broken");
  EXPECT_EQ(middle->message, "Broken Chain: the certificate of CN=lower is missing");
  EXPECT_EQ(code(leaf.certificate_pem + upper.certificate_pem() + lower.certificate_pem(), leaf.key_pem),
            "certificate.chain.broken")
      << "out of order";
}

TEST(Chain, ALeafStraightUnderAKnownRootIsWhole) {
  const TestCa root("private root");
  const TestCertificate leaf = root.issue({.dns = {"a.test"}});
  EXPECT_EQ(code(leaf.chain_pem, leaf.key_pem, TestCa("other").certificate_pem() + root.certificate_pem()), "");
  EXPECT_EQ(code(leaf.chain_pem, leaf.key_pem, TestCa("private root").certificate_pem()), "certificate.chain.broken")
      << "the same name, another key";
  const TestCertificate own = support::self_signed({.dns = {"a.test"}});
  EXPECT_EQ(code(own.chain_pem, own.key_pem), "");
}

TEST(Chain, TheKeyMustBeTheLeafs) {
  const TestCertificate leaf = TestCa("root").intermediate("i").issue({.dns = {"a.test"}});
  EXPECT_EQ(code(leaf.chain_pem, support::test_key_pem(support::TestKey::kEc256)), "certificate.key.mismatch");
  EXPECT_EQ(code(leaf.chain_pem, "junk"), "certificate.key.mismatch");
  EXPECT_EQ(code("junk", leaf.key_pem), "certificate.unreadable");
}

TEST(Chain, DatesAndNamesCount) {
  const TestCa ca = TestCa("root").intermediate("i");
  const TestCertificate leaf =
      ca.issue({.dns = {"a.test"}, .not_before = kNow, .not_after = kNow + std::chrono::hours{1}});
  EXPECT_EQ(code(leaf.chain_pem, leaf.key_pem, "", kNow), "");
  EXPECT_EQ(code(leaf.chain_pem, leaf.key_pem, "", kNow + std::chrono::hours{1}), "certificate.not.valid.now");
  EXPECT_EQ(code(leaf.chain_pem, leaf.key_pem, "", kNow - std::chrono::seconds{1}), "certificate.not.valid.now");
  const TestCertificate nameless = ca.issue({.common_name = "a.test"});
  EXPECT_EQ(code(nameless.chain_pem, nameless.key_pem), "certificate.names.missing");
}

TEST(Chain, ReadsTheLeaf) {
  const TestCa ca = TestCa("root").intermediate("issuing");
  const TestCertificate leaf = ca.issue({.common_name = "edge01", .dns = {"a.test"}, .not_after = kNow});
  const LeafFacts facts = read_leaf(leaf.chain_pem).value();
  EXPECT_EQ(facts.fingerprint.size(), 64U);
  EXPECT_EQ(facts.subject, "CN=edge01");
  EXPECT_EQ(facts.issuer, "CN=issuing");
  EXPECT_EQ(facts.not_after, kNow);
  EXPECT_EQ(facts.not_before, support::kTestNotBefore);
  EXPECT_NE(read_leaf(ca.issue({.dns = {"a.test"}}).chain_pem).value().fingerprint, facts.fingerprint);
  std::string many;
  for (int i = 0; i < 11; ++i) many += leaf.certificate_pem;
  EXPECT_FALSE(read_leaf(many));
  EXPECT_FALSE(read_leaf(""));
}

}  // namespace
}  // namespace edgetrust::sim
