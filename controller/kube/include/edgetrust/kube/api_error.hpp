#pragma once
// What the API server says went wrong (metav1.Status), as Error. `code` holds the server's reason, and these are the
// ones that callers tell apart. Threads: any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/http/message.hpp"
#include "edgetrust/json/view.hpp"

#include <string_view>

namespace edgetrust::kube {

inline constexpr std::string_view kAlreadyExists = "AlreadyExists";  // 409 of a create
inline constexpr std::string_view kConflict = "Conflict";            // 409 of anything else: a precondition failed
inline constexpr std::string_view kExpired = "Expired";              // 410: that version is no longer kept
inline constexpr std::string_view kFromTheFuture = "ResourceVersionTooLarge";  // 504: that version does not exist yet
inline constexpr std::string_view kNotServed = "NotServed";  // 404: not the object, the kind is missing

inline bool already_exists(const Error& error) {
  return error.kind == ErrorKind::kConflict && error.code == kAlreadyExists;
}
inline bool is_stale(const Error& error) { return error.kind == ErrorKind::kConflict && error.code == kConflict; }
inline bool is_expired(const Error& error) { return error.code == kExpired; }

// The error behind a response that is no success. `mutation`: the request would have changed something, so that a 5xx
// leaves open whether it did. Kinds: 400 413 422 kInvalid, 401 kUnauthorized, 403 kForbidden, 404 kNotFound
// (kUnavailable when it is the kind that is not served), 405 406 415 kUnsupported, 409 410 kConflict, 429 kRateLimited,
// 504 kTimeout, other 5xx kUnavailable, all else kProtocol.
Error api_error(const http::Response& response, TimePoint now, bool mutation);

// The same for the Status object of a watch's ERROR event, whose response was 200 long ago.
Error api_error(json::View status);

}  // namespace edgetrust::kube
