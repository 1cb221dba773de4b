#pragma once
// One HTTP/1.1 response out of octets as they come (RFC 9112), for a conversation over a socket of one's own. Bounded:
// by the caller's size of the body, 16 KiB of header, and 64 KiB in all, so that neither chunks nor endless lines cost
// more. Called by: main. Threads: one at a time. Errors: kProtocol for what is no such response, or too much of it.
#include "edgetrust/base/result.hpp"
#include "edgetrust/http/message.hpp"

#include <memory>
#include <string_view>

namespace edgetrust::http {

class ResponseReader {
 public:
  explicit ResponseReader(std::size_t max_body);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // True: the response is whole, or its body has more octets than were wanted.
  Result<bool> take(std::string_view octets);
  // The connection has ended; a body without a length ends with it.
  Status end();

  // What was read. Of a body that is cut there is nothing.
  [[nodiscard]] Response response() const;
  [[nodiscard]] bool cut() const { return cut_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  const std::size_t max_body_;
  std::size_t taken_ = 0;
  bool cut_ = false;
};

}  // namespace edgetrust::http
