#include "edgetrust/http/server.hpp"

#include "support/raw_socket.hpp"
#include "support/test_ca.hpp"

#include <atomic>
#include <future>
#include <latch>
#include <thread>

namespace edgetrust::http {
namespace {

using namespace std::chrono_literals;
using support::RawSocket;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Response text(int status, std::string body) {
  return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = std::move(body)};
}

Response echo(const ServerRequest& request) {
  return text(200, request.method + " " + request.path + " [" + request.query + "] " + request.body);
}

// The header and body of one answer.
std::string ask(RawSocket& socket, const std::string& request) {
  socket.write(request);
  return socket.read_message();
}

TEST(Server, HandsOverWhatWasSentAndAnswersWithExactLength) {
  ServerRequest seen;
  const auto server = Server::start({}, [&](const ServerRequest& request) {
                        seen = request;
                        return echo(request);
                      }).value();
  const auto socket = RawSocket::connect(server->port());
  const auto answer =
      ask(*socket, "PATCH /a%20b/c?x=1&y HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 27\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nPATCH /a%20b/c [x=1&y] body"));
  EXPECT_THAT(seen.headers.all("X-One"), ElementsAre("1", "2"));
}

TEST(Server, OneConnectionServesManyRequestsAlsoPipelinedAndChunked) {
  const auto server = Server::start({}, echo).value();
  const auto socket = RawSocket::connect(server->port());
  socket->write(
      "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /3 "
      "HTTP/1.1\r\n\r\n");
  EXPECT_THAT(socket->read_message(), EndsWith("GET /1 [] "));
  EXPECT_THAT(socket->read_message(), EndsWith("POST /2 [] abc"));
  EXPECT_THAT(socket->read_message(), EndsWith("GET /3 [] "));
  EXPECT_THAT(ask(*socket, "GET /4 HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("Connection: close"));
  EXPECT_EQ(socket->read_all(), "");
}

TEST(Server, HeadAndNoContentHaveNoBody) {
  const auto server = Server::start({}, [](const ServerRequest& request) {
                        return text(request.path == "/none" ? 204 : 200, "12345");
                      }).value();
  const auto socket = RawSocket::connect(server->port());
  socket->write("HEAD / HTTP/1.1\r\n\r\n");
  const auto head = socket->read_until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 5\r\n"));
  socket->write("GET /none HTTP/1.1\r\n\r\n");
  const auto none = socket->read_until("\r\n\r\n");
  EXPECT_THAT(none, StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(none, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(ask(*socket, "GET / HTTP/1.1\r\n\r\n"), EndsWith("\r\n\r\n12345"));
}

TEST(Server, AHandlerCannotBreakTheFraming) {
  const auto server = Server::start({}, [](const ServerRequest&) {
                        return Response{.status = 200,
                                        .headers = {{"Content-Length", "1"},
                                                    {"Transfer-Encoding", "chunked"},
                                                    {"X-Split", "a\r\nSet-Cookie: b"},
                                                    {"X-Good", "c"}},
                                        .body = "12345"};
                      }).value();
  const auto socket = RawSocket::connect(server->port());
  const auto answer = ask(*socket, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Good: c\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie")));
}

TEST(Server, StatusZeroClosesWithoutAnAnswer) {
  const auto server = Server::start({}, [](const ServerRequest&) { return Response{}; }).value();
  const auto socket = RawSocket::connect(server->port());
  socket->write("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(socket->read_all(), "");
}

TEST(Server, AHandlerThatThrowsIsAnInternalError) {
  const auto server =
      Server::start({}, [](const ServerRequest&) -> Response { throw std::runtime_error("no"); }).value();
  const auto socket = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*socket, "GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 500"));
}

TEST(Server, RefusesABodyBeyondItsBoundWithoutReadingIt) {
  const auto server = Server::start({.max_body = 1000}, echo).value();
  const auto announced = RawSocket::connect(server->port());
  const auto answer = ask(*announced, "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  const auto chunked = RawSocket::connect(server->port());
  const std::string chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  EXPECT_THAT(ask(*chunked, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + chunk),
              StartsWith("HTTP/1.1 413"));
  const auto exact = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*exact, "POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')),
              StartsWith("HTTP/1.1 200"));
}

TEST(Server, TheAnswerToATooLargeBodyIsReadableWhileTheBodyIsStillSent) {
  const auto server = Server::start({.max_body = 1000}, echo).value();
  const auto socket = RawSocket::connect(server->port());
  socket->write("POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + std::string(300000, 'x'));
  EXPECT_THAT(socket->read_message(), StartsWith("HTTP/1.1 413"));
}

TEST(Server, RefusesAHeaderBeyondItsBoundAndWhatIsNotHttp) {
  const auto server = Server::start({}, echo).value();
  const auto large = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*large, "GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431"));
  const auto garbage = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*garbage, "\x16\x03\x01 this is no HTTP\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST(Server, ARequestThatIsNotCompleteInTimeLosesItsConnection) {
  const auto server = Server::start({.request_timeout = 300ms, .idle_timeout = 30s}, echo).value();
  const auto silent = RawSocket::connect(server->port());
  const auto header = RawSocket::connect(server->port());
  header->write("GET / HTTP/1.1\r\nX-Slow");
  const auto body = RawSocket::connect(server->port());
  body->write("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na");
  const auto second = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*second, "GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  second->write("G");
  for (const auto* socket : {&silent, &header, &body, &second}) EXPECT_EQ((*socket)->read_all(), "");
}

TEST(Server, AConnectionThatTricklesDoesNotBuyTime) {
  constexpr std::size_t kHuge = 1'000'000'000;
  const auto server = Server::start({.max_body = kHuge, .request_timeout = 50ms}, echo).value();
  const auto socket = RawSocket::connect(server->port());
  socket->write("POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n");
  std::size_t sent = 0;
  while (socket->write("x")) ++sent;
  EXPECT_GT(sent, 0U);
  EXPECT_LT(sent, kHuge);
}

TEST(Server, AnIdleConnectionIsClosed) {
  const auto server = Server::start({.request_timeout = 30s, .idle_timeout = 50ms}, echo).value();
  const auto socket = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*socket, "GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(socket->read_all(), "");
}

TEST(Server, FurtherConnectionsAreClosedAtOnceAndPlaceIsMadeAgain) {
  const auto server = Server::start({.max_connections = 2}, echo).value();
  auto one = RawSocket::connect(server->port());
  const auto two = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*one, "GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(*two, "GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  const auto three = RawSocket::connect(server->port());
  EXPECT_EQ(three->read_all(), "");
  EXPECT_THAT(ask(*one, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  one->read_all();
  one.reset();
  // The server lets go of a connection a little after its client sees it close.
  std::string answer;
  while (answer.empty()) answer = ask(*RawSocket::connect(server->port()), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST(Server, ABlockedHandlerHoldsOneThreadAndNothingElse) {
  support::Gate entered;
  support::Gate release;
  const auto server = Server::start({.request_timeout = 300ms, .threads = 2}, [&](const ServerRequest& request) {
                        if (request.path == "/block") {
                          entered.open();
                          release.wait();
                        }
                        return echo(request);
                      }).value();
  const auto blocked = RawSocket::connect(server->port());
  blocked->write("GET /block HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(entered.wait());
  const auto other = RawSocket::connect(server->port());
  EXPECT_THAT(ask(*other, "GET /free HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  const auto slow = RawSocket::connect(server->port());
  EXPECT_EQ(slow->read_all(), "");  // time limits go on too
  release.open();
  EXPECT_THAT(blocked->read_message(), EndsWith("GET /block [] "));
}

TEST(Server, APublicOneLetsNobodyHoldItsConnections) {
  const auto server = Server::start({.request_timeout = 60s, .max_connections = 2, .is_public = true}, echo).value();
  const auto first = RawSocket::connect(server->port());
  const auto second = RawSocket::connect(server->port());
  second->write("GET / HTTP/1.1\r\nX-Slow");
  const auto third = RawSocket::connect(server->port());
  const auto answer = ask(*third, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_EQ(third->read_all(), "") << "a connection is for one request";
  EXPECT_EQ(first->read_all(), "") << "the oldest made place";
  second->write(": 1\r\n\r\n");
  EXPECT_THAT(second->read_message(), StartsWith("HTTP/1.1 200")) << "and nobody else";
}

TEST(Server, StopsAtOnceWithOpenConnections) {
  auto server = Server::start({.request_timeout = 60s, .idle_timeout = 60s}, echo).value();
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 20; ++i) {
    sockets.push_back(RawSocket::connect(server->port()));
    if (i % 2 == 0) ask(*sockets.back(), "GET / HTTP/1.1\r\n\r\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  for (const auto& socket : sockets) EXPECT_EQ(socket->read_all(), "");
}

TEST(Server, WaitsForTheHandlerThatIsRunning) {
  support::Gate entered;
  support::Gate release;
  std::atomic<bool> finished = false;
  auto server = Server::start({}, [&](const ServerRequest& request) {
                  entered.open();
                  release.wait();
                  finished = true;
                  return echo(request);
                }).value();
  const auto socket = RawSocket::connect(server->port());
  socket->write("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(entered.wait());
  auto stopped = std::async(std::launch::async, [&] { server.reset(); });
  EXPECT_EQ(socket->read_all(), "");  // the connection is gone first
  EXPECT_FALSE(finished);
  release.open();
  stopped.get();
  EXPECT_TRUE(finished);
}

TEST(Server, StartSaysWhatIsWrong) {
  const auto server = Server::start({}, echo).value();
  const auto taken = Server::start({.port = server->port()}, echo);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(taken.error().what, HasSubstr("in use"));
  EXPECT_EQ(Server::start({.address = "localhost"}, echo).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Server::start({.threads = 0}, echo).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Server::start({}, nullptr).error().kind, ErrorKind::kInvalid);
}

TEST(Server, StartRefusesPemThatDoesNotFit) {
  const support::TestCa ca("ca");
  const auto leaf = ca.issue({.dns = {"a"}});
  const auto other = ca.issue({.dns = {"b"}});
  const auto start = [](const std::string& certificate, const std::string& key) {
    return Server::start({.tls = ServerTls{.certificate_pem = certificate, .key_pem = Secret(key)}}, echo);
  };
  EXPECT_TRUE(start(leaf.chain_pem, leaf.key_pem).has_value());
  EXPECT_EQ(start("junk", leaf.key_pem).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(start(leaf.chain_pem, "junk").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(start(leaf.chain_pem, other.key_pem).error().kind, ErrorKind::kInvalid);
}

// --- server-sent events

struct Told {
  std::shared_ptr<EventChannel> channel = EventChannel::create(8);
  ServerOptions options;
  std::unique_ptr<Server> server;

  explicit Told(ServerOptions with = {}) : options(std::move(with)) {
    server = Server::start(std::move(options), [this](const ServerRequest& request) -> Answer {
               if (request.path != "/events") return text(200, "else");
               return {{.status = 200, .headers = {{"X-Mine", "1"}}, .body = {}}, channel->listen()};
             }).value();
  }
  std::unique_ptr<RawSocket> listen() {
    auto socket = RawSocket::connect(server->port());
    socket->write("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    return socket;
  }
  // Ends when so many are listening; a test that waits in vain is ended by its deadline.
  void await(std::size_t listeners) {
    while (channel->listeners() != listeners) std::this_thread::sleep_for(1ms);
  }
};

TEST(ServerEvents, AreToldToAllWhoListenAndTheLatestToWhoComesLater) {
  Told told;
  const auto one = told.listen();
  told.await(1);
  told.channel->say("first");
  EXPECT_THAT(one->read_until("data: first\n\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  const auto two = told.listen();
  const std::string head = two->read_until("data: first\n\n");
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Mine: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  told.await(2);
  told.channel->say("second");
  EXPECT_EQ(one->read_until("\n\n"), "data: second\n\n");
  EXPECT_EQ(two->read_until("\n\n"), "data: second\n\n");
}

TEST(ServerEvents, NoMoreListenThanMayAndAPlaceThatIsLeftIsTaken) {
  const auto channel = EventChannel::create(2);
  auto one = channel->listen();
  const auto two = channel->listen();
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(channel->listen(), nullptr);
  EXPECT_EQ(channel->listeners(), 2U);
  one.reset();
  EXPECT_NE(channel->listen(), nullptr);
}

TEST(ServerEvents, ManyWhoComeAtOnceDoNotPassTheLimit) {
  constexpr std::size_t kMost = 4;
  const auto channel = EventChannel::create(kMost);
  std::atomic<std::size_t> taken = 0;
  std::vector<std::jthread> threads;
  std::latch begin(16);
  std::latch end(16);
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&] {
      begin.arrive_and_wait();
      const auto listener = channel->listen();
      if (listener) ++taken;
      end.arrive_and_wait();  // all hold what they have got
    });
  threads.clear();
  EXPECT_EQ(taken, kMost);
}

TEST(ServerEvents, ALineBreakIsNoEndOfAnEvent) {
  Told told;
  told.channel->say("one\r\ntwo\n\nthree");
  EXPECT_THAT(told.listen()->read_until("three\n\n"),
              EndsWith("\r\n\r\ndata: one\ndata: two\ndata: \ndata: three\n\n"));
}

TEST(ServerEvents, AListenerThatGoesIsForgottenAndOthersAreStillServed) {
  Told told;
  auto one = told.listen();
  const auto two = told.listen();
  told.await(2);
  one.reset();
  told.await(1);
  told.channel->say("still");
  two->read_until("data: still\n\n");
  const auto socket = RawSocket::connect(told.server->port());
  EXPECT_THAT(ask(*socket, "GET /else HTTP/1.1\r\n\r\n"), EndsWith("else"));
}

TEST(ServerEvents, ThereIsASignOfLifeAndHeadHasNoStream) {
  Told told({.event_heartbeat = 10ms});
  told.listen()->read_until("\r\n\r\n:\n\n:\n\n");
  const auto socket = RawSocket::connect(told.server->port());
  socket->write("HEAD /events HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(socket->read_all(), EndsWith("\r\n\r\n"));
}

TEST(ServerEvents, AListenerThatReadsNothingIsLeftAndTheChannelNeverWaits) {
  Told told({.request_timeout = 200ms});
  const auto mute = told.listen();
  told.await(1);
  const std::string much(1 << 20, 'x');
  while (told.channel->listeners() > 0) told.channel->say(much);  // more than any socket holds
}

TEST(ServerEvents, TheServerEndsWhileAllListenAndSomebodySpeaks) {
  auto told = std::make_unique<Told>();
  const auto channel = told->channel;
  const auto one = told->listen();
  told->await(1);
  std::jthread speaker([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) channel->say("word");
  });
  told->server.reset();
  EXPECT_EQ(channel->listeners(), 0U);
}

}  // namespace
}  // namespace edgetrust::http
