// Whom the transport trusts, whom it does not, and what it says about it.
#include "edgetrust/base/time_text.hpp"
#include "transport_fixture.hpp"

#include <fstream>

namespace edgetrust::http {
namespace {

using namespace std::chrono_literals;
using support::RawServer;
using support::RawSocket;
using support::RawTls;
using support::TestCa;
using support::TestCertificate;
using support::TestLeafSpec;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const TestCa& root() {
  static const TestCa ca("Test Root");
  return ca;
}

std::unique_ptr<Server> serve(const TestCertificate& certificate) {
  ServerOptions options;
  options.tls = ServerTls{.certificate_pem = certificate.chain_pem, .key_pem = Secret(certificate.key_pem)};
  return Server::start(
             std::move(options),
             [](const ServerRequest& request) { return Response{.status = 200, .body = "secure " + request.body}; })
      .value();
}

// What the transport says about a server with that certificate: its answer, or the error's kind and words.
std::string verdict(const TestCertificate& certificate, const std::string& host, const std::string& roots) {
  const auto server = serve(certificate);
  const auto result = send(*trusting(roots), secure_request_to(host, server->port(), Method::kPost, "body"));
  if (result) return result->body;
  EXPECT_FALSE(result.error().maybe_executed) << result.error().what;
  return std::string(to_string(result.error().kind)) + ": " + result.error().what;
}
std::string verdict(const TestLeafSpec& leaf, const std::string& host = "localhost") {
  return verdict(root().issue(leaf), host, root().certificate_pem());
}

TEST(TransportTls, AcceptsANameAndAnAddressOfTheCertificate) {
  EXPECT_EQ(verdict({.dns = {"localhost"}}), "secure body");
  EXPECT_EQ(verdict({.dns = {"other", "LOCALHOST"}}), "secure body");
  EXPECT_EQ(verdict({.ips = {"127.0.0.1"}}, "127.0.0.1"), "secure body");
  EXPECT_EQ(verdict({.dns = {"localhost"}, .key = support::TestKey::kRsa2048}), "secure body");
}

TEST(TransportTls, AServerIsGivenAnotherCertificateAndLosesNobody) {
  const auto before = root().issue({.dns = {"localhost"}});
  const auto after = root().issue({.dns = {"other.localhost"}});
  const auto server = serve(before);
  const auto transport = trusting(root().certificate_pem());
  const auto request = secure_request_to("localhost", server->port(), Method::kPost, "body");
  ASSERT_TRUE(send(*transport, request));
  EXPECT_EQ(server->set_tls({"junk", Secret(after.key_pem)}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(send(*trusting(root().certificate_pem()), request)->body, "secure body");
  ASSERT_TRUE(server->set_tls({after.chain_pem, Secret(after.key_pem)}));
  EXPECT_EQ(send(*transport, request)->body, "secure body") << "by the connection that it has";
  EXPECT_THAT(send(*trusting(root().certificate_pem()), request).error().what, HasSubstr("it is for other.localhost"));
  const auto plain = Server::start({}, [](const ServerRequest&) { return Response{}; }).value();
  EXPECT_EQ(plain->set_tls({after.chain_pem, Secret(after.key_pem)}).error().kind, ErrorKind::kInvalid);
}

TEST(TransportTls, RefusesAnotherName) {
  const std::string refused = verdict({.dns = {"a.example", "b.example"}, .ips = {"192.0.2.1"}});
  EXPECT_THAT(refused, HasSubstr("Protocol: the certificate of https://localhost:"));
  EXPECT_THAT(refused, HasSubstr("does not verify: it is for a.example, b.example, 192.0.2.1, not for localhost"));
}

TEST(TransportTls, RefusesAnotherAddressAndANameThatLooksLikeOne) {
  EXPECT_THAT(verdict({.ips = {"192.0.2.1"}}, "127.0.0.1"), HasSubstr("it is for 192.0.2.1, not for 127.0.0.1"));
  EXPECT_THAT(verdict({.dns = {"127.0.0.1"}}, "127.0.0.1"), HasSubstr("it is for 127.0.0.1, not for 127.0.0.1"));
}

TEST(TransportTls, TheCommonNameIsNoName) {
  EXPECT_THAT(verdict({.common_name = "localhost"}), HasSubstr("it is for no name, not for localhost"));
}

TEST(TransportTls, ManyNamesAreNotAllTold) {
  EXPECT_THAT(verdict({.dns = {"a", "b", "c", "d", "e", "f", "g"}}),
              HasSubstr("it is for a, b, c, d, e and 2 more, not"));
}

TEST(TransportTls, RefusesExpiredAndNotYetValid) {
  EXPECT_THAT(verdict({.dns = {"localhost"}, .not_after = parse_rfc3339("2021-02-03T04:05:06Z").value()}),
              HasSubstr("does not verify: it expired at 2021-02-03T04:05:06Z"));
  EXPECT_THAT(verdict({.dns = {"localhost"}, .not_before = parse_rfc3339("2048-01-01T00:00:00Z").value()}),
              HasSubstr("does not verify: it is not valid before 2048-01-01T00:00:00Z"));
}

TEST(TransportTls, RefusesAnExpiredIntermediate) {
  const TestCa old = root().intermediate("Old", {.not_after = parse_rfc3339("2021-02-03T04:05:06Z").value()});
  EXPECT_THAT(verdict(old.issue({.dns = {"localhost"}}), "localhost", root().certificate_pem()),
              HasSubstr("its issuer 'Old' expired at 2021-02-03T04:05:06Z"));
}

TEST(TransportTls, RefusesSelfSignedAndUnknownIssuers) {
  EXPECT_THAT(
      verdict(support::self_signed({.common_name = "x", .dns = {"localhost"}}), "localhost", root().certificate_pem()),
      HasSubstr("it is self-signed and not trusted"));
  const TestCa other("Other Root");
  EXPECT_THAT(verdict(other.issue({.dns = {"localhost"}}), "localhost", root().certificate_pem()),
              HasSubstr("its issuer 'Other Root' is neither trusted nor sent along"));
  auto with_root = other.issue({.dns = {"localhost"}});
  with_root.chain_pem += other.certificate_pem();
  EXPECT_THAT(verdict(with_root, "localhost", root().certificate_pem()),
              HasSubstr("its root 'Other Root' is not trusted"));
}

TEST(TransportTls, AnIntermediateMustBeSentAlong) {
  const auto inter = root().intermediate("Inter");
  auto leaf = inter.issue({.dns = {"localhost"}});
  EXPECT_EQ(verdict(leaf, "localhost", root().certificate_pem()), "secure body");
  leaf.chain_pem = leaf.certificate_pem;
  EXPECT_THAT(verdict(leaf, "localhost", root().certificate_pem()),
              HasSubstr("its issuer 'Inter' is neither trusted nor sent along"));
  EXPECT_EQ(verdict(leaf, "localhost", inter.certificate_pem()), "secure body");  // named, it is trusted as it stands
}

TEST(TransportTls, RefusesACertificateThatIsNotForServers) {
  EXPECT_THAT(verdict({.dns = {"localhost"}, .server_auth = false}), HasSubstr("it is not for TLS servers"));
}

TEST(TransportTls, RefusesAWeakKey) {
  // OpenSSL's server refuses to show such a certificate, so a raw one lowers its own level.
  const auto weak = root().issue({.dns = {"localhost"}, .key = support::TestKey::kRsa1024});
  RawServer server([](RawSocket& socket, int) { socket.wait_closed(); },
                   RawTls{.certificate_pem = weak.chain_pem, .key_pem = weak.key_pem, .weak = true});
  const auto result = send(*trusting(root().certificate_pem()), secure_request_to("localhost", server.port()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kProtocol);
}

TEST(TransportTls, TrustsNothingWhenNothingIsGiven) {
  EXPECT_THAT(verdict(root().issue({.dns = {"localhost"}}), "localhost", ""), HasSubstr("does not verify"));
}

TEST(TransportTls, WhatThePeerSaysAboutItselfIsMadePrintable) {
  const TestCa hostile("evil\x1b[2J\n\"root");
  EXPECT_THAT(verdict(hostile.issue({.dns = {"localhost"}}), "localhost", root().certificate_pem()),
              AllOf(HasSubstr("evil"), Not(HasSubstr("\x1b")), Not(HasSubstr("\n"))));
}

TEST(TransportTls, PublicRootsComeFromTheBundleAndOwnRootsAreAddedToThem) {
  const TestCa public_root("Public Root");
  const std::string bundle = ::testing::TempDir() + "/edgetrust-bundle.pem";
  std::ofstream(bundle) << "# a comment, as bundles have\n"
                        << TestCa("Another").certificate_pem() << public_root.certificate_pem();
  const auto works = [&](const TestCa& issuer, const std::string& ca_pem, bool public_roots) {
    TlsOptions options;
    options.public_roots = public_roots;
    options.public_roots_file = bundle;
    options.ca_pem = ca_pem;
    const auto server = serve(issuer.issue({.dns = {"localhost"}}));
    return send(*make_transport(std::move(options)).value(), secure_request_to("localhost", server->port()))
        .has_value();
  };
  EXPECT_TRUE(works(public_root, "", true));
  EXPECT_TRUE(works(public_root, root().certificate_pem(), true));
  EXPECT_TRUE(works(root(), root().certificate_pem(), true));
  EXPECT_FALSE(works(root(), "", true));
  EXPECT_FALSE(works(public_root, root().certificate_pem(), false));
}

TEST(TransportTls, TheSystemsBundleIsReadable) {
  TlsOptions options;
  options.public_roots = true;
  if (!std::ifstream(options.public_roots_file)) {
    options.public_roots_file = ::testing::TempDir() + "/no-bundle.pem";
    EXPECT_FALSE(make_transport(std::move(options)).has_value());
    return;
  }
  EXPECT_TRUE(make_transport(std::move(options)).has_value());
}

TEST(TransportTls, PemThatCannotBeReadIsInvalid) {
  const auto leaf = root().issue({.dns = {"client"}});
  const auto other = root().issue({.dns = {"client"}});
  const auto error = [](const std::string& ca, const std::string& certificate, const std::string& key,
                        const std::string& roots = {}) {
    TlsOptions options;
    options.ca_pem = ca;
    options.client_certificate_pem = certificate;
    options.client_key_pem = Secret(key);
    options.public_roots = !roots.empty();
    options.public_roots_file = roots;
    const auto made = make_transport(std::move(options));
    if (made) return std::string("made");
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    return made.error().what;
  };
  EXPECT_EQ(error(root().certificate_pem(), leaf.chain_pem, leaf.key_pem), "made");
  EXPECT_THAT(error("junk", "", ""), HasSubstr("CA certificates"));
  EXPECT_THAT(error("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "", ""),
              HasSubstr("CA certificates"));
  EXPECT_THAT(
      error(root().certificate_pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "", ""),
      HasSubstr("CA certificates"));
  EXPECT_THAT(error("", "junk", leaf.key_pem), HasSubstr("client certificate"));
  EXPECT_THAT(error("", leaf.chain_pem, ""), HasSubstr("client key"));
  EXPECT_THAT(error("", leaf.chain_pem, other.key_pem), HasSubstr("does not belong"));
  EXPECT_THAT(error("", "", "", "/nonexistent/bundle"), HasSubstr("/nonexistent/bundle"));
}

TEST(TransportTls, ShowsItsClientCertificateWhereOneIsRequired) {
  const TestCa clients("Clients");
  const auto inter = clients.intermediate("Clients Inter");
  const auto client = inter.issue({.common_name = "edgetrust"});
  const auto leaf = root().issue({.dns = {"localhost"}});
  for (const bool tls13 : {true, false}) {
    RawServer server(
        [](RawSocket& socket, int) {
          socket.read_message();
          socket.write(answer("known"));
        },
        RawTls{.certificate_pem = leaf.chain_pem,
               .key_pem = leaf.key_pem,
               .client_ca_pem = clients.certificate_pem(),
               .tls13 = tls13});
    TlsOptions options;
    options.ca_pem = root().certificate_pem();
    options.client_certificate_pem = client.chain_pem;
    options.client_key_pem = Secret(client.key_pem);
    const auto known = make_transport(std::move(options)).value();
    const auto request = secure_request_to("localhost", server.port(), Method::kPost, "body");
    const auto response = send(*known, request);
    ASSERT_TRUE(response.has_value()) << response.error().message();
    EXPECT_EQ(response->body, "known");

    const auto refused = send(*trusting(root().certificate_pem()), request);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::kProtocol) << refused.error().what;
    EXPECT_FALSE(refused.error().maybe_executed);
    EXPECT_THAT(refused.error().what, HasSubstr(tls13 ? "does not accept our client certificate" : "no TLS with"));
  }
}

TEST(TransportTls, SpeaksTls12ButNothingOlder) {
  const auto leaf = root().issue({.dns = {"localhost"}});
  const auto outcome = [&](bool tls13, bool tls12) {
    RawServer server(
        [](RawSocket& socket, int) {
          socket.read_message();
          socket.write(answer("ok"));
        },
        RawTls{.certificate_pem = leaf.chain_pem, .key_pem = leaf.key_pem, .tls13 = tls13, .tls12 = tls12});
    const auto result = send(*trusting(root().certificate_pem()), secure_request_to("localhost", server.port()));
    return result ? result->body : std::string(to_string(result.error().kind)) + ": " + result.error().what;
  };
  EXPECT_EQ(outcome(true, true), "ok");
  EXPECT_EQ(outcome(false, true), "ok");
  EXPECT_THAT(outcome(false, false), HasSubstr("Protocol: no TLS with https://localhost:"));
}

TEST(TransportTls, AServerWithoutTlsIsAProtocolError) {
  const auto server = Server::start({}, [](const ServerRequest&) { return Response{.status = 200}; }).value();
  const auto result = send(*trusting(), secure_request_to("localhost", server->port(), Method::kPost, "body"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kProtocol);
  EXPECT_FALSE(result.error().maybe_executed);
}

TEST(TransportTls, AConnectionThatBreaksInTheHandshakeIsUnavailable) {
  RawServer server([](RawSocket& socket, int) {
    socket.read_some();
    socket.close();
  });
  const auto result = send(*trusting(), secure_request_to("localhost", server.port(), Method::kPost, "body"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(result.error().maybe_executed);
}

// A server of TLS that reads a request and then follows `script`.
class SecureRaw {
 public:
  explicit SecureRaw(RawServer::Script script, bool tls13 = true)
      : leaf_(root().issue({.dns = {"localhost"}})),
        server_(std::move(script),
                RawTls{.certificate_pem = leaf_.chain_pem, .key_pem = leaf_.key_pem, .tls13 = tls13}) {}
  RawServer* operator->() { return &server_; }

 private:
  TestCertificate leaf_;
  RawServer server_;
};

TEST(TransportTls, AHundredRequestsUseOneConnection) {
  for (const bool tls13 : {true, false}) {
    SecureRaw server(
        [](RawSocket& socket, int) {
          while (!socket.read_message().empty()) socket.write(answer("ok"));
        },
        tls13);
    const auto transport = trusting(root().certificate_pem());
    for (int i = 0; i < 100; ++i) {
      const auto response = send(*transport, secure_request_to("localhost", server->port(), Method::kPost, "body"));
      ASSERT_TRUE(response.has_value()) << i << response.error().message();
    }
    EXPECT_EQ(server->connections(), 1);
  }
}

TEST(TransportTls, ARequestIsNotRepeatedWhenItsPooledConnectionDies) {
  std::atomic<int> read{0};
  SecureRaw server([&](RawSocket& socket, int) {
    if (!socket.read_message().empty()) ++read;
    socket.write(answer("first"));
    if (!socket.read_message().empty()) ++read;
  });
  const auto transport = trusting(root().certificate_pem());
  ASSERT_TRUE(send(*transport, secure_request_to("localhost", server->port())).has_value());
  const auto result = send(*transport, secure_request_to("localhost", server->port(), Method::kDelete));
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().maybe_executed);
  EXPECT_EQ(read, 2);
  EXPECT_EQ(server->connections(), 1);
}

TEST(TransportTls, ATimeoutAfterTheRequestLeftMayHaveBeenExecuted) {
  for (const bool tls13 : {true, false}) {
    SecureRaw server([](RawSocket& socket, int) { socket.wait_closed(); }, tls13);
    auto request = secure_request_to("localhost", server->port(), Method::kDelete);
    request.timeout = 500ms;
    const auto result = send(*trusting(root().certificate_pem()), request);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
    EXPECT_TRUE(result.error().maybe_executed);
  }
}

TEST(TransportTls, AnEndlessHeaderAndAnEndlessChunkAreCutWhileTheyArrive) {
  constexpr std::size_t kEndless = 500'000'000;
  for (const std::string begin :
       {"HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"}) {
    std::atomic<std::size_t> written{0};
    {
      SecureRaw server([&](RawSocket& socket, int) {
        socket.read_message();
        socket.write(begin);
        const std::string piece(8192, 'x');
        while (socket.written() < kEndless && socket.write(piece)) {
        }
        written = socket.written();
      });
      auto request = secure_request_to("localhost", server->port(), Method::kPost, "body");
      request.max_body = 1000;
      const auto result = send(*trusting(root().certificate_pem()), request);
      ASSERT_FALSE(result.has_value());
      EXPECT_EQ(result.error().kind, ErrorKind::kProtocol) << result.error().what;
      EXPECT_THAT(result.error().what, HasSubstr("sent more than is accepted"));
      EXPECT_TRUE(result.error().maybe_executed);
    }
    EXPECT_LT(written, 20'000'000U);  // what the kernel took beside
  }
}

TEST(TransportTls, ALargeBodyInSmallAndLargeChunksIsNotTakenForTooMuch) {
  const std::string body(3'000'000, 'x');
  SecureRaw server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2dc6c0\r\n" + body + "\r\n0\r\n\r\n");
    socket.read_message();
    std::string small = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 50'000; ++i) small += "2\r\nab\r\n";
    socket.write(small + "0\r\n\r\n");
    socket.read_message();
    socket.write(answer(body));
  });
  const auto transport = trusting(root().certificate_pem());
  auto request = secure_request_to("localhost", server->port());
  request.max_body = body.size();
  EXPECT_EQ(send(*transport, request).value().body.size(), body.size());
  EXPECT_EQ(send(*transport, request).value().body.size(), 100'000U);
  EXPECT_EQ(send(*transport, request).value().body.size(), body.size());
}

TEST(TransportTls, ABodyWithoutLengthThatIsCutOffIsNoBody) {
  SecureRaw server([](RawSocket& socket, int) {
    socket.read_message();
    socket.write("HTTP/1.1 200 OK\r\n\r\nhalf");  // and no close_notify
  });
  const auto result = send(*trusting(root().certificate_pem()), secure_request_to("localhost", server->port()));
  ASSERT_FALSE(result.has_value());
}

}  // namespace
}  // namespace edgetrust::http
