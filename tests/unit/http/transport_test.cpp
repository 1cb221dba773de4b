// The transport over plain http: framing, bounds, connections, what is sent and how often.
#include "transport_fixture.hpp"

namespace edgetrust::http {
namespace {

using namespace std::chrono_literals;
using support::RawServer;
using support::RawSocket;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Transport, CarriesEveryMethodWithItsBodyAndHeaders) {
  std::vector<ServerRequest> seen;
  const auto server =
      Server::start({}, [&](const ServerRequest& request) {
        seen.push_back(request);
        return Response{.status = 201, .headers = {{"X-Answer", "a b"}}, .body = "body of " + request.method};
      }).value();
  const auto transport = trusting();
  for (const auto method :
       {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kPatch, Method::kDelete}) {
    const bool bodiless = method == Method::kGet || method == Method::kHead;
    auto request = request_to(server->port(), method, "/a%2Fb/c?x=%20&y=1", bodiless ? "" : "sent");
    request.headers = {{"Content-Type", "text/x"}, {"Authorization", "Bearer t"}};
    const auto response = send(*transport, request);
    ASSERT_TRUE(response.has_value()) << response.error().message();
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->headers.get("x-answer"), "a b");
    EXPECT_EQ(response->body, method == Method::kHead ? "" : "body of " + std::string(to_string(method)));
    const auto& last = seen.back();
    EXPECT_EQ(last.method, to_string(method));
    EXPECT_EQ(last.path + "?" + last.query, "/a%2Fb/c?x=%20&y=1");
    EXPECT_EQ(last.body, request.body);
    EXPECT_EQ(last.headers.get("Content-Type"), "text/x");
    EXPECT_EQ(last.headers.get("Authorization"), "Bearer t");
    EXPECT_EQ(last.headers.get("User-Agent"), "edgetrust");
    EXPECT_EQ(last.headers.get("Host"), "127.0.0.1:" + std::to_string(server->port()));
    EXPECT_EQ(last.headers.get("Content-Length").has_value(), !bodiless);
  }
}

TEST(Transport, SendsNoContentTypeOfItsOwnAndTheCallersUserAgent) {
  ServerRequest seen;
  const auto server = Server::start({}, [&](const ServerRequest& request) {
                        seen = request;
                        return Response{.status = 200};
                      }).value();
  auto request = request_to(server->port(), Method::kDelete);
  request.headers = {{"user-agent", "mine/1"}};
  ASSERT_TRUE(send(*trusting(), request).has_value());
  EXPECT_EQ(seen.headers.get("Content-Type"), std::nullopt);
  EXPECT_EQ(seen.headers.get("Content-Length"), "0");
  EXPECT_EQ(seen.headers.all("User-Agent"), std::vector<std::string_view>{"mine/1"});
}

TEST(Transport, EveryStatusIsAnAnswerAndRedirectsAreNotFollowed) {
  int calls = 0;
  const auto server =
      Server::start({}, [&](const ServerRequest& request) {
        ++calls;
        return Response{.status = std::stoi(request.path.substr(1)), .headers = {{"Location", "/200"}}, .body = {}};
      }).value();
  const auto transport = trusting();
  for (const int status : {200, 204, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 409, 429, 500, 503, 599}) {
    const auto response = send(*transport, request_to(server->port(), Method::kGet, "/" + std::to_string(status)));
    ASSERT_TRUE(response.has_value()) << status << response.error().message();
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->headers.get("Location"), "/200");
  }
  EXPECT_EQ(calls, 17);
}

TEST(Transport, RefusesWhatCannotBeSentAsItIs) {
  int calls = 0;
  const auto server = Server::start({}, [&](const ServerRequest&) {
                        ++calls;
                        return Response{.status = 200};
                      }).value();
  const auto transport = trusting();
  const auto kind = [&](Headers headers, Method method = Method::kPost, const std::string& target = "/",
                        std::string body = {}) {
    auto request = request_to(server->port(), method, "/", std::move(body));
    request.url.target = target;
    request.headers = std::move(headers);
    const auto result = send(*transport, request);
    return result ? std::string("sent") : std::string(to_string(result.error().kind));
  };
  EXPECT_EQ(kind({{"X-Good", "a\tb"}}), "sent");
  for (const char* ours : {"Host", "content-length", "Transfer-Encoding", "Connection", "Expect", "TE", "Upgrade"}) {
    EXPECT_EQ(kind({{ours, "1"}}), "Invalid") << ours;
  }
  EXPECT_EQ(kind({{"X", "a\r\nY: b"}}), "Invalid");
  EXPECT_EQ(kind({{"X", std::string("a\0b", 3)}}), "Invalid");
  EXPECT_EQ(kind({{"X Y", "a"}}), "Invalid");
  EXPECT_EQ(kind({{"", "a"}}), "Invalid");
  EXPECT_EQ(kind({{"X", std::string(70'000, 'x')}}), "Invalid");
  EXPECT_EQ(kind({}, Method::kGet, "/", "body"), "Invalid");
  EXPECT_EQ(kind({}, Method::kGet, "//other/path"), "Invalid");
  EXPECT_EQ(kind({}, Method::kGet, "/a?"), "Invalid");
  EXPECT_EQ(kind({}, Method::kGet, "/a b"), "Invalid");
  EXPECT_EQ(kind({}, Method::kGet, "/a/../b//c/./?d"), "sent");
  EXPECT_EQ(calls, 2);
  auto ipv6 = request_to(server->port());
  ipv6.url.host = "::1";
  EXPECT_EQ(send(*transport, ipv6).error().kind, ErrorKind::kUnsupported);
}

TEST(Transport, AHundredRequestsUseOneConnection) {
  RawServer server([](RawSocket& socket, int) {
    for (;;) {
      const auto request = socket.read_message();
      if (request.empty()) return;
      const bool chunked = request.starts_with("GET");
      socket.write(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
                           : answer("ok"));
    }
  });
  const auto transport = trusting();
  for (int i = 0; i < 100; ++i) {
    const auto method = i % 2 == 0 ? Method::kGet : Method::kPost;
    const auto response = send(*transport, request_to(server.port(), method));
    ASSERT_TRUE(response.has_value()) << response.error().message();
    EXPECT_EQ(response->body, "ok");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(Transport, RequestsFromManyThreadsEachGetTheirOwnAnswer) {
  const auto server = Server::start({.threads = 4}, [](const ServerRequest& request) {
                        return Response{.status = 200, .body = request.path + request.body};
                      }).value();
  const auto transport = trusting();
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
          const auto response = send(*transport, request_to(server->port(), Method::kPost, path, "!"));
          if (!response || response->body != path + "!") ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

// A pooled connection on which the second request is read, and then broken.
class DroppedTest : public ::testing::TestWithParam<Method> {};

TEST_P(DroppedTest, ARequestIsNotRepeatedWhenItsPooledConnectionDies) {
  std::mutex mutex;
  std::vector<std::string> requests;
  const auto read = [&](RawSocket& socket) {
    const auto request = socket.read_message();
    const std::lock_guard lock(mutex);
    if (!request.empty()) requests.push_back(request.substr(0, request.find(' ')));
    return !request.empty();
  };
  RawServer server([&](RawSocket& socket, int number) {
    if (read(socket)) socket.write(answer("first"));
    if (read(socket) && number > 0) socket.write(answer("repeated"));  // the first connection closes instead
  });
  const auto transport = trusting();
  ASSERT_TRUE(send(*transport, request_to(server.port())).has_value());
  const std::string body = GetParam() == Method::kDelete ? "" : "body";
  const auto result = send(*transport, request_to(server.port(), GetParam(), "/", body));
  ASSERT_FALSE(result.has_value()) << "it was repeated";
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(result.error().maybe_executed);
  // Nothing of it is left behind: the next request gets its own connection and answer.
  const auto next = send(*transport, request_to(server.port(), GetParam(), "/", "x"));
  ASSERT_TRUE(next.has_value()) << next.error().message();
  EXPECT_EQ(next->body, "first");
  const std::lock_guard lock(mutex);
  const std::string method(to_string(GetParam()));
  EXPECT_THAT(requests, ::testing::ElementsAre("GET", method, method));
  EXPECT_EQ(server.connections(), 2);
}

INSTANTIATE_TEST_SUITE_P(Transport, DroppedTest,
                         ::testing::Values(Method::kPost, Method::kPut, Method::kPatch, Method::kDelete),
                         [](const auto& instance) { return std::string(to_string(instance.param)); });

TEST(Transport, APooledConnectionThatTheServerClosedIsReplacedBeforeAnythingIsSent) {
  support::Gate idle;
  support::Gate closed;
  RawServer server([&](RawSocket& socket, int number) {
    socket.read_message();
    socket.write(answer("from " + std::to_string(number)));
    if (number > 0) return socket.wait_closed();
    idle.wait();
    socket.close();
    closed.open();
  });
  const auto transport = trusting();
  EXPECT_EQ(send(*transport, request_to(server.port())).value().body, "from 0");
  idle.open();
  ASSERT_TRUE(closed.wait());
  const auto response = send(*transport, request_to(server.port(), Method::kPost, "/", "body"));
  ASSERT_TRUE(response.has_value()) << response.error().message();
  EXPECT_EQ(response->body, "from 1");
}

TEST(Transport, AnAnswerNobodyAskedForIsNotTakenForTheNextOne) {
  support::Gate idle;
  support::Gate written;
  RawServer server([&](RawSocket& socket, int number) {
    socket.read_message();
    // The first unasked answer comes in one piece with the asked one, the second while the connection is idle.
    socket.write(answer("asked first") + (number == 0 ? answer("unasked") : ""));
    socket.read_message();
    socket.write(answer("asked second"));
    if (number > 0) return;
    idle.wait();
    socket.write(answer("unasked"));
    written.open();
    socket.wait_closed();
  });
  const auto transport = trusting();
  EXPECT_EQ(send(*transport, request_to(server.port())).value().body, "asked first");
  EXPECT_EQ(send(*transport, request_to(server.port())).value().body, "asked second");
  idle.open();
  ASSERT_TRUE(written.wait());
  EXPECT_EQ(send(*transport, request_to(server.port(), Method::kPost)).value().body, "asked first");
  EXPECT_EQ(server.connections(), 2);
}

TEST(Transport, AConnectionThatTheServerAnnouncesToCloseIsNotUsedAgain) {
  RawServer server([](RawSocket& socket, int number) {
    socket.read_message();
    socket.write(answer(std::to_string(number), "Connection: close\r\n"));
  });
  const auto transport = trusting();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(send(*transport, request_to(server.port(), Method::kPost)).value().body, std::to_string(i));
  }
}

TEST(Transport, ADroppedAnswerMayHaveBeenExecuted) {
  const auto transport = trusting();
  for (const bool reset : {false, true}) {
    RawServer server([&](RawSocket& socket, int) {
      socket.read_message();
      if (reset) socket.reset();
    });
    const auto result = send(*transport, request_to(server.port(), Method::kPost, "/", "body"));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
    EXPECT_TRUE(result.error().maybe_executed);
  }
}

TEST(Transport, ABodyThatEndsTooEarlyIsNoBody) {
  const auto transport = trusting();
  for (const char* text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "HTTP/1.1 200 OK\r\nX: y"}) {
    RawServer server([&](RawSocket& socket, int) {
      socket.read_message();
      socket.write(text);
    });
    const auto result = send(*transport, request_to(server.port(), Method::kPost, "/", "body"));
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable) << text;
    EXPECT_TRUE(result.error().maybe_executed);
  }
}

TEST(Transport, ConnectionRefusedIsUnavailableAndCertainlyNotExecuted) {
  const auto result = send(*trusting(), request_to(support::closed_port(), Method::kPost, "/", "body"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(result.error().maybe_executed);
  EXPECT_THAT(result.error().what, HasSubstr("cannot connect to http://127.0.0.1:"));
}

TEST(Transport, ANameThatDoesNotResolveIsUnavailable) {
  auto request = request_to(80, Method::kPost, "/", "body");
  request.url = Url::parse("http://does-not-exist.invalid/").value();
  const auto result = send(*trusting(), request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(result.error().maybe_executed);
  EXPECT_THAT(result.error().what, HasSubstr("'does-not-exist.invalid' cannot be resolved"));
}

TEST(Transport, WhatIsNotHttpIsAProtocolError) {
  const auto transport = trusting();
  for (const char* text :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switch\r\n\r\n", "HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 0 Odd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nxx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nxx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n-2\r\nxx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nxx"}) {
    RawServer server([&](RawSocket& socket, int) {
      socket.read_message();
      socket.write(text);
      socket.wait_closed();
    });
    const auto result = send(*transport, request_to(server.port(), Method::kPost, "/", "body"));
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kProtocol) << text << ": " << result.error().what;
    EXPECT_TRUE(result.error().maybe_executed) << text;
  }
}

TEST(Transport, ReadsABodyOfExactlyTheBoundAndNotOneOctetMore) {
  const auto transport = trusting();
  const std::string full(1000, 'x');
  const std::string chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk;
  const std::string until_close = "HTTP/1.1 200 OK\r\n\r\n" + full;
  struct Case {
    std::string text;
    bool fits;
  };
  for (const auto& [text, fits] : std::vector<Case>{{answer(full), true},
                                                    {answer(full + "x"), false},
                                                    {chunked + "0\r\n\r\n", true},
                                                    {chunked + "1\r\nx\r\n0\r\n\r\n", false},
                                                    {until_close, true},
                                                    {until_close + "x", false}}) {
    RawServer server([&, text = text](RawSocket& socket, int) {
      socket.read_message();
      socket.write(text);
    });
    auto request = request_to(server.port());
    request.max_body = 1000;
    const auto result = send(*transport, request);
    EXPECT_EQ(result.has_value(), fits) << text.substr(0, 60);
    if (result) {
      EXPECT_EQ(result->body, full);
    } else {
      EXPECT_EQ(result.error().kind, ErrorKind::kProtocol);
      EXPECT_THAT(result.error().what, HasSubstr("body of more than 1000 octets"));
    }
  }
}

TEST(Transport, AnEndlessBodyIsCutWhileItArrives) {
  std::atomic<std::size_t> taken{0};
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1000\r\n" + std::string(4096, 'x') + "\r\n";
    while (socket.write(chunk)) taken = socket.written();  // ends when the client closes
  });
  auto request = request_to(server.port());
  request.max_body = 100'000;
  const auto result = send(*trusting(), request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kProtocol);
}

TEST(Transport, AHugeHeaderIsRefused) {
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(answer("", "X: " + std::string(70'000, 'x') + "\r\n"));
    socket.wait_closed();
  });
  const auto result = send(*trusting(), request_to(server.port()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kProtocol);
  EXPECT_THAT(result.error().what, HasSubstr("64 KiB of headers"));
}

TEST(Transport, HeadersOfOneNameArriveJoined) {
  RawServer server([](RawSocket& socket, int) {
    socket.read_message();
    socket.write(answer("", "Link: <a>;rel=up\r\nlink: <b>;rel=index\r\n"));
    socket.wait_closed();
  });
  const auto response = send(*trusting(), request_to(server.port())).value();
  EXPECT_EQ(response.headers.get("Link"), "<a>;rel=up, <b>;rel=index");
}

TEST(Transport, ALargeBodyGoesOutWhole) {
  const auto server = Server::start({.max_body = 5'000'000}, [](const ServerRequest& request) {
                        return Response{.status = 200, .body = std::to_string(request.body.size())};
                      }).value();
  EXPECT_EQ(send(*trusting(), request_to(server->port(), Method::kPut, "/", std::string(3'000'000, 'x'))).value().body,
            "3000000");
}

}  // namespace
}  // namespace edgetrust::http
