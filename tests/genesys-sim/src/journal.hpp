#pragma once
// Every request that was received, oldest first, the last 100,000 of them. Holds no body, so no key. Threads: any.
#include "edgetrust/base/clock.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace edgetrust::sim {

struct JournalEntry {
  std::uint64_t n = 0;
  TimePoint time;
  std::string port;  // api or cloud
  std::string method;
  std::string path;
  std::string query;
  int status = 0;  // 0: no answer was given
  bool executed = true;
  std::string fault;        // what was planned for it, if anything
  std::string edge_id;      // where the request names one
  std::string fingerprint;  // of an uploaded leaf
};

class Journal {
 public:
  void add(JournalEntry entry);
  [[nodiscard]] std::vector<JournalEntry> since(std::uint64_t n) const;  // those after n
  [[nodiscard]] std::uint64_t last() const;
  void clear();  // numbers go on

 private:
  static constexpr std::size_t kMost = 100'000;
  mutable std::mutex mutex_;
  std::deque<JournalEntry> entries_;
  std::uint64_t last_ = 0;
};

}  // namespace edgetrust::sim
