#include "support/tcp_proxy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace edgetrust::support {
namespace {

constexpr std::size_t kMost = 256 * 1024;  // unsent bytes, before the sender is made to wait

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int new_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

void reset(int descriptor) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(descriptor);
}

}  // namespace

TcpProxy::TcpProxy(std::uint16_t target_port)
    : target_port_(target_port), listener_(new_socket()), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("no listener on loopback");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

TcpProxy::~TcpProxy() {
  thread_.request_stop();
  wake();
  thread_.join();
  for (auto& link : links_) close(link, false);
  ::close(listener_);
  ::close(wake_);
}

void TcpProxy::freeze() {
  const std::lock_guard lock(mutex_);
  for (auto& link : links_) link.frozen = true;
  wake();
}

void TcpProxy::cut() {
  const std::lock_guard lock(mutex_);
  refusing_ = true;
  for (auto& link : links_) close(link, true);
  links_.clear();
  wake();
}

void TcpProxy::allow() {
  const std::lock_guard lock(mutex_);
  refusing_ = false;
}

void TcpProxy::end_after(std::size_t bytes, From from, End end) {
  const std::lock_guard lock(mutex_);
  next_cut_ = Cut{.after = bytes, .from = from, .end = end};
}

std::size_t TcpProxy::carried(From from) const {
  const std::lock_guard lock(mutex_);
  return from == From::kClient ? carried_from_client_ : carried_from_server_;
}

int TcpProxy::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

void TcpProxy::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

void TcpProxy::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> polled = {{.fd = listener_, .events = POLLIN, .revents = 0},
                                  {.fd = wake_, .events = POLLIN, .revents = 0}};
    {
      const std::lock_guard lock(mutex_);
      for (auto& link : links_) {
        const auto wanted = [&](const Half& half, const Half& other) {
          short events = 0;
          if (!half.ended && other.unsent.size() < kMost) events |= POLLIN;
          if (!half.unsent.empty()) events |= POLLOUT;
          return pollfd{.fd = link.frozen ? -1 : half.descriptor, .events = events, .revents = 0};
        };
        polled.push_back(wanted(link.client, link.server));
        polled.push_back(wanted(link.server, link.client));
      }
    }
    ::poll(polled.data(), polled.size(), -1);
    const std::lock_guard lock(mutex_);
    if (polled[1].revents != 0) {
      std::uint64_t count = 0;
      (void)!::read(wake_, &count, sizeof count);
      continue;  // the links are others now than those that were polled
    }
    std::size_t at = 2;
    for (auto& link : links_) {
      const short client = polled[at].revents;
      const short server = polled[at + 1].revents;
      at += 2;
      if ((client & (POLLIN | POLLHUP | POLLERR)) != 0) move(link.client, link.server, link);
      if ((server & (POLLIN | POLLHUP | POLLERR)) != 0) move(link.server, link.client, link);
      flush(link.client, link);
      flush(link.server, link);
      if (is_over(link)) {
        if (link.cut->end == End::kSilent) {
          link.frozen = true;
        } else {
          close(link, link.cut->end == End::kReset);
        }
      } else if (link.broken || (link.client.ended && link.server.ended)) {
        close(link, false);
      }
    }
    links_.remove_if([](const Link& link) { return link.client.descriptor < 0; });
    if (polled[0].revents != 0) accept_one();
  }
}

void TcpProxy::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  if (refusing_) return reset(client);
  const int server = new_socket();
  const sockaddr_in address = loopback(target_port_);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(server);
    return reset(client);
  }
  ++accepted_;
  links_.push_back(
      {.client = {.descriptor = client}, .server = {.descriptor = server}, .cut = std::exchange(next_cut_, {})});
  carried_from_client_ = carried_from_server_ = 0;
}

// All that may be carried has been.
bool TcpProxy::is_over(const Link& link) {
  if (!link.cut) return false;
  const bool from_client = link.cut->from == From::kClient;
  const Half& from = from_client ? link.client : link.server;
  const Half& to = from_client ? link.server : link.client;
  return from.sent >= link.cut->after && to.unsent.empty();
}

void TcpProxy::move(Half& from, Half& to, Link& link) {
  std::array<char, 64 * 1024> buffer;
  const bool from_client = &from == &link.client;
  std::size_t most = buffer.size();
  if (link.cut && (link.cut->from == From::kClient) == from_client) most = std::min(most, link.cut->after - from.sent);
  if (most == 0) return;
  const ssize_t got = ::recv(from.descriptor, buffer.data(), most, MSG_DONTWAIT);
  if (got > 0) {
    to.unsent.append(buffer.data(), static_cast<std::size_t>(got));
    from.sent += static_cast<std::size_t>(got);
    (from_client ? carried_from_client_ : carried_from_server_) += static_cast<std::size_t>(got);
  } else if (got == 0) {
    from.ended = true;
    if (to.unsent.empty()) ::shutdown(to.descriptor, SHUT_WR);
  } else if (errno != EAGAIN && errno != EINTR) {
    link.broken = true;
  }
}

void TcpProxy::flush(Half& half, Link& link) {
  if (half.unsent.empty() || link.frozen) return;
  const ssize_t sent = ::send(half.descriptor, half.unsent.data(), half.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) {
    half.unsent.erase(0, static_cast<std::size_t>(sent));
    const bool other_ended = &half == &link.client ? link.server.ended : link.client.ended;
    if (half.unsent.empty() && other_ended) ::shutdown(half.descriptor, SHUT_WR);
  } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    link.broken = true;
  }
}

void TcpProxy::close(Link& link, bool with_reset) {
  for (Half* half : {&link.client, &link.server}) {
    if (half->descriptor < 0) continue;
    if (with_reset) {
      reset(half->descriptor);
    } else {
      ::close(half->descriptor);
    }
    half->descriptor = -1;
  }
}

}  // namespace edgetrust::support
