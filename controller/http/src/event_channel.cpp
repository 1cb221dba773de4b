#include "edgetrust/http/event_channel.hpp"

namespace edgetrust::http {

std::shared_ptr<EventChannel> EventChannel::create(std::size_t most) {
  return std::shared_ptr<EventChannel>(new EventChannel(most));
}

void EventChannel::say(std::string data) {
  const std::scoped_lock lock(mutex_);
  ++said_;
  latest_ = std::move(data);
  for (const auto* listener : listeners_) {
    if (listener->wake_) listener->wake_();
  }
}

std::size_t EventChannel::listeners() const {
  const std::scoped_lock lock(mutex_);
  return listeners_.size();
}

std::shared_ptr<EventListener> EventChannel::listen() {
  const std::scoped_lock lock(mutex_);
  if (listeners_.size() >= most_) return nullptr;
  std::shared_ptr<EventListener> listener(new EventListener(shared_from_this()));
  listeners_.insert(listener.get());
  return listener;
}

EventListener::~EventListener() {
  const std::scoped_lock lock(channel_->mutex_);
  channel_->listeners_.erase(this);
}

void EventListener::on_word(std::function<void()> wake) {
  const std::scoped_lock lock(channel_->mutex_);
  wake_ = std::move(wake);
}

// A line break within the data begins another line of the same event.
std::string EventListener::next() {
  const std::scoped_lock lock(channel_->mutex_);
  if (told_ == channel_->said_) return {};
  told_ = channel_->said_;
  std::string event = "data: ";
  for (const char c : channel_->latest_) {
    if (c == '\r') continue;
    event += c;
    if (c == '\n') event += "data: ";
  }
  return event + "\n\n";
}

}  // namespace edgetrust::http
