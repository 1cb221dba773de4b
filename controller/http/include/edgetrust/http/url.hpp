#pragma once
// Absolute http and https URLs (RFC 3986), and nothing else: no user info, no fragment, no relative forms. Made where
// text comes in (a spec, a directory, a Location header), used by whoever sends. A plain value. Errors: kInvalid.
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace edgetrust::http {

struct Url {
  std::string scheme;        // "https" or "http", lower case
  std::string host;          // lower case; an IPv6 address in canonical form, without its brackets
  std::uint16_t port = 0;    // the scheme's default when the text names none
  std::string target = "/";  // path and query as sent, never empty

  // Refuses user info, fragments, characters that must be encoded, empty or malformed hosts (an unusual spelling of an
  // IPv4 address is one), other schemes, and texts longer than 8 KiB.
  static Result<Url> parse(std::string_view text);

  [[nodiscard]] std::string origin() const;     // "https://host:port", the port only where it is not the default
  [[nodiscard]] std::string authority() const;  // the same without the scheme: a Host header's value
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_https() const { return scheme == "https"; }
  // The same origin with another path and query.
  [[nodiscard]] Url with_target(std::string other) const;

  bool operator==(const Url&) const = default;
};

// Percent-encodes everything but RFC 3986's unreserved characters: for one path segment or one query value.
std::string percent_encode(std::string_view text);
// "a=1&b=x%20y" from pairs, in order.
std::string query_string(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);

}  // namespace edgetrust::http
