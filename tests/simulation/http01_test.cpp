// Names that are proved by http-01, with the real engine, crashed at every change of the world. The CA finds an answer
// where the status of an object has it, whoever is up: the answers are no one process's.
#include "edgetrust/api/conditions.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using When = Moments::When;
using ports::WebPage;

const api::EdgeCertificate& certificate(const World& world) { return *world.certificates.get({"voice", "edge01"}); }

int said(const World& world, const std::string& reason) {
  return static_cast<int>(std::ranges::count(world.events, reason, &World::Event::reason));
}

// edge01.example.com by HTTP; with `mixed` a wildcard beside it, which only DNS proves.
void solve_by_http(World& world, bool mixed = false) {
  api::AcmeIssuer issuer = *world.issuers.get({"voice", "le"});
  if (!mixed) issuer.spec.solvers.clear();
  api::Solver solver{.http01 = api::Http01Solver{}};
  solver.selector = api::SolverSelector{.dns_zones = {"example.com"}, .dns_names = {}};
  issuer.spec.solvers.push_back(solver);
  world.issuers.put(issuer);
  if (!mixed) return;
  api::EdgeCertificate changed = certificate(world);
  changed.spec.dns_names.push_back("*.edge01.example.com");
  world.certificates.put(changed);
}

struct Told {
  std::unique_ptr<World> world = std::make_unique<World>();
  bool came_to_rest = false;
};
Told tell(bool mixed, int crash_at, When when) {
  Told told;
  solve_by_http(*told.world, mixed);
  if (crash_at > 0) told.world->moments.crash_at(crash_at, when);
  told.came_to_rest = run(*told.world, 10min);
  return told;
}

std::string wrong_about(const Told& told) {
  const World& world = *told.world;
  const auto& status = certificate(world).status;
  if (!told.came_to_rest) return "the engine does not come to rest";
  if (status.phase != api::Phase::kReady || status.revision != 1) return "it is not Ready";
  if (world.orders != 1) return std::to_string(world.orders) + " orders instead of 1";
  if (status.order) return "the order, and the answers with it, are left behind";
  if (!world.records.empty()) return "a TXT record is left behind";
  if (!certificate(world).meta.finalizers.empty()) return "a finalizer is left behind";
  if (said(world, "HttpChallengeNotServed") + said(world, "OrderInvalid") != 0) return "a proof failed";
  return {};
}

TEST(Http01, IsProvedByAnAnswerAloneAndHoldsNothingUp) {
  const Told told = tell(false, 0, When::kBefore);
  EXPECT_EQ(wrong_about(told), "");
  EXPECT_EQ(std::ranges::count(told.world->moments.log, "present"), 0);
  EXPECT_EQ(std::ranges::count(told.world->moments.log, "answer"), 1);
  EXPECT_EQ(told.world->web_looks, 2) << "at once, and at the end of the wait";
}

// Behind one name stand several operators, one of which reads the answers late or not at all.
TEST(Http01, TheRightAnswerHasToStay) {
  World world;
  solve_by_http(world);
  int looks = 0;
  world.web_instead = [&](const auto& /*host*/) -> std::optional<Result<WebPage>> {
    EXPECT_EQ(std::ranges::count(world.moments.log, "answer"), 0);
    if (++looks % 2 == 0 && looks < 10) return WebPage{.status = 404, .body = {}};
    return std::nullopt;
  };
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_GE(looks, 10);
  EXPECT_EQ(world.orders, 1);
}

TEST(Http01, CrashedAtEveryChangeItIsIssuedWithOneOrder) {
  for (const bool mixed : {false, true}) {
    const Told whole = tell(mixed, 0, When::kBefore);
    ASSERT_EQ(wrong_about(whole), "") << mixed;
    EXPECT_EQ(std::ranges::count(whole.world->moments.log, "present"), mixed ? 1 : 0);
    EXPECT_EQ(whole.world->zones_asked, mixed ? std::set<std::string>{"*.edge01.example.com"} : std::set<std::string>{})
        << "the solver of the name itself writes no record";
    const int changes = whole.world->moments.count();
    ASSERT_GT(changes, 10);
    for (int n = 1; n <= changes; ++n) {
      for (const When when : {When::kBefore, When::kAfter}) {
        const Told told = tell(mixed, n, when);
        EXPECT_EQ(wrong_about(told), "") << "crash " << (when == When::kBefore ? "before" : "after") << " change " << n
                                         << " (" << told.world->moments.log.at(static_cast<std::size_t>(n) - 1) << ")"
                                         << (mixed ? ", mixed" : "");
      }
    }
  }
}

// Another server answers there: the CA is not asked, and no order counts against its limit of failed proofs.
TEST(Http01, WhatIsCertainlyWrongIsNeverShownToTheCa) {
  for (const auto& page : {WebPage{404, "another's"}, WebPage{503, ""}, WebPage{200, "another's"},
                           WebPage{.status = 404, .cut = true}, WebPage{.status = 200, .cut = true}}) {
    const int status = page.status;
    World world;
    solve_by_http(world);
    world.web_instead = [&](const auto& /*host*/) { return page; };
    ASSERT_TRUE(run(world, 30min));
    EXPECT_EQ(said(world, "HttpChallengeNotServed"), 1) << status;
    EXPECT_EQ(std::ranges::count(world.moments.log, "answer"), 0) << status;
    EXPECT_EQ(world.deactivated.size(), 1U) << "what is left pending counts at the CA as well";
    EXPECT_TRUE(certificate(world).status.order->http_answers.empty());
    EXPECT_THAT(certificate(world).status.order->last_error,
                testing::HasSubstr("http://edge01.example.com/.well-known/acme-challenge/token-order1-"));
    // Somebody has mended it when the next order is made.
    world.web_instead = [](const auto& /*host*/) { return std::nullopt; };
    ASSERT_TRUE(run(world, 2h));
    EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
    EXPECT_EQ(world.orders, 2);
  }
}

TEST(Http01, WhatIsWrongForAMomentIsWaitedFor) {
  World world;
  solve_by_http(world);
  int wrong = 20;
  world.web_instead = [&](const auto& /*host*/) -> std::optional<Result<WebPage>> {
    if (wrong-- > 0) return WebPage{.status = 404, .body = {}};
    return std::nullopt;
  };
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_EQ(world.orders, 1);
}

// The operator stands behind a NAT that does not turn around, or in another view of the DNS: the CA can tell.
TEST(Http01, WhereNobodyHereCanTellTheCaIsAsked) {
  const Result<WebPage> unreachable = fail(ErrorKind::kTimeout, "no answer");
  const Result<WebPage> unknown = fail(ErrorKind::kNotFound, "no such name");
  const Result<WebPage> redirected = WebPage{.status = 301, .body = {}};
  for (const auto& found : {unreachable, unknown, redirected}) {
    World world;
    solve_by_http(world);
    world.web_instead = [&](const auto& /*host*/) { return found; };
    ASSERT_TRUE(run(world, 10min));
    EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
    EXPECT_EQ(world.orders, 1);
    EXPECT_EQ(world.web_looks, 2) << "a host that hangs is not asked often";
  }
}

TEST(Http01, AnOperatorThatGivesNoAnswersOrdersNothing) {
  World world;
  solve_by_http(world);
  world.serves_http01 = false;
  ASSERT_TRUE(run(world, 1h));
  EXPECT_EQ(api::find(certificate(world).status.conditions, api::condition::kReady)->reason, "NoHttpEndpoint");
  EXPECT_EQ(world.orders, 0);
  EXPECT_TRUE(world.keys_ever.empty());
  world.serves_http01 = true;
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
}

// The name that only DNS proves has no record yet: there is nothing to remove, and nobody is told to do so by hand.
TEST(Http01, OfAMixedOrderNoRecordIsWrittenBeforeTheAnswersAreRight) {
  World world;
  solve_by_http(world, true);
  world.web_instead = [](const auto& /*host*/) { return WebPage{.status = 404, .body = {}}; };
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(said(world, "HttpChallengeNotServed"), 1);
  EXPECT_EQ(std::ranges::count(world.moments.log, "present") + std::ranges::count(world.moments.log, "remove"), 0);
}

// The account gets another key while the CA has the order: what it looks for has the new one's thumbprint.
TEST(Http01, ANewAccountKeyChangesTheAnswer) {
  World world;
  solve_by_http(world);
  world.web_instead = [](const auto& /*host*/) { return WebPage{.status = 404, .body = {}}; };
  ASSERT_TRUE(run(world, 30s));
  const auto before = certificate(world).status.order;
  ASSERT_TRUE(before && !before->http_answers.empty());
  world.account_keys.emplace_back("the second");
  world.web_instead = [](const auto& /*host*/) { return std::nullopt; };
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_EQ(world.orders, 1);
  EXPECT_EQ(said(world, "OrderInvalid"), 0);
}

// A CA may give the orders of two EdgeCertificates the same authorization. One that gives up does not take it away.
TEST(Http01, AnAuthorizationThatAnotherOrderMayNeedIsLeftPending) {
  for (const bool is_shared : {true, false}) {
    World world;
    solve_by_http(world);
    api::EdgeCertificate other = certificate(world);
    other.meta.name = "edge02";
    other.meta.uid = "uid-of-edge02";
    other.spec.edge_ref.name = "edge02";
    other.spec.dns_names = {is_shared ? "edge01.example.com" : "edge02.example.com"};
    other.status.order = api::OrderStatus{.revision = 1, .url = "order-of-edge02"};
    other.status.order->server = world.issuers.get({"voice", "le"})->spec.server;
    world.certificates.put(other);
    world.web_instead = [](const auto& /*host*/) { return WebPage{.status = 404, .body = {}}; };
    ASSERT_TRUE(run(world, 30min));
    EXPECT_EQ(said(world, "HttpChallengeNotServed"), 1);
    EXPECT_EQ(world.deactivated.size(), is_shared ? 0U : 1U);
    EXPECT_TRUE(certificate(world).status.order->abandoned.empty());
  }
}

// The CA says no after all: why it did is what it says of this challenge.
TEST(Http01, ARefusedProofIsForgottenWithItsOrder) {
  World world;
  solve_by_http(world);
  world.refused_orders = 1;
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(said(world, "OrderInvalid"), 1);
  EXPECT_TRUE(certificate(world).status.order->http_answers.empty());
  ASSERT_TRUE(run(world, 2h));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
}

}  // namespace
}  // namespace edgetrust::simulation
