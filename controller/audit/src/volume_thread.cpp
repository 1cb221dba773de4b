#include "volume_thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace edgetrust::audit {

struct VolumeThread::Shared {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<Job> jobs;
  std::uint64_t asked = 0;
  std::uint64_t done = 0;
  std::uint64_t late = 0;  // of the last that was not done in time

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (changed.wait(lock, stop, [this] { return !jobs.empty(); })) {
      Job job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
      ++done;
      changed.notify_all();
    }
  }
};

VolumeThread::VolumeThread(std::chrono::milliseconds patience)
    : patience_(patience),
      shared_(std::make_shared<Shared>()),
      thread_([shared = shared_](const std::stop_token& stop) { shared->run(stop); }) {}

VolumeThread::~VolumeThread() {
  const bool answers = ask([] {}) == Outcome::kDone;
  thread_.request_stop();
  if (!answers) thread_.detach();
}

VolumeThread::Outcome VolumeThread::ask(Job job, Waits waits, std::size_t most_waiting) {
  Shared& s = *shared_;
  std::unique_lock lock(s.mutex);
  if (s.jobs.size() >= most_waiting) return Outcome::kRefused;
  s.jobs.push_back(std::move(job));
  const std::uint64_t mine = ++s.asked;
  s.changed.notify_all();
  if (s.done < s.late && waits == Waits::kUnlessLate) return Outcome::kBehindLate;
  if (s.changed.wait_for(lock, patience_, [&] { return s.done >= mine; })) return Outcome::kDone;
  s.late = std::max(s.late, mine);
  return Outcome::kLate;
}

std::uint64_t VolumeThread::waiting() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->done < shared_->late ? shared_->asked - shared_->done : 0;
}

}  // namespace edgetrust::audit
