#pragma once
// The log of its own that records go to: a file that is only appended to and synced before anything goes on, or stdout.
// Several operators may have one file, of which one leads at a time: it is opened by who leads, and each record is
// written under a lock (flock(2)) and behind whatever the file holds by then. So they make one chain, even where one
// writes that was replaced meanwhile and does not know it yet.
//
// Called by: audit/watched_objects.hpp. Threads: any. Errors: kInvalid for a file that cannot be opened, or that
// holds something else; what cannot be written later is told through `failed` and stops nothing: calls come
// first.
#include "edgetrust/audit/chain.hpp"
#include "edgetrust/base/clock.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include <sys/types.h>

namespace edgetrust::audit {

class Log {
 public:
  struct Options {
    std::string path;      // "-": stdout, where every start of the program begins a chain of its own
    std::string instance;  // of the operator, in each record
    std::function<void(const Error&)> failed = {};
    std::function<void()> written = {};  // after each record
  };
  Log(Options options, const Clock& clock);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Whether open() would have it, as far as that shows without writing anything. For who stands by.
  [[nodiscard]] Status check() const;
  // Goes on with the chain that the file holds, from the last record in its last 64 KiB. A last line that was cut (a
  // crash, a full disk) is left, and the next record begins a line of its own.
  Status open();
  // Nothing is written from here on. What is not open is not closed.
  void close();

  void write(const Record& record);
  [[nodiscard]] const std::string& path() const { return options_.path; }
  // The number that the next record gets.
  [[nodiscard]] std::uint64_t next_sequence() const;

 private:
  // Where the file ends.
  struct End {
    off_t size = 0;
    Link link;
    bool is_cut = false;  // the last line has no newline
  };
  static Result<End> end_of(int fd);
  [[nodiscard]] std::string told_of() const { return "audit log " + options_.path; }
  [[nodiscard]] bool is_stdout() const { return options_.path == "-"; }
  Status append(const Record& record);
  Status append_line(const std::string& line);

  const Options options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  int fd_ = -1;  // not open
  End end_;
};

}  // namespace edgetrust::audit
