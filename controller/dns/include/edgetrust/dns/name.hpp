#pragma once
// Domain names as text: lower case, no trailing dot, the root is "". Octets that a host name does not have are escaped
// as in a zone file (RFC 1035 section 5.1), so a name from outside is printable. Threads: pure functions.
#include <string>
#include <string_view>

namespace edgetrust::dns {

std::string canonical_name(std::string_view name);
// Is `name` the zone itself or below it?
bool is_within(const std::string& name, const std::string& zone);
// Without its first label; of a single label, the root.
std::string parent_of(const std::string& name);
// For messages: the root as ".".
std::string shown(const std::string& name);

}  // namespace edgetrust::dns
