#include "edgetrust/runtime/workers.hpp"

#include <exception>

namespace edgetrust::runtime {
namespace {

// A hook is for logs and metrics: what it throws is worth less than the process.
template <class Hook, class... Args>
void call(const Hook& hook, Args&&... args) noexcept {
  try {
    if (hook) hook(std::forward<Args>(args)...);
  } catch (...) {  // dropped, see above
  }
}

}  // namespace

Workers::Workers(Queue& queue, const Clock& clock, WorkerOptions options, Work work)
    : queue_(queue),
      clock_(clock),
      options_(std::move(options)),
      work_(std::move(work)),
      failures_(options_.after_exception) {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { loop(stop_.get_token()); });
}

void Workers::stop() {
  request_stop();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Workers::loop(std::stop_token stop) {
  while (const auto key = queue_.get(stop)) {
    pass(*key, stop);
    queue_.done(*key);
  }
}

void Workers::pass(const Key& key, std::stop_token stop) {
  try {
    work_(key, stop);
    failures_.succeeded(key);
  } catch (const std::exception& error) {
    report(key, error.what());
  } catch (...) {
    report(key, "something that is no std::exception");
  }
}

void Workers::report(const Key& key, std::string_view what) {
  queue_.add_at(key, clock_.steady() + failures_.failed(key));
  call(options_.threw, key, what, failures_.count(key));
}

}  // namespace edgetrust::runtime
