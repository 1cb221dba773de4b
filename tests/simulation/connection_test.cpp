// What a connection counts, tells and pings.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using api::Phase;
using testing::ElementsAre;
using testing::HasSubstr;

struct ConnectionTest : testing::Test {
  World world;
  reconcile::World ports = world.ports();
  reconcile::FleetListings listings{ports};
  reconcile::ConnectionReconciler connections{ports, listings, {"voice", "video"}};
  reconcile::EdgeReconciler edges{ports, listings};
  const api::ObjectKey key{"voice", "prod"};

  ConnectionTest() { world.listed = {listed("11111111-2222-3333-4444-555555555555", "edge01")}; }

  static ports::EdgeInfo listed(const std::string& id, const std::string& name) {
    return {.id = ports::EdgeId{id},
            .name = name,
            .site = {},
            .online = true,
            .in_service = true,
            .active = true,
            .software_status = {},
            .time_zone = {}};
  }
  // One pass; how long until the next one.
  std::chrono::milliseconds pass() {
    const auto outcome = connections.reconcile(key, {});
    EXPECT_FALSE(outcome.error);
    return outcome.wake_at.value() - world.clock.now();
  }
  // The pass that follows a change of what is counted.
  std::chrono::milliseconds recount() {
    connections.recount(key);
    return pass();
  }
  [[nodiscard]] api::GenesysConnection connection() const { return *world.connections.get(key); }
  [[nodiscard]] api::EdgeCounts counts() const { return connection().status.edges.value(); }
  [[nodiscard]] api::Condition condition(std::string_view type) const {
    const auto object = connection();
    const auto* found = api::find(object.status.conditions, type);
    return found == nullptr ? api::Condition{} : *found;
  }
  void set(const std::function<void(api::GenesysConnection&)>& change) {
    api::GenesysConnection next = connection();
    change(next);
    ++next.meta.generation;
    world.connections.put(next);
  }
  void certificate(const std::function<void(api::EdgeCertificate&)>& change, const std::string& name = "edge01") {
    api::EdgeCertificate next = *world.certificates.get({"voice", "edge01"});
    next.meta.name = name;
    change(next);
    world.certificates.put(next);
  }
  void phase(Phase phase) {
    certificate([&](auto& c) { c.status.phase = phase; });
  }
  [[nodiscard]] std::vector<std::string> said() const {
    std::vector<std::string> said;
    for (const auto& event : world.events) said.push_back((event.warning ? "! " : "") + event.reason);
    return said;
  }
  void live(TimePoint renewal, TimePoint not_after) {
    certificate([&](auto& c) {
      c.status.phase = Phase::kReady;
      c.status.renewal_time = renewal;
      c.status.not_after = not_after;
    });
  }
  void with_heartbeat(std::optional<api::Duration> interval = {}) {
    set([&](auto& c) { c.spec.heartbeat = api::Heartbeat{{"snitch", "url"}, {}, interval}; });
    live(world.clock.now() + 100h, world.clock.now() + 200h);
  }
};

TEST_F(ConnectionTest, CountsItsEdgesAndWhatHappensToThem) {
  (void)edges.reconcile({"voice", "edge01"}, {});
  api::Edge other = *world.edges.get({"voice", "edge01"});
  other.meta.name = "of-another-connection";
  other.spec.connection_ref.name = "test";
  world.edges.put(other);
  phase(Phase::kReady);
  (void)pass();
  EXPECT_EQ(counts().total, 1);
  EXPECT_EQ(counts().ready, 1);
  EXPECT_EQ(counts().rotating, 0);
  EXPECT_EQ(counts().rolled_back, 0);
  for (const Phase one : {Phase::kDraining, Phase::kDelivering, Phase::kObserving, Phase::kRollingBack}) {
    phase(one);
    (void)recount();
    EXPECT_EQ(counts().rotating, 1) << to_string(one);
  }
  phase(Phase::kRolledBack);
  (void)recount();
  EXPECT_EQ(counts().rotating, 0);
  EXPECT_EQ(counts().rolled_back, 1);
}

TEST_F(ConnectionTest, CountingAsksNobody) {
  EXPECT_EQ(pass(), 5min);
  const int listings_before = world.edge_listings;
  world.clock.advance(1min);
  phase(Phase::kObserving);
  EXPECT_EQ(recount(), 4min) << "and does not put off the next look";
  EXPECT_EQ(world.fleet_checks, 1);
  EXPECT_EQ(world.edge_listings, listings_before);
  (void)pass();
  EXPECT_EQ(world.fleet_checks, 2) << "what comes by itself asks";
}

TEST_F(ConnectionTest, CountingAsksAnewWhereWhatWasAskedHasChanged) {
  (void)pass();
  set([](auto& c) { c.spec.time_zone = "Europe/Dublin"; });
  (void)recount();
  EXPECT_EQ(world.fleet_checks, 2) << "another spec";
  world.edges.erase({"voice", "edge01"});
  (void)recount();
  EXPECT_EQ(world.fleet_checks, 3) << "the last Edge has gone: there is nobody to ask the status call of";
  world.clock.advance(6min);
  (void)recount();
  EXPECT_EQ(world.fleet_checks, 4) << "it is time";
}

TEST_F(ConnectionTest, ReportsAppliancesWithoutAnObjectInAnyNamespace) {
  auto cloud = listed("22222222-2222-3333-4444-555555555555", "cloud");
  cloud.appliance = false;
  auto deleted = listed("33333333-2222-3333-4444-555555555555", "deleted");
  deleted.active = false;
  api::Edge elsewhere = *world.edges.get({"voice", "edge01"});
  elsewhere.meta.ns = "video";
  elsewhere.spec.edge_id = "AAAAAAAA-2222-3333-4444-555555555555";
  world.edges.put(elsewhere);
  world.listed.insert(world.listed.end(),
                      {cloud, deleted, listed("aaaaaaaa-2222-3333-4444-555555555555", "edge-elsewhere"),
                       listed("bbbbbbbb-2222-3333-4444-555555555555", "edge03"),
                       listed("cccccccc-2222-3333-4444-555555555555", "edge02")});
  (void)pass();
  EXPECT_EQ(counts().unmanaged, 2);
  EXPECT_EQ(counts().total, 1);
  EXPECT_THAT(said(), ElementsAre("Ready", "! UnmanagedEdges"));
  EXPECT_THAT(world.events.back().message, HasSubstr("2 in Genesys without an Edge object: edge02, edge03"));
  world.clock.advance(5min);
  (void)pass();
  EXPECT_EQ(said().size(), 2U) << "once";
  elsewhere.spec.edge_id = "bbbbbbbb-2222-3333-4444-555555555555";
  elsewhere.meta.name = "edge03";
  world.edges.put(elsewhere);
  const int before = world.edge_listings;
  (void)recount();
  EXPECT_EQ(counts().unmanaged, 1);
  EXPECT_EQ(world.edge_listings, before) << "what was listed a moment ago will do";
}

TEST_F(ConnectionTest, DisabledDiscoveryListsNothing) {
  set([](auto& c) { c.spec.discovery = api::Discovery{api::DiscoveryMode::kDisabled}; });
  world.listed.push_back(listed("bbbbbbbb-2222-3333-4444-555555555555", "edge03"));
  (void)pass();
  EXPECT_EQ(counts().unmanaged, std::nullopt);
  EXPECT_EQ(world.edge_listings, 0);
}

TEST_F(ConnectionTest, AListingServesEdgesAndConnection) {
  (void)edges.reconcile({"voice", "edge01"}, {});
  (void)pass();
  EXPECT_EQ(world.edge_listings, 1);
  EXPECT_EQ(world.trunk_listings, 1);
}

TEST_F(ConnectionTest, TheStandbyInUseIsToldOnceAndItsEndToo) {
  world.client = {.id = "client-2", .standby = true, .trouble = "Secret a is refused", .state = {}, .delete_after = {}};
  (void)pass();
  EXPECT_EQ(connection().status.credentials->client, "client-2");
  EXPECT_EQ(condition(api::condition::kCredentialsValid).status, api::Truth::kTrue);
  EXPECT_EQ(condition(api::condition::kCredentialsValid).reason, "StandbyInUse");
  EXPECT_THAT(condition(api::condition::kCredentialsValid).message, HasSubstr("Secret a is refused"));
  EXPECT_EQ(condition(api::condition::kReady).status, api::Truth::kTrue);
  world.clock.advance(5min);
  (void)pass();
  world.client = {.id = "client-1", .standby = false, .trouble = {}, .state = {}, .delete_after = {}};
  (void)pass();
  EXPECT_EQ(condition(api::condition::kCredentialsValid).reason, "LoggedIn");
  EXPECT_THAT(said(), ElementsAre("Ready", "! StandbyInUse", "LoggedIn"));
}

TEST_F(ConnectionTest, ASpareThatCannotBeUsedIsToldAndStopsNothing) {
  world.client.trouble = "standbyCredentialsRef cannot be used: no Secret b";
  (void)pass();
  EXPECT_EQ(condition(api::condition::kCredentialsValid).reason, "StandbyUnusable");
  EXPECT_EQ(condition(api::condition::kReady).status, api::Truth::kTrue);
  EXPECT_THAT(said(), ElementsAre("Ready", "! StandbyUnusable"));
}

TEST_F(ConnectionTest, AClientThatWillBeDeletedIsTold) {
  world.client.state = "inactive";
  world.client.delete_after = "2027-01-02T03:04:05Z";
  (void)pass();
  EXPECT_EQ(connection().status.credentials->state, "inactive");
  EXPECT_EQ(connection().status.credentials->delete_after, "2027-01-02T03:04:05Z");
  EXPECT_THAT(said(), ElementsAre("Ready", "! ClientWillBeDeleted"));
}

TEST_F(ConnectionTest, AQuietEdgeIsReadFromTheListing) {
  const ports::EdgeId id{"11111111-2222-3333-4444-555555555555"};
  world.trunks[id] = {{.name = "SBC", .peer = {}, .state = ports::TrunkState::kUp, .since = {}, .error = {}}};
  const auto sip = [&] {
    const auto edge = world.edges.get({"voice", "edge01"});
    return api::find(edge->status.conditions, api::condition::kSipHealthy)->reason;
  };
  (void)edges.reconcile({"voice", "edge01"}, {});
  EXPECT_EQ(sip(), "TrunksUp");
  EXPECT_EQ(world.trunk_calls, 0);
  // A rotation has ended: what was listed before tells nothing of it.
  world.clock.advance(5s);
  edges.look_closely({"voice", "edge01"});
  world.trunks[id][0].state = ports::TrunkState::kDown;
  world.clock.advance(100ms);
  (void)edges.reconcile({"voice", "edge01"}, {});
  EXPECT_EQ(sip(), "TrunkDown");
  EXPECT_EQ(world.trunk_calls, 1);
  world.trunks[id][0].state = ports::TrunkState::kUp;
  (void)edges.reconcile({"voice", "edge01"}, {});
  EXPECT_EQ(sip(), "TrunksUp") << "the old listing does not come back";
  EXPECT_EQ(world.trunk_calls, 2);
  world.clock.advance(5min);
  (void)edges.reconcile({"voice", "edge01"}, {});
  EXPECT_EQ(world.trunk_calls, 2) << "a newer listing will do";
  EXPECT_EQ(world.trunk_listings, 2);
}

TEST_F(ConnectionTest, TheHeartbeatBeatsOnceAnInterval) {
  with_heartbeat(1h);
  const TimePoint begin = world.clock.now();
  for (auto wait = pass(); world.clock.now() + wait < begin + 10h;) {
    world.clock.advance(wait);
    wait = pass();
  }
  EXPECT_EQ(world.pings.size(), 10U);
  for (std::size_t i = 1; i < world.pings.size(); ++i) EXPECT_GE(world.pings[i] - world.pings[i - 1], 1h);
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).reason, "Sent");
  EXPECT_EQ(connection().status.heartbeat->at, world.pings.back());
}

TEST_F(ConnectionTest, AShortIntervalCostsTheVendorNothing) {
  world.clock.advance(700ms);
  with_heartbeat(1min);
  const TimePoint begin = world.clock.now();
  while (world.clock.now() < begin + 10min) world.clock.advance(pass());
  EXPECT_EQ(world.pings.size(), 10U);
  for (std::size_t i = 1; i < world.pings.size(); ++i) EXPECT_GE(world.pings[i] - world.pings[i - 1], 1min);
  EXPECT_EQ(world.fleet_checks, 2);
}

TEST_F(ConnectionTest, ARestartDoesNotBeatAnew) {
  with_heartbeat(1h);
  (void)pass();
  reconcile::ConnectionReconciler after_restart(ports, listings, {"voice"});
  world.clock.advance(10min);
  (void)after_restart.reconcile(key, {});
  EXPECT_EQ(world.pings.size(), 1U);
}

TEST_F(ConnectionTest, NothingIsPingedWhileARotationIsBehind) {
  with_heartbeat(1h);
  (void)pass();
  ASSERT_EQ(world.pings.size(), 1U);
  certificate([](auto& c) {
    c.status.phase = Phase::kRolledBack;
    api::set(c.status.conditions,
             {.type = "Stalled",
              .status = api::Truth::kTrue,
              .reason = "RolledBack",
              .message = {},
              .observed_generation = 1},
             {});
  });
  (void)recount();
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).reason, "NotOnSchedule");
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).message, "edge01 is stalled (RolledBack)");
  for (int i = 0; i < 30; ++i) world.clock.advance(pass());
  EXPECT_EQ(world.pings.size(), 1U);
  EXPECT_THAT(said(), ElementsAre("Ready", "! HeartbeatStopped"));
  certificate([](auto& c) {
    c.status.phase = Phase::kReady;
    api::remove(c.status.conditions, "Stalled");
  });
  (void)recount();
  EXPECT_EQ(world.pings.size(), 2U) << "on schedule again";
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).reason, "Sent");
}

TEST_F(ConnectionTest, OnlyItsOwnCertificatesHoldAHeartbeat) {
  with_heartbeat();
  api::Edge elsewhere = *world.edges.get({"voice", "edge01"});
  elsewhere.meta.name = elsewhere.meta.uid = "edge-of-another";
  elsewhere.spec.connection_ref.name = "another";
  world.edges.put(elsewhere);
  certificate(
      [](auto& c) {
        c.spec.edge_ref.name = "edge-of-another";
        c.status.phase = Phase::kFailed;
      },
      "another");
  certificate(
      [this](auto& c) {
        c.status.phase = Phase::kFailed;
        c.meta.deletion_time = world.clock.now();
      },
      "going");
  (void)pass();
  EXPECT_EQ(world.pings.size(), 1U);
}

TEST_F(ConnectionTest, ACertificateWhoseEdgeIsGoneHoldsTheHeartbeatTooOnceItIsBehind) {
  with_heartbeat();
  certificate(
      [](auto& c) {
        c.spec.edge_ref.name = "gone";
        c.status.phase = Phase::kFailed;
      },
      "orphan");
  (void)pass();
  EXPECT_TRUE(world.pings.empty());
}

TEST_F(ConnectionTest, ACertificateThatCannotBeReadHoldsTheHeartbeat) {
  with_heartbeat();
  certificate(
      [](auto& c) {
        c.spec = {};
        c.broken = Error{.kind = ErrorKind::kInvalid, .what = "spec.edgeRef: no object"};
      },
      "broken");
  (void)pass();
  EXPECT_TRUE(world.pings.empty());
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).message, "broken cannot be read");
}

TEST_F(ConnectionTest, APingThatFailsIsToldAndTriedAgainInFiveMinutes) {
  with_heartbeat();
  world.ping_answer = fail(ErrorKind::kUnavailable, "the heartbeat's URL is answered with 503");
  EXPECT_EQ(pass(), 5min);
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).reason, "HeartbeatUnavailable");
  EXPECT_EQ(condition(api::condition::kReady).status, api::Truth::kTrue);
  (void)recount();
  EXPECT_EQ(world.pings.size(), 1U) << "not for each thing that is counted";
  world.ping_answer = {};
  world.clock.advance(5min);
  (void)pass();
  EXPECT_EQ(world.pings.size(), 2U);
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).reason, "Sent");
}

TEST_F(ConnectionTest, WithoutAHeartbeatThereIsNoConditionOfIt) {
  with_heartbeat();
  (void)pass();
  set([](auto& c) { c.spec.heartbeat.reset(); });
  (void)pass();
  EXPECT_EQ(condition(api::condition::kHeartbeatSent).type, "");
  EXPECT_FALSE(connection().status.heartbeat);
  EXPECT_EQ(world.pings.size(), 1U);
}

}  // namespace
}  // namespace edgetrust::simulation
