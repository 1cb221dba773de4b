#pragma once
// Where a socket goes: "192.0.2.1:53", "[2001:db8::1]:5061", "ns1.example.com:53". Called by: the drivers that speak a
// protocol of their own (dns, probe). Threads: a plain value. Errors: kInvalid, and says what is wrong with the text.
#include "edgetrust/base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgetrust::net {

struct Endpoint {
  std::string host;  // an IP address in its canonical text form, or a host name in lower case without a trailing dot
  std::uint16_t port = 0;

  // "host:port"; without a port, `default_port` (0: a port is required). An IPv6 address stands in brackets. Refuses
  // ports outside 1..65535, zone ids, and host names that RFC 1123 section 2.1 does not allow.
  static Result<Endpoint> parse(std::string_view text, std::uint16_t default_port = 0);
  // The host alone: an IPv6 address may stand without brackets, and nothing is a port.
  static Result<Endpoint> of(std::string_view host, std::uint16_t port);

  [[nodiscard]] bool is_address() const;  // false: a name that must be resolved first
  [[nodiscard]] bool is_ipv6() const { return host.find(':') != std::string::npos; }
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace edgetrust::net
