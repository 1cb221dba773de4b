// The engines of the smaller kinds while what they ask is failing: when they ask again.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;

// The world's own drivers, or an error in their place.
class Surroundings final : public ports::Backends {
 public:
  explicit Surroundings(ports::Backends& good) : good_(good) {}
  std::optional<Error> error;
  int asked = 0;

  Result<std::shared_ptr<ports::CertificateAuthority>> authority(const api::AcmeIssuer& issuer,
                                                                 std::stop_token stop) override {
    return answer(good_.authority(issuer, stop));
  }
  Result<ports::ExternalBinding> zero_ssl_binding(const api::AcmeIssuer& issuer, std::stop_token stop) override {
    return good_.zero_ssl_binding(issuer, std::move(stop));
  }
  Result<std::shared_ptr<ports::DnsZone>> zone(const api::AcmeIssuer& issuer, const std::string& name,
                                               std::stop_token stop) override {
    return answer(good_.zone(issuer, name, stop));
  }
  Result<std::shared_ptr<ports::EdgeFleet>> fleet(const api::GenesysConnection& connection,
                                                  std::stop_token stop) override {
    return answer(good_.fleet(connection, stop));
  }
  Result<std::shared_ptr<ports::Heartbeat>> heartbeat(const api::GenesysConnection& connection,
                                                      std::stop_token stop) override {
    return good_.heartbeat(connection, stop);
  }

 private:
  template <class Driver>
  Driver answer(Driver good) {
    ++asked;
    return error ? fail(*error) : std::move(good);
  }
  ports::Backends& good_;
};

struct KeepersTest : testing::Test {
  World world;
  reconcile::World real = world.ports();
  Surroundings around{real.backends};
  reconcile::World ports{real.clock,       real.certificates, real.edges,  real.policies, real.issuers,
                         real.connections, real.secrets,      real.events, around,        real.lookup,
                         real.probe,       real.pki,          real.slots};
  reconcile::IssuerReconciler issuers{ports};
  reconcile::FleetListings listings{ports};
  reconcile::ConnectionReconciler connections{ports, listings, {"voice"}};
  reconcile::EdgeReconciler edges{ports, listings};
  reconcile::PolicyReconciler policies{ports};

  static Error unavailable(std::optional<std::chrono::seconds> wish = {}) {
    return {.kind = ErrorKind::kUnavailable, .what = "the answer is 503", .retry_after = wish};
  }
  // One pass; how long until the next one.
  template <class Reconciler>
  std::chrono::milliseconds pass(Reconciler& reconciler, const std::string& name) {
    const auto outcome = reconciler.reconcile({"voice", name}, {});
    EXPECT_FALSE(outcome.error) << outcome.error->message();
    // An issuer that is well is looked at again when something changes; what the others find changes by itself.
    EXPECT_TRUE(outcome.wake_at || (name == "le" && !around.error)) << "it would never be looked at again";
    return outcome.wake_at ? *outcome.wake_at - world.clock.now() : std::chrono::milliseconds::max();
  }
  // Passes until it has failed `times` in a row; how long until the next one.
  template <class Reconciler>
  std::chrono::milliseconds fail_again(Reconciler& reconciler, const std::string& name, int times) {
    std::chrono::milliseconds wait{0};
    for (int i = 0; i < times; ++i) {
      world.clock.advance(wait);
      wait = pass(reconciler, name);
    }
    return wait;
  }
};

TEST_F(KeepersTest, AnIssuerComesWhenTheServerWishes) {
  around.error = unavailable(2h);
  EXPECT_EQ(pass(issuers, "le"), 2h);
  around.error = unavailable(1s);
  EXPECT_THAT(pass(issuers, "le"), testing::AllOf(testing::Ge(60s), testing::Le(72s)));
}

TEST_F(KeepersTest, WhatFailsAgainIsAskedLessOften) {
  around.error = unavailable();
  EXPECT_LE(pass(issuers, "le"), 36s);
  EXPECT_THAT(fail_again(issuers, "le", 9), testing::AllOf(testing::Ge(10min), testing::Le(12min)));
  EXPECT_LE(pass(connections, "prod"), 36s);
  EXPECT_THAT(fail_again(connections, "prod", 9), testing::AllOf(testing::Ge(10min), testing::Le(12min)));
  EXPECT_LE(pass(edges, "edge01"), 36s);
  EXPECT_THAT(fail_again(edges, "edge01", 9), testing::AllOf(testing::Ge(10min), testing::Le(12min)));
}

// The condition has the message; the log shall have the rest of the error.
TEST_F(KeepersTest, TellTheLogWhatFailedAndWhy) {
  around.error = unavailable();
  around.error->correlation_id = "7f3c";
  for (const auto& outcome : {issuers.reconcile({"voice", "le"}, {}), connections.reconcile({"voice", "prod"}, {}),
                              edges.reconcile({"voice", "edge01"}, {})}) {
    EXPECT_FALSE(outcome.effect.empty());
    ASSERT_TRUE(outcome.effect_error);
    EXPECT_EQ(outcome.effect_error->correlation_id, "7f3c");
    EXPECT_TRUE(outcome.wrote_status);
  }
  around.error.reset();
  world.clock.advance(1h);
  for (const auto& outcome : {issuers.reconcile({"voice", "le"}, {}), connections.reconcile({"voice", "prod"}, {}),
                              edges.reconcile({"voice", "edge01"}, {})}) {
    EXPECT_FALSE(outcome.effect_error);
  }
}

TEST_F(KeepersTest, SuccessBeginsTheCountAnew) {
  for (auto* reconcile_one : {+[](KeepersTest& t) { return t.pass(t.issuers, "le"); },
                              +[](KeepersTest& t) { return t.pass(t.connections, "prod"); },
                              +[](KeepersTest& t) { return t.pass(t.edges, "edge01"); }}) {
    around.error = unavailable();
    for (int i = 0; i < 9; ++i) {
      reconcile_one(*this);
      world.clock.advance(1min);
    }
    around.error.reset();
    world.clock.advance(1h);
    EXPECT_GE(reconcile_one(*this), 1min) << "nothing fails";
    around.error = unavailable();
    world.clock.advance(1h);
    EXPECT_LE(reconcile_one(*this), 36s);
  }
}

TEST_F(KeepersTest, AListingServesAllEdgesButAFailureOnlyThoseThatAskAtOnce) {
  api::Edge second = *world.edges.get({"voice", "edge01"});
  second.meta.name = "edge02";
  second.meta.uid = "uid-edge02";
  second.spec.edge_id = "99999999-2222-3333-4444-555555555555";
  world.edges.put(second);
  around.error = unavailable();
  pass(edges, "edge01");
  pass(edges, "edge02");
  EXPECT_EQ(around.asked, 1);
  // The connection is Ready again and wakes its Edges: they must not meet the failure of before.
  around.error.reset();
  world.clock.advance(10s);
  EXPECT_EQ(pass(edges, "edge01"), 1min);
  const auto known = world.edges.get({"voice", "edge01"});
  EXPECT_EQ(api::find(known->status.conditions, api::condition::kReady)->reason, "EdgeUnknown") << "the API answers";
  pass(edges, "edge02");
  EXPECT_EQ(around.asked, 2) << "once for the failure, once for both";
  // Another connection may be to another organization.
  api::GenesysConnection moved = *world.connections.get({"voice", "prod"});
  ++moved.meta.generation;
  world.connections.put(moved);
  pass(edges, "edge02");
  EXPECT_EQ(around.asked, 3);
}

// A changed Secret: the connection is Ready within a second of the failure, and wakes its Edges.
TEST_F(KeepersTest, AConnectionThatIsWellAgainForgivesWhatFailedBefore) {
  world.listed = {{.id = edgetrust::ports::EdgeId{"11111111-2222-3333-4444-555555555555"},
                   .name = "edge01",
                   .site = {},
                   .online = true,
                   .in_service = true,
                   .active = true,
                   .software_status = {},
                   .time_zone = {}}};
  around.error = Error{.kind = ErrorKind::kUnauthorized, .what = "the login refuses the OAuth client"};
  pass(edges, "edge01");
  pass(connections, "prod");
  around.error.reset();
  world.clock.advance(1s);
  pass(connections, "prod");
  EXPECT_EQ(pass(edges, "edge01"), 5min);
  const auto edge = world.edges.get({"voice", "edge01"});
  EXPECT_EQ(api::find(edge->status.conditions, api::condition::kReady)->status, api::Truth::kTrue);
}

// "Stalled since" is when it began, and a retry that finds the same writes nothing.
TEST_F(KeepersTest, WhatFailsAgainIsNotNews) {
  around.error = Error{.kind = ErrorKind::kUnauthorized, .what = "no"};
  (void)pass(issuers, "le");
  const auto before = world.issuers.get({"voice", "le"});
  world.clock.advance(1h);
  (void)pass(issuers, "le");
  EXPECT_EQ(world.issuers.get({"voice", "le"})->meta.resource_version, before->meta.resource_version);
  ASSERT_NE(api::find(before->status.conditions, api::condition::kStalled), nullptr);
}

TEST_F(KeepersTest, APolicySaysLongBeforeThatItsBudgetIsTooNarrow) {
  api::RotationPolicy policy = *world.policies.get({"voice", "default"});
  policy.spec.windows = {{.start = "02:00", .duration = 2h, .days = {}}};
  policy.spec.observe.reset();
  world.policies.put(policy);
  for (int i = 0; i < 12; ++i) {
    const std::string name = "many" + std::to_string(i);
    api::Edge edge = *world.edges.get({"voice", "edge01"});
    edge.meta.name = edge.meta.uid = name;
    edge.spec.site = name;
    world.edges.put(edge);
    api::EdgeCertificate certificate = *world.certificates.get({"voice", "edge01"});
    certificate.meta.name = certificate.meta.uid = name;
    certificate.spec.edge_ref.name = name;
    certificate.status.not_after = world.clock.now() + 24h;
    certificate.status.renewal_time = world.clock.now();
    world.certificates.put(certificate);
  }
  const auto infeasible = [&] {
    EXPECT_FALSE(policies.reconcile({"voice", "default"}, {}).error);
    const auto* found =
        api::find(world.policies.get({"voice", "default"})->status.conditions, api::condition::kInfeasible);
    return found == nullptr ? std::string("no") : found->reason + ": " + found->message;
  };
  EXPECT_THAT(infeasible(), testing::HasSubstr("Budget: 12 certificates expire"));
  api::RotationPolicy wide = *world.policies.get({"voice", "default"});
  wide.spec.budget = api::Budget{.max_concurrent = 2};
  world.policies.put(wide);
  EXPECT_EQ(infeasible(), "no");
}

TEST_F(KeepersTest, APolicySaysWhenItIsFrozenAndWhenItWillBe) {
  const TimePoint now = world.clock.now();
  api::RotationPolicy policy;
  policy.meta = {.ns = "voice", .name = "prod", .uid = "uid-prod", .generation = 1};
  policy.spec.freezes = {{.name = "later", .from = now + 100h, .to = now + 200h, .reason = {}},
                         {.name = "black-friday", .from = now + 2h, .to = now + 12h, .reason = "CHG0041"}};
  world.policies.put(policy);
  const auto status = [&] { return world.policies.get({"voice", "prod"})->status; };
  const auto frozen = [&] {
    const auto conditions = status().conditions;
    const auto* found = api::find(conditions, api::condition::kFrozen);
    return found == nullptr ? "" : found->message;
  };

  EXPECT_EQ(pass(policies, "prod"), 2h);
  EXPECT_EQ(status().state, api::PolicyState::kOpen);
  EXPECT_EQ(status().next_freeze, "black-friday (CHG0041) from 2026-11-22T14:00:00Z to 2026-11-23T00:00:00Z");
  EXPECT_EQ(frozen(), "");

  world.clock.advance(2h);
  EXPECT_EQ(pass(policies, "prod"), 10h);
  EXPECT_EQ(status().state, api::PolicyState::kFrozen);
  EXPECT_EQ(frozen(), "black-friday (CHG0041) from 2026-11-22T14:00:00Z to 2026-11-23T00:00:00Z");
  EXPECT_EQ(status().next_freeze, "later from 2026-11-26T16:00:00Z to 2026-11-30T20:00:00Z");

  world.clock.advance(10h);
  EXPECT_EQ(pass(policies, "prod"), 88h);
  EXPECT_EQ(status().state, api::PolicyState::kOpen);
  EXPECT_EQ(frozen(), "");
}

TEST_F(KeepersTest, APolicyThatCannotBeReadSaysNothingOfItsFleet) {
  const TimePoint now = world.clock.now();
  api::RotationPolicy policy = *world.policies.get({"voice", "default"});
  policy.spec.freezes = {{.name = "now", .from = now - 1h, .to = now + 1h, .reason = {}}};
  policy.status.soaked = {"le/root/RSA-2048/1"};
  world.policies.put(policy);
  const auto now_said = [&] { return world.policies.get({"voice", "default"}); };
  EXPECT_FALSE(policies.reconcile({"voice", "default"}, {}).error);
  ASSERT_EQ(now_said()->status.state, api::PolicyState::kFrozen);

  policy = *now_said();
  policy.broken = Error{.kind = ErrorKind::kInvalid, .what = "spec.windows: must be a list"};
  world.policies.put(policy);
  EXPECT_FALSE(policies.reconcile({"voice", "default"}, {}).error);
  const auto& status = now_said()->status;
  EXPECT_FALSE(status.state);
  EXPECT_FALSE(status.rollbacks);
  EXPECT_EQ(api::find(status.conditions, api::condition::kFrozen), nullptr);
  EXPECT_EQ(status.soaked, policy.status.soaked) << "what has soaked is remembered";
}

}  // namespace
}  // namespace edgetrust::simulation
