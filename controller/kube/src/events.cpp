#include "edgetrust/kube/events.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/kube/api_error.hpp"

#include <algorithm>
#include <bit>

namespace edgetrust::kube {
namespace {

constexpr std::size_t kMaxNote = 1024;  // events.k8s.io/v1 refuses more, and more than 128 in the words
constexpr std::size_t kMaxWord = 128;
constexpr std::chrono::seconds kLongestTurn{60};

// Everything that makes two Events the same.
std::string identity(const Event& event) {
  return join({event.regarding.uid, event.regarding.kind, event.regarding.ns, event.regarding.name,
               event.type == EventType::kWarning ? "Warning" : "Normal", event.reason, event.action, event.note,
               event.trace_id},
              std::string_view("\0", 1));
}

// FNV-1a, 64 bit: names must not collide by accident; nobody gains by making them.
std::string hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::string octets;
  for (int shift = 56; shift >= 0; shift -= 8) octets += static_cast<char>(hash >> shift);
  return to_hex(octets);
}

json::Value subject(const EventSubject& object) {
  return {{"apiVersion", object.api_version},
          {"kind", object.kind},
          {"namespace", object.ns},
          {"name", object.name},
          {"uid", object.uid},
          {"resourceVersion", object.resource_version}};
}

std::string word(const std::string& text, std::string_view otherwise) {
  return printable(text.empty() ? otherwise : std::string_view(text), kMaxWord);
}

std::string new_event(const Event& event, const std::string& name, const EventOptions& options, TimePoint now) {
  json::Value metadata = {{"name", name}, {"namespace", event.regarding.ns}};
  if (!event.trace_id.empty()) metadata["annotations"] = {{"edgetrust.io/trace-id", event.trace_id}};
  return json::dump({{"apiVersion", "events.k8s.io/v1"},
                     {"kind", "Event"},
                     {"metadata", std::move(metadata)},
                     {"eventTime", format_rfc3339_micro(now)},
                     {"type", event.type == EventType::kWarning ? "Warning" : "Normal"},
                     {"reason", word(event.reason, "Unknown")},
                     {"action", word(event.action, "Reconcile")},
                     {"note", printable(event.note, kMaxNote)},
                     {"regarding", subject(event.regarding)},
                     {"reportingController", options.controller},
                     {"reportingInstance", word(options.instance, "edgetrust")}});
}

std::string new_count(int count, TimePoint now) {
  return json::dump({{"series", {{"count", count}, {"lastObservedTime", format_rfc3339_micro(now)}}}});
}

// The name of an Event about an object: at most 253 characters, and what stands before the dot ends with a letter or
// digit.
std::string event_name(std::string object, const std::string& hash) {
  object.resize(std::min<std::size_t>(object.size(), 200));
  while (object.ends_with('.') || object.ends_with('-')) object.pop_back();
  return object + "." + hash;
}

bool is_power_of_two(int count) { return std::has_single_bit(static_cast<unsigned>(count)); }

}  // namespace

EventRecorder::EventRecorder(ApiClient& client, const Clock& clock, Pauser& pauser, EventOptions options)
    : client_(client),
      clock_(clock),
      pauser_(pauser),
      options_(std::move(options)),
      limit_(options_.per_second, options_.burst, clock, pauser),
      thread_([this](std::stop_token stop) { loop(std::move(stop)); }) {}

void EventRecorder::record(const Event& event) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.now();
  forget_old(now);
  const std::string what = identity(event);
  if (const auto found = said_.find(what); found != said_.end()) {
    Series& series = found->second;
    if (!is_power_of_two(++series.count)) {
      ++stats_.suppressed;
      return;
    }
    return enqueue({event.regarding.ns, series.name, new_count(series.count, now), true});
  }
  const auto slot = now.time_since_epoch() / options_.window;  // another name when it is said again in another window
  const std::string name = event_name(event.regarding.name, hash_of(what + std::to_string(slot)));
  said_.emplace(what, Series{.name = name, .first = now});
  enqueue({event.regarding.ns, name, new_event(event, name, options_, now), false});
}

// What was said longer ago than the window, and the oldest when there is no room left.
void EventRecorder::forget_old(TimePoint now) {
  std::erase_if(said_, [&](const auto& entry) { return now - entry.second.first >= options_.window; });
  if (said_.size() < options_.capacity) return;
  said_.erase(std::min_element(said_.begin(), said_.end(),
                               [](const auto& a, const auto& b) { return a.second.first < b.second.first; }));
}

void EventRecorder::enqueue(Job job) {
  if (queue_.size() >= options_.capacity) {
    ++stats_.dropped;
    return;
  }
  queue_.push_back(std::move(job));
  changed_.notify_all();
}

void EventRecorder::loop(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !queue_.empty(); }) && !stop.stop_requested()) {
    const Job job = std::move(queue_.front());
    queue_.pop_front();
    sending_ = true;
    lock.unlock();
    const bool sent = send(job, stop);
    lock.lock();
    ++(sent ? stats_.sent : stats_.dropped);
    sending_ = false;
    changed_.notify_all();
  }
}

bool EventRecorder::send(const Job& job, std::stop_token stop) {
  try {
    Status sent = fail(ErrorKind::kCancelled, "asked to stop");
    for (int i = 1; i <= options_.tries && !stop.stop_requested(); ++i) {
      sent = try_to_send(job, stop);
      if (sent || retry_of(sent.error()) != Retry::kBackoff || sent.error().kind == ErrorKind::kNotFound) break;
      if (i < options_.tries) pauser_.pause(std::chrono::seconds{i}, stop);
    }
    if (!sent && options_.failed) options_.failed(sent.error());
    return sent.has_value();
  } catch (...) {  // out of memory, or the hook: worth one Event, not the process
    return false;
  }
}

Status EventRecorder::try_to_send(const Job& job, std::stop_token stop) {
  EDGETRUST_TRY(limit_.turn(kLongestTurn, stop));
  if (job.again) {
    EDGETRUST_TRY(
        client_.patch(events(), job.ns, job.name, {.type = PatchType::kMerge, .body = job.body}, {.stop = stop}));
    return {};
  }
  const auto created = client_.create(events(), job.ns, job.body, {.stop = stop});
  if (created || already_exists(created.error())) return {};  // said by us before a restart, or before a lost answer
  return fail(created.error());
}

bool EventRecorder::flush(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return queue_.empty() && !sending_; });
}

void EventRecorder::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  stats_.dropped += queue_.size();
  queue_.clear();
  changed_.notify_all();
}

EventStats EventRecorder::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace edgetrust::kube
