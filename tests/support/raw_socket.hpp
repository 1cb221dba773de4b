#pragma once
// Sockets of loopback as they are, for tests about what goes over the wire: a client, and a server whose connections
// follow a script. Blocking; every wait ends after 30 s at the latest, so that a failing test fails and does not hang.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace edgetrust::support {

// Waited for by one side of a test, opened by the other.
class Gate {
 public:
  void open();
  bool wait();  // false when nobody opened it in time

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

struct RawTls {
  std::string certificate_pem;  // leaf first
  std::string key_pem;
  std::string client_ca_pem = {};  // set: a client certificate is required
  bool tls13 = true;               // false: TLS 1.2 at most
  bool tls12 = true;               // false: TLS 1.1 at most
  bool weak = false;               // may show a certificate with a weak key
};

class RawSocket {
 public:
  explicit RawSocket(int descriptor);
  static std::unique_ptr<RawSocket> connect(std::uint16_t port);
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // The server's side of the handshake. Where it fails, what the peer still sends is read: a reset would take the alert
  // that says why.
  bool accept_tls(const RawTls& tls);

  bool write(std::string_view bytes);                  // false when the peer is gone
  std::string read_some(std::size_t max = 65536);      // empty at the end or after an error
  std::string read_until(std::string_view delimiter);  // with the delimiter; less at the end
  std::string read_all();                              // until the peer closes
  std::string read_message();                          // a header and as much body as its Content-Length says
  void wait_closed();                                  // reads and drops until the peer closes
  [[nodiscard]] bool writable_within(std::chrono::milliseconds time) const;  // whether the peer takes more
  [[nodiscard]] std::size_t written() const { return written_; }

  void shutdown_send() const;
  void interrupt();  // from any thread: ends every read and write
  void close();
  void reset();  // closes with RST

 private:
  struct Tls;
  int descriptor_;
  std::mutex closing_;  // an interrupt must not meet a number that is someone else's by now
  std::unique_ptr<Tls> tls_;
  std::string unread_;
  std::atomic<std::size_t> written_{0};
};

class RawServer {
 public:
  // Called on a thread of its own for each connection; `number` counts them from 0. The socket closes when it returns.
  using Script = std::function<void(RawSocket& socket, int number)>;
  explicit RawServer(Script script, std::optional<RawTls> tls = std::nullopt);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all();
  void serve(RawSocket& socket, int number);

  Script script_;
  std::optional<RawTls> tls_;
  std::uint16_t port_ = 0;
  int listener_;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  bool stopping_ = false;
  std::list<std::unique_ptr<RawSocket>> sockets_;
  std::list<std::jthread> threads_;
  std::jthread accepter_;
};

// A port of loopback on which nothing listens.
std::uint16_t closed_port();

}  // namespace edgetrust::support
