// What is refused before sending, and what is refused of an answer's head.
#include "edgetrust/base/text.hpp"
#include "failure.hpp"

#include <algorithm>

namespace edgetrust::http {
namespace {

constexpr std::size_t kMaxHeader = std::size_t{64} * 1024;

// RFC 9110 section 5.6.2.
bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
  });
}

// RFC 9110 section 5.5.
bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7F'; });
}

// The transport's own: how long a message is, where it goes, what becomes of the connection.
bool is_ours(std::string_view name) {
  const std::string key = lower(name);
  for (const std::string_view own : {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te",
                                     "upgrade", "expect", "trailer"}) {
    if (key == own) return true;
  }
  return false;
}

std::size_t size_of(const Headers& headers) {
  std::size_t size = 0;
  for (const auto& [name, value] : headers.fields()) size += name.size() + value.size() + 4;
  return size;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Status check_request(const Request& request) {
  for (const auto& [name, value] : request.headers.fields()) {
    if (!is_token(name)) return fail(ErrorKind::kInvalid, "request: '" + printable(name, 100) + "' is no header name");
    if (is_ours(name)) return fail(ErrorKind::kInvalid, "request: the header " + name + " is the transport's to set");
    if (!is_field_value(value)) {
      return fail(ErrorKind::kInvalid, "request: the value of header " + name + " has control characters");
    }
  }
  if (size_of(request.headers) > kMaxHeader) return fail(ErrorKind::kInvalid, "request: more than 64 KiB of headers");
  if (!request.body.empty() && (request.method == Method::kGet || request.method == Method::kHead)) {
    return fail(ErrorKind::kInvalid, "request: GET and HEAD have no body");
  }
  return {};
}

Status check_head(const Response& head, const Url& origin) {
  const auto broken = [&](const std::string& what) {
    Error error = fail(ErrorKind::kProtocol, "the answer of " + origin.origin() + " " + what).value();
    error.maybe_executed = true;
    return tl::unexpected<Error>(std::move(error));
  };
  if (head.status < 200 || head.status > 599) return broken("has the status " + std::to_string(head.status));
  if (size_of(head.headers) > kMaxHeader) return broken("has more than 64 KiB of headers");
  if (const auto length = head.headers.get("Content-Length"); length && !is_digits(*length)) {
    return broken("has no proper Content-Length");
  }
  if (const auto coding = head.headers.get("Transfer-Encoding"); coding && lower(*coding) != "chunked") {
    return broken("has an unknown Transfer-Encoding");
  }
  return {};
}

}  // namespace edgetrust::http
