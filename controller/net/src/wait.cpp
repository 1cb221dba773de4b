#include "edgetrust/net/wait.hpp"

#include "edgetrust/net/socket.hpp"

#include <cerrno>
#include <limits>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace edgetrust::net {

Wait::Signal::Signal() : fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
Wait::Signal::~Signal() {
  if (fd >= 0) close(fd);
}

void Wait::Wake::operator()() const noexcept {
  if (fd >= 0) eventfd_write(fd, 1);
}

Wait::Wait(const Clock& clock, SteadyPoint deadline, std::stop_token stop)
    : clock_(&clock), deadline_(deadline), stop_(std::move(stop)), wake_(stop_, Wake{signal_.fd}) {}

std::chrono::milliseconds Wait::left() const {
  return std::max(std::chrono::milliseconds{0}, deadline_ - clock_->steady());
}

Wait Wait::at_most(std::chrono::milliseconds patience) const {
  return Wait(*clock_, std::min(deadline_, clock_->steady() + patience), stop_);
}

// False: `until` has passed, also for a peer that always has something more to read. That poll(2) slept its whole time
// is proof enough, whatever the clock says.
Result<bool> Wait::ready(const Socket& socket, short events, SteadyPoint until) const {
  if (signal_.fd < 0) return fail(ErrorKind::kUnavailable, "no file descriptor is left to wait with");
  std::array<pollfd, 2> watched{pollfd{socket.fd(), events, 0}, pollfd{signal_.fd, POLLIN, 0}};
  for (;;) {
    const auto rest = (until - clock_->steady()).count();
    const auto bounded = std::clamp<decltype(rest)>(rest, 0, std::numeric_limits<int>::max());
    const int count = poll(watched.data(), watched.size(), static_cast<int>(bounded));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorKind::kInternal, "poll: " + std::generic_category().message(errno));
    if (watched[1].revents != 0) return fail(ErrorKind::kCancelled, "asked to stop");
    return count > 0 && rest >= 0;
  }
}

Result<bool> Wait::readable_until(const Socket& socket, SteadyPoint until) const {
  return ready(socket, POLLIN, std::min(until, deadline_));
}

Status Wait::readable(const Socket& socket) const {
  EDGETRUST_TRY_ASSIGN(const bool is_ready, ready(socket, POLLIN, deadline_));
  if (!is_ready) return fail(ErrorKind::kTimeout, "no answer in time");
  return {};
}

Status Wait::writable(const Socket& socket) const {
  EDGETRUST_TRY_ASSIGN(const bool is_ready, ready(socket, POLLOUT, deadline_));
  if (!is_ready) return fail(ErrorKind::kTimeout, "no answer in time");
  return {};
}

}  // namespace edgetrust::net
