// The simulator's program and the operator's client, joined by real sockets: HTTPS to its API, TLS to its SIP ports.
#include "chain.hpp"
#include "child.hpp"
#include "edgetrust/genesys/fleet.hpp"
#include "edgetrust/json/value.hpp"
#include "sip_text.hpp"
#include "support/test_ca.hpp"
#include "tls_client.hpp"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace edgetrust::integration {
namespace {

using namespace std::chrono_literals;
using ports::EdgeHealth;
using ports::EdgeState;
using ports::SipState;
using support::TestCa;
using support::TestCertificate;

const ports::EdgeId kFirst{"7f3c0000-0000-4000-8000-000000000001"};
const ports::EdgeId kSecond{"7f3c0000-0000-4000-8000-000000000002"};
constexpr std::string_view kHost = "edge01.edges.test";

// Asks again, a few times a second, until it holds or half a minute is over.
bool eventually(const std::function<bool()>& holds) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    never.wait_for(lock, 20ms);
  }
  return false;
}

class GenesysSim : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("edgetrust-sim-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    if (simulator_) {
      EXPECT_EQ(simulator_->terminate(), 0) << "a clean end";
    }
    std::filesystem::remove_all(folder_);
  }

  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }

  // Starts it with two Edges; `more` is merged into the configuration.
  void start(const json::Value& more = json::Value::object()) {
    json::Value config = {{"credentials", {{"clientId", "operator"}, {"clientSecret", "s3cret-of-the-operator"}}},
                          {"restartMs", 50},
                          {"sbc", {{"trustFile", write("roots.pem", root_.certificate_pem())}, {"intervalMs", 200}}}};
    config["edges"].push_back({{"id", kFirst.value},
                               {"name", "edge01"},
                               {"site", "ny"},
                               {"siteName", "New York"},
                               {"timeZone", "America/New_York"},
                               {"host", kHost}});
    config["edges"].push_back({{"id", kSecond.value},
                               {"name", "edge02"},
                               {"site", "du"},
                               {"siteName", "Dublin"},
                               {"host", "edge02.edges.test"}});
    config.update(more);
    simulator_.emplace(std::vector<std::string>{GENESYS_SIM, "--config", write("config.json", json::dump(config))});
    const auto ready = json::Document::parse(simulator_->first_line());
    ASSERT_TRUE(ready) << "the simulator did not start";
    api_port_ = static_cast<std::uint16_t>(*ready->root()["api"].integer());
    control_port_ = static_cast<std::uint16_t>(*ready->root()["control"].integer());
    cloud_port_ = static_cast<std::uint16_t>(*ready->root()["cloud"].integer());
    ca_pem_ = control(http::Method::kGet, "/sim/v1/ca").body;
    fleet_ = make_fleet("s3cret-of-the-operator");
  }

  std::shared_ptr<http::Transport> transport() const {
    http::TlsOptions options;
    options.ca_pem = ca_pem_;
    return http::make_transport(std::move(options)).value();
  }

  std::unique_ptr<ports::EdgeFleet> make_fleet(std::string_view secret) {
    genesys::Config config;
    config.api_url = config.login_url = "https://127.0.0.1:" + std::to_string(api_port_);
    config.credentials = {.client_id = "operator", .client_secret = Secret(secret)};
    config.upload.emplace();
    config.upload->url = "https://localhost:" + std::to_string(api_port_);
    config.requests_per_minute = 100'000;
    return genesys::make_fleet(std::move(config), {transport(), transport()}, clock_).value();
  }

  http::Response control(http::Method method, const std::string& target, const json::Value& body = nullptr) {
    http::Request request;
    request.method = method;
    request.url = http::Url::parse("http://127.0.0.1:" + std::to_string(control_port_) + target).value();
    if (!body.is_null()) request.body = body.is_string() ? body.get<std::string>() : json::dump(body);
    request.max_body = std::size_t{64} << 20;
    static const auto plain = http::make_transport({}).value();
    return plain->send(request, {}).value();
  }
  json::Document read(const std::string& target) {
    return json::Document::parse(control(http::Method::kGet, target).body,
                                 {.max_bytes = std::size_t{64} << 20, .max_depth = 64})
        .value();
  }
  void patch(const json::Value& change, const ports::EdgeId& edge = kFirst) {
    EXPECT_EQ(control(http::Method::kPatch, "/sim/v1/edges/" + edge.value, change).status, 204);
  }
  void plan(const json::Value& fault) { EXPECT_EQ(control(http::Method::kPost, "/sim/v1/faults", fault).status, 204); }
  json::Document truth(const ports::EdgeId& edge = kFirst) { return read("/sim/v1/edges/" + edge.value); }
  std::uint16_t sip_port(const ports::EdgeId& edge = kFirst) {
    return static_cast<std::uint16_t>(*truth(edge).root()["sipPort"].integer());
  }
  std::int64_t restarts() { return *truth().root()["restarts"].integer(); }
  // How many requests of that method and path the simulator has received.
  int received(std::string_view method, std::string_view path_end) {
    int count = 0;
    read("/sim/v1/journal").root()["entries"].for_each_element([&](json::View entry) {
      count += entry["method"].string() == method && entry["path"].string_or("").ends_with(path_end) ? 1 : 0;
      return true;
    });
    return count;
  }

  TestCertificate leaf(std::string_view host = kHost) const { return issuing_.issue({.dns = {std::string(host)}}); }
  static std::string fingerprint(const TestCertificate& certificate) {
    return sim::read_leaf(certificate.chain_pem).value().fingerprint;
  }
  static ports::CertificateUpload upload_of(const TestCertificate& certificate, const ports::EdgeId& edge = kFirst) {
    return {.edge = edge,
            .name = "edge01-tls",
            .chain_pem = certificate.chain_pem,
            .key_pem = Secret(certificate.key_pem),
            .fingerprint_sha256 = fingerprint(certificate)};
  }
  Status install(const TestCertificate& certificate) {
    EDGETRUST_TRY(fleet_->health(kFirst, {}).map([](const auto&) {}));
    return fleet_->install(upload_of(certificate), {});
  }
  bool becomes(SipState sip, const ports::EdgeId& edge = kFirst) {
    return eventually([&] { return fleet_->health(edge, {}).value_or(EdgeHealth{}).sip == sip; });
  }
  bool serves(const TestCertificate& certificate) {
    return eventually([&] { return TlsClient(sip_port()).fingerprint() == fingerprint(certificate); });
  }

  TestCa root_{"root"};
  TestCa issuing_ = root_.intermediate("middle").intermediate("issuing");
  SystemClock clock_;
  std::filesystem::path folder_;
  std::optional<Child> simulator_;
  std::uint16_t api_port_ = 0;
  std::uint16_t control_port_ = 0;
  std::uint16_t cloud_port_ = 0;
  std::string ca_pem_;
  std::unique_ptr<ports::EdgeFleet> fleet_;
};

TEST_F(GenesysSim, LogsInOnceAndListsEdges) {
  start();
  ASSERT_TRUE(fleet_->check({}));
  const auto edges = fleet_->edges({});
  ASSERT_TRUE(edges) << edges.error().message();
  ASSERT_EQ(edges->size(), 2U);
  EXPECT_EQ(edges->at(0).id, kFirst);
  EXPECT_EQ(edges->at(0).name, "edge01");
  EXPECT_EQ(edges->at(0).site, "New York");
  EXPECT_EQ(edges->at(0).time_zone, "America/New_York");
  EXPECT_TRUE(edges->at(0).online && edges->at(0).in_service && edges->at(0).active);
  EXPECT_EQ(edges->at(0).software_status, "NONE");
  EXPECT_EQ(edges->at(1).time_zone, "");
  EXPECT_EQ(received("POST", "/oauth/token"), 1);
}

TEST_F(GenesysSim, GoesOutOfServiceWaitsForCallsAndComesBack) {
  start();
  ASSERT_TRUE(install(leaf()));
  ASSERT_TRUE(becomes(SipState::kUp));
  patch({{"calls", 1000}});
  ASSERT_TRUE(fleet_->set_service(kFirst, false, std::chrono::hours{3}, {}));
  auto edge = fleet_->edge(kFirst, {});
  ASSERT_TRUE(edge) << edge.error().message();
  EXPECT_FALSE(edge->in_service);
  EXPECT_EQ(edge->draining, ports::CallDraining::kWaiting);
  EXPECT_GT(edge->conversations, 0);
  EXPECT_TRUE(becomes(SipState::kDown)) << "it takes no calls";
  patch({{"calls", 0}});
  EXPECT_EQ(fleet_->edge(kFirst, {})->draining, ports::CallDraining::kComplete);
  ASSERT_TRUE(fleet_->set_service(kFirst, true, {}, {}));
  edge = fleet_->edge(kFirst, {});
  EXPECT_TRUE(edge->in_service);
  EXPECT_EQ(edge->draining, ports::CallDraining::kNone);
  EXPECT_TRUE(becomes(SipState::kUp));
  EXPECT_EQ(fleet_->edge(ports::EdgeId{"nobody"}, {}).error().kind, ErrorKind::kNotFound);
}

TEST_F(GenesysSim, TurnsPagesAndMakesMoreEdges) {
  start();
  ASSERT_EQ(control(http::Method::kPost, "/sim/v1/edges", {{"count", 298}}).status, 200);
  const auto edges = fleet_->edges({});
  ASSERT_TRUE(edges) << edges.error().message();
  EXPECT_EQ(edges->size(), 300U);
  EXPECT_EQ(received("GET", "/edges"), 3);
  EXPECT_EQ(control(http::Method::kPost, "/sim/v1/edges", {{"count", 100'000}}).status, 400);
}

TEST_F(GenesysSim, CallersAtOnceAreGivenDifferentEdges) {
  start();
  constexpr std::size_t kCallers = 8;
  constexpr int kTimes = 5;
  std::mutex mutex;
  std::multiset<std::string> given;
  {
    std::vector<std::jthread> callers;
    for (std::size_t caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&] {
        for (int n = 0; n < kTimes; ++n) {
          const auto made = control(http::Method::kPost, "/sim/v1/edges", {{"count", 1}});
          const auto document = json::Document::parse(made.body);
          const std::lock_guard lock(mutex);
          if (document)
            document->root()["edges"].for_each_element([&](json::View edge) {
              given.insert(std::string(edge["id"].string_or("")));
              return true;
            });
        }
      });
    }
  }
  EXPECT_EQ(given.size(), kCallers * kTimes);
  EXPECT_EQ(std::set<std::string>(given.begin(), given.end()).size(), kCallers * kTimes);
}

TEST_F(GenesysSim, AGoodUploadIsServedAndUp) {
  start();
  EXPECT_FALSE(TlsClient(sip_port()).connected()) << "nothing is installed";
  EXPECT_EQ(fleet_->health(kFirst, {}).value().sip, SipState::kDown);
  const TestCertificate certificate = leaf();
  const Status done = install(certificate);
  ASSERT_TRUE(done) << done.error().message();
  ASSERT_TRUE(becomes(SipState::kUp));
  const EdgeHealth health = fleet_->health(kFirst, {}).value();
  EXPECT_EQ(health.state, EdgeState::kOk);
  EXPECT_EQ(health.fingerprint_sha256, fingerprint(certificate));
  EXPECT_TRUE(health.updated_at);
  EXPECT_FALSE(health.correlation_id.empty());
  TlsClient client(sip_port(), std::string(kHost));
  EXPECT_EQ(client.fingerprint(), fingerprint(certificate));
  EXPECT_EQ(client.chain_length(), 3);
  EXPECT_EQ(sim::sip_status(client.ask(sim::sip_options(kHost, 1))), 200);
  const auto trunks = fleet_->trunks(kFirst, {}).value();
  ASSERT_EQ(trunks.size(), 1U);
  EXPECT_EQ(trunks[0].state, ports::TrunkState::kUp);
  EXPECT_EQ(fleet_->health(kSecond, {}).value().sip, SipState::kDown) << "the other Edge is another";
}

TEST_F(GenesysSim, BrokenChainsAndForeignKeysAreRefused) {
  start();
  ASSERT_TRUE(install(leaf()));
  TestCertificate broken = leaf();
  broken.chain_pem = broken.certificate_pem + root_.certificate_pem();
  Error error = install(broken).error();
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.code, ports::kCertificateRefused);
  EXPECT_NE(error.what.find("Broken Chain"), std::string::npos) << error.message();
  EXPECT_FALSE(error.maybe_executed);
  TestCertificate foreign = leaf();
  foreign.key_pem = support::test_key_pem(support::TestKey::kEc256);
  error = install(foreign).error();
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_NE(error.what.find("does not belong"), std::string::npos);
  const auto past = std::chrono::sys_days{std::chrono::year{2021} / 1 / 1};
  EXPECT_EQ(install(issuing_.issue({.dns = {std::string(kHost)}, .not_after = past})).error().kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(restarts(), 1) << "nothing of that was installed";
}

TEST_F(GenesysSim, TheVendorsParserSeesAChainAndNoKey) {
  start();
  const TestCertificate whole = leaf();
  EXPECT_EQ(fleet_->objection_to(whole.chain_pem, {}).value(), "");
  EXPECT_EQ(fleet_->objection_to(whole.certificate_pem, {}).value(), "") << "its issuer need not be there";
  EXPECT_THAT(fleet_->objection_to("no PEM", {}).value(), testing::HasSubstr("not a PEM certificate"));
  const auto past = std::chrono::sys_days{std::chrono::year{2021} / 1 / 1};
  EXPECT_THAT(
      fleet_->objection_to(issuing_.issue({.dns = {std::string(kHost)}, .not_after = past}).chain_pem, {}).value(),
      testing::HasSubstr("has expired"));
  EXPECT_FALSE(fleet_->objection_to(whole.chain_pem + whole.key_pem, {}));
  EXPECT_EQ(received("POST", "/certificate/details"), 4);
}

TEST_F(GenesysSim, WhatAnEdgeTakesItsPeersMayStillRefuse) {
  start();
  ASSERT_TRUE(install(leaf()));
  ASSERT_TRUE(becomes(SipState::kUp));
  ASSERT_TRUE(install(leaf("another.edges.test")));
  ASSERT_TRUE(becomes(SipState::kDown));
  EXPECT_TRUE(eventually(
      [&] { return fleet_->trunks(kFirst, {}).value().at(0).error.find("hostname mismatch") != std::string::npos; }));
  EXPECT_EQ(fleet_->trunks(kFirst, {}).value().at(0).state, ports::TrunkState::kDown);
  const TestCa stranger("stranger");
  ASSERT_TRUE(install(stranger.intermediate("i").issue({.dns = {std::string(kHost)}})));
  EXPECT_TRUE(eventually([&] {
    return truth().root()["sip"]["cause"].string_or("").find("unable to get local issuer") != std::string::npos;
  }));
  EXPECT_EQ(control(http::Method::kPut, "/sim/v1/sbc-trust", stranger.certificate_pem()).status, 204);
  EXPECT_TRUE(becomes(SipState::kUp)) << "its root is trusted now";
}

TEST_F(GenesysSim, ARollbackHelpsAfterSipDown) {
  start();
  const TestCertificate good = leaf();
  ASSERT_TRUE(install(good));
  ASSERT_TRUE(becomes(SipState::kUp));
  patch({{"onApply", "sip-down"}});
  const TestCertificate bad = leaf();
  ASSERT_TRUE(install(bad));
  ASSERT_TRUE(serves(bad));
  ASSERT_TRUE(becomes(SipState::kDown));
  EXPECT_TRUE(eventually([&] { return truth().root()["sip"]["cause"].string() == "OPTIONS was answered with 503"; }));
  ASSERT_TRUE(install(good));
  EXPECT_TRUE(serves(good));
  EXPECT_TRUE(becomes(SipState::kUp));
  EXPECT_EQ(restarts(), 3);
}

// What the operator reads of a trunk: since when, why, and that the status call need not know.
TEST_F(GenesysSim, ATrunkMayGoDownAlone) {
  start();
  const TestCertificate good = leaf();
  ASSERT_TRUE(install(good));
  ASSERT_TRUE(becomes(SipState::kUp));
  ASSERT_EQ(fleet_->trunks(kFirst, {}).value().at(0).state, ports::TrunkState::kUp);
  const TimePoint before = std::chrono::floor<std::chrono::seconds>(SystemClock().now());
  patch({{"onApply", "trunk-down"}});
  ASSERT_TRUE(install(leaf()));
  ASSERT_TRUE(becomes(SipState::kUp));
  const ports::Trunk down = fleet_->trunks(kFirst, {}).value().at(0);
  EXPECT_EQ(down.state, ports::TrunkState::kDown);
  ASSERT_TRUE(down.since);
  EXPECT_GE(*down.since, before);
  EXPECT_THAT(down.error, testing::HasSubstr("the far end refuses calls"));
  ASSERT_TRUE(install(good));
  EXPECT_TRUE(eventually([&] { return fleet_->trunks(kFirst, {}).value().at(0).state == ports::TrunkState::kUp; }));
}

TEST_F(GenesysSim, CriticalSlowRefusedAndForced) {
  start({{"slowRestartMs", 600'000}});  // longer than any test: it ends because the next change starts it anew
  const TestCertificate good = leaf();
  ASSERT_TRUE(install(good));
  patch({{"onApply", "critical"}});
  ASSERT_TRUE(install(leaf()));
  EXPECT_TRUE(eventually([&] { return fleet_->health(kFirst, {}).value().state == EdgeState::kCritical; }));
  patch({{"onApply", "slow"}});
  ASSERT_TRUE(install(leaf()));
  EXPECT_FALSE(TlsClient(sip_port()).connected()) << "still restarting";
  patch({{"onApply", "ok"}});
  const TestCertificate next = leaf();
  ASSERT_TRUE(install(next));
  EXPECT_TRUE(serves(next));
  EXPECT_TRUE(becomes(SipState::kUp));
  patch({{"onApply", "refuse"}});
  EXPECT_EQ(install(leaf()).error().kind, ErrorKind::kInvalid);
  patch({{"health", "UNKNOWN"}});
  EXPECT_EQ(fleet_->health(kFirst, {}).value().state, EdgeState::kUnknown);
  patch({{"sip", "DOWN"}});
  EXPECT_TRUE(becomes(SipState::kDown));
  patch({{"sip", "UP"}});
  EXPECT_TRUE(becomes(SipState::kUp));
}

TEST_F(GenesysSim, ALostAnswerLeavesTheEffectAndTheSameLeafAgainIsNoRestart) {
  start();
  ASSERT_TRUE(fleet_->health(kFirst, {}));
  plan({{"method", "POST"}, {"path", "*/certificates"}, {"action", {{"commitThenDrop", true}}}});
  const TestCertificate certificate = leaf();
  const Error error = install(certificate).error();
  EXPECT_TRUE(error.maybe_executed) << error.message();
  EXPECT_EQ(received("POST", "/certificates"), 1) << "sent once";
  ASSERT_TRUE(becomes(SipState::kUp));
  EXPECT_EQ(fleet_->health(kFirst, {}).value().fingerprint_sha256, fingerprint(certificate));
  TlsClient held(sip_port());
  ASSERT_TRUE(install(certificate));
  EXPECT_EQ(restarts(), 1);
  EXPECT_EQ(sim::sip_status(held.ask(sim::sip_options(kHost, 1))), 200) << "no connection was dropped";
}

TEST_F(GenesysSim, ARequestThatIsDroppedBeforeHasNoEffect) {
  start();
  ASSERT_TRUE(fleet_->health(kFirst, {}));
  plan({{"method", "POST"}, {"path", "*/certificates"}, {"action", {{"dropBefore", true}}}});
  EXPECT_TRUE(install(leaf()).error().maybe_executed) << "nobody can know";
  EXPECT_EQ(restarts(), 0);
}

TEST_F(GenesysSim, ExpiredTokensCostOneLogin) {
  start();
  ASSERT_TRUE(fleet_->check({}));
  EXPECT_EQ(control(http::Method::kPost, "/sim/v1/oauth/expire-tokens").status, 204);
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) callers.emplace_back([&] { EXPECT_TRUE(fleet_->health(kFirst, {})); });
  }
  EXPECT_EQ(received("POST", "/oauth/token"), 2);
}

TEST_F(GenesysSim, AChangedSecretIsUnauthorizedUntilItIsKnown) {
  start();
  ASSERT_TRUE(fleet_->check({}));
  const auto changed = control(http::Method::kPost, "/sim/v1/oauth/rotate-secret");
  ASSERT_EQ(changed.status, 200);
  control(http::Method::kPost, "/sim/v1/oauth/expire-tokens");
  const Error error = fleet_->check({}).error();
  EXPECT_EQ(error.kind, ErrorKind::kUnauthorized);
  EXPECT_NE(error.message().find("authentication failed"), std::string::npos) << error.message();
  EXPECT_EQ(retry_of(error), Retry::kAfterChange);
  const auto secret = json::Document::parse(changed.body).value();
  EXPECT_TRUE(make_fleet(*secret.root()["clientSecret"].string())->check({}));
}

TEST_F(GenesysSim, PlannedRefusalsComeThroughInOurWords) {
  start();
  plan({{"path", "*/edges"}, {"action", {{"status", 429}, {"headers", {{"Retry-After", "7"}}}}}});
  const Error limited = fleet_->check({}).error();
  EXPECT_EQ(limited.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(limited.retry_after, 7s);
  EXPECT_EQ(limited.code, "too.many.requests");
  auto other = make_fleet("s3cret-of-the-operator");
  plan({{"path", "*/edges"}, {"action", {{"status", 502}, {"body", "<html>Bad gateway</html>"}}}});
  EXPECT_EQ(other->check({}).error().kind, ErrorKind::kUnavailable);
  plan({{"path", "*/edges"}, {"times", 0}, {"action", {{"delayMs", 60'000}}}});
  std::stop_source stop;
  std::jthread call([&] { EXPECT_EQ(other->check(stop.get_token()).error().kind, ErrorKind::kCancelled); });
  EXPECT_TRUE(eventually([&] { return read("/sim/v1/faults").root()["planned"].integer() == 1; }));
  stop.request_stop();
}

TEST_F(GenesysSim, WithoutTheGuidesCallsNoKeyLeaves) {
  start({{"guideApi", false}});
  const Error error = fleet_->health(kFirst, {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_NE(error.what.find("does not offer the guide's call"), std::string::npos);
  EXPECT_FALSE(fleet_->install(upload_of(leaf()), {}));
  EXPECT_EQ(received("POST", "/certificates"), 0);
}

TEST_F(GenesysSim, AnUnknownEdgeIsNotAMissingCall) {
  start();
  const Error error = fleet_->health(ports::EdgeId{"7f3c0000-0000-4000-8000-00000000ffff"}, {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_EQ(error.what.find("does not offer"), std::string::npos);
}

TEST_F(GenesysSim, NoKeyInTheJournalNorAnywhereElse) {
  start();
  const TestCertificate certificate = leaf();
  ASSERT_TRUE(install(certificate));
  TestCertificate foreign = leaf();
  foreign.key_pem = support::test_key_pem(support::TestKey::kEc256);
  ASSERT_FALSE(install(foreign));
  const std::string everything =
      control(http::Method::kGet, "/sim/v1/journal").body + control(http::Method::kGet, "/sim/v1/edges").body;
  EXPECT_NE(everything.find(fingerprint(certificate)), std::string::npos);
  for (const std::string& key : {certificate.key_pem, foreign.key_pem}) {
    for (const std::string& canary : {key.substr(40, 40), to_base64(key).substr(60, 40)}) {
      EXPECT_EQ(everything.find(canary), std::string::npos);
    }
  }
  EXPECT_EQ(everything.find("PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(everything.find("s3cret-of-the-operator"), std::string::npos);
}

TEST_F(GenesysSim, TheCloudShowsAnnouncesAndChangesItsCertificate) {
  start();
  const auto status = [&] {
    http::Request request;
    request.url =
        http::Url::parse("https://localhost:" + std::to_string(cloud_port_) + "/api/v1/security/status").value();
    return json::Document::parse(transport()->send(request, {}).value().body).value();
  };
  const auto shown = [&] { return to_colon_hex(from_hex(TlsClient(cloud_port_).fingerprint()).value()); };
  const std::string first = shown();
  EXPECT_EQ(status().root()["certificateFingerprint"].string(), first);
  EXPECT_FALSE(status().root()["nextCertificateFingerprint"].present());
  EXPECT_EQ(control(http::Method::kPost, "/sim/v1/cloud/rotate", {{"notify", true}}).status, 204);
  const std::string next = status().root()["nextCertificateFingerprint"].string_or("");
  EXPECT_EQ(shown(), first);
  EXPECT_EQ(control(http::Method::kPost, "/sim/v1/cloud/rotate").status, 204);
  EXPECT_EQ(shown(), next);
  EXPECT_EQ(control(http::Method::kPost, "/sim/v1/cloud/rotate", {{"sameKey", true}}).status, 204);
  EXPECT_NE(shown(), next);
}

TEST_F(GenesysSim, StartsWithWhatItIsGivenAndResetsToIt) {
  const TestCertificate initial = leaf();
  start({{"initialCertificates",
          {{kFirst.value,
            {{"chainFile", write("chain.pem", initial.chain_pem)}, {"keyFile", write("key.pem", initial.key_pem)}}}}}});
  EXPECT_TRUE(serves(initial));
  EXPECT_TRUE(becomes(SipState::kUp));
  ASSERT_TRUE(install(leaf()));
  patch({{"onApply", "refuse"}});
  EXPECT_EQ(control(http::Method::kPost, "/sim/v1/reset").status, 204);
  EXPECT_TRUE(serves(initial));
  EXPECT_EQ(truth().root()["onApply"].string(), "ok");
  EXPECT_EQ(restarts(), 0);
  EXPECT_EQ(received("POST", "/certificates"), 0);
}

TEST_F(GenesysSim, SaysWhatIsWrongWithItsConfiguration) {
  for (const char* text :
       {"{", R"({"edges":[{"name":"no id"}]})", R"({"sbc":{"trustFile":"/nowhere"}})", R"({"api":{"port":"x"}})"}) {
    Child child({GENESYS_SIM, "--config", write("bad.json", text)});
    EXPECT_EQ(child.first_line(), "") << text;
    EXPECT_EQ(child.terminate(), 1) << text;
  }
}

}  // namespace
}  // namespace edgetrust::integration
