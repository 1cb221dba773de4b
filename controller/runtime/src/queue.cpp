#include "edgetrust/runtime/queue.hpp"

#include <algorithm>

namespace edgetrust::runtime {

void Queue::add_at(const Key& key, SteadyPoint due, std::optional<Rank> rank) {
  due = std::max(due, SteadyPoint{});  // further back no difference of two times can be told
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[key];
  const Rank wanted = rank.value_or(entry.rank);
  const bool is_sooner = !entry.due || due < *entry.due;
  if (!is_sooner && wanted == entry.rank) return;
  if (entry.is_in_line()) line(entry.rank).erase({*entry.due, entry.order, key});
  entry.rank = wanted;
  if (is_sooner) {
    entry.due = due;
    entry.order = ++order_;
  }
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
  --held(*found->second.held);
  found->second.held.reset();
  if (found->second.due) {
    line_up(key, found->second);
  } else {
    entries_.erase(found);
    news();  // somebody else of its rank may go now
  }
}

void Queue::poke() {
  const std::lock_guard lock(mutex_);
  news();
}

QueueStats Queue::stats() const {
  const std::lock_guard lock(mutex_);
  const SteadyPoint now = clock_.steady();
  QueueStats stats;
  stats.idle = idle_;
  for (const Line& line : lines_) {
    for (const auto& [due, order, key] : line) {
      ++(due <= now ? stats.due : stats.waiting);
      stats.oldest = std::max(stats.oldest, std::chrono::duration_cast<std::chrono::milliseconds>(now - due));
    }
  }
  for (const auto& [key, entry] : entries_) {
    if (!entry.held) continue;
    ++stats.held;
    stats.longest = std::max<std::chrono::milliseconds>(stats.longest, now - entry.held_since);
  }
  return stats;
}

void Queue::news() {
  ++version_;
  changed_.notify_all();  // each waiter keeps its own alarm for the first in line, and that may be another now
}

void Queue::line_up(const Key& key, const Entry& entry) {
  line(entry.rank).insert({*entry.due, entry.order, key});
  news();
}

bool Queue::may_take(Rank rank) {
  if (rank == Rank::kFirst) return true;
  if (rank == Rank::kLast && held(Rank::kLast) >= shares_.last) return false;
  return held(Rank::kNormal) + held(Rank::kLast) < shares_.below_first;
}

std::optional<Key> Queue::take_due(SteadyPoint now) {
  for (const Rank rank : kRanks) {
    Line& waiting = line(rank);
    if (!may_take(rank) || waiting.empty() || std::get<0>(*waiting.begin()) > now) continue;
    if (waited_) waited_(now - std::get<0>(*waiting.begin()));
    Key key = std::get<Key>(*waiting.begin());
    waiting.erase(waiting.begin());
    Entry& entry = entries_[key];
    entry.due.reset();
    entry.held = rank;
    entry.held_since = now;
    ++held(rank);
    return key;
  }
  return std::nullopt;
}

// Until the first of those that may be taken is due. One that may not be waits for another to be done.
void Queue::wait(std::unique_lock<std::mutex>& lock, SteadyPoint now, std::stop_token stop) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours{1};  // keeps far-away times out of the arithmetic
  const auto is_changed = [this, seen = version_] { return version_ != seen; };
  std::optional<SteadyPoint> first;
  for (const Rank rank : kRanks) {
    if (!may_take(rank) || line(rank).empty()) continue;
    const SteadyPoint due = std::get<0>(*line(rank).begin());
    first = std::min(first.value_or(due), due);
  }
  if (!first) {
    changed_.wait(lock, stop, is_changed);
  } else {
    changed_.wait_for(lock, stop, std::min(*first - now, kLongest), is_changed);
  }
}

}  // namespace edgetrust::runtime
