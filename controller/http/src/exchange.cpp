#include "exchange.hpp"

#include <utility>

namespace edgetrust::http {

void Exchange::put_head(Response head) {
  const std::lock_guard lock(mutex_);
  head_ = std::move(head);
  changed_.notify_all();
}

void Exchange::put(std::string_view piece, Resume resume) {
  {
    const std::lock_guard lock(mutex_);
    if (!abandoned_) {
      pieces_ += piece;
      changed_.notify_all();
      if (pieces_.size() >= kHighWater) {
        resume_ = std::move(resume);
        return;
      }
    }
  }
  resume();
}

void Exchange::end(std::optional<Broken> broken) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  broken_ = std::move(broken);
  changed_.notify_all();
}

Exchange::Event Exchange::next(Deadline deadline, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto has_piece = [this] { return head_taken_ && !pieces_.empty(); };
  changed_.wait_until(lock, stop, deadline, [&] { return head_ || has_piece() || ended_; });
  if (!ended_) {
    if (stop.stop_requested()) return Event::kStopped;
    if (std::chrono::steady_clock::now() >= deadline) return Event::kTimeout;
  }
  if (head_) return Event::kHead;
  if (has_piece()) return Event::kPiece;
  return broken_ ? Event::kBroken : Event::kEnd;
}

Response Exchange::take_head() {
  const std::lock_guard lock(mutex_);
  Response head = std::move(*head_);
  head_.reset();
  head_taken_ = true;
  return head;
}

std::string Exchange::take_piece() {
  Resume resume;
  std::string piece;
  {
    const std::lock_guard lock(mutex_);
    piece.swap(pieces_);
    resume.swap(resume_);
  }
  if (resume) resume();
  return piece;
}

Broken Exchange::take_broken() {
  const std::lock_guard lock(mutex_);
  return std::move(*broken_);
}

void Exchange::abandon() {
  Resume resume;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    pieces_.clear();
    resume.swap(resume_);
  }
  if (resume) resume();
}

}  // namespace edgetrust::http
