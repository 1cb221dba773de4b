#include "edgetrust/net/socket.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace edgetrust::net {
namespace {

constexpr std::size_t kLargestDatagram = 65'535;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<SocketAddress> socket_address(const Endpoint& to) {
  SocketAddress address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, to.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(to.port);
    address.size = sizeof v4;
    std::memcpy(&address.storage, &v4, sizeof v4);
  } else if (inet_pton(AF_INET6, to.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(to.port);
    address.size = sizeof v6;
    std::memcpy(&address.storage, &v6, sizeof v6);
  } else {
    return fail(ErrorKind::kInvalid, to.to_string() + " is a name and not an IP address");
  }
  return address;
}

tl::unexpected<Error> broken(int error) {
  return fail(ErrorKind::kUnavailable, std::generic_category().message(error));
}

Result<Socket> open_socket(const SocketAddress& address, int type) {
  Socket socket(::socket(address.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return broken(errno);
  return socket;
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Result<Socket> connect_tcp(const Endpoint& to, const Wait& wait) {
  if (wait.stop().stop_requested()) return fail(ErrorKind::kCancelled, "asked to stop");
  EDGETRUST_TRY_ASSIGN(const SocketAddress address, socket_address(to));
  EDGETRUST_TRY_ASSIGN(Socket socket, open_socket(address, SOCK_STREAM));
  const int on = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // small messages, answered one by one
  if (connect(socket.fd(), address.get(), address.size) == 0) return socket;
  if (errno != EINPROGRESS) return broken(errno);
  EDGETRUST_TRY(wait.writable(socket));
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return broken(error);
  return socket;
}

Result<Socket> connect_udp(const Endpoint& to) {
  EDGETRUST_TRY_ASSIGN(const SocketAddress address, socket_address(to));
  EDGETRUST_TRY_ASSIGN(Socket socket, open_socket(address, SOCK_DGRAM));
  if (connect(socket.fd(), address.get(), address.size) != 0) return broken(errno);
  return socket;
}

bool has_route(const Endpoint& to) { return connect_udp(to).has_value(); }

Status send_all(const Socket& socket, std::string_view bytes, const Wait& wait) {
  while (!bytes.empty()) {
    EDGETRUST_TRY(wait.writable(socket));
    const ssize_t sent = send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return broken(errno);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> receive_some(const Socket& socket, std::size_t limit, const Wait& wait) {
  std::string bytes(limit, '\0');
  for (;;) {
    EDGETRUST_TRY(wait.readable(socket));
    const ssize_t count = recv(socket.fd(), bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return broken(errno);
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }
}

Result<std::string> receive_exactly(const Socket& socket, std::size_t count, const Wait& wait) {
  std::string bytes;
  while (bytes.size() < count) {
    EDGETRUST_TRY_ASSIGN(const std::string piece, receive_some(socket, count - bytes.size(), wait));
    if (piece.empty()) return fail(ErrorKind::kUnavailable, "the connection was closed before the answer was whole");
    bytes += piece;
  }
  return bytes;
}

void end_sending(const Socket& socket) { shutdown(socket.fd(), SHUT_WR); }

Status send_datagram(const Socket& socket, std::string_view bytes) {
  if (send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return broken(errno);
  return {};
}

Result<std::string> take_datagram(const Socket& socket) {
  std::string bytes(kLargestDatagram, '\0');
  const ssize_t count = recv(socket.fd(), bytes.data(), bytes.size(), 0);
  if (count < 0 && errno != EAGAIN && errno != EINTR) return broken(errno);
  bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return bytes;
}

}  // namespace edgetrust::net
