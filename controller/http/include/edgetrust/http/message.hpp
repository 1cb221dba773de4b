#pragma once
// Requests and responses as plain data.
#include "edgetrust/http/url.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgetrust::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete };
std::string_view to_string(Method method);

// Header fields in order; names compare without case (RFC 9110 section 5.1). In a Response of the real transport the
// order is the alphabet's, and fields of one name arrive as one, joined by ", " (section 5.3): the library does both.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;  // the first
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  Method method = Method::kGet;
  Url url = {};
  Headers headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout{30'000};    // for the whole exchange, name lookup and handshake included
  std::size_t max_body = std::size_t{1} << 20;  // of the response, in octets; more is Error kProtocol
  std::string_view name = {};  // what kind of request it is, for metrics: a literal of whoever sends it, no URL
};

struct Response {
  int status = 0;
  Headers headers = {};
  std::string body = {};
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// Retry-After (RFC 9110 section 10.2.3) as seconds or date, relative to `now`; never negative, at most 10^9 seconds.
// Empty when absent or unreadable.
std::optional<std::chrono::seconds> retry_after(const Headers& headers,
                                                std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace edgetrust::http
