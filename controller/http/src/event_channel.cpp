#include "edgetrust/http/event_channel.hpp"

namespace edgetrust::http {

void EventChannel::say(std::string data) {
  const std::scoped_lock lock(mutex_);
  ++said_;
  latest_ = std::move(data);
  for (const auto& [name, wake] : listeners_) wake();
}

std::size_t EventChannel::listeners() const {
  const std::scoped_lock lock(mutex_);
  return listeners_.size();
}

std::uint64_t EventChannel::enter(std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  listeners_.emplace(++entered_, std::move(wake));
  return entered_;
}

void EventChannel::leave(std::uint64_t listener) {
  const std::scoped_lock lock(mutex_);
  listeners_.erase(listener);
}

// A line break within the data begins another line of the same event.
std::string EventChannel::newer_than(std::uint64_t& seen) const {
  const std::scoped_lock lock(mutex_);
  if (seen == said_) return {};
  seen = said_;
  std::string event = "data: ";
  for (const char c : latest_) {
    if (c == '\r') continue;
    event += c;
    if (c == '\n') event += "data: ";
  }
  return event + "\n\n";
}

}  // namespace edgetrust::http
