#pragma once
// Waiting, as an argument: a driver that must let time pass (backoff, rate limit) asks its Pauser, so that a test owns
// the wait. Only main makes the real one. Threads: any.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace edgetrust::kube {

class Pauser {
 public:
  virtual ~Pauser() = default;
  // False when `stop` was requested before the time had passed.
  virtual bool pause(std::chrono::milliseconds time, std::stop_token stop) = 0;
};

class ThreadPauser final : public Pauser {
 public:
  bool pause(std::chrono::milliseconds time, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    never_.wait_for(lock, stop, time, [] { return false; });
    return !stop.stop_requested();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any never_;
};

}  // namespace edgetrust::kube
