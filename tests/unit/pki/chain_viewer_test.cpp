#include "edgetrust/base/time_text.hpp"
#include "edgetrust/pki/pki.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::pki {
namespace {

using support::TestCa;
using testing::HasSubstr;
using testing::IsEmpty;

const TimePoint kNow = parse_rfc3339("2026-11-22T12:00:00Z").value();

// leaf <- Sub <- Root, for api.example.com
struct World {
  TestCa root{"Root"};
  TestCa sub = root.intermediate("Sub");
  support::TestCertificate leaf = sub.issue({.common_name = "api.example.com", .dns = {"api.example.com"}});
  std::unique_ptr<ports::ChainViewer> viewer =
      make_chain_viewer(std::make_shared<crypto::PublicRoots>(testing::TempDir() + "no-such-file.pem"));

  [[nodiscard]] ports::ViewRequirements wanted() const {
    return {.server_name = "api.example.com", .at = kNow, .roots_pem = root.certificate_pem()};
  }
  [[nodiscard]] ports::ChainView view(const std::string& chain, const ports::ViewRequirements& how) const {
    return viewer->view(chain, how).value();
  }
};

std::vector<std::string> subjects(const std::vector<ports::SeenCertificate>& chain) {
  std::vector<std::string> all;
  for (const auto& certificate : chain) all.push_back(certificate.subject);
  return all;
}

TEST(ChainViewer, TellsTheWayToTheRoot) {
  const World world;
  const auto view = world.view(world.leaf.chain_pem, world.wanted());
  EXPECT_EQ(view.problem, "");
  EXPECT_EQ(view.presented.size(), 2U);
  ASSERT_EQ(view.validated.size(), 3U);
  EXPECT_THAT(subjects(view.validated)[0], HasSubstr("api.example.com"));
  EXPECT_THAT(subjects(view.validated)[1], HasSubstr("Sub"));
  EXPECT_THAT(subjects(view.validated)[2], HasSubstr("Root"));
  EXPECT_EQ(view.validated[0].issuer, "Sub");
  EXPECT_EQ(view.leaf_pem, world.leaf.certificate_pem);
  EXPECT_EQ(view.presented[0].pem, world.leaf.certificate_pem);
  EXPECT_EQ(view.validated[2].pem, world.root.certificate_pem());
  const auto facts = make_pki(std::make_shared<crypto::PublicRoots>())->inspect(world.leaf.chain_pem).value();
  EXPECT_EQ(view.validated[0].certificate_sha256, facts.fingerprint_sha256);
  EXPECT_EQ(view.validated[0].public_key_sha256, facts.public_key_sha256);
  EXPECT_EQ(view.validated[0].not_after, facts.not_after);
}

TEST(ChainViewer, ACrossSignedRootIsTheOneThatIsKnown) {
  World world;
  const TestCa older("Older root");
  const std::string chain = world.leaf.chain_pem + older.cross_sign(world.root);
  auto wanted = world.wanted();
  const auto by_root = world.view(chain, wanted);
  EXPECT_EQ(by_root.problem, "");
  EXPECT_EQ(by_root.presented.size(), 3U);
  EXPECT_EQ(by_root.validated.size(), 3U);
  EXPECT_EQ(by_root.validated.back().issuer, "Root");
  wanted.roots_pem = older.certificate_pem();
  const auto by_older = world.view(chain, wanted);
  EXPECT_EQ(by_older.validated.size(), 4U);
  EXPECT_EQ(by_older.validated[2].public_key_sha256, by_root.validated[2].public_key_sha256)
      << "a pin of the root's key holds either way";
}

TEST(ChainViewer, ARootThatIsPresentedIsThereOnce) {
  const World world;
  EXPECT_EQ(world.view(world.leaf.chain_pem + world.root.certificate_pem(), world.wanted()).validated.size(), 3U);
}

TEST(ChainViewer, SaysWhyAChainDoesNotValidate) {
  const World world;
  const auto problem = [&](const std::string& chain, const std::function<void(ports::ViewRequirements&)>& change) {
    auto wanted = world.wanted();
    change(wanted);
    const auto view = world.view(chain, wanted);
    EXPECT_THAT(view.validated, IsEmpty());
    EXPECT_FALSE(view.presented.empty()) << "it is seen all the same";
    return view.problem;
  };
  const auto same = [](auto&) {};
  EXPECT_THAT(problem(world.leaf.chain_pem, [](auto& w) { w.server_name = "other.example.com"; }),
              HasSubstr("does not cover \"other.example.com\""));
  EXPECT_THAT(problem(world.leaf.chain_pem, [](auto& w) { w.at = support::kTestNotAfter; }), HasSubstr("expired"));
  EXPECT_THAT(problem(world.leaf.certificate_pem, same), HasSubstr("\"Sub\""));
  const TestCa proxy("Proxy CA");
  EXPECT_THAT(problem(proxy.issue({.dns = {"api.example.com"}}).chain_pem, same), HasSubstr("Proxy CA"));
  EXPECT_THAT(problem(support::self_signed({.dns = {"api.example.com"}}).certificate_pem, same), HasSubstr("root"));
  EXPECT_THAT(problem(world.sub.issue({.dns = {"api.example.com"}, .server_auth = false}).chain_pem, same),
              HasSubstr("server authentication"));
  EXPECT_THAT(problem(world.sub.certificate_pem() + world.leaf.certificate_pem, same), HasSubstr("first certificate"));
}

TEST(ChainViewer, WhatIsNoChainIsAnError) {
  const World world;
  EXPECT_EQ(world.viewer->view("nothing", world.wanted()).error().kind, ErrorKind::kInvalid);
  auto wanted = world.wanted();
  wanted.roots_pem.clear();
  EXPECT_EQ(world.viewer->view(world.leaf.chain_pem, wanted).error().kind, ErrorKind::kUnavailable)
      << "the public roots are missing";
  for (const std::string& roots : {std::string("nothing"), world.leaf.certificate_pem}) {
    wanted.roots_pem = roots;
    const auto error = world.viewer->view(world.leaf.chain_pem, wanted).error();
    EXPECT_EQ(error.code, ports::kRootsUnreadable) << error.message();
  }
}

}  // namespace
}  // namespace edgetrust::pki
