#pragma once
// A Transport that plays a script: each request takes the next step and is remembered. A request beyond the script is
// answered with kUnavailable, after which `exhausted` is called: a test ends a loop there. Threads: any.
#include "edgetrust/http/transport.hpp"

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::support {

// The request's parameter, percent-decoding not done; empty when it has none.
inline std::string query_of(const http::Request& request, const std::string& name) {
  const std::string& target = request.url.target;
  for (auto at = target.find('?'); at != std::string::npos; at = target.find('&', at + 1)) {
    const std::string rest = target.substr(at + 1);
    if (rest.starts_with(name + "=")) return rest.substr(name.size() + 1, rest.find('&') - name.size() - 1);
  }
  return {};
}

class FakeWatchTransport final : public http::Transport {
 public:
  struct Step {
    http::Response response;
    std::optional<Error> error = {};         // instead of a response, or after the lines
    std::vector<std::string> lines = {};     // of a stream
    std::function<void()> before = {};       // is called when the request arrives
    std::function<void()> after_lines = {};  // … and when the lines have been handed over
  };

  FakeWatchTransport& then(Step step) {
    const std::lock_guard lock(mutex_);
    steps_.push_back(std::move(step));
    return *this;
  }
  FakeWatchTransport& answer(int status, std::string body, http::Headers headers = {}) {
    return then({.response = {.status = status, .headers = std::move(headers), .body = std::move(body)}});
  }
  FakeWatchTransport& fail_with(Error error) { return then({.response = {}, .error = std::move(error)}); }
  // A stream that the server ends cleanly, or with `error`.
  FakeWatchTransport& lines(std::vector<std::string> lines, std::optional<Error> error = {}) {
    return then(
        {.response = {.status = 200, .headers = {}, .body = {}}, .error = std::move(error), .lines = std::move(lines)});
  }

  Result<http::Response> send(const http::Request& request, std::stop_token /*stop*/) override {
    Step step = next(request);
    if (step.before) step.before();
    if (step.error) return fail(*step.error);
    return step.response;
  }
  Result<http::Response> stream(const http::Request& request, std::chrono::milliseconds idle, std::size_t /*max_line*/,
                                const std::function<bool(std::string_view)>& on_line,
                                std::stop_token /*stop*/) override {
    Step step = next(request);
    {
      const std::lock_guard lock(mutex_);
      idle_ = idle;
    }
    if (step.before) step.before();
    for (const auto& line : step.lines) {
      if (!on_line(line)) return step.response;
    }
    if (step.after_lines) step.after_lines();
    if (step.error) return fail(*step.error);
    return step.response;
  }

  [[nodiscard]] std::vector<http::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] http::Request request(std::size_t i) const { return requests().at(i); }
  [[nodiscard]] std::chrono::milliseconds idle() const {
    const std::lock_guard lock(mutex_);
    return idle_;
  }
  std::function<void()> exhausted = [] {};

 private:
  Step next(const http::Request& request) {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    if (steps_.empty()) {
      lock.unlock();
      exhausted();
      return {.response = {}, .error = Error{.kind = ErrorKind::kUnavailable, .what = "the script is at its end"}};
    }
    Step step = std::move(steps_.front());
    steps_.pop_front();
    return step;
  }

  mutable std::mutex mutex_;
  std::deque<Step> steps_;
  std::vector<http::Request> requests_;
  std::chrono::milliseconds idle_{0};
};

}  // namespace edgetrust::support
