#include "edgetrust/ssh/session_limit.hpp"

#include <algorithm>

namespace edgetrust::ssh {
namespace {

constexpr int kFewest = 2;
constexpr int kShare = 5;  // of the room, for hosts that hang; and to begin with

std::size_t index(SessionLimit::Host host) { return static_cast<std::size_t>(host); }

}  // namespace

SessionLimit::SessionLimit(int most)
    : most_(std::max(most, kFewest)), limit_(std::clamp(most / kShare, kFewest, most_)) {}

std::optional<SessionLimit::Place> SessionLimit::enter(Host host, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  auto& line = lines_[index(host)];
  const std::uint64_t ticket = ++tickets_;
  line.insert(ticket);
  const bool is_in = changed_.wait(lock, stop, [&] { return *line.begin() == ticket && has_room(host); });
  line.erase(ticket);
  changed_.notify_all();  // who is next in line
  if (!is_in) return std::nullopt;
  ++inside_[index(host)];
  was_full_ = was_full_ || inside_[0] + inside_[1] >= limit_;
  return Place(*this, host, window_);
}

bool SessionLimit::has_room(Host host) const {
  const bool has_share = host == Host::kAnswers || inside_[index(host)] < std::max(1, limit_ / kShare);
  return has_share && inside_[0] + inside_[1] < limit_;
}

void SessionLimit::leave(const Place& place) {
  const std::lock_guard lock(mutex_);
  --inside_[index(place.host_)];
  if (place.was_slow_ && place.host_ == Host::kAnswers && place.window_ == window_) judge(*place.was_slow_);
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
  return inside_[0] + inside_[1];
}
int SessionLimit::waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(lines_[0].size() + lines_[1].size());
}

}  // namespace edgetrust::ssh
