#include "edgetrust/net/endpoint.hpp"

#include "edgetrust/base/text.hpp"

#include <charconv>

#include <arpa/inet.h>

namespace edgetrust::net {
namespace {

// The canonical text of an IP address (RFC 5952 for IPv6), nothing when it is none.
std::optional<std::string> canonical_address(std::string_view text) {
  const std::string host(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, host.c_str(), bytes.data()) != 1) continue;
    if (inet_ntop(family, bytes.data(), canonical.data(), canonical.size()) != nullptr) return canonical.data();
  }
  return std::nullopt;
}

bool is_label(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), allowed);
}

// RFC 1123 section 2.1. A last label of digits alone is a broken address, not a name.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  const auto labels = split(name, '.');
  const auto& last = labels.back();
  if (last.find_first_not_of("0123456789") == std::string::npos) return false;
  return std::all_of(labels.begin(), labels.end(), [](const std::string& label) { return is_label(label); });
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || text.front() == '0')
    return fail(ErrorKind::kInvalid, "\"" + printable(text, 32) + "\" is not a port from 1 to 65535");
  return port;
}

}  // namespace

Result<Endpoint> Endpoint::of(std::string_view host, std::uint16_t port) {
  if (const auto address = canonical_address(host)) return Endpoint{*address, port};
  std::string_view name = host;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (!is_host_name(name))
    return fail(ErrorKind::kInvalid, "\"" + printable(host, 300) + "\" is neither an IP address nor a host name");
  return Endpoint{lower(name), port};
}

Result<Endpoint> Endpoint::parse(std::string_view text, std::uint16_t default_port) {
  if (text.find("://") != std::string_view::npos)
    return fail(ErrorKind::kInvalid, "\"" + printable(text, 300) + "\" is a URL: write host or host:port alone");
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos && !text.ends_with(']')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string_view::npos))
    return fail(ErrorKind::kInvalid,
                "\"" + printable(text, 300) + "\": write an IPv6 address in brackets, as [::1]:53");
  if (!has_port) {
    if (default_port == 0) return fail(ErrorKind::kInvalid, "\"" + printable(text, 300) + "\" names no port");
    return of(host, default_port);
  }
  EDGETRUST_TRY_ASSIGN(const std::uint16_t number, parse_port(port));
  return of(host, number);
}

bool Endpoint::is_address() const { return canonical_address(host).has_value(); }

std::string Endpoint::to_string() const { return (is_ipv6() ? "[" + host + "]" : host) + ":" + std::to_string(port); }

}  // namespace edgetrust::net
