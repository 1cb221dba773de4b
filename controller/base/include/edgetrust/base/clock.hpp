#pragma once
// Time, as an argument. Only main makes the real clock; everything else is handed one, so that a test owns time.
#include <chrono>

namespace edgetrust {

using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;  // wall time, UTC
using SteadyPoint = std::chrono::time_point<std::chrono::steady_clock,
                                            std::chrono::milliseconds>;  // never jumps; compares within one process

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  [[nodiscard]] virtual SteadyPoint steady() const = 0;
};

// The machine's clock. Stateless, thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] SteadyPoint steady() const override;
};

}  // namespace edgetrust
