#pragma once
// What an ACME server says went wrong (RFC 7807, RFC 8555 section 6.7), as an Error.
#include "edgetrust/acme/reaction.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/http/message.hpp"
#include "edgetrust/json/view.hpp"

#include <string_view>

namespace edgetrust::acme {

inline constexpr std::string_view kProblemPrefix = "urn:ietf:params:acme:error:";

// Is this the problem of that short name, e.g. "badNonce"?
bool is_problem(const Error& error, std::string_view name);

// The Error of an answer whose status is not 2xx. `code` is empty when it holds no problem document.
Error answer_error(const http::Response& response, Purpose purpose, TimePoint now);

// The Error that a challenge or an order holds: why the server found it invalid.
Error validation_error(json::View problem);

}  // namespace edgetrust::acme
