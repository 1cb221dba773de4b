#include "edgetrust/probe/probe.hpp"

#include "support/fake_clock.hpp"
#include "unit/probe/tls_server.hpp"

namespace edgetrust::probe {
namespace {

using namespace std::chrono_literals;
using support::LoopbackConnection;
using support::LoopbackServer;
using support::TestCa;
using testing::HasSubstr;

const TestCa& root() {
  static const TestCa kRoot("root");
  return kRoot;
}

// Made once: RSA keys take their time.
const support::TestCertificate& rsa_identity() {
  static const support::TestCertificate kIdentity =
      root().intermediate("inter").issue({.dns = {"a.example"}, .key = support::TestKey::kRsa2048});
  return kIdentity;
}

struct Probes : testing::Test {
  support::FakeClock clock;
  std::stop_source source;
  std::map<std::string, std::vector<std::string>> hosts{{"edge01.example.com", {"127.0.0.1"}}};

  Result<ports::ServedChain> probe(ports::ProbeTarget target) {
    const auto made = Probe::create(
        [this](const std::string& host, const net::Wait&) -> Result<std::vector<std::string>> {
          if (!hosts.contains(host)) return fail(ErrorKind::kNotFound, "the name " + host + " has no address");
          return hosts.at(host);
        },
        clock);
    return made.value()->present(target, source.get_token());
  }
  Result<ports::ServedChain> probe(std::uint16_t port, std::chrono::milliseconds timeout = 10s) {
    return probe({.host = "127.0.0.1", .port = port, .server_name = "", .timeout = timeout});
  }
  Result<ports::ServedChain> probe(const TlsServer& server) { return probe(server.port()); }
  // The error of a probe of a peer that does this with the connection.
  Error error_at(const LoopbackServer::OnConnection& script, std::chrono::milliseconds timeout = 10s) {
    LoopbackServer server(nullptr, script);
    const auto served = probe(server.port(), timeout);
    EXPECT_FALSE(served.has_value());
    return served ? Error{} : served.error();
  }
};

TEST_F(Probes, TheChainIsGivenAsItWasSent) {
  const TestCa first = root().intermediate("first");
  const TestCa second = first.intermediate("second");
  for (const auto& identity : {support::self_signed({.dns = {"a.example"}}), root().issue({.dns = {"a.example"}}),
                               first.issue({.dns = {"a.example"}}), second.issue({.dns = {"a.example"}})}) {
    TlsServer server(identity);
    const auto served = probe(server);
    ASSERT_TRUE(served.has_value()) << served.error().message();
    EXPECT_EQ(served->chain_pem, identity.chain_pem);
    EXPECT_EQ(served->tls_version, "TLSv1.3");
  }
}

TEST_F(Probes, AConnectionThatIsThereAlreadyWillDo) {
  const auto identity = root().issue({.dns = {"a.example"}});
  TlsServer server(identity);
  const auto probe = Probe::create(nullptr, clock).value();
  const net::Wait wait(clock, 10s, source.get_token());
  const auto socket = net::connect_tcp({"127.0.0.1", server.port()}, wait).value();
  const auto served =
      probe->present_over(socket, {.host = "far.example", .port = 443, .server_name = "", .timeout = 10s}, wait);
  ASSERT_TRUE(served.has_value()) << served.error().message();
  EXPECT_EQ(served->chain_pem, identity.chain_pem);
  EXPECT_EQ(server.server_name(), "far.example");
}

TEST_F(Probes, NothingIsJudged) {
  using std::chrono::sys_days;
  const TimePoint past = sys_days{std::chrono::year{2001} / 1 / 1};
  for (const auto& identity :
       {root().issue({.dns = {"expired.example"}, .not_before = past, .not_after = past + std::chrono::days{1}}),
        root().issue({.dns = {"weak.example"}, .key = support::TestKey::kRsa1024}), root().issue({.is_ca = true}),
        root().issue({.server_auth = false, .client_auth = true})}) {
    TlsServer server(identity);
    const auto served = probe(server);
    ASSERT_TRUE(served.has_value()) << served.error().message();
    EXPECT_EQ(served->chain_pem, identity.chain_pem);
  }
}

TEST_F(Probes, Tls12IsSpokenWithEveryKeyExchange) {
  const auto& identity = rsa_identity();
  for (const char* ciphers : {"ECDHE:@SECLEVEL=0", "DHE:@SECLEVEL=0", "kRSA:@SECLEVEL=0"}) {
    TlsServer server(identity, {.newest = TLS1_2_VERSION, .ciphers = ciphers});
    const auto served = probe(server);
    ASSERT_TRUE(served.has_value()) << ciphers << served.error().message();
    EXPECT_EQ(served->chain_pem, identity.chain_pem);
    EXPECT_EQ(served->tls_version, "TLSv1.2");
  }
}

// Of a version of which none is named OpenSSL's own are offered.
TEST_F(Probes, OnlyTheCipherSuitesThatAreNamedAreOffered) {
  struct Cell {
    std::vector<std::string> suites;
    TlsBehaviour server;
    const char* speaks;  // empty: they do not come together
    ports::TlsVersion oldest = ports::TlsVersion::kTls12;
  };
  const std::string rsa = "ECDHE-RSA-AES128-GCM-SHA256";
  const std::string rsa256 = "ECDHE-RSA-AES256-GCM-SHA384";
  const std::string tls13 = "TLS_AES_256_GCM_SHA384";
  const std::string chacha = "TLS_CHACHA20_POLY1305_SHA256";
  const TlsBehaviour any;
  const TlsBehaviour old{.newest = TLS1_2_VERSION};
  const TlsBehaviour old256{.newest = TLS1_2_VERSION, .ciphers = rsa256};
  const TlsBehaviour modern{.oldest = TLS1_3_VERSION};
  const TlsBehaviour modern_chacha{.oldest = TLS1_3_VERSION, .tls13_suites = chacha};
  const std::vector<Cell> cells{
      {{rsa}, any, "TLSv1.3"},
      {{rsa}, old, "TLSv1.2"},
      {{rsa}, old256, ""},
      {{rsa, rsa256}, old256, "TLSv1.2"},
      {{rsa}, modern, "TLSv1.3"},
      {{tls13}, any, "TLSv1.3"},
      {{tls13}, old, "TLSv1.2"},
      {{tls13}, modern_chacha, ""},
      {{"TLS_NO_SUCH_SUITE", chacha, tls13}, modern_chacha, "TLSv1.3"},
      {{"TLS_NO_SUCH_SUITE"}, any, "TLSv1.2"},
      {{"NO-SUCH-SUITE", rsa, tls13}, old, "TLSv1.2"},
      {{"NO-SUCH-SUITE"}, any, "TLSv1.3"},
      {{"NO-SUCH-SUITE"}, old, ""},
      {{rsa, tls13}, old, "", ports::TlsVersion::kTls13},
      {{}, old, "", ports::TlsVersion::kTls13},
  };
  for (std::size_t i = 0; i < cells.size(); ++i) {
    TlsServer server(rsa_identity(), cells[i].server);
    const auto served = probe({.host = "127.0.0.1",
                               .port = server.port(),
                               .server_name = "",
                               .timeout = 10s,
                               .oldest = cells[i].oldest,
                               .cipher_suites = cells[i].suites});
    EXPECT_EQ(served ? served->tls_version : "", cells[i].speaks) << i;
    if (!served) {
      EXPECT_EQ(served.error().kind, ErrorKind::kProtocol) << i;
    }
  }
}

TEST_F(Probes, WhereNoSuiteIsLeftToOfferNobodyIsAsked) {
  TlsServer server(rsa_identity());
  const auto served = probe({.host = "127.0.0.1",
                             .port = server.port(),
                             .server_name = "",
                             .timeout = 10s,
                             .oldest = ports::TlsVersion::kTls13,
                             .cipher_suites = {"TLS_NO_SUCH_SUITE", "ECDHE-RSA-AES128-GCM-SHA256"}});
  ASSERT_FALSE(served.has_value());
  EXPECT_EQ(served.error().kind, ErrorKind::kInvalid);
}

TEST_F(Probes, TheServerNameIsTheGivenOneElseTheHost) {
  const auto identity = root().issue({.dns = {"a.example"}});
  const auto name_seen = [&](const std::string& host, const std::string& server_name) {
    TlsServer server(identity);
    const auto served = probe({.host = host, .port = server.port(), .server_name = server_name, .timeout = 10s});
    EXPECT_TRUE(served.has_value()) << served.error().message();
    return server.server_name();
  };
  EXPECT_EQ(name_seen("Edge01.Example.com", ""), "edge01.example.com");
  EXPECT_EQ(name_seen("edge01.example.com", "Other.example.com."), "other.example.com");
  EXPECT_EQ(name_seen("127.0.0.1", "other.example.com"), "other.example.com");
  EXPECT_EQ(name_seen("127.0.0.1", ""), "");
  EXPECT_EQ(name_seen("edge01.example.com", "127.0.0.1"), "");
}

TEST_F(Probes, WhoWantsAClientCertificateShowsItsChain) {
  const auto& identity = rsa_identity();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsServer server(identity,
                     {.newest = version, .ciphers = "ECDHE:@SECLEVEL=0", .asks_for_client_certificate = true});
    const auto served = probe(server);
    ASSERT_TRUE(served.has_value()) << served.error().message();
    EXPECT_EQ(served->chain_pem, identity.chain_pem);
    EXPECT_EQ(served->tls_version, version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
  }
}

TEST_F(Probes, AChainWithoutProofOfItsKeyIsNotTold) {
  // RSA key exchange, and refused before the server's Finished: anyone could have sent this chain.
  const auto& identity = rsa_identity();
  TlsServer server(identity,
                   {.newest = TLS1_2_VERSION, .ciphers = "kRSA:@SECLEVEL=0", .asks_for_client_certificate = true});
  const auto served = probe(server);
  ASSERT_FALSE(served.has_value());
  EXPECT_EQ(served.error().kind, ErrorKind::kProtocol);
  EXPECT_THAT(served.error().what, HasSubstr("it ends the handshake with the alert \"handshake failure\""));
}

TEST_F(Probes, TheConnectionIsEndedPolitely) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsServer server(root().issue({.dns = {"a.example"}}), {.newest = version});
    ASSERT_TRUE(probe(server).has_value());
    EXPECT_TRUE(server.was_ended_politely());
    EXPECT_FALSE(server.was_reset());
  }
}

TEST_F(Probes, AnAlertIsToldInItsWords) {
  TlsServer server(root().issue({.dns = {"a.example"}}), {.only_server_name = "a.example"});
  const auto served = probe({.host = "edge01.example.com", .port = server.port(), .server_name = "", .timeout = 10s});
  ASSERT_FALSE(served.has_value());
  EXPECT_EQ(served.error().kind, ErrorKind::kProtocol);
  EXPECT_EQ(served.error().message(), "TLS at edge01.example.com:" + std::to_string(server.port()) +
                                          ": it ends the handshake with the alert \"unrecognized name\"");
}

TEST_F(Probes, TlsThatIsTooOldIsProtocol) {
  TlsServer server(root().issue({.dns = {"a.example"}}), {.newest = TLS1_1_VERSION});
  const auto served = probe(server);
  ASSERT_FALSE(served.has_value());
  EXPECT_EQ(served.error().kind, ErrorKind::kProtocol);
  EXPECT_THAT(served.error().what, HasSubstr("protocol version"));
}

TEST_F(Probes, WhatIsNotTlsIsProtocol) {
  for (const char* greeting :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "SIP/2.0 400 Bad Request\r\n"}) {
    const Error error = error_at([&](LoopbackConnection& c) {
      c.read_some();
      c.write(greeting);
      c.hold();
    });
    EXPECT_EQ(error.kind, ErrorKind::kProtocol);
    EXPECT_EQ(error.what, "it answers, but not TLS");
  }
}

TEST_F(Probes, NobodyThereIsUnavailable) {
  LoopbackServer closed(nullptr);
  const auto refused = probe(closed.port());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(refused.error().message(), "TLS at " + closed.address() + ": Connection refused");
  EXPECT_EQ(error_at([](LoopbackConnection&) {}).kind, ErrorKind::kUnavailable) << "closed at once";
  EXPECT_EQ(error_at([](LoopbackConnection& c) { c.read_some(); }).kind, ErrorKind::kUnavailable) << "closed later";
  const Error reset = error_at([](LoopbackConnection& c) {
    c.read_some();
    c.reset();
  });
  EXPECT_EQ(reset.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(reset.what, "Connection reset by peer");
  EXPECT_EQ(error_at([](LoopbackConnection& c) {
              c.read_some();
              c.write(std::string("\x15\x03\x03\x00\x02\x01\x00", 7));  // close_notify, in the clear
              c.hold();
            }).kind,
            ErrorKind::kUnavailable);
}

TEST_F(Probes, SilenceIsATimeout) {
  EXPECT_EQ(error_at([](LoopbackConnection& c) { c.hold(); }, 20ms).kind, ErrorKind::kTimeout);
  const Error half = error_at(
      [](LoopbackConnection& c) {
        c.read_some();
        c.write(std::string("\x16\x03\x03\x40\x00half a record", 18));
        c.hold();
      },
      20ms);
  EXPECT_EQ(half.kind, ErrorKind::kTimeout);
}

TEST_F(Probes, AStopEndsItAtOnce) {
  const Error stopped = error_at(
      [this](LoopbackConnection& c) {
        c.read_some();
        source.request_stop();
        c.hold();
      },
      1h);
  EXPECT_EQ(stopped.kind, ErrorKind::kCancelled);
  EXPECT_EQ(probe(1, 1h).error().kind, ErrorKind::kCancelled);
}

TEST_F(Probes, AHandshakeWithoutEndIsCutShort) {
  // A HelloRequest (RFC 5246 section 7.4.1.1) is ignored by a client whose handshake is under way, any number of them.
  const Error endless = error_at([](LoopbackConnection& c) {
    c.read_some();
    std::string requests;
    for (int i = 0; i < 40'000; ++i) requests.append("\x16\x03\x03\x00\x04\x00\x00\x00\x00", 9);
    c.write(requests);
    c.hold();
  });
  EXPECT_EQ(endless.kind, ErrorKind::kProtocol);
  EXPECT_EQ(endless.what, "a TLS handshake without end");
  const Error announced = error_at([](LoopbackConnection& c) {
    c.read_some();
    c.write(std::string("\x16\x03\x03\x00\x04\x02\xff\xff\xff", 9));  // a ServerHello of 16 MB
    c.hold();
  });
  EXPECT_EQ(announced.kind, ErrorKind::kProtocol);
  EXPECT_THAT(announced.what, HasSubstr("excessive message size"));
}

TEST_F(Probes, ChainsBeyondTheBoundsAreRefused) {
  support::TestCertificate identity = root().issue({.dns = {"a.example"}});
  const std::string one = root().certificate_pem();
  for (int i = 0; i < 9; ++i) identity.chain_pem += one;
  TlsServer ten(identity);
  EXPECT_EQ(probe(ten).value().chain_pem, identity.chain_pem);
  identity.chain_pem += one;
  TlsServer eleven(identity);
  const auto too_many = probe(eleven);
  ASSERT_FALSE(too_many.has_value());
  EXPECT_EQ(too_many.error().kind, ErrorKind::kProtocol);
  EXPECT_THAT(too_many.error().what, HasSubstr("it presents 11 certificates; at most 10 are read"));
  for (int i = 0; i < 400; ++i) identity.chain_pem += one;
  TlsServer huge(identity);
  const auto too_large = probe(huge);
  ASSERT_FALSE(too_large.has_value());
  EXPECT_EQ(too_large.error().kind, ErrorKind::kProtocol);
}

TEST_F(Probes, AnonymousServersAreRefused) {
  TlsServer server(root().issue({.dns = {"a.example"}}), {.newest = TLS1_2_VERSION, .ciphers = "aNULL:@SECLEVEL=0"});
  EXPECT_EQ(probe(server).error().kind, ErrorKind::kProtocol);
}

TEST_F(Probes, EveryAddressOfAHostIsTried) {
  const auto identity = root().issue({.dns = {"a.example"}});
  TlsServer server(identity);
  hosts["edge02.example.com"] = {"127.0.0.9", "127.0.0.1"};
  const auto served = probe({.host = "edge02.example.com", .port = server.port(), .server_name = "", .timeout = 10s});
  ASSERT_TRUE(served.has_value()) << served.error().message();
  EXPECT_EQ(served->chain_pem, identity.chain_pem);
}

TEST_F(Probes, HostsThatAreNoneAreTold) {
  const auto unknown = probe({.host = "no.example.com", .port = 5061, .server_name = "", .timeout = 1s});
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(unknown.error().message(), "TLS at no.example.com:5061: the name no.example.com has no address");
  for (const auto& [host, server_name] :
       std::vector<std::pair<std::string, std::string>>{{"", ""}, {"a b", ""}, {"127.0.0.1", "a b"}})
    EXPECT_EQ(probe({.host = host, .port = 5061, .server_name = server_name, .timeout = 1s}).error().kind,
              ErrorKind::kInvalid);
  hosts["empty.example.com"] = {};
  EXPECT_EQ(probe({.host = "empty.example.com", .port = 5061, .server_name = "", .timeout = 1s}).error().kind,
            ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace edgetrust::probe
