// The simulator's SIP-TLS ports and the SBC that looks at them, on real sockets.
#include "sip_plant.hpp"

#include "chain.hpp"
#include "sip_text.hpp"
#include "support/test_ca.hpp"
#include "tls_client.hpp"

#include <condition_variable>
#include <mutex>

namespace edgetrust::integration {
namespace {

using namespace std::chrono_literals;
using sim::OptionsMode;
using sim::SbcView;
using sim::SipEdge;
using sim::SipPlant;
using support::TestCa;
using support::TestCertificate;

// What the plant has reported, and waiting for it.
class Reports {
 public:
  SipPlant::Events events() {
    return {[this](const std::string& edge) {
              const std::lock_guard lock(mutex_);
              serves_[edge] += 1;
              changed_.notify_all();
            },
            [this](const std::string& edge, const SbcView& view) {
              const std::lock_guard lock(mutex_);
              seen_[edge].push_back(view);
              changed_.notify_all();
            }};
  }
  bool wait_serves(const std::string& edge, int times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return serves_[edge] >= times; });
  }
  // The next report that is made from now on.
  SbcView next(const std::string& edge) {
    std::unique_lock lock(mutex_);
    const std::size_t before = seen_[edge].size();
    if (!changed_.wait_for(lock, 10s, [&] { return seen_[edge].size() > before; })) return {false, "no report"};
    return seen_[edge].back();
  }
  // Waits until a report fits.
  bool wait_seen(const std::string& edge, const std::function<bool(const SbcView&)>& fits) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return !seen_[edge].empty() && fits(seen_[edge].back()); });
  }
  std::size_t count(const std::string& edge) {
    const std::lock_guard lock(mutex_);
    return seen_[edge].size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> serves_;
  std::map<std::string, std::vector<SbcView>> seen_;
};

class SipPlantTest : public ::testing::Test {
 protected:
  std::uint16_t add(const std::string& id, bool shared = false) {
    return plant_
        ->add_edge(
            {.id = id, .host = id + ".edges.test", .server_name = id + ".edges.test", .port = 0, .shared = shared})
        .value();
  }
  TestCertificate leaf(const std::string& id) const { return issuing_.issue({.dns = {id + ".edges.test"}}); }
  static std::string fingerprint(const TestCertificate& certificate) {
    return sim::read_leaf(certificate.chain_pem).value().fingerprint;
  }
  void serve(const std::string& id, const TestCertificate& certificate, OptionsMode mode = OptionsMode::kAnswer,
             std::chrono::milliseconds restart = 0ms) {
    plant_->serve(id, certificate.chain_pem, Secret(certificate.key_pem), mode, restart);
  }
  bool comes_up(const std::string& id) {
    return reports_.wait_seen(id, [](const SbcView& view) { return view.up; });
  }
  std::string goes_down(const std::string& id) {
    std::string cause;
    reports_.wait_seen(id, [&](const SbcView& view) {
      cause = view.cause;
      return !view.up && view.cause != "Connection refused";
    });
    return cause;
  }

  TestCa root_{"root"};
  TestCa middle_ = root_.intermediate("middle");
  TestCa issuing_ = middle_.intermediate("issuing");
  Reports reports_;
  std::unique_ptr<SipPlant> plant_ = SipPlant::start(50ms, root_.certificate_pem(), reports_.events()).value();
};

TEST_F(SipPlantTest, RefusesConnectionsUntilSomethingIsInstalled) {
  const std::uint16_t port = add("e1");
  EXPECT_FALSE(TlsClient(port).connected());
  EXPECT_EQ(reports_.next("e1").cause, "Connection refused");
  const TestCertificate certificate = leaf("e1");
  serve("e1", certificate);
  ASSERT_TRUE(comes_up("e1"));
  TlsClient client(port);
  EXPECT_EQ(client.fingerprint(), fingerprint(certificate));
  EXPECT_EQ(client.chain_length(), 3);
  EXPECT_EQ(sim::sip_status(client.ask(sim::sip_options("e1.edges.test", 1))), 200);
  EXPECT_EQ(sim::sip_status(client.ask(sim::sip_options("e1.edges.test", 2))), 200);
  plant_->stop_serving("e1");
  EXPECT_EQ(client.ask(sim::sip_options("e1.edges.test", 3)), "") << "dropped";
  EXPECT_FALSE(TlsClient(port).connected());
}

TEST_F(SipPlantTest, WhatIsCaughtUpIsSeenByTheNextConnection) {
  const std::uint16_t port = add("e1");
  for (int round = 0; round < 50; ++round) {
    serve("e1", leaf("e1"));
    ASSERT_TRUE(reports_.wait_serves("e1", round + 1));
    serve("e1", leaf("e1"), OptionsMode::kAnswer, 10min);  // overtaken by the next round
    plant_->catch_up();
    ASSERT_FALSE(TlsClient(port).connected()) << "round " << round;
  }
}

TEST_F(SipPlantTest, ARestartDropsConnectionsAndThenShowsTheNewLeaf) {
  const std::uint16_t port = add("e1");
  serve("e1", leaf("e1"));
  ASSERT_TRUE(comes_up("e1"));
  TlsClient held(port);
  ASSERT_TRUE(held.shook_hands());
  const TestCertificate next = leaf("e1");
  serve("e1", leaf("e1"), OptionsMode::kAnswer, 10min);  // longer than any test
  EXPECT_EQ(held.ask(sim::sip_options("e1.edges.test", 1)), "");
  EXPECT_FALSE(TlsClient(port).connected()) << "within the restart";
  serve("e1", next, OptionsMode::kAnswer, 50ms);
  ASSERT_TRUE(reports_.wait_serves("e1", 2));
  EXPECT_EQ(TlsClient(port).fingerprint(), fingerprint(next));
  EXPECT_TRUE(comes_up("e1"));
}

TEST_F(SipPlantTest, WhatChangesDuringARestartDoesNotKeepThePortClosed) {
  const std::uint16_t port = add("e1");
  const TestCertificate certificate = leaf("e1");
  serve("e1", certificate, OptionsMode::kAnswer, 200ms);
  ASSERT_TRUE(plant_->set_trust(root_.certificate_pem() + TestCa("other").certificate_pem()));
  plant_->set_mode("e1", OptionsMode::kAnswer);
  ASSERT_TRUE(comes_up("e1"));
  EXPECT_EQ(TlsClient(port).fingerprint(), fingerprint(certificate));
}

TEST_F(SipPlantTest, TheSbcSeesWhatIsWrongWithACertificate) {
  add("e1");
  struct Case {
    TestCertificate certificate;
    const char* cause;
  };
  TestCertificate gap = leaf("e1");
  gap.chain_pem = gap.certificate_pem + issuing_.certificate_pem();
  TestCertificate foreign = leaf("e1");
  foreign.key_pem = support::test_key_pem(support::TestKey::kEc256);
  const std::chrono::sys_days past = std::chrono::year{2021} / 1 / 1;
  const std::vector<Case> cases = {
      {gap, "unable to get local issuer certificate"},
      {issuing_.issue({.dns = {"other.edges.test"}}), "hostname mismatch"},
      {issuing_.issue({.dns = {"e1.edges.test"}, .not_after = past}), "certificate has expired"},
      {TestCa("stranger").intermediate("i").issue({.dns = {"e1.edges.test"}}),
       "unable to get local issuer certificate"},
      {support::self_signed({.dns = {"e1.edges.test"}}), "self-signed certificate"},
      {issuing_.issue({.dns = {"e1.edges.test"}, .server_auth = false}), "purpose"},
      {foreign, "TLS"},
  };
  for (const Case& c : cases) {
    serve("e1", leaf("e1"));
    ASSERT_TRUE(comes_up("e1")) << c.cause;
    serve("e1", c.certificate);
    EXPECT_NE(goes_down("e1").find(c.cause), std::string::npos) << c.cause << " but " << goes_down("e1");
  }
}

TEST_F(SipPlantTest, TheTrustStoreCanBeReplaced) {
  add("e1");
  const TestCa other("other root");
  const TestCertificate certificate = other.intermediate("i").issue({.dns = {"e1.edges.test"}});
  serve("e1", certificate);
  EXPECT_NE(goes_down("e1").find("issuer"), std::string::npos);
  ASSERT_TRUE(plant_->set_trust(root_.certificate_pem() + other.certificate_pem()));
  EXPECT_TRUE(comes_up("e1"));
  ASSERT_TRUE(plant_->set_trust(""));
  EXPECT_NE(goes_down("e1"), "");
  EXPECT_EQ(plant_->set_trust("junk").error().kind, ErrorKind::kInvalid);
}

TEST_F(SipPlantTest, SipItselfCanFailOrFlap) {
  add("e1");
  serve("e1", leaf("e1"), OptionsMode::kFail);
  EXPECT_EQ(goes_down("e1"), "OPTIONS was answered with 503");
  plant_->set_mode("e1", OptionsMode::kAnswer);
  EXPECT_TRUE(comes_up("e1"));
  plant_->set_mode("e1", OptionsMode::kFlap);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(goes_down("e1"), "OPTIONS was answered with 503");
    EXPECT_TRUE(comes_up("e1"));
  }
}

TEST_F(SipPlantTest, LooksAgainAndAgainAtEveryEdge) {
  for (const char* id : {"e1", "e2", "e3"}) {
    add(id);
    serve(id, leaf(id));
  }
  for (const char* id : {"e1", "e2", "e3"}) {
    ASSERT_TRUE(comes_up(id));
    const std::size_t before = reports_.count(id);
    EXPECT_TRUE(reports_.next(id).up);
    EXPECT_TRUE(reports_.next(id).up);
    EXPECT_GE(reports_.count(id), before + 2);
  }
}

TEST_F(SipPlantTest, GarbageIsHungUpOn) {
  const std::uint16_t port = add("e1");
  serve("e1", leaf("e1"));
  ASSERT_TRUE(comes_up("e1"));
  EXPECT_EQ(TlsClient(port).ask("GET / HTTP/1.1\r\n\r\n"), "");
  EXPECT_EQ(TlsClient(port).ask(std::string(10'000, 'x')), "");
  EXPECT_EQ(sim::sip_status(TlsClient(port).ask(sim::sip_options("e1", 1))), 200) << "and it goes on";
}

TEST_F(SipPlantTest, EdgesThatShareAPortAreToldApartByName) {
  const std::uint16_t port = add("s1", true);
  EXPECT_EQ(add("s2", true), port);
  const TestCertificate one = leaf("s1");
  const TestCertificate two = leaf("s2");
  serve("s1", one);
  ASSERT_TRUE(comes_up("s1"));
  EXPECT_FALSE(TlsClient(port, "s2.edges.test").shook_hands()) << "nothing installed there yet";
  serve("s2", two);
  ASSERT_TRUE(comes_up("s2"));
  EXPECT_EQ(TlsClient(port, "s1.edges.test").fingerprint(), fingerprint(one));
  EXPECT_EQ(TlsClient(port, "s2.edges.test").fingerprint(), fingerprint(two));
  EXPECT_FALSE(TlsClient(port, "s3.edges.test").shook_hands());
  TlsClient held(port, "s1.edges.test");
  serve("s2", leaf("s2"), OptionsMode::kAnswer, 200ms);
  EXPECT_EQ(sim::sip_status(held.ask(sim::sip_options("s1", 1))), 200) << "the restart of one is not the other's";
}

TEST_F(SipPlantTest, NoFreePortIsGivenTwiceAndATakenOneIsAnError) {
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(ports.insert(add("e" + std::to_string(i))).second);
  const int other = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(other, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(other, reinterpret_cast<sockaddr*>(&address), &size), 0);
  SipEdge taken;
  taken.id = "taken";
  taken.port = ntohs(address.sin_port);
  EXPECT_EQ(plant_->add_edge(taken).error().kind, ErrorKind::kUnavailable);
  close(other);
}

TEST_F(SipPlantTest, ARemovedEdgeLeavesNothing) {
  const std::uint16_t port = add("e1");
  serve("e1", leaf("e1"));
  ASSERT_TRUE(comes_up("e1"));
  plant_->remove_edge("e1");
  const std::uint16_t again = add("e2");  // waits for the plant's thread
  EXPECT_FALSE(TlsClient(port).connected());
  EXPECT_NE(again, 0);
}

}  // namespace
}  // namespace edgetrust::integration
