// The transport and time: limits, cancelling, and how promptly.
#include "transport_fixture.hpp"

#include <future>

namespace edgetrust::http {
namespace {

using namespace std::chrono_literals;
using support::Gate;
using support::RawServer;
using support::RawSocket;
using ::testing::HasSubstr;

using Now = std::chrono::steady_clock;

TEST(TransportTime, ASilentServerIsATimeoutThatMayHaveBeenExecuted) {
  RawServer server([](RawSocket& socket, int) { socket.wait_closed(); });
  auto request = request_to(server.port(), Method::kPost, "/", "body");
  request.timeout = 100ms;
  const auto begin = Now::now();
  const auto result = send(*trusting(), request);
  EXPECT_GE(Now::now() - begin, 100ms);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
  EXPECT_TRUE(result.error().maybe_executed);
  EXPECT_THAT(result.error().what, HasSubstr("no answer from http://127.0.0.1:"));
  EXPECT_THAT(result.error().what, HasSubstr("within 100ms"));
}

TEST(TransportTime, AServerThatTricklesDoesNotBuyTime) {
  const auto transport = trusting();
  for (const bool chunked : {true, false}) {
    RawServer server([&](RawSocket& socket, int) {
      socket.read_message();
      socket.write(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           : "HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n");
      while (socket.write(chunked ? "1\r\nx\r\n" : "x")) {
      }
    });
    auto request = request_to(server.port());
    request.timeout = 200ms;
    request.max_body = 1'000'000'000;
    const auto result = send(*transport, request);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
  }
}

TEST(TransportTime, AHandshakeThatNeverEndsIsATimeoutWithoutAnyRequest) {
  RawServer server([](RawSocket& socket, int) { socket.wait_closed(); });
  auto request = secure_request_to("127.0.0.1", server.port(), Method::kPost, "body");
  request.timeout = 100ms;
  const auto result = send(*trusting(), request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
  EXPECT_FALSE(result.error().maybe_executed);
  EXPECT_THAT(result.error().what, HasSubstr("no connection to https://127.0.0.1:"));
}

TEST(TransportTime, StopEndsAWaitingRequestPromptly) {
  Gate read;
  Gate gone;
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    read.open();
    socket.wait_closed();
    gone.open();
  });
  const auto transport = trusting();
  std::stop_source stop;
  auto result = std::async(std::launch::async, [&] {
    return transport->send(request_to(server.port(), Method::kPost, "/", "body"), stop.get_token());
  });
  ASSERT_TRUE(read.wait());
  const auto begin = Now::now();
  stop.request_stop();
  const auto cancelled = result.get();
  EXPECT_LT(Now::now() - begin, 1s);
  ASSERT_FALSE(cancelled.has_value());
  EXPECT_EQ(cancelled.error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE(cancelled.error().maybe_executed);
  EXPECT_TRUE(gone.wait());  // the connection is closed, not left open
}

TEST(TransportTime, StopBeforehandSendsNothing) {
  RawServer server([](RawSocket& socket, int) { socket.wait_closed(); });
  std::stop_source stop;
  stop.request_stop();
  const auto result = trusting()->send(request_to(server.port(), Method::kPost, "/", "body"), stop.get_token());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kCancelled);
  EXPECT_FALSE(result.error().maybe_executed);
  EXPECT_EQ(server.connections(), 0);
}

TEST(TransportTime, CancelledInAnyPhaseManyTimesLeavesTheTransportWhole) {
  const auto server = Server::start({.max_connections = 1000}, [](const ServerRequest&) {
                        return Response{.status = 200, .body = std::string(10'000, 'x')};
                      }).value();
  const auto transport = trusting();
  int answered = 0;
  for (int i = 0; i < 300; ++i) {
    std::stop_source stop;
    Gate started;
    auto result = std::async(std::launch::async, [&] {
      started.open();
      return transport->send(request_to(server->port(), Method::kPost, "/", "body"), stop.get_token());
    });
    started.wait();
    // A little later each time; not by yields, which on a busy machine cost a time slice each.
    for (const auto until = Now::now() + i * 10us; Now::now() < until;) continue;
    stop.request_stop();
    const auto response = result.get();
    if (response) {
      ++answered;
    } else {
      EXPECT_EQ(response.error().kind, ErrorKind::kCancelled) << response.error().what;
    }
  }
  EXPECT_LT(answered, 300);
  EXPECT_TRUE(send(*transport, request_to(server->port())).has_value());
}

// One that went on would keep its transport from ending for as long as the server keeps silent.
TEST(TransportTime, CancelledInAnyPhaseNoRequestGoesOn) {
  const support::TestCa ca("root");
  const auto leaf = ca.issue({.ips = {"127.0.0.1"}});
  const support::RawTls tls{.certificate_pem = leaf.chain_pem, .key_pem = leaf.key_pem};
  for (const bool secure : {false, true}) {
    auto server = std::make_unique<RawServer>(
        [](RawSocket& socket, int) {
          socket.read_message();
          socket.wait_closed();
        },
        secure ? std::optional(tls) : std::nullopt);
    const Request request = secure ? secure_request_to("127.0.0.1", server->port(), Method::kPost, "body")
                                   : request_to(server->port(), Method::kPost, "/", "body");
    auto transport = trusting(ca.certificate_pem());
    for (int i = 0; i < 300; ++i) {
      std::stop_source stop;
      Gate started;
      auto result = std::async(std::launch::async, [&] {
        started.open();
        return transport->send(request, stop.get_token());
      });
      started.wait();
      for (const auto until = Now::now() + i * 10us; Now::now() < until;) continue;
      stop.request_stop();
      const auto cancelled = result.get();
      ASSERT_FALSE(cancelled);
      EXPECT_EQ(cancelled.error().kind, ErrorKind::kCancelled) << cancelled.error().what;
    }
    auto ended = std::async(std::launch::async, [&] { transport.reset(); });
    EXPECT_EQ(ended.wait_for(20s), std::future_status::ready) << secure;
    server.reset();  // ends what goes on
  }
}

TEST(TransportTime, ATransportEndsWithIdleConnectionsAndCancelledRequestsBehindIt) {
  RawServer server([](RawSocket& socket, int) {
    socket.read_message();
    socket.write(answer("ok"));
    socket.wait_closed();
  });
  auto transport = trusting();
  ASSERT_TRUE(send(*transport, request_to(server.port())).has_value());
  auto request = request_to(server.port(), Method::kPost, "/", "body");
  request.timeout = 20ms;
  ASSERT_FALSE(send(*transport, request).has_value());
  const auto begin = Now::now();
  transport.reset();
  EXPECT_LT(Now::now() - begin, 1s);
}

}  // namespace
}  // namespace edgetrust::http
