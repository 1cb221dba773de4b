#pragma once
// What is said to all who listen, by server-sent events (HTML standard, section 9.2). Only the latest word counts: who
// comes is told it, and who is slow misses those in between. Called by: whoever has something to say, and the server,
// which writes it. Threads: any; say() never blocks on a listener.
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace edgetrust::http {

class EventChannel {
 public:
  void say(std::string data);
  // How many connections are listening.
  [[nodiscard]] std::size_t listeners() const;

  // For the server. `wake` is called after each word, from the thread of say(); it must be quick, and must not call the
  // channel. Returns the name to leave by.
  std::uint64_t enter(std::function<void()> wake);
  void leave(std::uint64_t listener);
  // The latest word, as it goes over the wire, if it is newer than `seen`, which is brought up to date; else empty.
  [[nodiscard]] std::string newer_than(std::uint64_t& seen) const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t said_ = 0;
  std::string latest_;
  std::uint64_t entered_ = 0;
  std::map<std::uint64_t, std::function<void()>> listeners_;
};

}  // namespace edgetrust::http
