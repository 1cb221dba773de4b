// SIP OPTIONS over TLS, and the oldest version that a peer would take.
#include "edgetrust/probe/probe.hpp"
#include "support/fake_clock.hpp"
#include "unit/probe/tls_server.hpp"

namespace edgetrust::probe {
namespace {

using namespace std::chrono_literals;
using support::TestCa;
using testing::HasSubstr;

const support::TestCertificate& identity() {
  static const TestCa kRoot("root");
  static const support::TestCertificate kIdentity = kRoot.issue({.dns = {"a.example"}});
  return kIdentity;
}

struct Options : testing::Test {
  support::FakeClock clock;
  std::unique_ptr<Probe> probe =
      Probe::create([](const std::string&, const net::Wait&) { return std::vector<std::string>{"127.0.0.1"}; }, clock)
          .value();

  Result<ports::ServedChain> ask(const TlsServer& server, std::chrono::milliseconds timeout = 10s) {
    return probe->present(
        {.host = "127.0.0.1", .port = server.port(), .server_name = "", .timeout = timeout, .ask_options = true}, {});
  }
  // What comes of these answers. The chain is told in any case.
  ports::ServedChain answered(std::vector<std::string> answers, bool closes = false) {
    TlsServer server(identity(),
                     {.listens_to_sip = true, .sip_answers = std::move(answers), .closes_after_sip = closes});
    auto served = ask(server, closes ? 10'000ms : 300ms);
    EXPECT_TRUE(served.has_value()) << served.error().message();
    EXPECT_EQ(served->chain_pem, identity().chain_pem);
    EXPECT_NE(served->sip_status.has_value(), served->sip_error.has_value());
    return *served;
  }
};

std::string reply(const std::string& status, const std::string& body = "") {
  return "SIP/2.0 " + status + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

TEST_F(Options, AreWhatASipServerExpects) {
  TlsServer server(identity(), {.listens_to_sip = true, .sip_answers = {reply("200 OK")}});
  const std::string at = "127.0.0.1:" + std::to_string(server.port());
  ASSERT_EQ(ask(server).value().sip_status, 200);
  const std::string request = server.sip_request();
  EXPECT_TRUE(request.starts_with("OPTIONS sip:" + at + ";transport=tls SIP/2.0\r\n")) << request;
  // RFC 3261 section 8.1.1: what every request has.
  for (const char* header : {"Via: SIP/2.0/TLS ", "Max-Forwards: 70\r\n", "From: <sip:", "To: <sip:", "Call-ID: ",
                             "CSeq: 1 OPTIONS\r\n", "Content-Length: 0\r\n", ";branch=z9hG4bK", ";tag="})
    EXPECT_THAT(request, HasSubstr(header));
}

TEST_F(Options, NoTwoRequestsBearTheSameBranch) {
  const auto branch_of = [&] {
    TlsServer server(identity(), {.listens_to_sip = true, .sip_answers = {reply("200 OK")}});
    EXPECT_TRUE(ask(server).has_value());
    const std::string request = server.sip_request();
    const auto from = request.find("branch=");
    return request.substr(from, request.find(';', from) - from);
  };
  EXPECT_NE(branch_of(), branch_of()) << "also while the clock stands";
}

TEST_F(Options, TheFinalAnswerIsTold) {
  for (const int code : {200, 202, 302, 401, 404, 405, 408, 486, 500, 503, 603})
    EXPECT_EQ(answered({reply(std::to_string(code) + " Whatever it says")}).sip_status, code);
  EXPECT_EQ(answered({"SIP/2.0 200\r\n"}).sip_status, 200) << "without words, and no more is needed than its line";
  EXPECT_EQ(answered({"\r\n\r\n", reply("200 OK")}).sip_status, 200) << "after a keep-alive";
}

TEST_F(Options, ProvisionalAnswersArePassedOver) {
  EXPECT_EQ(answered({reply("100 Trying"), reply("200 OK")}).sip_status, 200);
  EXPECT_EQ(answered({reply("100 Trying") + reply("183 Progress", "v=0\r\n\r\nSIP/2.0 500 no\r\n") + reply("404 No")})
                .sip_status,
            404);
  const std::string whole = reply("100 Trying") + reply("481 Not here");
  std::vector<std::string> in_pieces;
  for (const char c : whole) in_pieces.emplace_back(1, c);
  EXPECT_EQ(answered(in_pieces).sip_status, 481) << "an octet at a time";
}

TEST_F(Options, WhatIsNoSipIsProtocol) {
  for (const char* answer :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "SIP/2.0 2000 OK\r\n\r\n", "SIP/2.0 099 OK\r\n\r\n", "SIP/2.0 abc\r\n\r\n",
        "SIP/3.0 200 OK\r\n\r\n", "\x01\x02\x03 and no end of a line",
        "SIP/2.0 100 Trying\r\nContent-Length: -1\r\n\r\n", "SIP/2.0 100 Trying\r\nl: 99999999999999999999\r\n\r\n"}) {
    const auto told = answered({answer});
    ASSERT_TRUE(told.sip_error) << answer;
    EXPECT_EQ(told.sip_error->kind, ErrorKind::kProtocol) << answer;
  }
}

TEST_F(Options, AnswersAreBounded) {
  std::vector<std::string> endless(400, reply("100 Trying"));
  const auto told = answered(endless);
  ASSERT_TRUE(told.sip_error);
  EXPECT_EQ(told.sip_error->what, "it answers OPTIONS without end");
  const auto line = answered({"SIP/2.0 200 " + std::string(20'000, 'x')});
  ASSERT_TRUE(line.sip_error);
  EXPECT_EQ(line.sip_error->kind, ErrorKind::kProtocol);
}

TEST_F(Options, SilenceIsATimeoutAndTheChainIsToldAllTheSame) {
  const auto silent = answered({});
  ASSERT_TRUE(silent.sip_error);
  EXPECT_EQ(silent.sip_error->kind, ErrorKind::kTimeout);
  EXPECT_EQ(answered({reply("100 Trying")}).sip_error->kind, ErrorKind::kTimeout);
}

TEST_F(Options, WhoHangsUpIsUnavailable) {
  const auto told = answered({reply("100 Trying")}, true);
  ASSERT_TRUE(told.sip_error);
  EXPECT_EQ(told.sip_error->kind, ErrorKind::kUnavailable);
  EXPECT_EQ(told.sip_error->what, "it closed the connection without an answer");
}

TEST_F(Options, AreAskedForOnlyWhereTheyAreWanted) {
  TlsServer server(identity());
  const auto served =
      probe->present({.host = "127.0.0.1", .port = server.port(), .server_name = "", .timeout = 10s}, {});
  ASSERT_TRUE(served.has_value());
  EXPECT_FALSE(served->sip_status || served->sip_error);
  EXPECT_TRUE(server.was_ended_politely());
}

TEST_F(Options, TheOldestVersionIsThePeers) {
  TlsServer old(identity(), {.newest = TLS1_2_VERSION});
  ports::ProbeTarget target{.host = "127.0.0.1", .port = old.port(), .server_name = "", .timeout = 10s};
  EXPECT_EQ(probe->present(target, {}).value().tls_version, "TLSv1.2");
  target.oldest = ports::TlsVersion::kTls13;
  const auto refused = probe->present(target, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kProtocol);
  EXPECT_THAT(refused.error().what, HasSubstr("protocol version"));
  TlsServer modern(identity());
  target.port = modern.port();
  EXPECT_EQ(probe->present(target, {}).value().tls_version, "TLSv1.3");
}

}  // namespace
}  // namespace edgetrust::probe
