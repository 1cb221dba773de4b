#pragma once
// A thread of its own for what a volume may hold for any time: NFS without its server, somebody who keeps a lock. A
// volume that does not answer is waited for `patience` once; as long as it is silent then, nobody waits for it. Whoever
// ends meanwhile leaves the thread to it. Threads: any. Room-private.
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace edgetrust::audit {

class VolumeThread {
 public:
  using Job = std::function<void()>;  // holds what it needs: it may be done when nobody else is left
  enum class Outcome {
    kDone,
    kLate,        // it was waited for, and will be done when the volume answers
    kBehindLate,  // the same, and not waited for: one before it is late
    kRefused
  };
  enum class Waits { kUnlessLate, kAnyway };

  explicit VolumeThread(std::chrono::milliseconds patience);
  // What waits is done first, unless the volume is silent.
  ~VolumeThread();
  VolumeThread(const VolumeThread&) = delete;
  VolumeThread& operator=(const VolumeThread&) = delete;

  // Refused where so many wait already.
  Outcome ask(Job job, Waits waits = Waits::kUnlessLate,
              std::size_t most_waiting = std::numeric_limits<std::size_t>::max());
  // How many jobs wait for the volume while it is silent.
  [[nodiscard]] std::uint64_t waiting() const;
  // What the job returns; empty: there is no answer in time. It is not asked for while one before is late: nobody would
  // hear the answer.
  template <class Question>
  std::optional<std::invoke_result_t<Question>> answer(Question question) {
    const auto given = std::make_shared<std::optional<std::invoke_result_t<Question>>>();
    if (waiting() > 0) return std::nullopt;
    const Outcome outcome = ask([given, question = std::move(question)] { given->emplace(question()); });
    return outcome == Outcome::kDone ? std::move(*given) : std::nullopt;
  }

 private:
  struct Shared;
  const std::chrono::milliseconds patience_;
  const std::shared_ptr<Shared> shared_;
  std::jthread thread_;
};

}  // namespace edgetrust::audit
