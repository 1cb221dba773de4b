#include "edgetrust/pki/pki.hpp"

#include "edgetrust/base/time_text.hpp"
#include "support/test_ca.hpp"

#include <fstream>

namespace edgetrust::pki {
namespace {

using ports::ChainRequirements;
using ports::KeyAlgorithm;
using ports::KeySpec;
using support::TestCa;
using testing::HasSubstr;

const TimePoint kNow = parse_rfc3339("2026-11-22T12:00:00Z").value();

// leaf <- Sub 2 <- Sub 1 <- Root, for edge01.example.com
struct World {
  TestCa root{"Root"};
  TestCa sub1 = root.intermediate("Sub 1");
  TestCa sub2 = sub1.intermediate("Sub 2");
  std::unique_ptr<ports::Pki> pki;
  Secret key;
  support::TestCertificate leaf;

  World() : pki(make_pki(std::make_shared<crypto::PublicRoots>(testing::TempDir() + "no-such-file.pem"))) {
    key = pki->generate_key({KeyAlgorithm::kEcdsa, 256}).value();
    leaf = issue({.dns = {"edge01.example.com"}, .ips = {"192.0.2.7"}});
  }
  [[nodiscard]] support::TestCertificate issue(support::TestLeafSpec spec) const {
    return issue(sub2, std::move(spec));
  }
  [[nodiscard]] support::TestCertificate issue(const TestCa& by, support::TestLeafSpec spec) const {
    spec.key_pem = std::string(key.expose());
    return by.issue(spec);
  }
  [[nodiscard]] ChainRequirements requirements() const {
    return {.names = {.common_name = {}, .dns_names = {"edge01.example.com"}, .ip_addresses = {"192.0.2.7"}},
            .at = kNow,
            .roots_pem = root.certificate_pem(),
            .public_roots = false};
  }
  [[nodiscard]] ChainRequirements unknown_root() const {
    auto wanted = requirements();
    wanted.roots_pem = {};
    wanted.require_known_root = false;
    return wanted;
  }
};

TEST(Keys, AreWhatWasAskedFor) {
  const World world;
  for (const KeySpec spec : {KeySpec{KeyAlgorithm::kRsa, 2048}, KeySpec{KeyAlgorithm::kRsa, 3072},
                             KeySpec{KeyAlgorithm::kEcdsa, 256}, KeySpec{KeyAlgorithm::kEcdsa, 384}}) {
    const Secret key = world.pki->generate_key(spec).value();
    EXPECT_EQ(world.pki->key_spec(key).value(), spec);
  }
  EXPECT_EQ(world.pki->generate_key({KeyAlgorithm::kRsa, 1024}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(world.pki->key_spec(Secret("no key")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(world.pki->public_key_sha256(Secret("no key")).error().kind, ErrorKind::kInvalid);
}

TEST(Keys, RequestAndCertificateAgreeOnTheHash) {
  const World world;
  const auto csr = world.pki->csr(
      world.key,
      {.common_name = "edge01.example.com", .dns_names = {"edge01.example.com"}, .ip_addresses = {"192.0.2.7"}});
  const auto issued = world.sub2.sign_request(csr.value());
  const auto facts = world.pki->inspect(issued.chain_pem).value();
  EXPECT_EQ(facts.public_key_sha256, world.pki->public_key_sha256(world.key).value());
  EXPECT_EQ(facts.dns_names, std::vector<std::string>{"edge01.example.com"});
  EXPECT_EQ(facts.ip_addresses, std::vector<std::string>{"192.0.2.7"});
  EXPECT_EQ(world.pki->csr(world.key, {}).error().kind, ErrorKind::kInvalid);
}

TEST(Inspect, TellsTheFirstCertificate) {
  const World world;
  const auto from = kNow - std::chrono::hours{1};
  const auto to = kNow + std::chrono::hours{2160};
  const auto issued = world.issue({.common_name = "edge01.example.com",
                                   .dns = {"edge01.example.com"},
                                   .ips = {"2001:db8::7"},
                                   .not_before = from,
                                   .not_after = to,
                                   .client_auth = false,
                                   .serial = "0ABC"});
  const auto facts = world.pki->inspect(issued.chain_pem).value();
  EXPECT_EQ(facts.serial_number, "0abc");
  EXPECT_EQ(facts.fingerprint_sha256.size(), 64U);
  EXPECT_EQ(facts.authority_key_id.size(), 40U);
  EXPECT_EQ(facts.authority_key_id, world.pki->inspect(world.leaf.chain_pem).value().authority_key_id);
  EXPECT_EQ(facts.issuer, "Sub 2");
  EXPECT_EQ(facts.not_before, from);
  EXPECT_EQ(facts.not_after, to);
  EXPECT_EQ(facts.dns_names, std::vector<std::string>{"edge01.example.com"});
  EXPECT_EQ(facts.ip_addresses, std::vector<std::string>{"2001:db8::7"});
  EXPECT_TRUE(facts.server_auth);
  EXPECT_FALSE(facts.client_auth);
  EXPECT_EQ(facts.key, (KeySpec{KeyAlgorithm::kEcdsa, 256}));
  EXPECT_EQ(facts.certificates, 3);
  const auto alone = [&](const TestCa& ca) {
    return world.pki->inspect(ca.certificate_pem()).value().fingerprint_sha256;
  };
  EXPECT_EQ(facts.others_sha256, (std::vector<std::string>{alone(world.sub2), alone(world.sub1)}));
}

TEST(Inspect, RefusesWhatIsNoChain) {
  const World world;
  std::string eleven;
  for (int i = 0; i < 11; ++i) eleven += world.leaf.certificate_pem;
  for (const auto& pem : {std::string(), std::string("junk"), world.leaf.chain_pem + std::string(world.key.expose()),
                          eleven, world.leaf.chain_pem + std::string(95'000, '\n')}) {
    EXPECT_EQ(world.pki->inspect(pem).error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(world.pki->arrange(pem, world.requirements()).error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(world.pki->check(pem, world.key, world.requirements()).error().kind, ErrorKind::kInvalid);
  }
}

TEST(Arrange, PutsLeafFirstAndLeavesTheRootOut) {
  const World world;
  const std::string shuffled = world.root.certificate_pem() + world.sub1.certificate_pem() +
                               world.leaf.certificate_pem + world.sub2.certificate_pem() +
                               world.sub1.certificate_pem() + TestCa("Stranger").certificate_pem();
  EXPECT_EQ(world.pki->arrange(shuffled, world.requirements()).value(), world.leaf.chain_pem);
  EXPECT_EQ(world.pki->arrange(world.leaf.chain_pem, world.requirements()).value(), world.leaf.chain_pem);
}

// The guide's trap, and the one beside it.
TEST(Arrange, NamesTheMissingIntermediate) {
  const World world;
  for (const auto& wanted : {world.requirements(), world.unknown_root()}) {
    EXPECT_THAT(world.pki->arrange(world.leaf.certificate_pem, wanted).error().what,
                HasSubstr(R"("Sub 2", the issuer of "edge01.example.com", is missing)"));
    const std::string no_middle = world.leaf.certificate_pem + world.sub1.certificate_pem();
    EXPECT_THAT(world.pki->arrange(no_middle, wanted).error().what,
                HasSubstr(R"("Sub 2", the issuer of "edge01.example.com", is missing)"));
  }
  const std::string no_top = world.leaf.certificate_pem + world.sub2.certificate_pem();
  EXPECT_THAT(world.pki->arrange(no_top, world.requirements()).error().what,
              HasSubstr(R"("Sub 1", the issuer of "CN=Sub 2", is missing)"));
}

TEST(Arrange, ALeafStraightUnderAKnownRootIsCompleteAlone) {
  const World world;
  const auto leaf = world.issue(world.root, {.dns = {"edge01.example.com"}, .ips = {"192.0.2.7"}});
  EXPECT_EQ(world.pki->arrange(leaf.certificate_pem + world.root.certificate_pem(), world.requirements()).value(),
            leaf.certificate_pem);
  EXPECT_TRUE(world.pki->check(leaf.certificate_pem, world.key, world.requirements()).has_value());
  // An unknown root proves nothing, also when it was sent along: what goes to the Edge would not have it.
  EXPECT_FALSE(
      world.pki->arrange(leaf.certificate_pem + world.root.certificate_pem(), world.unknown_root()).has_value());
  EXPECT_FALSE(world.pki->check(leaf.certificate_pem, world.key, world.unknown_root()).has_value());
}

// So that a bundle for TLS, with the intermediate in it, does not hide that the chain lacks it.
TEST(Arrange, AnIntermediateAmongTheRootsIsNoRoot) {
  const World world;
  auto wanted = world.requirements();
  wanted.roots_pem = world.sub2.certificate_pem() + world.sub1.certificate_pem() + world.root.certificate_pem();
  EXPECT_FALSE(world.pki->arrange(world.leaf.certificate_pem, wanted).has_value());
  EXPECT_TRUE(world.pki->arrange(world.leaf.chain_pem, wanted).has_value());
}

TEST(UnknownRoot, IsRefusedUnlessAllowed) {
  const World world;
  auto wanted = world.unknown_root();
  wanted.require_known_root = true;
  EXPECT_THAT(world.pki->arrange(world.leaf.chain_pem, wanted).error().what,
              HasSubstr(R"("Root", the issuer of "CN=Sub 1", is missing or no known root)"));
  EXPECT_FALSE(world.pki->check(world.leaf.chain_pem, world.key, wanted).has_value());
}

TEST(UnknownRoot, AllowedIsJudgedByStructure) {
  const World world;
  const auto wanted = world.unknown_root();
  const std::string with_root = world.root.certificate_pem() + world.leaf.chain_pem;
  EXPECT_EQ(world.pki->arrange(with_root, wanted).value(), world.leaf.chain_pem);
  EXPECT_EQ(world.pki->arrange(world.leaf.chain_pem, wanted).value(), world.leaf.chain_pem);
  EXPECT_TRUE(world.pki->check(world.leaf.chain_pem, world.key, wanted).has_value());
  // A CA that nothing leads to is the far side of a hole.
  const std::string hole = world.leaf.certificate_pem + world.sub2.certificate_pem() + world.root.certificate_pem();
  EXPECT_THAT(world.pki->arrange(hole, wanted).error().what, HasSubstr("\"CN=Root\" has no place in it"));
  // The limit of the rule, stated in the port: nothing shows here that "Sub 1" is not the root.
  EXPECT_TRUE(world.pki->arrange(world.leaf.certificate_pem + world.sub2.certificate_pem(), wanted).has_value());
}

TEST(UnknownRoot, StillWantsEverythingElse) {
  const World world;
  const auto expired = world.issue({.dns = {"edge01.example.com"}, .ips = {"192.0.2.7"}, .not_after = kNow});
  EXPECT_THAT(world.pki->check(expired.chain_pem, world.key, world.unknown_root()).error().what, HasSubstr("expired"));
  EXPECT_FALSE(world.pki->check(world.leaf.chain_pem, world.pki->generate_key({}).value(), world.unknown_root()));
}

TEST(PublicRoots, CountWhenAskedFor) {
  const World world;
  const std::string path = testing::TempDir() + "edgetrust-pki-roots.pem";
  std::ofstream(path) << world.root.certificate_pem();
  const auto pki = make_pki(std::make_shared<crypto::PublicRoots>(path));
  auto wanted = world.requirements();
  wanted.roots_pem = {};
  EXPECT_FALSE(pki->check(world.leaf.chain_pem, world.key, wanted).has_value());
  wanted.public_roots = true;
  EXPECT_TRUE(pki->check(world.leaf.chain_pem, world.key, wanted).has_value());
  EXPECT_EQ(world.pki->check(world.leaf.chain_pem, world.key, wanted).error().kind, ErrorKind::kUnavailable);
  std::remove(path.c_str());
}

TEST(Check, AcceptsWhatIsRight) {
  const World world;
  auto wanted = world.requirements();
  EXPECT_TRUE(world.pki->check(world.leaf.chain_pem, world.key, wanted).has_value());
  wanted.client_auth = true;
  wanted.names.common_name = "edge01.example.com";
  EXPECT_TRUE(world.pki->check(world.leaf.chain_pem, world.key, wanted).has_value());
}

TEST(Check, WantsTheChainAsItMustBeSent) {
  const World world;
  for (const auto& pem :
       {world.leaf.chain_pem + world.root.certificate_pem(), world.leaf.chain_pem + world.sub1.certificate_pem(),
        world.leaf.certificate_pem + world.sub1.certificate_pem() + world.sub2.certificate_pem(),
        world.leaf.chain_pem + TestCa("Stranger").certificate_pem()}) {
    EXPECT_THAT(world.pki->check(pem, world.key, world.requirements()).error().what,
                HasSubstr("not as it must be sent"));
  }
}

TEST(Check, WantsTheRightKey) {
  const World world;
  const Secret other = world.pki->generate_key({KeyAlgorithm::kEcdsa, 256}).value();
  EXPECT_THAT(world.pki->check(world.leaf.chain_pem, other, world.requirements()).error().what,
              HasSubstr("another key"));
}

TEST(Check, WantsEveryName) {
  const World world;
  const auto missing = [&](auto change) {
    auto wanted = world.requirements();
    change(wanted.names);
    return world.pki->check(world.leaf.chain_pem, world.key, wanted).error().what;
  };
  EXPECT_THAT(missing([](auto& n) { n.dns_names.push_back("edge02.example.com"); }), HasSubstr("edge02.example.com"));
  EXPECT_THAT(missing([](auto& n) { n.ip_addresses.push_back("192.0.2.8"); }), HasSubstr("192.0.2.8"));
  EXPECT_THAT(missing([](auto& n) { n.common_name = "voice.example.com"; }), HasSubstr("voice.example.com"));
}

// What nobody asked for would let whoever has the key speak for it too.
TEST(Check, WantsNoNameThatWasNotAskedFor) {
  const World world;
  auto wanted = world.requirements();
  wanted.only_names = {"edge01.example.com", "192.0.2.7"};
  const auto refusal = [&](support::TestLeafSpec spec) {
    const Status fit = world.pki->check(world.issue(spec).chain_pem, world.key, wanted);
    return fit ? std::string() : fit.error().what;
  };
  EXPECT_EQ(refusal({.dns = {"edge01.example.com"}, .ips = {"192.0.2.7"}}), "");
  EXPECT_EQ(refusal({.dns = {"EDGE01.example.com"}, .ips = {"192.0.2.7"}}), "");
  EXPECT_THAT(refusal({.dns = {"edge01.example.com", "evil.example.com"}, .ips = {"192.0.2.7"}}),
              HasSubstr("\"evil.example.com\", which was not asked for"));
  EXPECT_THAT(refusal({.dns = {"edge01.example.com", "*.example.com"}, .ips = {"192.0.2.7"}}),
              HasSubstr("*.example.com"));
  EXPECT_THAT(refusal({.dns = {"edge01.example.com"}, .ips = {"192.0.2.7", "2001:db8::7"}}), HasSubstr("2001:db8::7"));
  wanted.only_names.clear();
  EXPECT_EQ(refusal({.dns = {"edge01.example.com", "evil.example.com"}, .ips = {"192.0.2.7"}}), "") << "not known";
}

TEST(Check, RefusesACa) {
  const World world;
  const auto ca = world.issue({.dns = {"edge01.example.com"}, .ips = {"192.0.2.7"}, .is_ca = true});
  EXPECT_EQ(world.pki->check(ca.chain_pem, world.key, world.requirements()).error().kind, ErrorKind::kInvalid);
}

TEST(Check, WantsDatesUsagesAndStrength) {
  const World world;
  const auto refusal = [&](support::TestLeafSpec spec, bool client_auth = false) {
    spec.dns = {"edge01.example.com"};
    spec.ips = {"192.0.2.7"};
    auto wanted = world.requirements();
    wanted.client_auth = client_auth;
    return world.pki->check(world.issue(spec).chain_pem, world.key, wanted).error().what;
  };
  EXPECT_THAT(refusal({.not_after = kNow}), HasSubstr("expired at 2026-11-22T12:00:00Z"));
  EXPECT_THAT(refusal({.not_before = kNow + std::chrono::seconds{1}}), HasSubstr("not valid before"));
  EXPECT_THAT(refusal({.server_auth = false}), HasSubstr("server authentication"));
  EXPECT_THAT(refusal({.client_auth = false}, true), HasSubstr("client authentication"));
  const TestCa weak = world.root.intermediate("Weak", {.key = support::TestKey::kRsa1024});
  const auto under_weak = world.issue(weak, {.dns = {"edge01.example.com"}, .ips = {"192.0.2.7"}});
  EXPECT_THAT(world.pki->check(under_weak.chain_pem, world.key, world.requirements()).error().what,
              HasSubstr("too small"));
}

TEST(Check, RefusesASelfSignedCertificate) {
  const World world;
  const auto own = support::self_signed(
      {.dns = {"edge01.example.com"}, .ips = {"192.0.2.7"}, .key_pem = std::string(world.key.expose())});
  for (const auto& wanted : {world.requirements(), world.unknown_root()}) {
    EXPECT_FALSE(world.pki->check(own.chain_pem, world.key, wanted).has_value());
  }
  EXPECT_THAT(world.pki->check(own.chain_pem, world.key, world.requirements()).error().what,
              HasSubstr("signed by itself"));
}

struct Peers : testing::Test {
  World world;
  ports::PeerRequirements peer{
      .roots_pem = world.root.certificate_pem(), .server_name = "edge01.example.com", .client_auth = false, .at = kNow};

  [[nodiscard]] std::string refusal(const std::string& chain) const {
    const Status accepted = world.pki->accepted_by(peer, chain);
    if (accepted) return {};
    EXPECT_EQ(accepted.error().kind, ErrorKind::kInvalid);
    return (accepted.error().code.empty() ? "" : accepted.error().code + ": ") + accepted.error().message();
  }
  [[nodiscard]] std::string refusal() const { return refusal(world.leaf.chain_pem); }
};

TEST_F(Peers, AcceptWhatEndsAtARootOfTheirs) {
  EXPECT_EQ(refusal(), "");
  peer.roots_pem = TestCa("Other").certificate_pem() + "# text between the certificates\n" + peer.roots_pem;
  EXPECT_EQ(refusal(), "");
}

TEST_F(Peers, NameTheRootThatTheyLack) {
  peer.roots_pem = TestCa("Other").certificate_pem();
  EXPECT_EQ(refusal(), "among its roots is no \"Root\", the issuer of \"CN=Sub 1\"");
  // Of the same name and another key.
  peer.roots_pem = TestCa("Root").certificate_pem();
  EXPECT_EQ(refusal(), "among its roots is no \"Root\", the issuer of \"CN=Sub 1\"");
}

// Each intermediate has to be sent: nothing is fetched, and one in the bundle is no root.
TEST_F(Peers, MissEveryIntermediateThatIsNotSent) {
  const std::string leaf_and_first = world.leaf.certificate_pem + world.sub2.certificate_pem();
  EXPECT_THAT(refusal(leaf_and_first), HasSubstr("among its roots is no \"Sub 1\""));
  EXPECT_THAT(refusal(world.leaf.certificate_pem), HasSubstr("among its roots is no \"Sub 2\""));
  peer.roots_pem += world.sub1.certificate_pem();
  EXPECT_THAT(refusal(leaf_and_first), HasSubstr("among its roots is no \"Sub 1\""));
}

TEST_F(Peers, TakeTheIssuersInAnyOrderAndARootThatIsSentForNothing) {
  const std::string parts = world.leaf.certificate_pem + world.root.certificate_pem() + world.sub1.certificate_pem() +
                            world.sub2.certificate_pem();
  EXPECT_EQ(refusal(parts), "");
  peer.roots_pem = TestCa("Other").certificate_pem();
  EXPECT_THAT(refusal(parts), HasSubstr("among its roots is no \"Root\""));
}

TEST_F(Peers, LookAtTheNameThatTheyDial) {
  peer.server_name = "edge02.example.com";
  EXPECT_EQ(refusal(), "the certificate does not cover \"edge02.example.com\"");
  peer.server_name = "192.0.2.7";
  EXPECT_EQ(refusal(), "");
  peer.server_name = "";
  EXPECT_EQ(refusal(), "") << "unless they do not look at it";
}

TEST_F(Peers, LookAtTheDates) {
  peer.at = support::kTestNotAfter;
  EXPECT_THAT(refusal(), HasSubstr("expired at"));
  peer.at = support::kTestNotBefore - std::chrono::seconds{1};
  EXPECT_THAT(refusal(), HasSubstr("is not valid before"));
}

TEST_F(Peers, LookAtTheUsagesThatTheyNeed) {
  const auto server_only = world.issue({.dns = {"edge01.example.com"}, .client_auth = false}).chain_pem;
  EXPECT_EQ(refusal(server_only), "");
  peer.client_auth = true;
  EXPECT_EQ(refusal(), "");
  EXPECT_THAT(refusal(server_only), HasSubstr("is not meant for client authentication"));
  const auto client_only =
      world.issue({.dns = {"edge01.example.com"}, .server_auth = false, .client_auth = true}).chain_pem;
  EXPECT_THAT(refusal(client_only), HasSubstr("is not meant for server authentication"));
}

TEST_F(Peers, WithoutReadableRootsSayNothingAboutTheChain) {
  peer.roots_pem = "";
  EXPECT_THAT(refusal(), HasSubstr("RootsUnreadable: it holds no root"));
  peer.roots_pem = world.sub1.certificate_pem();
  EXPECT_THAT(refusal(), HasSubstr("RootsUnreadable: it holds no root"));
  peer.roots_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_THAT(refusal(), HasSubstr("RootsUnreadable: "));
  peer.roots_pem = std::string(world.key.expose());
  EXPECT_THAT(refusal(), HasSubstr("RootsUnreadable: "));
}

TEST_F(Peers, RefuseWhatIsNoChain) {
  EXPECT_NE(refusal("junk"), "");
  EXPECT_NE(refusal(world.root.certificate_pem()), "");
}

}  // namespace
}  // namespace edgetrust::pki
