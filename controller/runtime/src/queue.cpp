#include "edgetrust/runtime/queue.hpp"

#include <algorithm>

namespace edgetrust::runtime {

void Queue::add_at(const Key& key, SteadyPoint due) {
  due = std::max(due, SteadyPoint{});  // further back no difference of two times can be told
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[key];
  if (entry.due && *entry.due <= due) return;
  if (entry.due && !entry.held) line_.erase({*entry.due, entry.order, key});
  entry.due = due;
  entry.order = ++order_;
  if (!entry.held) line_up(key, entry);
}

std::optional<Key> Queue::get(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const SteadyPoint now = clock_.steady();
    if (auto key = take_due(now)) return key;
    ++idle_;
    wait(lock, now, stop);
    --idle_;
  }
  return std::nullopt;
}

void Queue::done(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.held) return;
  found->second.held = false;
  if (found->second.due) {
    line_up(key, found->second);
  } else {
    entries_.erase(found);
  }
}

void Queue::poke() {
  const std::lock_guard lock(mutex_);
  ++version_;
  changed_.notify_all();
}

QueueStats Queue::stats() const {
  const std::lock_guard lock(mutex_);
  const SteadyPoint now = clock_.steady();
  QueueStats stats;
  stats.idle = idle_;
  for (const auto& [due, order, key] : line_) ++(due <= now ? stats.due : stats.waiting);
  for (const auto& [key, entry] : entries_) {
    if (!entry.held) continue;
    ++stats.held;
    stats.longest = std::max<std::chrono::milliseconds>(stats.longest, now - entry.held_since);
  }
  if (stats.due > 0) stats.oldest = now - std::get<0>(*line_.begin());
  return stats;
}

void Queue::line_up(const Key& key, const Entry& entry) {
  line_.insert({*entry.due, entry.order, key});
  ++version_;
  changed_.notify_all();  // each waiter keeps its own alarm for the first in line, and that may be another now
}

std::optional<Key> Queue::take_due(SteadyPoint now) {
  if (line_.empty() || std::get<0>(*line_.begin()) > now) return std::nullopt;
  if (waited_) waited_(now - std::get<0>(*line_.begin()));
  Key key = std::get<2>(*line_.begin());
  line_.erase(line_.begin());
  Entry& entry = entries_[key];
  entry.due.reset();
  entry.held = true;
  entry.held_since = now;
  return key;
}

void Queue::wait(std::unique_lock<std::mutex>& lock, SteadyPoint now, std::stop_token stop) {
  const auto is_changed = [this, seen = version_] { return version_ != seen; };
  if (line_.empty()) {
    changed_.wait(lock, stop, is_changed);
    return;
  }
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours{1};  // keeps far-away times out of the arithmetic
  changed_.wait_for(lock, stop, std::min(std::get<0>(*line_.begin()) - now, kLongest), is_changed);
}

}  // namespace edgetrust::runtime
