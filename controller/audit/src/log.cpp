#include "edgetrust/audit/log.hpp"

#include "log_file.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace edgetrust::audit {

// What the Log and its thread have in common. The thread alone touches the file.
struct Log::Shared {
  using Job = std::function<void()>;
  enum class Outcome { kDone, kLate, kBehindLate, kRefused };  // kLate: it was waited for; the next ones are not

  explicit Shared(Options given) : options(std::move(given)), file(options.path, options.instance) {}

  const Options options;
  LogFile file;
  std::atomic<std::uint64_t> next_sequence = Link{}.sequence;

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !jobs_.empty(); })) {
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
      ++done_;
      changed_.notify_all();
    }
  }

  enum class Waits { kUnlessLate, kAnyway };  // for its end, when one before is late already

  Outcome ask(Job job, Waits waits, bool may_be_refused = false) {
    std::unique_lock lock(mutex_);
    if (may_be_refused && jobs_.size() >= options.most_waiting) return Outcome::kRefused;
    jobs_.push_back(std::move(job));
    const std::uint64_t mine = ++asked_;
    changed_.notify_all();
    if (done_ < late_ && waits == Waits::kUnlessLate) return Outcome::kBehindLate;
    if (changed_.wait_for(lock, options.patience, [&] { return done_ >= mine; })) return Outcome::kDone;
    late_ = std::max(late_, mine);
    return Outcome::kLate;
  }

  [[nodiscard]] Error within_log(const Error& error) const { return within("audit log " + options.path, error); }
  void tell(const Error& error) {
    const std::lock_guard lock(telling_);
    if (!gone_ && options.failed) options.failed(within_log(error));
  }
  void tell_written() {
    const std::lock_guard lock(telling_);
    if (!gone_ && options.written) options.written();
  }
  void nobody_listens() {
    const std::lock_guard lock(telling_);
    gone_ = true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;
  std::uint64_t asked_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t late_ = 0;  // of the last that was not done in time

  std::mutex telling_;
  bool gone_ = false;
};

Log::Log(Options options, const Clock& clock)
    : clock_(clock),
      shared_(std::make_shared<Shared>(std::move(options))),
      thread_([shared = shared_](const std::stop_token& stop) { shared->run(stop); }) {}

Log::~Log() {
  const bool answers = shared_->ask([] {}, Shared::Waits::kUnlessLate) == Shared::Outcome::kDone;
  shared_->nobody_listens();
  thread_.request_stop();
  if (!answers) thread_.detach();
}

Status Log::check() const {
  if (const Status judged = shared_->file.check(); !judged) return fail(shared_->within_log(judged.error()));
  return {};
}

Status Log::open() {
  const auto opened = std::make_shared<Status>();
  const auto outcome = shared_->ask(
      [shared = shared_.get(), opened] {
        *opened = shared->file.open();
        shared->next_sequence = shared->file.next_sequence();
      },
      Shared::Waits::kUnlessLate);
  if (outcome != Shared::Outcome::kDone)
    return fail(shared_->within_log({.kind = ErrorKind::kUnavailable, .what = "it does not answer"}));
  if (!*opened) return fail(shared_->within_log(opened->error()));
  return {};
}

void Log::close() {
  shared_->ask([shared = shared_.get()] { shared->file.close(); }, Shared::Waits::kAnyway);
}

void Log::write(const Record& record) {
  const auto outcome = shared_->ask(
      [shared = shared_.get(), record, at = clock_.now()] {
        const Status appended = shared->file.append(record, at);
        shared->next_sequence = shared->file.next_sequence();
        if (!appended) return shared->tell(appended.error());
        if (const Status synced = shared->file.sync(); !synced) shared->tell(synced.error());
        shared->tell_written();
      },
      Shared::Waits::kUnlessLate, true);
  const auto silent = [&](const char* what) { shared_->tell({.kind = ErrorKind::kUnavailable, .what = what}); };
  if (outcome == Shared::Outcome::kLate)
    silent("it was waited for and does not answer: the record waits in memory until it does");
  if (outcome == Shared::Outcome::kBehindLate)
    silent("it does not answer yet: the record waits in memory until it does");
  if (outcome == Shared::Outcome::kRefused) silent("it does not answer, and too many records wait: this one is lost");
}

const std::string& Log::path() const { return shared_->options.path; }

std::uint64_t Log::next_sequence() const { return shared_->next_sequence; }

}  // namespace edgetrust::audit
