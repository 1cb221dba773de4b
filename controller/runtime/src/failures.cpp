#include "edgetrust/runtime/failures.hpp"

#include "edgetrust/base/random.hpp"

namespace edgetrust::runtime {

std::chrono::milliseconds Failures::failed(const Key& key) {
  const std::lock_guard lock(mutex_);
  const int count = ++counts_[key];
  return backoff_.after(count, stable_fraction(key.to_string() + "#" + std::to_string(count)));
}

void Failures::succeeded(const Key& key) {
  const std::lock_guard lock(mutex_);
  counts_.erase(key);
}

int Failures::count(const Key& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace edgetrust::runtime
