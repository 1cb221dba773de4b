#pragma once
// The log of its own that records go to: a file that is only appended to and synced before anything goes on, or stdout.
// Called by: audit/watched_objects.hpp. Threads: any. Errors: kInvalid for a file that cannot be opened, or that
// holds something else; what cannot be written later is told through `failed` and stops nothing: calls come
// first.
#include "edgetrust/audit/chain.hpp"
#include "edgetrust/base/clock.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace edgetrust::audit {

class Log {
 public:
  struct Options {
    std::string path;      // "-": stdout, where every start of the program begins a chain of its own
    std::string instance;  // of the operator, in each record
    std::function<void(const Error&)> failed = {};
    std::function<void()> written = {};  // after each record
  };
  // Goes on with the chain that the file holds, from the last record in its last 64 KiB. A last line that was cut (a
  // crash, a full disk) is ended and left.
  static Result<std::unique_ptr<Log>> open(Options options, const Clock& clock);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(const Record& record);
  [[nodiscard]] const std::string& path() const { return options_.path; }
  // The number that the next record gets.
  [[nodiscard]] std::uint64_t next_sequence() const;

 private:
  Log(Options options, int fd, Link link, const Clock& clock);

  const Options options_;
  const int fd_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Link link_;
};

}  // namespace edgetrust::audit
