#include "edgetrust/ssh/session_limit.hpp"

#include <algorithm>
#include <numeric>

namespace edgetrust::ssh {
namespace {

constexpr int kFewest = 2;
constexpr int kShare = 5;  // of the room, for hosts that hang; and to begin with

}  // namespace

SessionLimit::SessionLimit(int most)
    : most_(std::max(most, kFewest)), limit_(std::clamp(most / kShare, kFewest, most_)) {}

std::optional<SessionLimit::Place> SessionLimit::enter(Host host, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = ++tickets_;
  line(host).insert(ticket);
  const bool is_in = changed_.wait(lock, stop, [&] { return *line(host).begin() == ticket && has_room(host); });
  line(host).erase(ticket);
  changed_.notify_all();  // who is next in line
  if (!is_in) return std::nullopt;
  ++inside(host);
  was_full_ = was_full_ || all() >= limit_;
  return Place(*this, host, window_);
}

int SessionLimit::all() const { return std::accumulate(inside_.begin(), inside_.end(), 0); }

bool SessionLimit::has_room(Host host) {
  if (host != Host::kChanges && !line(Host::kChanges).empty()) return false;
  if (host == Host::kHangs && inside(host) >= std::max(1, limit_ / kShare)) return false;
  return all() < limit_;
}

void SessionLimit::leave(const Place& place) {
  const std::lock_guard lock(mutex_);
  --inside(place.host_);
  if (place.was_slow_ && place.host_ != Host::kHangs && place.window_ == window_) judge(*place.was_slow_);
  changed_.notify_all();
}

void SessionLimit::judge(bool slow) {
  ++judged_;
  slow_ += slow ? 1 : 0;
  if (judged_ < limit_) return;
  if (2 * slow_ > judged_) {
    limit_ = std::max(kFewest, limit_ / 2);
    is_starting_ = false;
    ++window_;
  } else if (was_full_) {
    limit_ = std::min(most_, is_starting_ ? 2 * limit_ : limit_ + 1);
  }
  judged_ = slow_ = 0;
  was_full_ = false;
}

int SessionLimit::at_most() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}
int SessionLimit::sessions() const {
  const std::lock_guard lock(mutex_);
  return all();
}
int SessionLimit::waiting() const {
  const std::lock_guard lock(mutex_);
  std::size_t all = 0;
  for (const auto& line : lines_) all += line.size();
  return static_cast<int>(all);
}

}  // namespace edgetrust::ssh
