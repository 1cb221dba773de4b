#pragma once
// A small HTTP/1.1 server (Boost.Beast): probes, metrics, and the tests' simulators. Bounded in every way: header and
// body size, time to a full request, idle time, connections.
//
// Threads: the handler is called on the server's own threads, several at once. Errors of start(): kUnavailable (address
// in use), kInvalid (PEM).
#include "edgetrust/base/secret.hpp"
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

using Handler = std::function<Response(const ServerRequest&)>;

struct ServerTls {
  std::string certificate_pem;  // leaf first
  Secret key_pem;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  std::optional<ServerTls> tls;
  std::size_t max_body = std::size_t{1} << 20;
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::size_t max_connections = 64;
  int threads = 2;
};

// What a handler may do instead of answering: used by simulators that model lost answers.
// A Response with status 0 closes the connection without an answer.
class Server {
 public:
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  virtual ~Server() = default;  // closes all connections and joins its threads
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

}  // namespace edgetrust::http
