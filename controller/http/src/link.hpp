#pragma once
// What is known about one connection and the exchange it carries. Written on the library's thread by the callbacks of
// TLS and of the library, read by the caller's thread when the exchange has ended or was cancelled.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

namespace edgetrust::http {

struct Link {
  explicit Link(std::string name) : host(std::move(name)) {}

  const std::string host;            // whose certificate is expected
  std::atomic<bool> sent{false};     // the request, or a part of it, may have left
  std::atomic<bool> stale{false};    // the pooled connection was found closed before anything was sent
  std::atomic<bool> overrun{false};  // more came in one piece than was allowed

  // Octets that may arrive without the library handing something on: a header, a chunk.
  void begin(std::size_t allowed) {
    sent = stale = overrun = false;
    allowed_ = allowed;
    arrived_ = 0;
    downloaded_ = 0;
    explain_refusal({});
  }
  void progressed() { arrived_ = 0; }
  // All that was handed on of this body. False when that is less than before, or more than a chunk can add.
  bool downloaded(std::uint64_t total) {
    const std::uint64_t before = downloaded_.exchange(total);
    return total >= before && total - before <= std::numeric_limits<std::int32_t>::max();
  }
  // False when that was too much.
  bool arrived(std::size_t octets) {
    arrived_ += octets;
    if (arrived_ > allowed_) overrun = true;
    return !overrun;
  }

  void explain_refusal(std::string why) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(why);
  }
  std::string refusal() {
    const std::lock_guard lock(mutex_);
    return refusal_;
  }

 private:
  std::atomic<std::size_t> allowed_{0};
  std::atomic<std::size_t> arrived_{0};
  std::atomic<std::uint64_t> downloaded_{0};
  std::mutex mutex_;
  std::string refusal_;  // why the peer's certificate did not verify
};

}  // namespace edgetrust::http
