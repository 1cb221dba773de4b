#pragma once
// A fixed number of threads that take keys from a Queue and run one function on each.
//
// Called by: main's wiring. Threads: the work runs on the workers' own threads, never twice at once for one key; stop()
// and the destructor come from the thread that owns this object. Errors: none leave; work that throws is reported, and
// its key comes again after a backoff, so that one broken object stops neither the process nor the others.
#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/runtime/failures.hpp"
#include "edgetrust/runtime/queue.hpp"

#include <functional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

namespace edgetrust::runtime {

struct WorkerOptions {
  int threads = 4;
  Backoff after_exception{.first = std::chrono::seconds{1}, .ceiling = std::chrono::minutes{5}};
  // May be empty, is called on the worker's thread and must not block; what it throws is dropped.
  std::function<void(const Key&, std::string_view what, int failures)> threw = {};
};

class Workers {
 public:
  // One pass. The token says that the process is ending: finish or give up soon, start nothing new.
  using Work = std::function<void(const Key&, std::stop_token)>;

  // Starts the threads. `queue` and `clock` must outlive this object.
  Workers(Queue& queue, const Clock& clock, WorkerOptions options, Work work);
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Asks every pass to end and does not wait; no key is taken afterwards. For an owner of several Workers. Any thread.
  void request_stop() { stop_.request_stop(); }
  // Asks every pass to end and waits until the last one has. No key is taken afterwards.
  void stop();

 private:
  void loop(std::stop_token stop);
  void pass(const Key& key, std::stop_token stop);
  void report(const Key& key, std::string_view what);

  Queue& queue_;
  const Clock& clock_;
  const WorkerOptions options_;
  const Work work_;
  Failures failures_;
  std::stop_source stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace edgetrust::runtime
