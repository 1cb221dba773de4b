#include "edgetrust/crypto/chain.hpp"

#include "edgetrust/base/time_text.hpp"
#include "fixtures.hpp"
#include "support/test_ca.hpp"

#include <fstream>

namespace edgetrust::crypto {
namespace {

using support::TestCa;
using testing::HasSubstr;

const TimePoint kNow = parse_rfc3339("2026-11-22T12:00:00Z").value();

std::vector<Certificate> read(const std::string& pem) { return parse_chain(pem).value(); }
TrustStore trusting(const std::string& pem) { return TrustStore::from_pem(pem).value(); }
std::vector<std::string> names(const std::vector<Certificate>& chain) {
  std::vector<std::string> list;
  for (const auto& one : chain) list.push_back(one.name());
  return list;
}
Result<Arranged> arrange_under(const std::string& pem, const TrustStore& roots) {
  const std::array<const TrustStore*, 1> stores{&roots};
  return arrange(read(pem), stores);
}
Status verify(const std::string& pem, const TrustStore& roots, ChainUse use = {.at = kNow}) {
  const std::array<const TrustStore*, 1> stores{&roots};
  return verify_to_root(read(pem), stores, use);
}

// leaf <- Sub 2 <- Sub 1 <- Root
struct ThreeLevels {
  TestCa root{"Root"};
  TestCa sub1 = root.intermediate("Sub 1");
  TestCa sub2 = sub1.intermediate("Sub 2");
  support::TestCertificate leaf = sub2.issue({.dns = {"edge01.example.com"}});
  TrustStore roots = trusting(root.certificate_pem());
};

TEST(Arrange, PutsAnyOrderRight) {
  const ThreeLevels ca;
  std::vector<std::string> parts = {ca.leaf.certificate_pem, ca.sub1.certificate_pem(), ca.sub2.certificate_pem(),
                                    ca.root.certificate_pem()};
  std::sort(parts.begin(), parts.end());
  do {
    std::string pem;
    for (const auto& part : parts) pem += part;
    const auto arranged = arrange_under(pem + pem, ca.roots).value();  // each twice
    EXPECT_EQ(to_pem(arranged.chain), ca.leaf.chain_pem);
    EXPECT_EQ(arranged.root, read(ca.root.certificate_pem()).front());
    EXPECT_TRUE(arranged.left_over.empty());
  } while (std::next_permutation(parts.begin(), parts.end()));
}

TEST(Arrange, SaysWhatDoesNotBelong) {
  const ThreeLevels ca;
  const TestCa stranger("Stranger");
  const auto arranged =
      arrange_under(ca.leaf.certificate_pem + ca.sub1.certificate_pem() + stranger.certificate_pem(), ca.roots).value();
  EXPECT_EQ(names(arranged.chain), (std::vector<std::string>{"edge01.example.com"}));
  EXPECT_EQ(names(arranged.left_over), (std::vector<std::string>{"CN=Sub 1", "CN=Stranger"}));
  EXPECT_FALSE(arranged.root.has_value());
}

TEST(Arrange, NeedsExactlyOneLeaf) {
  const ThreeLevels ca;
  EXPECT_THAT(arrange_under(ca.sub1.certificate_pem() + ca.sub2.certificate_pem(), ca.roots).error().what,
              HasSubstr("no end-entity certificate"));
  const auto other = ca.sub2.issue({.dns = {"edge02.example.com"}});
  EXPECT_THAT(arrange_under(ca.leaf.certificate_pem + other.certificate_pem, ca.roots).error().what,
              HasSubstr("\"edge01.example.com\" and \"edge02.example.com\""));
}

// A new root, cross-signed by an old one that peers still need: the cross-sign is an intermediate like any other.
TEST(Arrange, KeepsACrossSignedRoot) {
  const TestCa old_root("Old Root");
  const TestCa new_root("New Root");
  const TestCa sub = new_root.intermediate("Sub");
  const auto leaf = sub.issue({.dns = {"a.example"}});
  const std::string cross = old_root.cross_sign(new_root);
  const auto arranged =
      arrange_under(leaf.chain_pem + new_root.certificate_pem() + cross, trusting(old_root.certificate_pem())).value();
  EXPECT_EQ(to_pem(arranged.chain), leaf.chain_pem + cross);
  EXPECT_TRUE(arranged.left_over.empty());
}

// The same CA certified by two others, of which we know one.
TEST(Arrange, PrefersTheWayToAKnownRoot) {
  const TestCa known("Known");
  const TestCa unknown("Unknown");
  const TestCa middle_known = known.intermediate("Middle K");
  const TestCa middle_unknown = unknown.intermediate("Middle U");
  const TestCa sub("Sub");  // its own root is never given
  const auto leaf = sub.issue({.dns = {"a.example"}});
  const std::string by_known = middle_known.cross_sign(sub);
  const std::string by_unknown = middle_unknown.cross_sign(sub);
  const std::string want = leaf.certificate_pem + by_known + middle_known.certificate_pem();
  for (const std::string& crosses : {by_known + by_unknown, by_unknown + by_known}) {
    const auto arranged = arrange_under(leaf.certificate_pem + middle_unknown.certificate_pem() + crosses +
                                            middle_known.certificate_pem(),
                                        trusting(known.certificate_pem()))
                              .value();
    EXPECT_EQ(to_pem(arranged.chain), want);
  }
}

// Two CAs that certify each other must not be followed in a circle.
TEST(Arrange, EndsOnACircle) {
  const TestCa a("A");
  const TestCa b("B");
  const auto leaf = a.issue({.dns = {"a.example"}});
  const auto arranged = arrange_under(leaf.certificate_pem + b.cross_sign(a) + a.cross_sign(b), TrustStore()).value();
  EXPECT_EQ(names(arranged.chain), (std::vector<std::string>{"a.example", "CN=A", "CN=B"}));
}

TEST(IssuedBy, TakesNoNameForASignature) {
  const TestCa real("Root");
  const TestCa impostor("Root");
  const Certificate leaf = read(real.issue({.dns = {"a.example"}}).certificate_pem).front();
  EXPECT_TRUE(issued_by(leaf, read(real.certificate_pem()).front()));
  EXPECT_FALSE(issued_by(leaf, read(impostor.certificate_pem()).front()));
}

TEST(Verify, FollowsACompleteChainToItsRoot) {
  const ThreeLevels ca;
  EXPECT_TRUE(verify(ca.leaf.chain_pem, ca.roots).has_value());
  EXPECT_TRUE(verify(ca.leaf.chain_pem, ca.roots, {.server_auth = true, .client_auth = true, .at = kNow}).has_value());
}

TEST(Verify, NamesTheMissingIssuer) {
  const ThreeLevels ca;
  EXPECT_THAT(verify(ca.leaf.certificate_pem, ca.roots).error().what,
              HasSubstr(R"("Sub 2", the issuer of "edge01.example.com", is missing)"));
  EXPECT_THAT(verify(ca.leaf.certificate_pem + ca.sub2.certificate_pem(), ca.roots).error().what,
              HasSubstr(R"("Sub 1", the issuer of "CN=Sub 2", is missing)"));
  EXPECT_THAT(verify(ca.leaf.chain_pem, trusting(TestCa("Other").certificate_pem())).error().what,
              HasSubstr(R"("Root", the issuer of "CN=Sub 1", is missing or no known root)"));
}

TEST(Verify, WantsTheOrderToHold) {
  const ThreeLevels ca;
  EXPECT_FALSE(verify(ca.leaf.certificate_pem + ca.sub1.certificate_pem(), ca.roots).has_value());
}

TEST(Verify, AcceptsALeafStraightUnderTheRoot) {
  const TestCa root("Root");
  EXPECT_TRUE(verify(root.issue({.dns = {"a.example"}}).chain_pem, trusting(root.certificate_pem())).has_value());
}

// The tail of the chain ends at a root that nobody here knows any more; what is before it ends at one that we know.
TEST(Verify, AcceptsAShorterWayThanTheChainGoes) {
  const TestCa gone("Gone");
  const TestCa root("Root");
  const TestCa sub = root.intermediate("Sub");
  const auto leaf = sub.issue({.dns = {"a.example"}});
  const std::string expired_cross = gone.cross_sign(root, {.not_after = parse_rfc3339("2021-09-30T00:00:00Z").value()});
  EXPECT_TRUE(verify(leaf.chain_pem + expired_cross, trusting(root.certificate_pem())).has_value());
  EXPECT_TRUE(
      verify(leaf.chain_pem + expired_cross, trusting(gone.certificate_pem() + root.certificate_pem())).has_value());
}

TEST(Verify, ChecksDatesToTheSecondOnEveryCertificate) {
  const auto from = parse_rfc3339("2026-01-01T00:00:00Z").value();
  const auto to = parse_rfc3339("2027-01-01T00:00:00Z").value();
  const auto second = std::chrono::seconds{1};
  const TestCa root("Root");
  const auto roots = trusting(root.certificate_pem());
  const std::string leaf_dated = root.issue({.dns = {"a.example"}, .not_before = from, .not_after = to}).chain_pem;
  const std::string sub_dated =
      root.intermediate("Sub", {.not_before = from, .not_after = to}).issue({.dns = {"a.example"}}).chain_pem;
  for (const auto& pem : {leaf_dated, sub_dated}) {
    EXPECT_TRUE(verify(pem, roots, {.at = from}).has_value());
    EXPECT_TRUE(verify(pem, roots, {.at = to - second}).has_value());
    EXPECT_THAT(verify(pem, roots, {.at = from - second}).error().what,
                HasSubstr("is not valid before 2026-01-01T00:00:00Z"));
    EXPECT_THAT(verify(pem, roots, {.at = to}).error().what, HasSubstr("expired at 2027-01-01T00:00:00Z"));
  }
  EXPECT_THAT(verify(sub_dated, roots, {.at = to}).error().what, HasSubstr("\"CN=Sub\" expired"));
}

TEST(Verify, RefusesAnExpiredRoot) {
  const TestCa root("Root", {.not_after = parse_rfc3339("2025-01-01T00:00:00Z").value()});
  const auto refused = verify(root.issue({.dns = {"a.example"}}).chain_pem, trusting(root.certificate_pem()));
  EXPECT_THAT(refused.error().what, HasSubstr("root: certificate has expired"));
}

TEST(Verify, ChecksUsages) {
  const TestCa root("Root");
  const auto roots = trusting(root.certificate_pem());
  const auto only_client = root.issue({.dns = {"a.example"}, .server_auth = false, .client_auth = true}).chain_pem;
  const auto only_server = root.issue({.dns = {"a.example"}, .server_auth = true, .client_auth = false}).chain_pem;
  EXPECT_THAT(verify(only_client, roots).error().what, HasSubstr("not meant for server authentication"));
  EXPECT_TRUE(verify(only_client, roots, {.server_auth = false, .client_auth = true, .at = kNow}).has_value());
  EXPECT_THAT(verify(only_server, roots, {.server_auth = true, .client_auth = true, .at = kNow}).error().what,
              HasSubstr("not meant for client authentication"));
}

TEST(Verify, HoldsToPathLengths) {
  const TestCa root("Root", {.path_length = 0});
  const auto leaf = root.intermediate("Sub").issue({.dns = {"a.example"}});
  EXPECT_THAT(verify(leaf.chain_pem, trusting(root.certificate_pem())).error().what, HasSubstr("path length"));
}

TEST(Verify, RefusesWeakKeysAndSignatures) {
  const TestCa root("Root");
  const auto roots = trusting(root.certificate_pem());
  EXPECT_THAT(
      verify(root.issue({.dns = {"a.example"}, .key = support::TestKey::kRsa1024}).chain_pem, roots).error().what,
      HasSubstr("the key of \"a.example\" is too small"));
  const auto weak_sub = root.intermediate("Weak", {.key = support::TestKey::kRsa1024}).issue({.dns = {"a.example"}});
  EXPECT_THAT(verify(weak_sub.chain_pem, roots).error().what, HasSubstr("the key of \"CN=Weak\" is too small"));
  EXPECT_TRUE(
      verify(root.issue({.dns = {"a.example"}, .key = support::TestKey::kRsa2048}).chain_pem, roots).has_value());
  const auto year = parse_rfc3339("2027-11-22T12:00:00Z").value();
  EXPECT_THAT(verify(std::string(kSha1Leaf), trusting(std::string(kSha1Root)), {.at = year}).error().what,
              HasSubstr("the signature of \"CN=old.example\" is too weak"));
}

TEST(Verify, RefusesAnEmptyChain) {
  EXPECT_EQ(verify_to_root({}, {}, {.at = kNow}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(verify_to_last({}, {.at = kNow}).error().kind, ErrorKind::kInvalid);
}

TEST(VerifyToLast, BelievesTheLastOneAndNothingElse) {
  const ThreeLevels ca;
  EXPECT_TRUE(verify_to_last(read(ca.leaf.chain_pem), {.at = kNow}).has_value());
  EXPECT_TRUE(verify_to_last(read(ca.leaf.certificate_pem + ca.sub2.certificate_pem()), {.at = kNow}).has_value());
  EXPECT_FALSE(verify_to_last(read(ca.leaf.certificate_pem + ca.sub1.certificate_pem()), {.at = kNow}).has_value());
  EXPECT_THAT(verify_to_last(read(ca.leaf.chain_pem), {.at = kNow + std::chrono::hours{24 * 365 * 30}}).error().what,
              HasSubstr("expired"));
}

TEST(TrustStore, HoldsSelfSignedCertificatesOnly) {
  const ThreeLevels ca;
  const auto store = trusting("# Root\n" + ca.root.certificate_pem() + "\n# Sub 1\n" + ca.sub1.certificate_pem() +
                              ca.root.certificate_pem());
  EXPECT_EQ(store.size(), 1U);
  EXPECT_TRUE(store.contains(read(ca.root.certificate_pem()).front()));
  EXPECT_FALSE(store.contains(read(ca.sub1.certificate_pem()).front()));
  // So that an intermediate in the bundle does not hide that the server leaves it out.
  EXPECT_FALSE(verify(ca.leaf.certificate_pem + ca.sub2.certificate_pem(), store).has_value());
}

TEST(TrustStore, FindsEveryRootThatSigned) {
  const TestCa root("Root");
  const TestCa same_name("Root");
  const auto store = trusting(root.certificate_pem() + same_name.certificate_pem());
  EXPECT_EQ(store.size(), 2U);
  const auto leaf = read(root.issue({.dns = {"a.example"}}).certificate_pem).front();
  EXPECT_EQ(store.issuers_of(leaf), read(root.certificate_pem()));
}

TEST(TrustStore, RefusesWhatIsNoBundle) {
  EXPECT_EQ(trusting("").size(), 0U);
  EXPECT_FALSE(TrustStore::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").has_value());
  EXPECT_FALSE(TrustStore::from_pem(std::string(kEd25519Key)).has_value());
  EXPECT_FALSE(TrustStore::from_pem(std::string((1U << 20U) + 1, '\n')).has_value());
}

TEST(PublicRoots, AreReadOnceAndShared) {
  const std::string path = testing::TempDir() + "edgetrust-public-roots.pem";
  PublicRoots roots(path);
  EXPECT_EQ(roots.get().error().kind, ErrorKind::kUnavailable);
  std::ofstream(path) << TestCa("Root").certificate_pem();
  const auto first = roots.get().value();
  EXPECT_EQ(first->size(), 1U);
  std::remove(path.c_str());
  EXPECT_EQ(roots.get().value(), first);
}

}  // namespace
}  // namespace edgetrust::crypto
