#include "journal.hpp"

namespace edgetrust::sim {

void Journal::add(JournalEntry entry) {
  const std::lock_guard lock(mutex_);
  entry.n = ++last_;
  entries_.push_back(std::move(entry));
  if (entries_.size() > kMost) entries_.pop_front();
}

std::vector<JournalEntry> Journal::since(std::uint64_t n) const {
  const std::lock_guard lock(mutex_);
  std::vector<JournalEntry> found;
  for (const JournalEntry& entry : entries_) {
    if (entry.n > n) found.push_back(entry);
  }
  return found;
}

std::uint64_t Journal::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void Journal::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace edgetrust::sim
