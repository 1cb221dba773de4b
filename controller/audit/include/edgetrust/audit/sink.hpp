#pragma once
// Hands the records of a log file to an HTTPS endpoint, each as a CloudEvent (CloudEvents 1.0, HTTP binding, structured
// mode) with an HMAC, in their order, until the endpoint has taken it (2xx). How far it has come stands in a file
// beside the log, with what stood there: so a restart, or another operator, sends nothing twice but what was on its
// way, and forgets nothing; and a log that another has taken the place of is sent from its beginning.
//
// Called by: main. Threads: one of its own, from start() to stop(), and one for the volume of the log, which holds
// nobody for longer than `patience`. Errors: told through `failed`; a record that is not taken, or a log that cannot be
// read, is tried again after 1 s, doubling to 5 min, or when the endpoint says (Retry-After).
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/http/transport.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace edgetrust::audit {

// The body and the headers of one record. `Edgetrust-Signature` is "sha256=" and the HMAC-SHA-256 (RFC 2104) of the
// body under the key, in lower-case hex. Errors: kInvalid for a line that is no record.
Result<http::Request> cloud_event(std::string_view line, const http::Url& endpoint, const Secret& key);

class VolumeThread;

class Sink {
 public:
  struct Options {
    http::Url endpoint;  // https
    Secret key;
    std::string log_path;
    std::function<void(const Error&)> failed = {};
    std::function<void()> took = {};  // after each record that was taken
    std::chrono::milliseconds first_pause{1'000};
    std::chrono::milliseconds longest_pause{300'000};
    std::chrono::milliseconds patience{5000};  // with the volume of the log
  };
  Sink(Options options, std::shared_ptr<http::Transport> transport, const Clock& clock);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // Only who leads: of two that hand over the same log each sends all of it.
  void start();
  void stop();
  // There is more in the log. Never blocks.
  void wake();
  // Records taken since it was made.
  [[nodiscard]] std::uint64_t taken() const;
  // The record that is to be taken next; empty while all that was seen in the log is taken.
  struct Pending {
    std::uint64_t sequence = 0;
    TimePoint at;  // when it was written
  };
  [[nodiscard]] std::optional<Pending> pending() const;

 private:
  using Wish = std::optional<std::chrono::seconds>;  // of the endpoint, how long to wait
  // A line of the log, and where it stands there.
  struct Line {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::string text;
  };
  // That of the last line that was taken.
  struct Place {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::string sha256;
  };
  // What the volume is asked for.
  static Place place_in(const std::string& path);
  static Status keep(const Place& place, const std::string& path);
  static std::int64_t position_after(const Place& place, std::istream& log);
  static Result<std::vector<Line>> lines_after(const Place& place, const std::string& path);

  void loop(const std::stop_token& stop);
  Status hand_over(const std::stop_token& stop, Wish& wish);
  Status offer(const std::string& line, const std::stop_token& stop, Wish& wish);
  void took();

  const Options options_;
  const std::shared_ptr<http::Transport> transport_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool more_ = true;
  std::uint64_t taken_ = 0;
  std::optional<Pending> pending_;
  std::optional<Place> place_;       // empty: it was not read yet
  std::chrono::milliseconds pause_;  // after the next failure
  std::unique_ptr<VolumeThread> volume_;
  std::jthread thread_;
};

}  // namespace edgetrust::audit
