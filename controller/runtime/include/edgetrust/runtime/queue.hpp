#pragma once
// The keys that want a pass, and when. Every wait of the operator is an entry here, never a sleeping thread.
//
// One entry a key: of two wishes for the same key the earlier wins, and the pass made then says anew when it wants the
// next. One worker a key: a key added while a worker holds it runs again after done(). Due keys come by their rank, in
// one rank in the order of their times, then in the order in which they were added. Of ranks below the first only so
// many are with a worker at once: who is slow to end holds up no one who goes before.
//
// Called by: watches add(), Workers get() and done(), passes add_at() for themselves. Threads: every call from any
// thread. Errors: none. Time is Clock::steady(): a clock that stands still (a test's) is looked at again on poke().
#include "edgetrust/base/clock.hpp"
#include "edgetrust/runtime/key.hpp"

#include <array>
#include <condition_variable>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <tuple>

namespace edgetrust::runtime {

struct QueueStats {
  std::size_t due = 0;                   // could be taken now
  std::size_t waiting = 0;               // their time has not come
  std::size_t idle = 0;                  // workers that wait for a key
  std::size_t held = 0;                  // with a worker
  std::chrono::milliseconds oldest{0};   // how long the first due key has been due
  std::chrono::milliseconds longest{0};  // how long the worker that has held its key for longest has held it
};

// How many keys may be with a worker at once.
struct Shares {
  std::size_t below_first = std::numeric_limits<std::size_t>::max();  // of all ranks but the first
  std::size_t last = std::numeric_limits<std::size_t>::max();         // of the last one
};

class Queue {
 public:
  // `waited`: told, before get() returns a key, how long that has been due. It must not block, throw or call the queue.
  using Waited = std::function<void(std::chrono::milliseconds)>;
  explicit Queue(const Clock& clock, Shares shares = {}, Waited waited = {})
      : clock_(clock), shares_(shares), waited_(std::move(waited)) {}

  // Without a rank a key keeps the one that it has; a new one is normal.
  void add(const Key& key, std::optional<Rank> rank = {}) { add_at(key, clock_.steady(), rank); }
  void add_at(const Key& key, SteadyPoint due, std::optional<Rank> rank = {});

  // Waits for a due key and hands it to the caller, who must call done() with it. Empty once `stop` is requested, even
  // when keys are due.
  std::optional<Key> get(std::stop_token stop);
  void done(const Key& key);

  // The clock was moved by hand: look again.
  void poke();

  [[nodiscard]] QueueStats stats() const;

 private:
  struct Entry {
    std::optional<SteadyPoint> due;  // empty: held by a worker, and nobody wants another pass
    std::uint64_t order = 0;
    Rank rank = Rank::kNormal;
    std::optional<Rank> held;  // with a worker, as what it was taken
    SteadyPoint held_since{};
    [[nodiscard]] bool is_in_line() const { return due && !held; }
  };
  using Place = std::tuple<SteadyPoint, std::uint64_t, Key>;
  using Line = std::set<Place>;
  static constexpr std::array kRanks{Rank::kFirst, Rank::kNormal, Rank::kLast};

  Line& line(Rank rank) { return lines_[static_cast<std::size_t>(rank)]; }
  std::size_t& held(Rank rank) { return held_[static_cast<std::size_t>(rank)]; }
  bool may_take(Rank rank);
  void news();
  void line_up(const Key& key, const Entry& entry);
  std::optional<Key> take_due(SteadyPoint now);
  void wait(std::unique_lock<std::mutex>& lock, SteadyPoint now, std::stop_token stop);

  const Clock& clock_;
  const Shares shares_;
  const Waited waited_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t version_ = 0;  // counts changes, so that a waiter sees the one it slept through
  std::uint64_t order_ = 0;
  std::size_t idle_ = 0;
  std::map<Key, Entry> entries_;
  std::array<Line, kRanks.size()> lines_;  // every entry that is due some time and not held, first first
  std::array<std::size_t, kRanks.size()> held_{};
};

}  // namespace edgetrust::runtime
