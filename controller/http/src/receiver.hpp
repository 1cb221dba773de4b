#pragma once
// What becomes of an answer while it arrives, on the caller's thread: a whole body, or lines.
#include "client.hpp"

#include <charconv>

namespace edgetrust::http {

// Collects a body within its bound.
class BodyReceiver {
 public:
  BodyReceiver(const Url& origin, std::size_t max_body) : origin_(origin), max_body_(max_body) {}
  Status head(const Response& head);
  Status piece(std::string_view octets);
  std::string take() { return std::move(body_); }

 private:
  [[nodiscard]] tl::unexpected<Error> too_long() const;
  const Url& origin_;
  std::size_t max_body_;
  std::string body_;
};

// Cuts lines out of pieces, wherever those begin and end.
class LineReceiver {
 public:
  using OnLine = std::function<bool(std::string_view line)>;
  LineReceiver(const Url& origin, std::size_t max_line, const OnLine& on_line)
      : origin_(origin), max_line_(max_line), on_line_(on_line) {}
  // False when `on_line` wants no more. kProtocol when a line is longer than its bound.
  Result<bool> piece(std::string_view octets);
  void end();  // hands over a last line without its newline

 private:
  const Url& origin_;
  std::size_t max_line_;
  const OnLine& on_line_;
  std::string begun_;  // a line that has not ended
};

}  // namespace edgetrust::http
