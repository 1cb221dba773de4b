#pragma once
// A scripted peer on 127.0.0.1: one free port, over TCP and UDP, each served by a thread of its own until the end of
// the object's life. It binds before the constructor returns, so a client finds it at once.
#include <array>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace edgetrust::support {

// One accepted connection, seen from the server's side. Reads and writes end when the server is stopped.
class LoopbackConnection {
 public:
  LoopbackConnection(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}
  LoopbackConnection(const LoopbackConnection&) = delete;
  LoopbackConnection& operator=(const LoopbackConnection&) = delete;
  ~LoopbackConnection() { close(fd_); }

  // At most `limit` bytes; empty at the end of the stream or of the server.
  std::string read_some(std::size_t limit = 65'536) {
    if (!wait()) return {};
    std::string bytes(limit, '\0');
    const ssize_t count = recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  std::string read_exactly(std::size_t count) {
    std::string bytes;
    while (bytes.size() < count) {
      const std::string piece = read_some(count - bytes.size());
      if (piece.empty()) break;
      bytes += piece;
    }
    return bytes;
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Until the client closes, or the server is stopped: a peer that keeps silent.
  void hold() {
    while (!read_some().empty()) {
    }
  }
  // Ends with a reset instead of a close.
  void reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  bool wait() const {
    std::array<pollfd, 2> watched{pollfd{fd_, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    return poll(watched.data(), watched.size(), -1) > 0 && watched[1].revents == 0;
  }
  int fd_;
  int stop_fd_;
};

class LoopbackServer {
 public:
  using OnDatagram = std::function<std::vector<std::string>(const std::string& query)>;  // the answers, in order
  using OnConnection = std::function<void(LoopbackConnection&)>;                         // one after the other

  // Without a handler that protocol is not served: UDP is closed, or a TCP connection is refused.
  explicit LoopbackServer(OnDatagram on_datagram, OnConnection on_connection = nullptr)
      : stop_fd_(eventfd(0, EFD_CLOEXEC)) {
    bind_both();
    if (on_datagram) {
      udp_ = std::jthread([this, on_datagram] { serve_udp(on_datagram); });
    } else {
      close(std::exchange(udp_fd_, -1));
    }
    if (on_connection) {
      listen(tcp_fd_, 16);
      tcp_ = std::jthread([this, on_connection] { serve_tcp(on_connection); });
    }
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer() {
    eventfd_write(stop_fd_, 1);
    if (udp_.joinable()) udp_.join();
    if (tcp_.joinable()) tcp_.join();
    for (const int fd : {tcp_fd_, udp_fd_, stop_fd_}) {
      if (fd >= 0) close(fd);
    }
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  // A port that is free for both protocols.
  void bind_both() {
    for (;;) {
      tcp_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      udp_fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof address;
      auto* generic = reinterpret_cast<sockaddr*>(&address);
      if (bind(tcp_fd_, generic, size) == 0 && getsockname(tcp_fd_, generic, &size) == 0 &&
          bind(udp_fd_, generic, size) == 0) {
        port_ = ntohs(address.sin_port);
        return;
      }
      close(tcp_fd_);
      close(udp_fd_);
    }
  }
  // False when the server is to stop.
  bool wait(int fd) const {
    std::array<pollfd, 2> watched{pollfd{fd, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    return poll(watched.data(), watched.size(), -1) > 0 && watched[1].revents == 0;
  }
  void serve_udp(const OnDatagram& on_datagram) {
    while (wait(udp_fd_)) {
      std::string query(65'536, '\0');
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t count = recvfrom(udp_fd_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      query.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
      for (const std::string& answer : on_datagram(query))
        sendto(udp_fd_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  void serve_tcp(const OnConnection& on_connection) {
    while (wait(tcp_fd_)) {
      LoopbackConnection connection(accept4(tcp_fd_, nullptr, nullptr, SOCK_CLOEXEC), stop_fd_);
      if (connection.fd() >= 0) on_connection(connection);
    }
  }

  int stop_fd_;
  int tcp_fd_ = -1;
  int udp_fd_ = -1;
  std::uint16_t port_ = 0;
  std::jthread udp_;
  std::jthread tcp_;
};

}  // namespace edgetrust::support
