#include "edgetrust/telemetry/metrics.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <thread>

namespace edgetrust::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class MetricsTest : public ::testing::Test {
 protected:
  // The lines that begin with a name, its HELP and TYPE among them, in the order of the text.
  [[nodiscard]] std::string about(const std::string& name) const {
    std::string found;
    for (const auto& line : split(metrics_.text(), '\n')) {
      if (line.starts_with(name) || line.starts_with("# HELP " + name + " ") ||
          line.starts_with("# TYPE " + name + " ")) {
        found += line + "\n";
      }
    }
    return found;
  }
  // The value of one series, as it is written.
  [[nodiscard]] std::string value(const std::string& series) const {
    for (const auto& line : split(metrics_.text(), '\n')) {
      if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
    }
    return "absent";
  }
  Metrics metrics_{{.version = "0.1.0"}};
};

TEST_F(MetricsTest, ASmallScenarioReadsExactlySo) {
  metrics_.leader(true);
  metrics_.certificate_expiry("voice", "edge01", parse_rfc3339("2027-01-03T02:00:00Z").value());
  metrics_.phase("voice", "edge01", "Observing");
  metrics_.certificate_ready("voice", "edge01", true);
  metrics_.rotation(Rotation::kActive, 700s);
  metrics_.rotation(Rotation::kActive, 60s);
  metrics_.rotation(Rotation::kRolledBack, std::nullopt);
  EXPECT_EQ(about("edgetrust_build_info"),
            "# HELP edgetrust_build_info 1, labelled with what was built.\n"
            "# TYPE edgetrust_build_info gauge\n"
            "edgetrust_build_info{version=\"0.1.0\"} 1\n");
  EXPECT_EQ(about("edgetrust_leader"),
            "# HELP edgetrust_leader 1 while this replica leads.\n# TYPE edgetrust_leader gauge\nedgetrust_leader 1\n");
  EXPECT_EQ(about("edgetrust_certificate_"),
            "edgetrust_certificate_expiry_timestamp_seconds{name=\"edge01\",namespace=\"voice\"} 1798941600\n"
            "edgetrust_certificate_phase{name=\"edge01\",namespace=\"voice\",phase=\"Observing\"} 1\n"
            "edgetrust_certificate_ready{name=\"edge01\",namespace=\"voice\"} 1\n");
  EXPECT_EQ(about("edgetrust_rotations_total"),
            "# HELP edgetrust_rotations_total Rotations that ended, by result.\n"
            "# TYPE edgetrust_rotations_total counter\n"
            "edgetrust_rotations_total{result=\"active\"} 2\n"
            "edgetrust_rotations_total{result=\"rejected\"} 0\n"
            "edgetrust_rotations_total{result=\"rolled_back\"} 1\n");
  EXPECT_EQ(value("edgetrust_rotation_duration_seconds_sum{result=\"active\"}"), "760");
  EXPECT_EQ(value("edgetrust_rotation_duration_seconds_count{result=\"rolled_back\"}"), "0");
}

TEST_F(MetricsTest, AQueueTellsHowMuchWaitsAndWhoIsAtWork) {
  metrics_.queue(Queue::kPins, {.due = 3, .oldest = 2500ms, .busy = 50, .idle = 1, .longest = 40s});
  metrics_.queue_wait(Queue::kPins, 20s);
  EXPECT_EQ(value("edgetrust_queue_depth{queue=\"pins\"}"), "3");
  EXPECT_EQ(value("edgetrust_queue_depth{queue=\"certificates\"}"), "0");
  EXPECT_EQ(value("edgetrust_queue_oldest_seconds{queue=\"pins\"}"), "2.5");
  EXPECT_EQ(value("edgetrust_workers{queue=\"pins\",state=\"busy\"}"), "50");
  EXPECT_EQ(value("edgetrust_workers{queue=\"pins\",state=\"idle\"}"), "1");
  EXPECT_EQ(value("edgetrust_reconcile_longest_running_seconds{queue=\"pins\"}"), "40");
  EXPECT_EQ(value("edgetrust_queue_wait_duration_seconds_bucket{queue=\"pins\",le=\"10\"}"), "0");
  EXPECT_EQ(value("edgetrust_queue_wait_duration_seconds_bucket{queue=\"pins\",le=\"30\"}"), "1");
}

TEST_F(MetricsTest, TheAuditTrailTellsWhatItWroteAndWhatIsNotTaken) {
  EXPECT_EQ(value("edgetrust_audit_sink_backlog"), "absent") << "there may be no sink";
  metrics_.audit_written();
  metrics_.audit_written();
  metrics_.audit_failed();
  metrics_.audit_late();
  metrics_.audit_late();
  metrics_.audit_waits(2);
  metrics_.audit_sink_took();
  metrics_.audit_sink_failed(ErrorKind::kForbidden);
  metrics_.audit_sink_waits(1, parse_rfc3339("2027-01-03T02:00:00Z").value());
  EXPECT_EQ(value("edgetrust_audit_records_total"), "2");
  EXPECT_EQ(value("edgetrust_audit_write_failures_total"), "1");
  EXPECT_EQ(value("edgetrust_audit_late_total"), "2");
  EXPECT_EQ(value("edgetrust_audit_waiting"), "2");
  EXPECT_EQ(value("edgetrust_audit_sink_taken_total"), "1");
  EXPECT_EQ(value("edgetrust_audit_sink_failures_total{class=\"Forbidden\"}"), "1");
  EXPECT_EQ(value("edgetrust_audit_sink_failures_total{class=\"Timeout\"}"), "0");
  EXPECT_EQ(value("edgetrust_audit_sink_backlog"), "1");
  EXPECT_EQ(value("edgetrust_audit_sink_oldest_timestamp_seconds"), "1798941600");
  metrics_.audit_sink_waits(0, std::nullopt);
  EXPECT_EQ(value("edgetrust_audit_sink_backlog"), "0");
  EXPECT_EQ(value("edgetrust_audit_sink_oldest_timestamp_seconds"), "absent");
}

TEST_F(MetricsTest, EveryClosedSeriesIsThereFromTheStart) {
  std::map<std::string, int> series;
  for (const auto& line : split(metrics_.text(), '\n')) {
    if (line.empty() || line.starts_with("#")) continue;
    const auto name = line.substr(0, line.find_first_of("{ "));
    EXPECT_TRUE(name.starts_with("edgetrust_")) << line;
    EXPECT_TRUE(line.ends_with(name == "edgetrust_build_info" ? " 1" : " 0")) << line;
    ++series[name];
  }
  EXPECT_EQ(series["edgetrust_leader"], 1);
  EXPECT_EQ(series["edgetrust_queue_depth"], 3);
  EXPECT_EQ(series["edgetrust_queue_oldest_seconds"], 3);
  EXPECT_EQ(series["edgetrust_queue_wait_duration_seconds_count"], 3);
  EXPECT_EQ(series["edgetrust_workers"], 3 * 2);
  EXPECT_EQ(series["edgetrust_reconcile_longest_running_seconds"], 3);
  EXPECT_EQ(series["edgetrust_rotations_total"], 3);
  EXPECT_EQ(series["edgetrust_rotation_duration_seconds_count"], 3);
  EXPECT_EQ(series["edgetrust_reconcile_total"], 6 * 3);
  EXPECT_EQ(series["edgetrust_reconcile_duration_seconds_count"], 6);
  EXPECT_EQ(series["edgetrust_watch_restarts_total"], 8);
  EXPECT_EQ(series["edgetrust_errors_total"], 2 * 12);
  EXPECT_EQ(series["edgetrust_http01_requests_total"], 2);
  EXPECT_EQ(series["edgetrust_api_requests_total"], 7 * 6 * 6);
  EXPECT_EQ(series["edgetrust_api_duration_seconds_count"], 0) << "each begins with the first request of its kind";
  EXPECT_EQ(series["edgetrust_audit_records_total"], 1);
  EXPECT_EQ(series["edgetrust_audit_write_failures_total"], 1);
  EXPECT_EQ(series["edgetrust_audit_sink_taken_total"], 1);
  EXPECT_EQ(series["edgetrust_audit_sink_failures_total"], 12);
  EXPECT_EQ(series["edgetrust_certificate_ready"], 0);
}

TEST_F(MetricsTest, ReconcilesAreCountedAndTimed) {
  metrics_.reconcile(Kind::kPinPolicy, 2ms, Reconciled::kDone);
  metrics_.reconcile(Kind::kPinPolicy, 200ms, Reconciled::kFailed);
  metrics_.reconcile(Kind::kEdge, 1s, Reconciled::kWaiting);
  EXPECT_EQ(value("edgetrust_reconcile_total{kind=\"PinPolicy\",result=\"done\"}"), "1");
  EXPECT_EQ(value("edgetrust_reconcile_total{kind=\"PinPolicy\",result=\"failed\"}"), "1");
  EXPECT_EQ(value("edgetrust_reconcile_total{kind=\"Edge\",result=\"waiting\"}"), "1");
  EXPECT_EQ(value("edgetrust_reconcile_total{kind=\"Edge\",result=\"done\"}"), "0");
  EXPECT_EQ(value("edgetrust_reconcile_duration_seconds_bucket{kind=\"PinPolicy\",le=\"0.001\"}"), "0");
  EXPECT_EQ(value("edgetrust_reconcile_duration_seconds_bucket{kind=\"PinPolicy\",le=\"0.005\"}"), "1");
  EXPECT_EQ(value("edgetrust_reconcile_duration_seconds_bucket{kind=\"PinPolicy\",le=\"+Inf\"}"), "2");
  EXPECT_EQ(value("edgetrust_reconcile_duration_seconds_sum{kind=\"PinPolicy\"}"), "0.202");
}

TEST_F(MetricsTest, EachKindHasItsName) {
  const std::vector<std::pair<Kind, std::string>> names = {{Kind::kEdgeCertificate, "EdgeCertificate"},
                                                           {Kind::kPinPolicy, "PinPolicy"},
                                                           {Kind::kEdge, "Edge"},
                                                           {Kind::kRotationPolicy, "RotationPolicy"},
                                                           {Kind::kAcmeIssuer, "AcmeIssuer"},
                                                           {Kind::kGenesysConnection, "GenesysConnection"},
                                                           {Kind::kSecret, "Secret"},
                                                           {Kind::kLease, "Lease"}};
  for (const auto& [kind, name] : names) {
    metrics_.watch_restart(kind);
    EXPECT_EQ(value("edgetrust_watch_restarts_total{kind=\"" + name + "\"}"), "1");
  }
}

TEST_F(MetricsTest, ErrorsAreCountedByTheirClass) {
  metrics_.error(Trouble::kEffect, ErrorKind::kTimeout);
  metrics_.error(Trouble::kPass, ErrorKind::kConflict);
  metrics_.error(Trouble::kPass, ErrorKind::kConflict);
  EXPECT_EQ(value("edgetrust_errors_total{class=\"Timeout\",what=\"effect\"}"), "1");
  EXPECT_EQ(value("edgetrust_errors_total{class=\"Conflict\",what=\"pass\"}"), "2");
  EXPECT_EQ(value("edgetrust_errors_total{class=\"Timeout\",what=\"pass\"}"), "0");
}

TEST_F(MetricsTest, RotationsHaveTheirNames) {
  for (const auto& [result, name] : std::vector<std::pair<Rotation, std::string>>{
           {Rotation::kActive, "active"}, {Rotation::kRolledBack, "rolled_back"}, {Rotation::kRejected, "rejected"}}) {
    metrics_.rotation(result, std::nullopt);
    EXPECT_EQ(value("edgetrust_rotations_total{result=\"" + name + "\"}"), "1");
  }
}

TEST_F(MetricsTest, RequestsFallIntoTheirClass) {
  const std::vector<std::pair<int, std::string>> classes = {
      {0, "none"},  {-1, "none"}, {100, "none"}, {600, "none"}, {200, "2xx"}, {299, "2xx"}, {301, "3xx"},
      {404, "4xx"}, {428, "4xx"}, {429, "429"},  {430, "4xx"},  {500, "5xx"}, {599, "5xx"}};
  std::map<std::string, int> expected;
  for (const auto& [status, name] : classes) {
    metrics_.api_request(Api::kGenesys, Verb::kPut, status);
    ++expected[name];
  }
  for (const auto& [name, count] : expected) {
    EXPECT_EQ(value("edgetrust_api_requests_total{client=\"genesys\",code=\"" + name + "\",verb=\"PUT\"}"),
              std::to_string(count));
  }
  metrics_.api_request(Api::kKubernetes, Verb::kGet, 200);
  metrics_.api_request(Api::kDns, Verb::kDelete, 500);
  metrics_.api_request(Api::kAcme, Verb::kHead, 200);
  metrics_.api_request(Api::kHeartbeat, Verb::kGet, 404);
  EXPECT_EQ(value("edgetrust_api_requests_total{client=\"heartbeat\",code=\"4xx\",verb=\"GET\"}"), "1");
  EXPECT_EQ(value("edgetrust_api_requests_total{client=\"kubernetes\",code=\"2xx\",verb=\"GET\"}"), "1");
  EXPECT_EQ(value("edgetrust_api_requests_total{client=\"dns\",code=\"5xx\",verb=\"DELETE\"}"), "1");
  EXPECT_EQ(value("edgetrust_api_requests_total{client=\"acme\",code=\"2xx\",verb=\"HEAD\"}"), "1");
}

TEST_F(MetricsTest, RequestsAreTimedByKindAndOutcome) {
  metrics_.api_duration(Api::kAcme, "newOrder", 201, 300ms);
  metrics_.api_duration(Api::kAcme, "newOrder", 201, 50s);
  metrics_.api_duration(Api::kAcme, "newOrder", 429, 10ms);
  metrics_.api_duration(Api::kSsh, "install", 0, 10s);
  const std::string good = "client=\"acme\",code=\"2xx\"";
  EXPECT_EQ(value("edgetrust_api_duration_seconds_sum{" + good + ",request=\"newOrder\"}"), "50.3");
  EXPECT_EQ(value("edgetrust_api_duration_seconds_bucket{" + good + ",request=\"newOrder\",le=\"0.25\"}"), "0");
  EXPECT_EQ(value("edgetrust_api_duration_seconds_bucket{" + good + ",request=\"newOrder\",le=\"0.5\"}"), "1");
  EXPECT_EQ(value("edgetrust_api_duration_seconds_bucket{" + good + ",request=\"newOrder\",le=\"60\"}"), "2");
  EXPECT_EQ(value("edgetrust_api_duration_seconds_count{client=\"acme\",code=\"429\",request=\"newOrder\"}"), "1");
  EXPECT_EQ(value("edgetrust_api_duration_seconds_count{client=\"ssh\",code=\"none\",request=\"install\"}"), "1");
}

TEST_F(MetricsTest, AnObjectIsInOnePhase) {
  metrics_.phase("voice", "edge01", "Issuing");
  metrics_.phase("voice", "edge02", "Issuing");
  metrics_.phase("voice", "edge01", "Ready");
  metrics_.phase("voice", "edge01", "Ready");
  const std::string text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("edgetrust_certificate_phase{name=\"edge01\",namespace=\"voice\",phase=\"Ready\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("edgetrust_certificate_phase{name=\"edge02\",namespace=\"voice\",phase=\"Issuing\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("{name=\"edge01\",namespace=\"voice\",phase=\"Issuing\"}")));
}

TEST_F(MetricsTest, ForgottenObjectsLeaveNothing) {
  const std::string before = metrics_.text();
  for (const std::string name : {"one", "two"}) {
    metrics_.certificate_expiry("ns", name, TimePoint{});
    metrics_.certificate_renewal("ns", name, TimePoint{});
    metrics_.certificate_ready("ns", name, false);
    metrics_.certificate_infeasible("ns", name, true);
    metrics_.phase("ns", name, "Ready");
    metrics_.policy_halted("ns", name, true);
    metrics_.policy_rotating("ns", name, 3);
    metrics_.issuer_limited_until("ns", name, TimePoint{});
    metrics_.edge_online("ns", name, true);
    metrics_.edge_sip_up("ns", name, false);
    metrics_.edge_clock_offset("ns", name, 1500ms);
    metrics_.edge_pin_state("ns", name, "Drifted");
    metrics_.edge_pins_enforced("ns", name, true);
    metrics_.pins_switching_off("ns", name, true);
    metrics_.credentials_deletion("ns", name, TimePoint{});
    metrics_.pins_current("ns", name, false);
    metrics_.pin_handshake_valid("ns", name, true);
    metrics_.pin_override("ns", name, true);
    metrics_.credentials_valid("ns", name, false);
    metrics_.credentials_known("ns", name, true);
    metrics_.standby_in_use("ns", name, true);
    metrics_.unmanaged_edges("ns", name, 7);
  }
  EXPECT_EQ(value("edgetrust_edge_clock_offset_seconds{name=\"one\",namespace=\"ns\"}"), "1.5");
  EXPECT_EQ(value("edgetrust_edge_pin_state{name=\"one\",namespace=\"ns\",state=\"Drifted\"}"), "1");
  EXPECT_EQ(value("edgetrust_certificate_infeasible{name=\"one\",namespace=\"ns\"}"), "1");
  EXPECT_EQ(value("edgetrust_connection_credentials_known{name=\"one\",namespace=\"ns\"}"), "1");
  EXPECT_EQ(value("edgetrust_connection_standby_in_use{name=\"one\",namespace=\"ns\"}"), "1");
  EXPECT_EQ(value("edgetrust_connection_unmanaged_edges{name=\"one\",namespace=\"ns\"}"), "7");
  metrics_.forget_certificate("ns", "one");
  metrics_.forget_policy("ns", "one");
  metrics_.forget_issuer("ns", "one");
  metrics_.forget_edge("ns", "one");
  metrics_.forget_pin_policy("ns", "one");
  metrics_.forget_connection("ns", "one");
  EXPECT_THAT(metrics_.text(), Not(HasSubstr("name=\"one\"")));
  EXPECT_EQ(value("edgetrust_edge_online{name=\"two\",namespace=\"ns\"}"), "1");
  metrics_.forget_certificate("ns", "two");
  metrics_.forget_policy("ns", "two");
  metrics_.forget_issuer("ns", "two");
  metrics_.forget_edge("ns", "two");
  metrics_.forget_pin_policy("ns", "two");
  metrics_.forget_connection("ns", "two");
  metrics_.forget_edge("ns", "never seen");
  EXPECT_EQ(metrics_.text(), before);
}

TEST_F(MetricsTest, WhatNobodyKnowsAnyMoreHasNoSample) {
  const std::string before = metrics_.text();
  metrics_.edge_online("ns", "one", true);
  metrics_.edge_sip_up("ns", "one", true);
  metrics_.credentials_valid("ns", "one", true);
  metrics_.standby_in_use("ns", "one", false);
  metrics_.unmanaged_edges("ns", "one", 0);
  metrics_.certificate_expiry("ns", "one", TimePoint{});
  metrics_.certificate_renewal("ns", "one", TimePoint{});
  metrics_.phase("ns", "one", "Ready");
  metrics_.edge_sip_up("ns", "one", std::nullopt);
  EXPECT_EQ(value("edgetrust_edge_sip_up{name=\"one\",namespace=\"ns\"}"), "absent");
  EXPECT_EQ(value("edgetrust_edge_online{name=\"one\",namespace=\"ns\"}"), "1") << "the others stay";
  metrics_.edge_online("ns", "one", std::nullopt);
  metrics_.credentials_valid("ns", "one", std::nullopt);
  metrics_.standby_in_use("ns", "one", std::nullopt);
  metrics_.unmanaged_edges("ns", "one", std::nullopt);
  metrics_.certificate_expiry("ns", "one", std::nullopt);
  metrics_.certificate_renewal("ns", "one", std::nullopt);
  metrics_.phase("ns", "one", std::nullopt);
  EXPECT_EQ(metrics_.text(), before);
  metrics_.edge_online("ns", "one", false);
  EXPECT_EQ(value("edgetrust_edge_online{name=\"one\",namespace=\"ns\"}"), "0");
}

// What a Prometheus has to keep of a large fleet, with everything that one Edge can have.
TEST_F(MetricsTest, AnEdgeIsTwelveSeriesHoweverManyThereAre) {
  const auto lines = [&] {
    const auto all = split(metrics_.text(), '\n');
    return std::ranges::count_if(all, [](const auto& line) { return !line.empty() && !line.starts_with('#'); });
  };
  const auto before = lines();
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "edge" + std::to_string(i);
    metrics_.certificate_expiry("ns", name, TimePoint{});
    metrics_.certificate_renewal("ns", name, TimePoint{});
    metrics_.certificate_window("ns", name, TimePoint{});
    metrics_.certificate_ready("ns", name, true);
    metrics_.certificate_infeasible("ns", name, false);
    for (const auto* phase : {"Issuing", "Waiting", "Ready"}) metrics_.phase("ns", name, phase);
    metrics_.edge_online("ns", name, true);
    metrics_.edge_sip_up("ns", name, true);
    metrics_.edge_clock_offset("ns", name, 3ms);
    metrics_.edge_clock_in_sync("ns", name, true);
    for (const auto* state : {"Applying", "Matched"}) metrics_.edge_pin_state("ns", name, state);
    metrics_.edge_pins_enforced("ns", name, true);
  }
  EXPECT_EQ(lines() - before, 12 * 1000);
  EXPECT_EQ(before, 503) << "what does not grow with the fleet, before the first request: operations.md says it";
}

TEST_F(MetricsTest, LabelsAreEscaped) {
  metrics_.edge_online("ns", "a\"b\\c\nd", true);
  EXPECT_THAT(metrics_.text(), HasSubstr("edgetrust_edge_online{name=\"a\\\"b\\\\c\\nd\",namespace=\"ns\"} 1\n"));
}

TEST_F(MetricsTest, ManyThreadsMayWriteForgetAndRead) {
  std::atomic<std::size_t> read{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this, &read, t] {
        for (int i = 0; i < 200; ++i) {
          metrics_.phase("ns", "edge" + std::to_string(t % 2), i % 2 == 0 ? "Ready" : "Issuing");
          metrics_.forget_certificate("ns", "edge" + std::to_string((t + 1) % 2));
          metrics_.rotation(Rotation::kActive, 60s);
          metrics_.api_duration(Api::kGenesys, "edges", 200, 1ms);
          if (i % 50 == 0) read += metrics_.text().size();
        }
      });
    }
  }
  EXPECT_EQ(value("edgetrust_rotations_total{result=\"active\"}"), "800");
  EXPECT_GT(read, 0U);
}

}  // namespace
}  // namespace edgetrust::telemetry
