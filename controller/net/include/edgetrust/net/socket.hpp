#pragma once
// TCP and UDP sockets that never block beyond a Wait. Called by: dns, probe. Threads: a Socket belongs to one thread at
// a time. Errors: those of Wait, and kUnavailable with the system's words when there is no connection or it breaks;
// kInvalid when the endpoint is a name and not an address.
#include "edgetrust/base/result.hpp"
#include "edgetrust/net/endpoint.hpp"
#include "edgetrust/net/wait.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace edgetrust::net {

// Owns a non-blocking, close-on-exec socket.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

Result<Socket> connect_tcp(const Endpoint& to, const Wait& wait);
// A connected UDP socket takes datagrams of that one peer only, and the kernel draws its port at random.
Result<Socket> connect_udp(const Endpoint& to);
// Is there a route to it from here? Sends nothing: a machine without IPv6 says so at once.
bool has_route(const Endpoint& to);

Status send_all(const Socket& socket, std::string_view bytes, const Wait& wait);
// At most `limit` bytes as soon as there are some; empty at the end of the stream.
Result<std::string> receive_some(const Socket& socket, std::size_t limit, const Wait& wait);
// Exactly that many; a stream that ends before is kUnavailable.
Result<std::string> receive_exactly(const Socket& socket, std::size_t count, const Wait& wait);

// No more is sent; the peer may still send.
void end_sending(const Socket& socket);

// One whole datagram, without waiting. Taking gives an empty one when there is none (poll(2) may see one whose checksum
// turns out wrong).
Status send_datagram(const Socket& socket, std::string_view bytes);
Result<std::string> take_datagram(const Socket& socket);

}  // namespace edgetrust::net
