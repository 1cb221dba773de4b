// Long answers, line by line: what a Kubernetes watch needs.
#include "transport_fixture.hpp"

#include <future>
#include <semaphore>

namespace edgetrust::http {
namespace {

using namespace std::chrono_literals;
using support::Gate;
using support::RawServer;
using support::RawSocket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::size_t kMaxLine = 1000;
const std::string kHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Answer: y\r\n\r\n";

std::string hex(std::size_t number) {
  std::string text;
  for (; number > 0; number /= 16) text.insert(text.begin(), "0123456789abcdef"[number % 16]);
  return text.empty() ? "0" : text;
}
std::string chunk(std::string_view octets) { return hex(octets.size()) + "\r\n" + std::string(octets) + "\r\n"; }

struct Streamed {
  Result<Response> result;
  std::vector<std::string> lines;
};

Streamed stream(Transport& transport, const Request& request, std::size_t max_line = kMaxLine) {
  Streamed streamed{.result = Response{}, .lines = {}};
  streamed.result = transport.stream(request, 20s, max_line,
                                     [&](std::string_view line) {
                                       streamed.lines.emplace_back(line);
                                       return true;
                                     },
                                     {});
  return streamed;
}

TEST(TransportStream, ChunksSplitAtEveryOctetGiveTheSameLines) {
  const std::string text = "first\n\nthird \r\nlast\n";
  const auto transport = trusting();
  for (std::size_t split = 0; split <= text.size(); ++split) {
    RawServer server([&](RawSocket& socket, int) {
      socket.read_message();
      socket.write(kHead);
      for (const auto& part : {text.substr(0, split), text.substr(split)}) {
        if (!part.empty()) socket.write(chunk(part));
      }
      socket.write("0\r\n\r\n");
    });
    const auto [result, lines] = stream(*transport, request_to(server.port()));
    ASSERT_TRUE(result.has_value()) << result.error().message();
    EXPECT_EQ(result->headers.get("X-Answer"), "y");
    EXPECT_EQ(result->body, "");
    EXPECT_THAT(lines, ElementsAre("first", "", "third \r", "last")) << split;
  }
}

TEST(TransportStream, PacketsSplitAtEveryOctetGiveTheSameLines) {
  const std::string wire = kHead + chunk("one\ntw") + chunk("o\nthree\n") + "0\r\n\r\n";
  const auto transport = trusting();
  for (std::size_t split = 1; split < wire.size(); ++split) {
    RawServer server([&](RawSocket& socket, int) {
      socket.read_message();
      socket.write(wire.substr(0, split));
      socket.write(wire.substr(split));
    });
    const auto [result, lines] = stream(*transport, request_to(server.port()));
    ASSERT_TRUE(result.has_value()) << split << ": " << result.error().message();
    EXPECT_THAT(lines, ElementsAre("one", "two", "three")) << split;
  }
}

TEST(TransportStream, ALineIsHandedOverBeforeTheNextIsSent) {
  Gate first_seen;
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead + chunk("first\n"));
    socket.write(first_seen.wait() ? chunk("second\n") + "0\r\n\r\n" : "");
  });
  std::vector<std::string> lines;
  const auto result = trusting()->stream(request_to(server.port()), 20s, kMaxLine,
                                         [&](std::string_view line) {
                                           lines.emplace_back(line);
                                           first_seen.open();
                                           return true;
                                         },
                                         {});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_THAT(lines, ElementsAre("first", "second"));
}

TEST(TransportStream, ALastLineWithoutNewlineCountsWhenTheAnswerEndsProperly) {
  const auto transport = trusting();
  for (const bool proper : {true, false}) {
    RawServer server([&](RawSocket& socket, int) {
      socket.read_message();
      socket.write(kHead + chunk("one\ntwo") + (proper ? "0\r\n\r\n" : ""));
    });
    const auto [result, lines] = stream(*transport, request_to(server.port()));
    EXPECT_EQ(result.has_value(), proper);
    if (proper) {
      EXPECT_THAT(lines, ElementsAre("one", "two"));
    } else {
      EXPECT_THAT(lines, ElementsAre("one"));
      EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
    }
  }
}

TEST(TransportStream, ALineOfExactlyTheBoundPassesAndALongerOneDoesNot) {
  const auto transport = trusting();
  for (const std::size_t size : {kMaxLine, kMaxLine + 1}) {
    for (const std::size_t split : {std::size_t{0}, std::size_t{1}, kMaxLine}) {
      RawServer server([&](RawSocket& socket, int) {
        socket.read_message();
        const std::string line = std::string(size, 'x') + "\n";
        socket.write(kHead + (split == 0 ? "" : chunk(line.substr(0, split))) + chunk(line.substr(split)) +
                     "0\r\n\r\n");
      });
      const auto [result, lines] = stream(*transport, request_to(server.port()));
      EXPECT_EQ(result.has_value(), size == kMaxLine) << split;
      EXPECT_EQ(lines.size(), size == kMaxLine ? 1U : 0U);
      EXPECT_EQ(result ? ErrorKind::kProtocol : result.error().kind, ErrorKind::kProtocol);
    }
  }
}

TEST(TransportStream, AnEndlessLineIsCutWhileItArrives) {
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead);
    while (socket.write(chunk("xxxxxxxx"))) {
    }
  });
  const auto [result, lines] = stream(*trusting(), request_to(server.port()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kProtocol);
  EXPECT_THAT(result.error().what, HasSubstr("line of more than 1000 octets"));
}

TEST(TransportStream, AnErrorStatusHasItsBodyAndNoLines) {
  RawServer server([](RawSocket& socket, int) {
    socket.read_message();
    socket.write(answer("{\"code\":410}\nmore\n", "", "410 Gone"));
    socket.read_message();
    socket.write(answer(std::string(2000, 'x'), "", "500 Internal Server Error"));
  });
  const auto transport = trusting();
  auto request = request_to(server.port());
  request.max_body = 1000;
  const auto [gone, lines] = stream(*transport, request);
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->status, 410);
  EXPECT_EQ(gone->body, "{\"code\":410}\nmore\n");
  EXPECT_TRUE(lines.empty());
  const auto large = stream(*transport, request);
  ASSERT_FALSE(large.result.has_value());
  EXPECT_EQ(large.result.error().kind, ErrorKind::kProtocol);
}

TEST(TransportStream, SilenceIsATimeoutButTheWholeMayLastLonger) {
  constexpr auto kIdle = 1s;
  std::atomic<bool> done{false};
  std::counting_semaphore<> heard{1};
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead);
    // Speaks for longer than a request may take and than a silence may last, then falls silent.
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < kIdle + 100ms && heard.try_acquire_for(20s)) {
      socket.write(chunk("beat\n"));
    }
    done = true;
    socket.wait_closed();
  });
  auto request = request_to(server.port());
  request.timeout = kIdle;
  std::size_t beats = 0;
  const auto result = trusting()->stream(request, kIdle, kMaxLine,
                                         [&](std::string_view) {
                                           heard.release();
                                           return ++beats > 0;
                                         },
                                         {});
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(done);
  EXPECT_GT(beats, 0U);
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
  EXPECT_THAT(result.error().what, HasSubstr("was silent for 1s"));
}

TEST(TransportStream, TheHeadMustComeWithinTheRequestsTimeout) {
  RawServer server([](RawSocket& socket, int) { socket.wait_closed(); });
  auto request = request_to(server.port());
  request.timeout = 50ms;
  const auto [result, lines] = stream(*trusting(), request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
}

TEST(TransportStream, StopEndsAQuietStreamPromptly) {
  Gate gone;
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead + chunk("one\n"));
    socket.wait_closed();
    gone.open();
  });
  const auto transport = trusting();
  std::stop_source stop;
  Gate seen;
  auto result = std::async(std::launch::async, [&] {
    return transport->stream(
        request_to(server.port()), 30s, kMaxLine,
        [&](std::string_view) {
          seen.open();
          return true;
        },
        stop.get_token());
  });
  ASSERT_TRUE(seen.wait());
  const auto begin = std::chrono::steady_clock::now();
  stop.request_stop();
  const auto ended = result.get();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE(gone.wait());
}

TEST(TransportStream, StopEndsABusyStream) {
  RawServer server([](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead);
    while (socket.write(chunk("line\n"))) {
    }
  });
  std::stop_source stop;
  int lines = 0;
  const auto result = trusting()->stream(
      request_to(server.port()), 30s, kMaxLine,
      [&](std::string_view) {
        if (++lines == 100) stop.request_stop();
        return true;
      },
      stop.get_token());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kCancelled);
}

TEST(TransportStream, TheCallerMayHaveEnoughAndTheConnectionIsClosed) {
  Gate gone;
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead + chunk("one\ntwo\nthree\n"));
    socket.wait_closed();
    gone.open();
  });
  std::vector<std::string> lines;
  const auto result = trusting()->stream(request_to(server.port()), 30s, kMaxLine,
                                         [&](std::string_view line) {
                                           lines.emplace_back(line);
                                           return line != "two";
                                         },
                                         {});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status, 200);
  EXPECT_THAT(lines, ElementsAre("one", "two"));
  EXPECT_TRUE(gone.wait());
}

TEST(TransportStream, ASlowReaderSlowsTheSenderDown) {
  constexpr std::size_t kSocketBuffers = 16'000'000;  // more than the kernel holds for two ends of a connection
  std::atomic<std::size_t> accepted{0};
  Gate blocked;
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead);
    const std::string line = chunk(std::string(999, 'x') + "\n");
    for (int i = 0; i < 40'000; ++i) {  // 40 MB
      if (!socket.writable_within(300ms)) {
        accepted = socket.written();
        blocked.open();
      }
      if (!socket.write(line)) return;
    }
    socket.write("0\r\n\r\n");
  });
  const auto transport = trusting();
  std::size_t seen = 0;
  const auto result = transport->stream(request_to(server.port()), 30s, kMaxLine,
                                        [&](std::string_view) {
                                          if (++seen == 1) {
                                            EXPECT_TRUE(blocked.wait()) << "the sender went on while nothing was read";
                                            EXPECT_LT(accepted, kSocketBuffers);
                                          }
                                          return true;
                                        },
                                        {});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(seen, 40'000U);
}

TEST(TransportStream, TimeSpentInTheReaderIsNoSilence) {
  RawServer server([&](RawSocket& socket, int) {
    socket.read_message();
    socket.write(kHead + chunk("one\n") + chunk("two\n") + "0\r\n\r\n");
  });
  int lines = 0;
  const auto result = trusting()->stream(request_to(server.port()), 50ms, kMaxLine,
                                         [&](std::string_view) {
                                           const auto begin = std::chrono::steady_clock::now();
                                           while (std::chrono::steady_clock::now() - begin < 100ms)
                                             std::this_thread::yield();
                                           return ++lines > 0;
                                         },
                                         {});
  EXPECT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(lines, 2);
}

TEST(TransportStream, AFinishedStreamLeavesItsConnectionForTheNextRequest) {
  RawServer server([](RawSocket& socket, int) {
    while (!socket.read_message().empty()) socket.write(kHead + chunk("line\n") + "0\r\n\r\n");
  });
  const auto transport = trusting();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(stream(*transport, request_to(server.port())).lines.size(), 1U);
  EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace edgetrust::http
