#pragma once
// Where the library's one thread and a caller's thread meet over one request. The library's thread puts in what
// arrives and never waits here; the caller's thread takes it out and waits. What is not yet taken is bounded: beyond
// kHighWater the next piece is not accepted before there is room, and so the sender has to wait.
#include "edgetrust/http/message.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace edgetrust::http {

// What the library says about a failure: its message and an error number whose meaning depends on the message.
struct Broken {
  std::string what;
  int code = 0;
};

class Exchange {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  using Resume = std::function<void()>;
  static constexpr std::size_t kHighWater = std::size_t{64} * 1024;

  // The library's thread.
  void put_head(Response head);
  // `resume` is called once, on any thread, when the next piece may come.
  void put(std::string_view piece, Resume resume);
  void end(std::optional<Broken> broken);

  // The caller's thread. The head comes before any piece. What has ended is told before a stop or a deadline, and those
  // before more of a body.
  enum class Event { kHead, kPiece, kEnd, kBroken, kTimeout, kStopped };
  Event next(Deadline deadline, const std::stop_token& stop);
  Response take_head();      // after kHead: status and headers
  std::string take_piece();  // after kPiece
  Broken take_broken();      // after kBroken
  void abandon();            // nobody will take anything any more

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Response> head_;
  bool head_taken_ = false;
  std::string pieces_;
  Resume resume_;
  bool ended_ = false;
  bool abandoned_ = false;
  std::optional<Broken> broken_;
};

}  // namespace edgetrust::http
