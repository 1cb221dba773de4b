#pragma once
// Link header fields (RFC 8288), as far as ACME uses them.
#include "edgetrust/http/message.hpp"

#include <string>
#include <string_view>

namespace edgetrust::acme {

// The target of the first link of that relation, as written; empty when there is none.
std::string link_to(const http::Headers& headers, std::string_view relation);

}  // namespace edgetrust::acme
