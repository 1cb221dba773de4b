#pragma once
// A small HTTP/1.1 server (Boost.Beast): probes, metrics, and the tests' simulators. Bounded in every way: header (16
// KiB, else 431) and body size (else 413), time to a full request, idle time, connections. Bodies have a
// Content-Length; it does not send chunks, and does not answer `Expect: 100-continue`. The one body without an end is a
// stream of server-sent events, for as long as its client takes them.
//
// Threads: one thread reads and writes; the handler is called on `threads` further ones, so that many handlers may
// block at once while every other connection is still read, timed out and closed. Answers to HEAD lose their body. A
// handler that throws is a 500. Errors of start(): kUnavailable (address in use), kInvalid (address, PEM).
#include "edgetrust/base/secret.hpp"
#include "edgetrust/http/event_channel.hpp"
#include "edgetrust/http/message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace edgetrust::http {

struct ServerRequest {
  std::string method;  // as sent, upper case
  std::string path;    // percent-decoding is not done
  std::string query;   // without '?'
  Headers headers;
  std::string body;
};

// A response, or with `events` the stream of a channel: its head is the response's, its body what that listener hears.
struct Answer : Response {
  Answer(Response response) : Response(std::move(response)) {}  // a handler's usual answer
  Answer(Response head, std::shared_ptr<EventListener> listener)
      : Response(std::move(head)), events(std::move(listener)) {}
  std::shared_ptr<EventListener> events;
};

using Handler = std::function<Answer(const ServerRequest&)>;

struct ServerTls {
  std::string certificate_pem;  // leaf first
  Secret key_pem;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  std::optional<ServerTls> tls = std::nullopt;
  std::size_t max_body = std::size_t{1} << 20;        // of a request, in octets
  std::chrono::milliseconds request_timeout{10'000};  // from its first octet (the first one: from accept, with the
                                                      // handshake) to its last; and for the client to take an answer
  std::chrono::milliseconds idle_timeout{60'000};     // between two requests
  std::chrono::milliseconds event_heartbeat{15'000};  // between two signs of life on a stream of events
  std::size_t max_connections = 64;                   // further ones are closed at once
  bool is_public = false;  // anybody may come: a connection is for one request, and one that is too many takes the
                           // place of the oldest, so that who holds them all does not shut out the others
  int threads = 2;         // handlers that run at the same time
};

// A handler's Response with status 0 closes the connection without an answer: simulators model lost answers with it.
class Server {
 public:
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  virtual ~Server() = default;  // closes all connections; waits only for handlers that are running
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  // What is presented to who connects from now on; who is connected notices nothing. Not for its own handlers. Errors:
  // kInvalid (PEM, or a server that speaks no TLS), and nothing has changed.
  virtual Status set_tls(const ServerTls& tls) = 0;
};

}  // namespace edgetrust::http
