#include "edgetrust/base/error.hpp"

namespace edgetrust {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return "Invalid";
    case ErrorKind::kUnsupported: return "Unsupported";
    case ErrorKind::kNotFound: return "NotFound";
    case ErrorKind::kConflict: return "Conflict";
    case ErrorKind::kUnauthorized: return "Unauthorized";
    case ErrorKind::kForbidden: return "Forbidden";
    case ErrorKind::kRateLimited: return "RateLimited";
    case ErrorKind::kUnavailable: return "Unavailable";
    case ErrorKind::kTimeout: return "Timeout";
    case ErrorKind::kProtocol: return "Protocol";
    case ErrorKind::kCancelled: return "Cancelled";
    case ErrorKind::kInternal: return "Internal";
  }
  return "Internal";
}

std::string Error::message() const { return context.empty() ? what : context + ": " + what; }

Error within(std::string context, Error error) {
  error.context = error.context.empty() ? std::move(context) : std::move(context) + ": " + error.context;
  return error;
}

Retry retry_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalid:
    case ErrorKind::kUnsupported:
    case ErrorKind::kUnauthorized:
    case ErrorKind::kForbidden: return Retry::kAfterChange;
    case ErrorKind::kCancelled: return Retry::kNever;
    case ErrorKind::kNotFound:  // what is missing may be about to be made
    case ErrorKind::kConflict:
    case ErrorKind::kRateLimited:
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kProtocol:
    case ErrorKind::kInternal: return Retry::kBackoff;
  }
  return Retry::kBackoff;
}

}  // namespace edgetrust
