#include "watchdog.hpp"

#include <algorithm>

#include <sys/socket.h>

namespace edgetrust::ssh {

Watchdog::Watchdog(int fd, const Clock& clock, std::chrono::milliseconds patience, std::stop_token stop)
    : fd_(fd),
      clock_(clock),
      stop_(std::move(stop)),
      end_(clock.steady() + patience),
      step_end_(end_),
      thread_([this](const std::stop_token& over) { watch(over); }) {}

Watchdog::~Watchdog() {
  thread_.request_stop();
  thread_.join();
}

void Watchdog::step(std::chrono::milliseconds patience) {
  const std::lock_guard lock(mutex_);
  step_end_ = std::min(end_, clock_.steady() + patience);
  changed_.notify_all();
}

std::optional<ErrorKind> Watchdog::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

void Watchdog::fire(ErrorKind why) {
  fired_ = why;
  ::shutdown(fd_, SHUT_RDWR);
}

void Watchdog::watch(const std::stop_token& over) {
  const std::stop_callback asked(stop_, [this] {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  while (!over.stop_requested()) {
    if (stop_.stop_requested()) return fire(ErrorKind::kCancelled);
    const auto left = step_end_ - clock_.steady();
    if (left <= left.zero()) return fire(ErrorKind::kTimeout);
    const auto until = step_end_;
    changed_.wait_for(lock, over, left, [&] { return step_end_ != until || stop_.stop_requested(); });
  }
}

}  // namespace edgetrust::ssh
