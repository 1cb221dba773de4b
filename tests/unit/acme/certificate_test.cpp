// Which of several chains is taken, and revocation.
#include "edgetrust/crypto/certificate.hpp"

#include "fake_acme.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::acme {
namespace {

using support::TestCa;

Config preferring(const std::string& root) {
  Config config;
  config.preferred_chain = root;
  return config;
}

constexpr const char* kAlternates =
    R"(<https://ca.example/directory>;rel="index", <https://ca.example/cert/1/1>;rel="alternate", <https://ca.example/cert/1/2>;rel="alternate")";

// A leaf under "Old Root", and the same under "New Root" and "Newest Root".
struct Chains {
  TestCa old_root{"Old Root"};
  TestCa new_root{"New Root"};
  TestCa newest_root{"Newest Root"};
  std::string old_chain = old_root.intermediate("inter").issue({.dns = {"a.example"}}).chain_pem;
  std::string new_chain = new_root.intermediate("inter").issue({.dns = {"a.example"}}).chain_pem;
  std::string newest_chain = newest_root.intermediate("inter").issue({.dns = {"a.example"}}).chain_pem;

  void serve(World& world) const {
    world.server.reply_always("/cert/1", answer(200, old_chain, {{"Link", kAlternates}}));
    world.server.reply_always("/cert/1/1", answer(200, new_chain));
    world.server.reply_always("/cert/1/2", answer(200, newest_chain));
  }
};

TEST(PreferredChain, IsTheOneThatEndsAtThatRoot) {
  const Chains chains;
  const std::map<std::string, std::string> want = {{"", chains.old_chain},         {"Old Root", chains.old_chain},
                                                   {"New Root", chains.new_chain}, {"Newest Root", chains.newest_chain},
                                                   {"inter", chains.old_chain},    {"No Such Root", chains.old_chain}};
  for (const auto& [root, chain] : want) {
    World world(preferring(root));
    chains.serve(world);
    EXPECT_EQ(world.client->certificate(at("/cert/1"), {}).value(), chain) << root;
  }
}

// It would be taken for good: so nothing is decided while an alternate cannot be fetched.
TEST(PreferredChain, IsNotSettledWithoutAllThatIsOffered) {
  const Chains chains;
  for (const Answer& trouble : {answer(503), lost_answer(), problem(429, "rateLimited")}) {
    World world(preferring("Newest Root"));
    chains.serve(world);
    world.server.reply("/cert/1/1", trouble);
    EXPECT_FALSE(world.client->certificate(at("/cert/1"), {}).has_value());
    EXPECT_EQ(world.client->certificate(at("/cert/1"), {}).value(), chains.newest_chain);
  }
}

TEST(PreferredChain, AnAlternateThatIsNoneIsLeftOut) {
  const Chains chains;
  for (const Answer& trouble : {answer(200, "<html>"), problem(404, "malformed"), answer(200, "")}) {
    World world(preferring("Newest Root"));
    chains.serve(world);
    world.server.reply("/cert/1/1", trouble);
    EXPECT_EQ(world.client->certificate(at("/cert/1"), {}).value(), chains.newest_chain);
  }
}

TEST(PreferredChain, IsNotLookedForBeyondABound) {
  const Chains chains;
  World world(preferring("No Such Root"));
  std::string links;
  for (int i = 0; i < 100; ++i)
    links += std::string(links.empty() ? "" : ", ") + "<https://ca.example/alt>;rel=alternate";
  world.server.reply("/cert/1", answer(200, chains.old_chain, {{"Link", links}}));
  world.server.reply_always("/alt", answer(200, chains.new_chain));
  EXPECT_EQ(world.client->certificate(at("/cert/1"), {}).value(), chains.old_chain);
  EXPECT_EQ(world.server.seen("/alt").size(), 8U);
}

TEST(PreferredChain, AnAlternateElsewhereIsNotFetched) {
  const Chains chains;
  World world(preferring("New Root"));
  world.server.reply("/cert/1", answer(200, chains.old_chain, {{"Link", "<https://evil.example/cert>;rel=alternate"}}));
  EXPECT_EQ(world.client->certificate(at("/cert/1"), {}).value(), chains.old_chain);
}

struct Revocation : testing::Test {
  TestCa ca{"root"};
  support::TestCertificate leaf = ca.intermediate("inter").issue({.dns = {"a.example"}});
  World world;

  Status revoke(const Secret& key = Secret()) {
    return world.client->revoke(leaf.chain_pem, ports::RevocationReason::kKeyCompromise, key, {});
  }
};

TEST_F(Revocation, NamesTheLeafAndTheReason) {
  world.server.reply("/revoke-cert", answer(200));
  EXPECT_TRUE(revoke().has_value());
  const auto seen = world.server.seen("/revoke-cert");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].kid, at("/account/1"));
  const auto payload = json::Document::parse(seen[0].payload).value();
  EXPECT_EQ(payload.root()["reason"].integer(), 1);
  const auto named = crypto::Certificate::from_der(from_base64url(payload.root()["certificate"].string_or("")).value());
  EXPECT_EQ(named->facts().fingerprint_sha256, crypto::parse_chain(leaf.chain_pem)->front().facts().fingerprint_sha256);
}

TEST_F(Revocation, IsDoneOnceHoweverOftenItIsCalled) {
  world.server.reply("/revoke-cert", lost_answer());
  world.server.reply("/revoke-cert", problem(400, "alreadyRevoked"));
  EXPECT_TRUE(revoke().error().maybe_executed);
  EXPECT_TRUE(revoke().has_value());
}

// Another account ordered it: its own key speaks for it as well (RFC 8555 section 7.6).
TEST_F(Revocation, IsSignedByTheLeafsKeyWhereTheAccountMayNot) {
  world.server.reply("/revoke-cert", problem(403, "unauthorized"));
  world.server.reply("/revoke-cert", answer(200));
  EXPECT_TRUE(revoke(Secret(leaf.key_pem)).has_value());
  const auto seen = world.server.seen("/revoke-cert");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].kid, "");
  EXPECT_EQ(seen[1].payload, seen[0].payload);
  world.server.reply("/revoke-cert", problem(403, "unauthorized"));
  EXPECT_EQ(revoke().error().kind, ErrorKind::kUnauthorized);
}

TEST_F(Revocation, IsNotOfferedByEveryServer) {
  const auto begin = world.server.directory.find(R"("revokeCert")");
  world.server.directory.erase(begin, world.server.directory.find(R"("meta")") - begin);
  EXPECT_EQ(revoke().error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace edgetrust::acme
