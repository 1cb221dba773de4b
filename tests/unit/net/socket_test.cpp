#include "edgetrust/net/socket.hpp"

#include "support/fake_clock.hpp"
#include "support/loopback_server.hpp"

namespace edgetrust::net {
namespace {

using namespace std::chrono_literals;
using support::LoopbackConnection;
using support::LoopbackServer;

// The clock stands still: what ends a wait is that poll(2) slept its time.
struct Net : testing::Test {
  support::FakeClock clock;
  std::stop_source source;
  Wait wait{clock, 10s, source.get_token()};
  static Endpoint at(const LoopbackServer& server) { return {"127.0.0.1", server.port()}; }
};

TEST_F(Net, SendsAndReceivesOverTcp) {
  LoopbackServer echo(nullptr, [](LoopbackConnection& c) { c.write(c.read_exactly(5)); });
  const auto socket = connect_tcp(at(echo), wait);
  ASSERT_TRUE(socket.has_value()) << socket.error().what;
  ASSERT_TRUE(send_all(*socket, "hello", wait).has_value());
  EXPECT_EQ(receive_exactly(*socket, 5, wait).value(), "hello");
  EXPECT_EQ(receive_some(*socket, 5, wait).value(), "") << "the end of the stream";
}

TEST_F(Net, AfterItsEndTheOtherSideMayStillSend) {
  LoopbackServer server(nullptr, [](LoopbackConnection& c) {
    c.hold();  // until the client's end
    c.write("last words");
  });
  const auto socket = connect_tcp(at(server), wait);
  ASSERT_TRUE(socket.has_value());
  end_sending(*socket);
  EXPECT_EQ(receive_exactly(*socket, 10, wait).value(), "last words");
}

TEST_F(Net, SendsMoreThanTheSystemBuffers) {
  const std::string much(8'000'000, 'x');
  LoopbackServer echo(nullptr,
                      [&](LoopbackConnection& c) { c.write(std::to_string(c.read_exactly(much.size()).size())); });
  const auto socket = connect_tcp(at(echo), wait);
  ASSERT_TRUE(socket.has_value());
  ASSERT_TRUE(send_all(*socket, much, wait).has_value());
  EXPECT_EQ(receive_some(*socket, 100, wait).value(), "8000000");
}

TEST_F(Net, SaysWhyThereIsNoConnection) {
  LoopbackServer closed(nullptr);
  const auto refused = connect_tcp(at(closed), wait);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(refused.error().what, "Connection refused");
  EXPECT_EQ(connect_tcp({"ns1.example.com", 53}, wait).error().kind, ErrorKind::kInvalid);
}

TEST_F(Net, AStreamThatEndsTooSoonIsUnavailable) {
  LoopbackServer half(nullptr, [](LoopbackConnection& c) { c.write("hel"); });
  const auto socket = connect_tcp(at(half), wait);
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(receive_exactly(*socket, 5, wait).error().kind, ErrorKind::kUnavailable);
}

TEST_F(Net, ASilentPeerIsATimeout) {
  LoopbackServer silent(nullptr, [](LoopbackConnection& c) { c.hold(); });
  const auto socket = connect_tcp(at(silent), wait);
  ASSERT_TRUE(socket.has_value());
  const Wait brief = wait.at_most(10ms);
  EXPECT_EQ(receive_some(*socket, 5, brief).error().kind, ErrorKind::kTimeout);
  EXPECT_FALSE(wait.readable_until(*socket, clock.steady() + 10ms).value());
  EXPECT_EQ(wait.at_most(1h).deadline(), wait.deadline()) << "a deadline is never moved back";
}

TEST_F(Net, ThePeerThatAlwaysHasMoreIsATimeoutToo) {
  LoopbackServer talkative(nullptr, [](LoopbackConnection& c) {
    c.write("more and more");
    c.hold();
  });
  const auto socket = connect_tcp(at(talkative), wait);
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(receive_some(*socket, 4, wait).value(), "more");
  clock.advance(10s);
  EXPECT_EQ(receive_some(*socket, 4, wait).value(), " and") << "not later than the deadline";
  clock.advance(1ms);
  EXPECT_EQ(receive_some(*socket, 4, wait).error().kind, ErrorKind::kTimeout);
}

TEST_F(Net, AStopEndsAWaitThatIsUnderWay) {
  LoopbackServer silent(nullptr, [&](LoopbackConnection& c) {
    c.read_some();  // the client is about to wait
    source.request_stop();
    c.hold();
  });
  const auto socket = connect_tcp(at(silent), wait);
  ASSERT_TRUE(socket.has_value());
  ASSERT_TRUE(send_all(*socket, "x", wait).has_value());
  EXPECT_EQ(receive_some(*socket, 5, wait).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(connect_tcp(at(silent), wait).error().kind, ErrorKind::kCancelled);
}

// Sends one datagram to the port of `socket` from a port that is not its peer's.
void send_as_a_stranger(const Socket& socket) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ASSERT_EQ(getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  const auto stranger = connect_udp({"127.0.0.1", ntohs(own.sin_port)});
  ASSERT_TRUE(stranger.has_value());
  ASSERT_TRUE(send_datagram(*stranger, "forged").has_value());
}

TEST_F(Net, DatagramsAreWholeAndFromThePeerOnly) {
  LoopbackServer echo([](const std::string& query) { return std::vector<std::string>{query + "!", "second"}; });
  const auto socket = connect_udp(at(echo));
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(take_datagram(*socket).value(), "") << "nothing came yet";
  send_as_a_stranger(*socket);
  ASSERT_TRUE(send_datagram(*socket, "hello").has_value());
  ASSERT_TRUE(wait.readable(*socket).has_value());
  EXPECT_EQ(take_datagram(*socket).value(), "hello!");
  ASSERT_TRUE(wait.readable(*socket).has_value());
  EXPECT_EQ(take_datagram(*socket).value(), "second");
}

TEST_F(Net, AClosedUdpPortIsSeen) {
  LoopbackServer closed(nullptr);
  const auto socket = connect_udp(at(closed));
  ASSERT_TRUE(socket.has_value());
  ASSERT_TRUE(send_datagram(*socket, "hello").has_value());
  ASSERT_TRUE(wait.readable(*socket).has_value());
  EXPECT_EQ(take_datagram(*socket).error().kind, ErrorKind::kUnavailable);
}

TEST_F(Net, RoutesAreKnownWithoutSending) {
  EXPECT_TRUE(has_route({"127.0.0.1", 53}));
  EXPECT_FALSE(has_route({"255.255.255.255", 53})) << "a broadcast address is no peer";
}

}  // namespace
}  // namespace edgetrust::net
