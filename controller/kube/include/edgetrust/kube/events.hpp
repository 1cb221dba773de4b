#pragma once
// Events (events.k8s.io/v1): what `kubectl describe` shows below an object.
//
// Called by: the engine, from any thread; record() never blocks and never fails. One thread of the recorder's own
// sends, at its own slow rate, so that Events never take turns from real work; what does not fit its queue is dropped
// and counted. The same thing said again within ten minutes is one Event whose series counts: it is written again at
// counts of 2, 4, 8, …; names follow from content and time, so a repeated POST or a restart makes no second one.
#include "edgetrust/kube/client.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace edgetrust::kube {

struct EventSubject {
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  std::string uid;
  std::string resource_version;
};

enum class EventType { kNormal, kWarning };

struct Event {
  EventSubject regarding;
  EventType type = EventType::kNormal;
  std::string reason;         // CamelCase, from a closed list
  std::string action;         // what was done or tried, CamelCase
  std::string note;           // for a person; made printable and cut at 1 kB
  std::string trace_id = {};  // becomes the annotation edgetrust.io/trace-id; another one makes it another Event
};

struct EventOptions {
  std::string controller = "edgetrust.io/operator";
  std::string instance = "edgetrust";  // the pod
  std::size_t capacity = 1000;         // of the queue, and of the list of what was said lately
  std::chrono::milliseconds window = std::chrono::minutes{10};
  double per_second = 5;
  int burst = 25;
  int tries = 3;
  std::function<void(const Error&)> failed = {};  // on the recorder's thread
};

struct EventStats {
  std::uint64_t sent = 0;        // new Events and new counts of old ones
  std::uint64_t suppressed = 0;  // counted only
  std::uint64_t dropped = 0;     // no room, or not to be sent in `tries`
};

class EventRecorder {
 public:
  // Starts its thread. All references must outlive the recorder.
  EventRecorder(ApiClient& client, const Clock& clock, Pauser& pauser, EventOptions options = {});
  ~EventRecorder() { stop(); }
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  void record(const Event& event);
  // Waits until all that was recorded is sent or dropped; false when `stop` came first.
  bool flush(std::stop_token stop);
  // Ends and joins the thread; what is still queued is dropped.
  void stop();
  [[nodiscard]] EventStats stats() const;

 private:
  struct Job {
    std::string ns;
    std::string name;
    std::string body;
    bool again = false;  // a new count of an Event that exists
  };
  struct Series {
    std::string name;
    TimePoint first;
    int count = 1;
  };

  void enqueue(Job job);
  void forget_old(TimePoint now);
  void loop(std::stop_token stop);
  bool send(const Job& job, std::stop_token stop);
  Status try_to_send(const Job& job, std::stop_token stop);

  ApiClient& client_;
  const Clock& clock_;
  Pauser& pauser_;
  const EventOptions options_;
  RateLimit limit_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> queue_;
  bool sending_ = false;
  std::map<std::string, Series> said_;  // by everything that makes two Events the same
  EventStats stats_;
  std::jthread thread_;
};

}  // namespace edgetrust::kube
