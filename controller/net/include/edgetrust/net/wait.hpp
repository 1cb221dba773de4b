#pragma once
// How long to wait for a socket: until it is ready, a deadline passes, or a stop is requested, whichever is first.
// Called by: whoever holds a Socket. Threads: one Wait belongs to one thread; the stop request may come from any.
// Errors: kTimeout, kCancelled, kUnavailable when the process is out of file descriptors.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <chrono>
#include <stop_token>

namespace edgetrust::net {

class Socket;

class Wait {
 public:
  Wait(const Clock& clock, SteadyPoint deadline, std::stop_token stop);
  Wait(const Clock& clock, std::chrono::milliseconds patience, std::stop_token stop)
      : Wait(clock, clock.steady() + patience, std::move(stop)) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() = default;

  Status readable(const Socket& socket) const;
  Status writable(const Socket& socket) const;
  // False when nothing could be read until `until`; the deadline still holds.
  [[nodiscard]] Result<bool> readable_until(const Socket& socket, SteadyPoint until) const;

  // The same stop token and an earlier deadline (a later one has no effect).
  [[nodiscard]] Wait at_most(std::chrono::milliseconds patience) const;
  [[nodiscard]] std::chrono::milliseconds left() const;  // never negative
  [[nodiscard]] SteadyPoint deadline() const { return deadline_; }
  [[nodiscard]] const std::stop_token& stop() const { return stop_; }
  [[nodiscard]] const Clock& clock() const { return *clock_; }

 private:
  // Becomes readable when a stop is requested: poll(2) sees it and the socket at once.
  struct Signal {
    int fd;
    Signal();
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    ~Signal();
  };
  struct Wake {
    int fd;
    void operator()() const noexcept;
  };
  [[nodiscard]] Result<bool> ready(const Socket& socket, short events, SteadyPoint until) const;

  const Clock* clock_;
  SteadyPoint deadline_;
  std::stop_token stop_;
  Signal signal_;  // before wake_, which uses it until it is gone
  std::stop_callback<Wake> wake_;
};

}  // namespace edgetrust::net
