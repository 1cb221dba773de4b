#pragma once
// The log of its own that records go to: a file that is only appended to and synced before anything goes on, or stdout.
// Several operators may have one file, of which one leads at a time: it is opened by who leads, and each record is
// written under a lock (flock(2)) and behind whatever the file holds by then. So they make one chain, even where one
// writes that was replaced meanwhile and does not know it yet.
//
// A volume that does not answer (NFS without its server, somebody who keeps the lock) is waited for `patience` once; as
// long as it is silent then, records wait for it in memory, and nobody waits for them.
//
// Called by: audit/watched_objects.hpp. Threads: any; it has one of its own. Errors: kInvalid for a file that cannot be
// opened, or that holds something else; kUnavailable where it does not answer; what is not written in time, or not at
// all, is told through `late` and `failed` and stops nothing: calls come first.
#include "edgetrust/audit/record.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace edgetrust::audit {

class VolumeThread;

class Log {
 public:
  struct Options {
    std::string path;      // "-": stdout, where every start of the program begins a chain of its own
    std::string instance;  // of the operator, in each record
    // Of any thread, one at a time; not after the Log is gone.
    std::function<void(const Error&)> failed = {};  // a record is lost, or may go with the machine
    std::function<void(const Error&)> late = {};    // a record waits in memory
    std::function<void()> written = {};             // after each record
    std::chrono::milliseconds patience{5000};
    std::size_t most_waiting = 1000;  // records; those beyond are lost
  };
  Log(Options options, const Clock& clock);
  // What waits is written first, unless the volume is silent.
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
  [[nodiscard]] const std::string& path() const;
  // How many records wait in memory for a volume that is silent.
  [[nodiscard]] std::uint64_t waiting() const;
  // The number that the next record gets.
  [[nodiscard]] std::uint64_t next_sequence() const;

 private:
  struct Shared;
  [[nodiscard]] Status judged(std::optional<Status> answer) const;  // empty: none in time

  const Clock& clock_;
  const std::shared_ptr<Shared> shared_;  // outlives the Log with a thread that the volume does not let go
  std::unique_ptr<VolumeThread> thread_;
};

}  // namespace edgetrust::audit
