#pragma once
// Small things about strings that the standard library lacks.
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust {

std::vector<std::string> split(std::string_view text, char separator);  // keeps empty pieces
std::string join(const std::vector<std::string>& pieces, std::string_view separator);
std::string_view trim(std::string_view text);  // ASCII white space
std::string lower(std::string_view text);      // ASCII
// An IP address in the one form that RFC 5952 gives it ("2001:db8::1"); empty when it is none.
std::string canonical_address(std::string_view text);
// Text from outside, made fit for a message: control characters and broken UTF-8 replaced, cut at `limit` bytes on a
// character's edge.
std::string printable(std::string_view text, std::size_t limit = 1024);

}  // namespace edgetrust
