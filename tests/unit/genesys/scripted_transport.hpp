#pragma once
// A Transport that answers by a function and remembers what was sent. Any thread.
#include "edgetrust/http/transport.hpp"

#include <deque>
#include <mutex>

namespace edgetrust::genesys::testing {

struct Sent {
  http::Method method{};
  std::string url;
  http::Headers headers;
  std::string body;
  [[nodiscard]] std::string line() const { return std::string(http::to_string(method)) + " " + url; }
  [[nodiscard]] std::string header(std::string_view name) const { return std::string(headers.get(name).value_or("")); }
};

class ScriptedTransport final : public http::Transport {
 public:
  using Answer = std::function<Result<http::Response>(const http::Request&)>;
  explicit ScriptedTransport(Answer answer) : answer_(std::move(answer)) {}

  Result<http::Response> send(const http::Request& request, std::stop_token stop) override {
    {
      const std::lock_guard lock(mutex_);
      sent_.push_back({request.method, request.url.to_string(), request.headers, request.body});
    }
    if (stop.stop_requested()) return fail(ErrorKind::kCancelled, "stopped");
    return answer_(request);
  }
  Result<http::Response> stream(const http::Request& /*request*/, std::chrono::milliseconds /*idle*/,
                                std::size_t /*max_line*/, const std::function<bool(std::string_view line)>& /*on_line*/,
                                std::stop_token /*stop*/) override {
    return fail(ErrorKind::kInternal, "nothing here streams");
  }

  [[nodiscard]] std::vector<Sent> sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const Sent& one : sent()) lines.push_back(one.line());
    return lines;
  }

 private:
  const Answer answer_;
  mutable std::mutex mutex_;
  std::vector<Sent> sent_;
};

inline http::Response json_answer(int status, std::string body, http::Headers headers = {}) {
  headers.add("Content-Type", "application/json");
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

// Hands out token-1, token-2, … with the life given.
class LoginDesk {
 public:
  explicit LoginDesk(int seconds = 86'400) : seconds_(seconds) {}
  http::Response operator()() {
    const int number = ++logins_;
    return json_answer(200, R"({"access_token":"token-)" + std::to_string(number) +
                                R"(","token_type":"bearer","expires_in":)" + std::to_string(seconds_) + "}");
  }
  [[nodiscard]] int logins() const { return logins_; }

 private:
  const int seconds_;
  std::atomic<int> logins_ = 0;
};

}  // namespace edgetrust::genesys::testing
