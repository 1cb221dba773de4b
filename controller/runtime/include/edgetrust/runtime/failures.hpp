#pragma once
// How often each key has failed in a row, and how long it must wait therefore. Called by: Workers for passes that
// throw, and the engine for passes that fail. Threads: any. Errors: none. Holds only keys that are failing.
#include "edgetrust/base/backoff.hpp"
#include "edgetrust/runtime/key.hpp"

#include <map>
#include <mutex>

namespace edgetrust::runtime {

class Failures {
 public:
  explicit Failures(Backoff backoff) : backoff_(backoff) {}

  // Counts one more failure and says how long to wait. The share of jitter is fixed by key and count, so that keys that
  // fail together do not return together and a run can be repeated.
  std::chrono::milliseconds failed(const Key& key);
  void succeeded(const Key& key);  // or the object is gone
  [[nodiscard]] int count(const Key& key) const;

 private:
  const Backoff backoff_;
  mutable std::mutex mutex_;
  std::map<Key, int> counts_;
};

}  // namespace edgetrust::runtime
