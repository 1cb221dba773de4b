#pragma once
// An http::Transport that a test scripts: what was expected is answered, anything else fails the test.
//
//   FakeTransport transport;
//   transport.expect(Method::kGet, "https://api.example/v1/things", json_answer(200, R"({"items":[]})"));
//   transport.expect(Method::kPost, "https://api.example/v1/things", lost_answer());  // executed? nobody knows
//   transport.otherwise([](const Request&) { return json_answer(200, "{}"); });       // a little server, if wanted
//   …
//   EXPECT_EQ(transport.requests()[0].headers.get("Accept"), "application/json");
//
// Expectations of one method and URL are answered in order; what is left at the end fails the test. As the real one it
// holds bodies to max_body and heeds the stop token. Threads: any; handlers run one at a time.
#include "edgetrust/http/transport.hpp"

#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace edgetrust::support {

using Answer = Result<http::Response>;

inline Answer answer(int status, std::string body = {}, http::Headers headers = {}) {
  return http::Response{.status = status, .headers = std::move(headers), .body = std::move(body)};
}
inline Answer json_answer(int status, std::string body, http::Headers headers = {}) {
  headers.set("Content-Type", "application/json");
  return answer(status, std::move(body), std::move(headers));
}
// The request went out and no answer came: it may have been executed.
inline Answer lost_answer() {
  Error error;
  error.kind = ErrorKind::kTimeout;
  error.what = "no answer in time";
  error.maybe_executed = true;
  return fail(std::move(error));
}
// Nothing was sent.
inline Answer no_connection() { return fail(ErrorKind::kUnavailable, "connection refused"); }

// What a stream() gives: the lines, then the end that the Transport promises.
struct FakeStream {
  std::vector<std::string> lines;
  Answer end = answer(200);
};

class FakeTransport final : public http::Transport {
 public:
  using Handler = std::function<Answer(const http::Request&)>;

  FakeTransport() = default;
  ~FakeTransport() override {
    for (const auto& [key, queue] : expected_) {
      if (!queue.empty()) ADD_FAILURE() << queue.size() << " more expected: " << key;
    }
    for (const auto& [key, queue] : streams_) {
      if (!queue.empty()) ADD_FAILURE() << queue.size() << " more streams expected: " << key;
    }
  }

  // The answer to one request; several queue up.
  void expect(http::Method method, const std::string& url, Answer given) {
    expect(method, url, Handler([given = std::move(given)](const http::Request&) { return given; }));
  }
  void expect(http::Method method, const std::string& url, Handler handler) {
    const std::lock_guard lock(mutex_);
    expected_[key_of(method, url)].push_back(std::move(handler));
  }
  void expect_stream(http::Method method, const std::string& url, FakeStream stream) {
    const std::lock_guard lock(mutex_);
    streams_[key_of(method, url)].push_back(std::move(stream));
  }
  // Answers every request that no expectation waits for. Without it such a request fails the test.
  void otherwise(Handler handler) {
    const std::lock_guard lock(mutex_);
    otherwise_ = std::move(handler);
  }

  // Everything that was asked so far, in order.
  [[nodiscard]] std::vector<http::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t count(http::Method method, const std::string& url) const {
    const std::lock_guard lock(mutex_);
    const auto same = [&](const auto& r) { return key_of(r.method, r.url.to_string()) == key_of(method, url); };
    return static_cast<std::size_t>(std::count_if(requests_.begin(), requests_.end(), same));
  }
  void forget_requests() {
    const std::lock_guard lock(mutex_);
    requests_.clear();
  }

  Answer send(const http::Request& request, std::stop_token stop) override {
    const std::lock_guard lock(mutex_);
    if (stop.stop_requested()) return fail(ErrorKind::kCancelled, "stopped");
    requests_.push_back(request);
    return bounded(reply(request), request.max_body);
  }

  Answer stream(const http::Request& request, std::chrono::milliseconds /*idle*/, std::size_t max_line,
                const std::function<bool(std::string_view)>& on_line, std::stop_token stop) override {
    FakeStream given;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      auto& queue = streams_[key_of(request.method, request.url.to_string())];
      if (queue.empty()) return unexpected(request);
      given = std::move(queue.front());
      queue.pop_front();
    }
    for (const auto& line : given.lines) {
      if (stop.stop_requested()) return fail(ErrorKind::kCancelled, "stopped");
      if (line.size() > max_line) return fail(ErrorKind::kProtocol, "a line beyond its bound");
      if (!on_line(line)) break;
    }
    return bounded(given.end, request.max_body);
  }

 private:
  static std::string key_of(http::Method method, const std::string& url) {
    return std::string(http::to_string(method)) + " " + url;
  }
  static Answer unexpected(const http::Request& request) {
    ADD_FAILURE() << "nobody expected " << key_of(request.method, request.url.to_string());
    return fail(ErrorKind::kInternal, "unexpected in a test");
  }
  static Answer bounded(Answer given, std::size_t max_body) {
    if (given && given->body.size() > max_body) return fail(ErrorKind::kProtocol, "a body beyond its bound");
    return given;
  }
  Answer reply(const http::Request& request) {
    auto& queue = expected_[key_of(request.method, request.url.to_string())];
    if (!queue.empty()) {
      const Handler handler = std::move(queue.front());
      queue.pop_front();
      return handler(request);
    }
    return otherwise_ ? otherwise_(request) : unexpected(request);
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Handler>> expected_;
  std::map<std::string, std::deque<FakeStream>> streams_;
  Handler otherwise_;
  std::vector<http::Request> requests_;
};

}  // namespace edgetrust::support
