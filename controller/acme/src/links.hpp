#pragma once
// Link header fields (RFC 8288), as far as ACME uses them.
#include "edgetrust/http/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::acme {

// The targets of the links of that relation, as written, in order.
std::vector<std::string> links_to(const http::Headers& headers, std::string_view relation);
// The first of them; empty when there is none.
std::string link_to(const http::Headers& headers, std::string_view relation);

}  // namespace edgetrust::acme
