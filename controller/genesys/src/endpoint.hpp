#pragma once
// URLs made from a host that the user names and a path that this room names.
#include "edgetrust/base/result.hpp"
#include "edgetrust/http/url.hpp"

#include <string>
#include <string_view>

namespace edgetrust::genesys {

// `path` below the endpoint's own path (a gateway may have one).
http::Url under(const http::Url& endpoint, std::string_view path);

// Errors: kInvalid, naming `field`, unless it is an https URL without a query.
Result<http::Url> https_endpoint(std::string_view field, const std::string& text);

// `path` with {id} replaced, percent-encoded as one segment.
std::string with_id(std::string_view path, std::string_view id);

}  // namespace edgetrust::genesys
