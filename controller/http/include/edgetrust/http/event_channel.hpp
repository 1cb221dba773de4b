#pragma once
// What is said to all who listen, by server-sent events (HTML standard, section 9.2). Only the latest word counts: who
// comes is told it, and who is slow misses those in between. Called by: whoever has something to say, and the server,
// which writes it. Threads: any; say() never blocks on a listener.
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace edgetrust::http {

class EventListener;

class EventChannel : public std::enable_shared_from_this<EventChannel> {
 public:
  // At most so many listen at a time.
  static std::shared_ptr<EventChannel> create(std::size_t most);

  void say(std::string data);
  // How many are listening.
  [[nodiscard]] std::size_t listeners() const;
  // One more, who counts from now on for as long as it lives. Null: as many as may are listening.
  [[nodiscard]] std::shared_ptr<EventListener> listen();

 private:
  friend class EventListener;
  explicit EventChannel(std::size_t most) : most_(most) {}

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::uint64_t said_ = 0;
  std::string latest_;
  std::set<EventListener*> listeners_;
};

// For the server: one stream.
class EventListener {
 public:
  ~EventListener();
  EventListener(const EventListener&) = delete;
  EventListener& operator=(const EventListener&) = delete;

  // `wake` is called after each word, from the thread of say(), until this ends; it must be quick, and must not call
  // channel or listener.
  void on_word(std::function<void()> wake);
  // The latest word, as it goes over the wire; empty where it was told already.
  [[nodiscard]] std::string next();

 private:
  friend class EventChannel;
  explicit EventListener(std::shared_ptr<EventChannel> channel) : channel_(std::move(channel)) {}

  const std::shared_ptr<EventChannel> channel_;  // whose mutex guards the rest
  std::function<void()> wake_;
  std::uint64_t told_ = 0;
};

}  // namespace edgetrust::http
