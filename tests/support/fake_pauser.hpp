#pragma once
// A Pauser for tests: a pause takes no time, moves the clock and is remembered. Threads: any.
#include "edgetrust/kube/pause.hpp"
#include "support/fake_clock.hpp"

#include <functional>
#include <mutex>
#include <vector>

namespace edgetrust::support {

class FakePauser final : public kube::Pauser {
 public:
  explicit FakePauser(FakeClock& clock) : clock_(clock) {}

  bool pause(std::chrono::milliseconds time, std::stop_token stop) override {
    const std::lock_guard lock(mutex_);
    if (stop.stop_requested()) return false;
    pauses_.push_back(time);
    clock_.advance(time);
    return true;
  }
  [[nodiscard]] std::vector<std::chrono::milliseconds> pauses() const {
    const std::lock_guard lock(mutex_);
    return pauses_;
  }

 private:
  FakeClock& clock_;
  mutable std::mutex mutex_;
  std::vector<std::chrono::milliseconds> pauses_;
};

}  // namespace edgetrust::support
