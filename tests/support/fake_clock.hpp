#pragma once
// A clock that a test owns: it stands still until told otherwise. Threads: any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/time_text.hpp"

#include <mutex>

namespace edgetrust::support {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::string_view start = "2026-11-22T12:00:00Z") : now_(parse_rfc3339(start).value()) {}
  [[nodiscard]] TimePoint now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  [[nodiscard]] SteadyPoint steady() const override {
    const std::lock_guard lock(mutex_);
    return steady_;
  }
  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
    steady_ += by;
  }
  void jump_wall(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  TimePoint now_;
  SteadyPoint steady_{std::chrono::hours{1}};
};

}  // namespace edgetrust::support
