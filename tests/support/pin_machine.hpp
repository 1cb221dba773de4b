#pragma once
// The machine of an Edge as far as its pin file goes: what the scripts of ssh/ do there, the timer that puts the
// previous file back, and the service, which has the file that it read at its start. Its time is its own and stands
// still until it is told to go on. Used by the tests of the rules and by the simulation.
#include "edgetrust/ports/edge_host.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::support {

class PinMachine {
 public:
  explicit PinMachine(TimePoint start) : now(start), up_at(start) {}
  virtual ~PinMachine() = default;

  TimePoint now;
  std::string id = "1";
  std::optional<std::string> file;
  std::optional<std::optional<std::string>> previous;  // kept for the timer; inner empty: there was no file
  bool is_private = true;
  bool leftovers = false;
  struct Timer {
    TimePoint at;
    std::string sha256;  // of the file that it takes back
  };
  std::optional<Timer> timer;
  std::string unconfirmed;  // the hash of the file for which the previous one is kept
  int unread = 0;           // the invocation of the service that has not read it
  int invocation = 1;
  std::string running;  // what the service has read
  std::chrono::milliseconds comes_up_after{1000};
  TimePoint up_at;
  std::chrono::milliseconds stops_after{0};  // how long a restart waits for the end of the one that runs
  std::optional<TimePoint> stopped_at;       // of a restart that waits
  int restarts = 0;
  std::vector<TimePoint> restarted_at;

  // Whether the service comes up with that file.
  [[nodiscard]] virtual bool comes_up(const std::string& text) const = 0;
  [[nodiscard]] virtual std::string sha256_of(const std::string& text) const = 0;  // of one that is not empty

  [[nodiscard]] std::string sha256() const { return file.value_or("").empty() ? std::string{} : sha256_of(*file); }
  [[nodiscard]] bool is_up() const { return !stopped_at && now >= up_at && comes_up(running); }

  [[nodiscard]] std::size_t restarts_within(std::chrono::milliseconds time) const {
    return static_cast<std::size_t>(std::ranges::count_if(restarted_at, [&](TimePoint at) { return at + time > now; }));
  }

  // What falls due meanwhile happens at its time.
  void advance(std::chrono::milliseconds by) {
    const TimePoint until = now + by;
    for (;;) {
      const TimePoint stop = stopped_at.value_or(TimePoint::max());
      const TimePoint alarm = timer ? timer->at : TimePoint::max();
      if (std::min(stop, alarm) > until) break;
      now = std::max(now, std::min(stop, alarm));
      stop <= alarm ? start_service() : restore_now();
    }
    now = until;
  }
  virtual void start_service() {
    ++invocation;
    running = file.value_or("");
    up_at = now + comes_up_after;
    stopped_at.reset();
  }
  void restart_service() {
    ++restarts;
    restarted_at.push_back(now);
    if (stops_after.count() == 0) return start_service();
    stopped_at = now + stops_after;
  }
  // A timer does not outlive it; the previous file comes back before the service starts.
  void reboot() {
    if (previous) put_back();
    timer.reset();
    start_service();
  }

  [[nodiscard]] ports::HostState state() const {
    ports::HostState seen;
    seen.machine_id = id;
    seen.has_file = file.has_value();
    seen.text = file.value_or("");
    seen.sha256 = sha256();
    seen.is_private = is_private;
    seen.restore_armed = timer.has_value();
    seen.has_leftovers = leftovers || previous.has_value();
    seen.service_active = is_up();
    seen.service_busy = stopped_at.has_value();
    seen.invocation = std::to_string(invocation);
    return seen;
  }
  Status put(const ports::PinDocument& document, const std::string& replaces, std::chrono::seconds restore_after) {
    if (timer) return conflict(ports::kChangeUnderWay);
    if (sha256() != replaces) return conflict(ports::kFileChanged);
    previous = file;
    unconfirmed = document.sha256;
    unread = invocation;
    timer = Timer{now + restore_after, document.sha256};
    file = document.text;
    is_private = true;
    return {};
  }
  void restart_once(const std::string& of) {
    if (!stopped_at && std::to_string(invocation) == of) restart_service();
  }
  Status keep(const std::string& of) {
    if (sha256() != of) return conflict(ports::kFileChanged);
    forget();
    return {};
  }
  Status take_back(const std::string& of) {
    if (previous && unconfirmed != of) return conflict(ports::kFileChanged);
    restore_now();
    return {};
  }
  // What nobody has confirmed is undone.
  void tidy() {
    if (!timer) restore_now();
  }

 private:
  static tl::unexpected<Error> conflict(std::string_view code) {
    return fail(Error{.kind = ErrorKind::kConflict, .what = std::string(code), .code = std::string(code)});
  }
  void forget() {
    timer.reset();
    previous.reset();
    leftovers = false;
  }
  // Whether the file was the unconfirmed one.
  bool put_back() {
    const bool is_there = previous && sha256() == unconfirmed;
    if (is_there) file = *previous;
    forget();
    return is_there;
  }
  void restore_now() {
    if (put_back() && invocation != unread) restart_service();
  }
};

}  // namespace edgetrust::support
