#pragma once
// Something that many threads change and one waits for.
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

namespace edgetrust::support {

class Board {
 public:
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    ++counts_[what];
    changed_.notify_all();
  }
  // Waits until `what` was noted `count` times; a test that never gets there is ended by its time limit.
  void await(const std::string& what, int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return counts_[what] >= count; });
  }
  int count(const std::string& what) {
    const std::lock_guard lock(mutex_);
    return counts_[what];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> counts_;
};

}  // namespace edgetrust::support
