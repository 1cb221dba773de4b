#pragma once
// What went wrong, as data. Made where a failure is first seen, passed up by Result, read by the one function that
// decides about retrying. Threads: a plain value. Never holds a secret: `what` and `context` reach logs, Events and
// conditions.
#include <chrono>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

namespace edgetrust {

enum class ErrorKind {
  kInvalid,       // the input is wrong: a person must change something
  kUnsupported,   // understood, but not served by this version
  kNotFound,      // the thing named does not exist
  kConflict,      // someone else changed it first, or it exists already
  kUnauthorized,  // the credential was refused
  kForbidden,     // the credential is good, the permission is missing
  kRateLimited,   // told to come later; `retry_after` says when
  kUnavailable,   // cannot be reached, or answers that it cannot serve now
  kTimeout,       // no answer in time
  kProtocol,      // an answer that breaks the protocol, or exceeds a bound
  kCancelled,     // we were asked to stop
  kInternal,      // a fault of ours
};

std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string what;            // one sentence for a person; says what to change where that is known
  std::string context;         // what was being done, outermost first, e.g. "issuer le: newOrder"
  std::string code;            // the peer's own code, e.g. "urn:ietf:params:acme:error:badNonce", "too.many.requests"
  std::string correlation_id;  // the peer's name of this one exchange; differs each time, so only the log prints it
  std::optional<std::chrono::seconds> retry_after;  // the peer's wish, unbounded as it came
  bool maybe_executed = false;                      // a request was sent and no answer came: its effect may exist
  std::source_location where = std::source_location::current();

  // "context: what", for logs and conditions: the same each time the same thing goes wrong.
  [[nodiscard]] std::string message() const;
};

// Puts `context` in front of what is already said, so that a message reads from the outside in.
Error within(std::string context, Error error);

// What a caller should do about an error. The only place that maps kinds to retrying.
enum class Retry {
  kBackoff,      // it may pass by itself
  kAfterChange,  // it will not pass until a spec, a Secret or a permission changes
  kNever,        // we are shutting down
};
Retry retry_of(const Error& error);

}  // namespace edgetrust
