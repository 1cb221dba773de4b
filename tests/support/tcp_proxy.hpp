#pragma once
// A TCP proxy on 127.0.0.1 that can fail as networks do: connections that go silent without being closed (half-open),
// are reset, or are refused. What it carries it does not look into, so TLS passes through.
//
// Threads: one of its own; the calls come from any, and hold for all bytes that arrive after they return.
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace edgetrust::support {

class TcpProxy {
 public:
  explicit TcpProxy(std::uint16_t target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // The connections that exist carry nothing more, in neither direction, and stay open. New ones are served.
  void freeze();
  // The connections that exist are reset, and new ones too until allow().
  void cut();
  void allow();
  [[nodiscard]] int accepted() const;

 private:
  struct Half {
    int descriptor = -1;
    std::string unsent = {};  // what the other half received for this one
    bool ended = false;       // nothing more comes from it
  };
  struct Link {
    Half client;
    Half server;
    bool frozen = false;
    bool broken = false;
  };

  void run(std::stop_token stop);
  void accept_one();
  static void move(Half& from, Half& to, Link& link);
  static void flush(Half& half, Link& link);
  static void close(Link& link, bool reset);
  void wake() const;

  const std::uint16_t target_port_;
  std::uint16_t port_ = 0;
  int listener_;
  int wake_;  // an eventfd: the sets to poll have changed
  mutable std::mutex mutex_;
  bool refusing_ = false;
  int accepted_ = 0;
  std::list<Link> links_;
  std::jthread thread_;
};

}  // namespace edgetrust::support
