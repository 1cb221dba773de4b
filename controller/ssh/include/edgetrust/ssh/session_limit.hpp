#pragma once
// How many SSH sessions there are at once: fewer while they are slow, more while they are not, as TCP finds out what a
// path carries (RFC 5681: slow start, additive increase, multiplicative decrease). Each costs the operator and the
// machine of its Edge a key exchange; where there is too little CPU or network for all of them, all would run into
// their deadlines together, and again when they are tried again.
//
// What is judged is a window, as many sessions as there may be at once. Where most of them were slow, there may be half
// as many from then on; where they were not, and all the room was used, one more.
//
// A host that did not answer in time the last time says nothing of the others: its sessions are not judged, and wait in
// a line of their own for a fifth of the room. So whoever hangs holds up others that hang, and nobody else. A host that
// is in the middle of a change, with a timer armed that takes it back, goes before all others.
//
// Called by: the EdgeHosts of one process, which share one. Threads: any. Errors: none.
#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>

namespace edgetrust::ssh {

class SessionLimit {
 public:
  // As it was the last time: it answered, its timer was armed, or it did not answer in time.
  enum class Host { kAnswers, kChanges, kHangs };

  // The room that one session takes, from enter() until this is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept
        : limit_(std::exchange(other.limit_, nullptr)),
          host_(other.host_),
          window_(other.window_),
          was_slow_(other.was_slow_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (limit_ != nullptr) limit_->leave(*this);
    }
    // What is said last counts; a session of which nothing is said is not judged.
    void was_slow(bool slow) { was_slow_ = slow; }

   private:
    friend class SessionLimit;
    Place(SessionLimit& limit, Host host, std::uint64_t window) : limit_(&limit), host_(host), window_(window) {}

    SessionLimit* limit_;
    Host host_;
    std::uint64_t window_;
    std::optional<bool> was_slow_;
  };

  // Never more than `most`, and never fewer than two. Must outlive what it hands out.
  explicit SessionLimit(int most);

  // Waits for room, first come first served. Empty: asked to stop.
  std::optional<Place> enter(Host host, std::stop_token stop);

  [[nodiscard]] int at_most() const;   // for now
  [[nodiscard]] int sessions() const;  // at the moment
  [[nodiscard]] int waiting() const;

 private:
  static constexpr std::size_t kHosts = 3;
  [[nodiscard]] std::set<std::uint64_t>& line(Host host) { return lines_[static_cast<std::size_t>(host)]; }
  [[nodiscard]] int& inside(Host host) { return inside_[static_cast<std::size_t>(host)]; }
  [[nodiscard]] int all() const;
  [[nodiscard]] bool has_room(Host host);
  void leave(const Place& place);
  void judge(bool slow);

  const int most_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::array<int, kHosts> inside_{};  // by Host
  std::array<std::set<std::uint64_t>, kHosts> lines_;
  std::uint64_t tickets_ = 0;
  int limit_;
  std::uint64_t window_ = 0;  // since the last decrease: who began before that says nothing of what holds now
  int judged_ = 0;
  int slow_ = 0;
  bool was_full_ = false;
  bool is_starting_ = true;  // nothing has been too much yet
};

}  // namespace edgetrust::ssh
