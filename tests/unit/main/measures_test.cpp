#include "measures.hpp"

#include "edgetrust/base/text.hpp"
#include "objects.hpp"

namespace edgetrust {
namespace {

struct MeasuresTest : testing::Test {
  telemetry::Metrics metrics{{.version = "1"}};
  // What is said of our object, by the metric's name.
  [[nodiscard]] std::map<std::string, std::string> samples() const {
    std::map<std::string, std::string> found;
    for (const auto& line : split(metrics.text(), '\n')) {
      const auto labels = line.find("{name=\"edge01\",namespace=\"voice\"");
      if (labels != std::string::npos) found[line.substr(0, labels)] = line.substr(line.rfind(' ') + 1);
    }
    return found;
  }
};

using Samples = std::map<std::string, std::string>;

TEST_F(MeasuresTest, WhatIsWatchedIsCountedUnderItsOwnKind) {
  for (const auto* kind : {"EdgeCertificate", "PinPolicy", "Edge", "RotationPolicy", "AcmeIssuer", "GenesysConnection",
                           "Secret", "Lease"}) {
    metrics.watch_restart(metric_kind(kind));
    EXPECT_NE(metrics.text().find("edgetrust_watch_restarts_total{kind=\"" + std::string(kind) + "\"} 1\n"),
              std::string::npos)
        << kind;
  }
}

TEST_F(MeasuresTest, APolicyTellsWhetherItIsHaltedAndHowManyRotate) {
  auto policy = object<api::RotationPolicy>();
  measure(metrics, policy);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_policy_budget", "1"},
                                {"edgetrust_policy_halted", "0"},
                                {"edgetrust_policy_rotating", "0"}}));
  policy.status.state = api::PolicyState::kHalted;
  policy.status.rotating = {"edge01", "edge02"};
  policy.spec.budget = api::Budget{.max_concurrent = 4};
  measure(metrics, policy);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_policy_budget", "4"},
                                {"edgetrust_policy_halted", "1"},
                                {"edgetrust_policy_rotating", "2"}}));
  forget(metrics, policy);
  EXPECT_EQ(samples(), Samples{});
}

TEST_F(MeasuresTest, AnIssuerTellsUntilWhenItsCaWantsNoOrders) {
  auto issuer = object<api::AcmeIssuer>();
  measure(metrics, issuer);
  EXPECT_EQ(samples(), Samples{}) << "it takes some";
  issuer.status.limited_until = "2026-11-22T12:00:00Z";
  measure(metrics, issuer);
  const double at = std::stod(samples().at("edgetrust_issuer_limited_until_timestamp_seconds"));
  EXPECT_EQ(at, 1795348800);
  issuer.status.limited_until.clear();
  measure(metrics, issuer);
  EXPECT_EQ(samples(), Samples{});
  issuer.status.limited_until = "2026-11-22T12:00:00Z";
  measure(metrics, issuer);
  forget(metrics, issuer);
  EXPECT_EQ(samples(), Samples{});
}

TEST_F(MeasuresTest, ACertificateTellsWhenItExpiresAndWhenItsRenewalIsDue) {
  auto certificate = object<api::EdgeCertificate>();
  certificate.status.not_after = kNow + std::chrono::days(6);
  certificate.status.renewal_time = kNow + std::chrono::days(4);
  measure(metrics, certificate);
  const std::string expiry = "edgetrust_certificate_expiry_timestamp_seconds";
  const std::string renewal = "edgetrust_certificate_renewal_timestamp_seconds";
  EXPECT_EQ(std::stod(samples().at(expiry)), 1795348800 + 6 * 86400);
  EXPECT_EQ(std::stod(samples().at(renewal)), 1795348800 + 4 * 86400);
  certificate.status.renewal_time.reset();
  measure(metrics, certificate);
  EXPECT_TRUE(samples().contains(expiry));
  EXPECT_FALSE(samples().contains(renewal)) << "somebody else renews it";
}

TEST_F(MeasuresTest, ACertificateThatCannotBeRotatedInTimeSaysSo) {
  auto certificate = object<api::EdgeCertificate>();
  measure(metrics, certificate);
  EXPECT_EQ(samples().at("edgetrust_certificate_infeasible"), "0");
  say(certificate, api::condition::kInfeasible, api::Truth::kTrue);
  measure(metrics, certificate);
  EXPECT_EQ(samples().at("edgetrust_certificate_infeasible"), "1");
}

TEST_F(MeasuresTest, AnEdgeWhoseStateNobodyKnowsAnyMoreHasNoSample) {
  auto edge = object<api::Edge>();
  say(edge, api::condition::kOnline, api::Truth::kTrue);
  say(edge, api::condition::kSipHealthy, api::Truth::kFalse);
  measure(metrics, edge);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_edge_online", "1"}, {"edgetrust_edge_sip_up", "0"}}));
  say(edge, api::condition::kSipHealthy, api::Truth::kUnknown);
  measure(metrics, edge);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_edge_online", "1"}}));
  forget(metrics, edge);
  EXPECT_EQ(samples(), Samples{});
}

TEST_F(MeasuresTest, APinPolicyTellsWhetherItsPinsAreRight) {
  auto policy = object<api::PinPolicy>();
  say(policy, api::condition::kPinsCurrent, api::Truth::kFalse);
  say(policy, api::condition::kHandshakeValid, api::Truth::kTrue);
  measure(metrics, policy);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_pin_policy_current", "0"}, {"edgetrust_pin_policy_handshake_valid", "1"}}));
  say(policy, api::condition::kPinsCurrent, api::Truth::kUnknown);
  measure(metrics, policy);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_pin_policy_handshake_valid", "1"}})) << "what nobody knows has none";
  forget(metrics, policy);
  EXPECT_EQ(samples(), Samples{});
}

TEST_F(MeasuresTest, WhatSwitchesPinsOffOrStandsInBetweenIsMeasuredWhileItIsKnown) {
  auto policy = object<api::PinPolicy>();
  say(policy, api::condition::kOverrideActive, api::Truth::kTrue);
  say(policy, api::condition::kIntercepted, api::Truth::kFalse);
  measure(metrics, policy);
  EXPECT_EQ(samples(),
            (Samples{{"edgetrust_pin_policy_intercepted", "0"}, {"edgetrust_pin_policy_override_active", "1"}}));
  forget(metrics, policy);
  auto edge = object<api::Edge>();
  say(edge, api::condition::kClockInSync, api::Truth::kFalse);
  measure(metrics, edge);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_edge_clock_in_sync", "0"}}));
  forget(metrics, edge);
  EXPECT_EQ(samples(), Samples{});
}

TEST_F(MeasuresTest, AnEdgeTellsHowItStandsToItsPinPolicy) {
  auto edge = object<api::Edge>();
  edge.status.pins = api::EdgePins{.policy = "cloud", .state = api::EdgePinState::kBlocked, .enforced = true};
  measure(metrics, edge);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_edge_pin_state", "1"}, {"edgetrust_edge_pins_enforced", "1"}}));
  EXPECT_NE(metrics.text().find("state=\"Blocked\"} 1\n"), std::string::npos);
  edge.status.pins->state = api::EdgePinState::kMatched;
  measure(metrics, edge);
  EXPECT_EQ(metrics.text().find("state=\"Blocked\"}"), std::string::npos) << "one state at a time";
  edge.status.pins.reset();
  measure(metrics, edge);
  EXPECT_EQ(samples(), Samples{}) << "no PinPolicy selects it";
}

TEST_F(MeasuresTest, APinPolicyTellsWhileEdgesThatHaveLeftItStillPin) {
  auto policy = object<api::PinPolicy>();
  say(policy, api::condition::kReady, api::Truth::kFalse, "SwitchingOff");
  measure(metrics, policy);
  EXPECT_EQ(samples().at("edgetrust_pin_policy_switching_off"), "1");
  say(policy, api::condition::kReady, api::Truth::kTrue, "Ready");
  measure(metrics, policy);
  EXPECT_EQ(samples().at("edgetrust_pin_policy_switching_off"), "0");
}

TEST_F(MeasuresTest, AConnectionTellsWhenItsClientIsDeleted) {
  auto connection = object<api::GenesysConnection>();
  connection.status.credentials =
      api::CredentialState{.client = "one", .state = "active", .delete_after = "2026-11-22T12:00:00Z"};
  measure(metrics, connection);
  const std::string metric = "edgetrust_connection_credentials_deletion_timestamp_seconds";
  EXPECT_EQ(std::stod(samples().at(metric)), 1795348800);
  connection.status.credentials->delete_after.clear();
  measure(metrics, connection);
  EXPECT_FALSE(samples().contains(metric));
}

struct RequestsTest : MeasuresTest {
  [[nodiscard]] bool has(const std::string& line) const {
    const auto all = split(metrics.text(), '\n');
    return std::ranges::find(all, line) != all.end();
  }
};

TEST_F(RequestsTest, ADriverIsCountedByVerbAndTimedByWhatItCallsTheRequest) {
  using namespace std::chrono_literals;
  measure(metrics, telemetry::Api::kGenesys,
          {.method = http::Method::kPost, .status = 503, .took = 2s, .name = "upload"});
  EXPECT_TRUE(has("edgetrust_api_requests_total{client=\"genesys\",code=\"5xx\",verb=\"POST\"} 1"));
  EXPECT_TRUE(has("edgetrust_api_duration_seconds_sum{client=\"genesys\",code=\"5xx\",request=\"upload\"} 2"));
}

TEST_F(RequestsTest, TheClusterIsTimedByVerbAndResourceButNotItsWatches) {
  using namespace std::chrono_literals;
  measure(metrics, kube::CallReport{
                       .method = http::Method::kGet, .verb = "list", .resource = "edges", .status = 200, .took = 20ms});
  measure(metrics, kube::CallReport{
                       .method = http::Method::kGet, .verb = "watch", .resource = "edges", .status = 200, .took = {}});
  EXPECT_TRUE(has("edgetrust_api_requests_total{client=\"kubernetes\",code=\"2xx\",verb=\"GET\"} 2"));
  EXPECT_TRUE(has("edgetrust_api_duration_seconds_count{client=\"kubernetes\",code=\"2xx\",request=\"list edges\"} 1"));
  EXPECT_EQ(metrics.text().find("watch edges"), std::string::npos);
}

TEST_F(MeasuresTest, APinPolicyCountsItsEdgesOnceTheyWereLookedAt) {
  auto policy = object<api::PinPolicy>();
  measure(metrics, policy);
  EXPECT_EQ(samples(), Samples{});
  policy.status.summary = api::PinSummary{.total = 3, .matched = 2};
  measure(metrics, policy);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_pin_policy_edges", "3"}, {"edgetrust_pin_policy_edges_matched", "2"}}));
  forget(metrics, policy);
  EXPECT_EQ(samples(), Samples{});
}

TEST_F(MeasuresTest, ACertificateTellsWhenTheWindowOpensThatItWaitsFor) {
  auto certificate = object<api::EdgeCertificate>();
  certificate.status.next_window = "2026-11-22T12:00:00Z";
  measure(metrics, certificate);
  EXPECT_EQ(std::stod(samples().at("edgetrust_certificate_window_timestamp_seconds")), 1795348800);
  certificate.status.next_window.clear();
  measure(metrics, certificate);
  EXPECT_FALSE(samples().contains("edgetrust_certificate_window_timestamp_seconds")) << "it waits for none";
}

TEST_F(MeasuresTest, OfAConnectionWhoseCredentialsCouldNotBeTriedIsKnownThatNobodyKnows) {
  auto connection = object<api::GenesysConnection>();
  measure(metrics, connection);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_connection_credentials_known", "0"}})) << "it is new";
  say(connection, api::condition::kCredentialsValid, api::Truth::kTrue);
  measure(metrics, connection);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_connection_credentials_valid", "1"},
                                {"edgetrust_connection_credentials_known", "1"},
                                {"edgetrust_connection_standby_in_use", "0"}}));
  say(connection, api::condition::kCredentialsValid, api::Truth::kFalse);
  measure(metrics, connection);
  EXPECT_EQ(samples().at("edgetrust_connection_credentials_known"), "1") << "that they are refused is known";
  say(connection, api::condition::kCredentialsValid, api::Truth::kUnknown);
  measure(metrics, connection);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_connection_credentials_known", "0"}}));
}

TEST_F(MeasuresTest, AConnectionTellsOfItsStandbyAndOfEdgesThatNobodyManages) {
  auto connection = object<api::GenesysConnection>();
  say(connection, api::condition::kCredentialsValid, api::Truth::kTrue, "StandbyInUse");
  connection.status.edges = api::EdgeCounts{.total = 2, .unmanaged = 3};
  measure(metrics, connection);
  EXPECT_EQ(samples(), (Samples{{"edgetrust_connection_credentials_valid", "1"},
                                {"edgetrust_connection_credentials_known", "1"},
                                {"edgetrust_connection_standby_in_use", "1"},
                                {"edgetrust_connection_unmanaged_edges", "3"}}));
  say(connection, api::condition::kCredentialsValid, api::Truth::kTrue, "LoggedIn");
  connection.status.edges->unmanaged.reset();
  measure(metrics, connection);
  EXPECT_EQ(samples().at("edgetrust_connection_standby_in_use"), "0");
  EXPECT_FALSE(samples().contains("edgetrust_connection_unmanaged_edges"));
  forget(metrics, connection);
  EXPECT_EQ(samples(), Samples{});
}

TEST_F(MeasuresTest, AnEdgeCertificateMadeAnewHasNothingOfTheOld) {
  auto certificate = object<api::EdgeCertificate>();
  certificate.status.not_after = kNow;
  certificate.status.phase = api::Phase::kReady;
  say(certificate, api::condition::kReady, api::Truth::kTrue);
  measure(metrics, certificate);
  EXPECT_EQ(samples().size(), 4U);
  EXPECT_EQ(samples().at("edgetrust_certificate_ready"), "1");
  measure(metrics, object<api::EdgeCertificate>());
  EXPECT_EQ(samples(), (Samples{{"edgetrust_certificate_infeasible", "0"}, {"edgetrust_certificate_ready", "0"}}));
  forget(metrics, certificate);
  EXPECT_EQ(samples(), Samples{});
}

}  // namespace
}  // namespace edgetrust
