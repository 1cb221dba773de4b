#pragma once
// The file that records go to, or stdout: appended to, locked for each record, synced. What it needs of a volume may
// take any time; log.hpp sees to it that nobody waits for that. Threads: one at a time. Room-private.
#include "edgetrust/audit/chain.hpp"

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace edgetrust::audit {

class LogFile {
 public:
  LogFile(std::string path, std::string instance);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  [[nodiscard]] Status check() const;
  Status open();
  void close();
  // The line stands there, and may go with the machine.
  Status append(const Record& record, TimePoint at);
  Status sync();
  // The number that the next record gets.
  [[nodiscard]] std::uint64_t next_sequence() const { return end_.link.sequence; }

 private:
  // Where the file ends.
  struct End {
    off_t size = 0;
    Link link;
    bool is_cut = false;  // the last line has no newline
  };
  static Result<End> end_of(int fd);
  [[nodiscard]] bool is_stdout() const { return path_ == "-"; }
  Status append_line(const std::string& line);

  const std::string path_;
  const std::string instance_;
  int fd_ = -1;  // not open
  End end_;
};

}  // namespace edgetrust::audit
