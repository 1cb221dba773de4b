#pragma once
// Ends a connection when a step takes too long, when all of it does, or when we are asked to stop: libssh waits without
// end for an answer, and a socket that is shut down under it makes every wait return. Private to the room.
//
// Threads: one of its own; step() and fired() come from the session's.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace edgetrust::ssh {

class Watchdog {
 public:
  // `fd` must stay open as long as this lives.
  Watchdog(int fd, const Clock& clock, std::chrono::milliseconds patience, std::stop_token stop);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Another step begins, and may take so long.
  void step(std::chrono::milliseconds patience);
  // Why the connection was ended: kTimeout or kCancelled. Empty: it was not.
  [[nodiscard]] std::optional<ErrorKind> fired() const;

 private:
  void watch(const std::stop_token& over);
  void fire(ErrorKind why);  // with the lock held

  const int fd_;
  const Clock& clock_;
  const std::stop_token stop_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  const SteadyPoint end_;
  SteadyPoint step_end_;
  std::optional<ErrorKind> fired_;
  std::jthread thread_;
};

}  // namespace edgetrust::ssh
