#include "edgetrust/audit/log.hpp"

#include "log_file.hpp"
#include "volume_thread.hpp"

#include <atomic>
#include <mutex>

namespace edgetrust::audit {

// What the Log and the jobs of its thread have in common. The thread alone touches the file.
struct Log::Shared {
  explicit Shared(Options given) : options(std::move(given)), file(options.path, options.instance) {}

  const Options options;
  LogFile file;
  std::atomic<std::uint64_t> next_sequence = Link{}.sequence;

  [[nodiscard]] Error within_log(const Error& error) const { return within("audit log " + options.path, error); }
  void tell(const Error& error) { tell(options.failed, error); }
  void tell_late(const char* what) { tell(options.late, {.kind = ErrorKind::kUnavailable, .what = what}); }
  void tell_written() {
    const std::lock_guard lock(telling_);
    if (!gone_ && options.written) options.written();
  }
  void nobody_listens() {
    const std::lock_guard lock(telling_);
    gone_ = true;
  }

 private:
  void tell(const std::function<void(const Error&)>& listener, const Error& error) {
    const std::lock_guard lock(telling_);
    if (!gone_ && listener) listener(within_log(error));
  }

  std::mutex telling_;
  bool gone_ = false;
};

Log::Log(Options options, const Clock& clock)
    : clock_(clock),
      shared_(std::make_shared<Shared>(std::move(options))),
      thread_(std::make_unique<VolumeThread>(shared_->options.patience)) {}

Log::~Log() {
  thread_.reset();
  shared_->nobody_listens();
}

Status Log::judged(std::optional<Status> answer) const {
  if (!answer) return fail(shared_->within_log({.kind = ErrorKind::kUnavailable, .what = "it does not answer"}));
  if (!*answer) return fail(shared_->within_log(answer->error()));
  return {};
}

Status Log::check() const {
  return judged(thread_->answer([shared = shared_] { return shared->file.check(); }));
}

Status Log::open() {
  return judged(thread_->answer([shared = shared_] {
    Status opened = shared->file.open();
    shared->next_sequence = shared->file.next_sequence();
    return opened;
  }));
}

void Log::close() {
  thread_->ask([shared = shared_] { shared->file.close(); }, VolumeThread::Waits::kAnyway);
}

void Log::write(const Record& record) {
  using Outcome = VolumeThread::Outcome;
  const Outcome outcome = thread_->ask(
      [shared = shared_, record, at = clock_.now()] {
        const Status appended = shared->file.append(record, at);
        shared->next_sequence = shared->file.next_sequence();
        if (!appended) return shared->tell(appended.error());
        if (const Status synced = shared->file.sync(); !synced) shared->tell(synced.error());
        shared->tell_written();
      },
      VolumeThread::Waits::kUnlessLate, shared_->options.most_waiting);
  switch (outcome) {
    case Outcome::kDone: return;
    case Outcome::kLate:
      return shared_->tell_late("it was waited for and does not answer: the record waits in memory until it does");
    case Outcome::kBehindLate:
      return shared_->tell_late("it does not answer yet: the record waits in memory until it does");
    case Outcome::kRefused:
      return shared_->tell(
          {.kind = ErrorKind::kUnavailable, .what = "it does not answer, and too many records wait: this one is lost"});
  }
}

std::uint64_t Log::waiting() const { return thread_->waiting(); }

const std::string& Log::path() const { return shared_->options.path; }

std::uint64_t Log::next_sequence() const { return shared_->next_sequence; }

}  // namespace edgetrust::audit
