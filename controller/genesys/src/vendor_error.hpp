#pragma once
// What the vendor says when it refuses: ErrorBody `{message, code, status, entityId, contextId, …}` of the published
// API, `{error, description}` of the login, or HTML or nothing from whatever stands in front of them.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/error.hpp"
#include "edgetrust/http/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::genesys {

struct VendorError {
  std::string message;
  std::string code;
  std::string entity_id;       // the object that the refusal is about; empty when none is named
  std::string correlation_id;  // header ININ-Correlation-Id, else the body's contextId
};

// Everything bounded, made printable, and withheld when it repeats one of `secrets` or looks like key material.
VendorError read_vendor_error(const http::Response& response, const std::vector<std::string_view>& secrets);

// Header ININ-Correlation-Id, bounded and printable; empty when there is none.
std::string correlation_id(const http::Headers& headers);

// The kind by status, the vendor's words, the wish for a later try. No context yet.
Error error_of(const http::Response& response, const VendorError& said, TimePoint now);

}  // namespace edgetrust::genesys
