#pragma once
// A TCP proxy on 127.0.0.1 that can fail as networks do: connections that go silent without being closed (half-open),
// are reset, or are refused. What it carries it does not look into, so TLS passes through.
//
// Threads: one of its own; the calls come from any, and hold for all bytes that arrive after they return.
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
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
  // The next connection ends when so many bytes have been carried one way, and not one more: by a reset, as if both
  // ends had closed it, or in silence, as freeze() has it.
  enum class From { kClient, kServer };
  enum class End { kReset, kClean, kSilent };
  void end_after(std::size_t bytes, From from, End end);
  // What the last connection has carried.
  [[nodiscard]] std::size_t carried(From from) const;
  [[nodiscard]] int accepted() const;

 private:
  struct Half {
    int descriptor = -1;
    std::string unsent = {};  // what the other half received for this one
    bool ended = false;       // nothing more comes from it
    std::size_t sent = 0;     // what came from it
  };
  struct Cut {
    std::size_t after = 0;
    From from = From::kClient;
    End end = End::kReset;
  };
  struct Link {
    Half client;
    Half server;
    bool frozen = false;
    bool broken = false;
    std::optional<Cut> cut = {};
  };

  void run(std::stop_token stop);
  void accept_one();
  void move(Half& from, Half& to, Link& link);
  static bool is_over(const Link& link);
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
  std::optional<Cut> next_cut_;
  std::size_t carried_from_client_ = 0;
  std::size_t carried_from_server_ = 0;
  std::jthread thread_;
};

}  // namespace edgetrust::support
