#include "edgetrust/http/url.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <arpa/inet.h>

namespace edgetrust::http {
namespace {

constexpr std::size_t kMaxUrl = 8192;
constexpr std::size_t kMaxHost = 253;  // RFC 1035 section 2.3.4, without the root's dot
constexpr std::size_t kMaxLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_unreserved(char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

// The characters of a path and a query (RFC 3986 sections 3.3, 3.4), percent signs only before two hex digits.
bool is_target(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    } else if (!is_unreserved(text[i]) && std::string_view("!$&'()*+,;=:@/?").find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// An IPv6 address in its canonical form (RFC 5952). Zone identifiers are refused: they mean something on one machine.
std::optional<std::string> read_ipv6(const std::string& text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  return std::string(inet_ntop(AF_INET6, &address, canonical.data(), canonical.size()));
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

// A resolver reads "127.1", "0x7f.1" and "2130706433" as addresses: what ends like a number must be a plain IPv4 one.
bool ends_like_a_number(std::string_view label) {
  return std::all_of(label.begin(), label.end(), is_digit) || label.starts_with("0x");
}

bool is_host(const std::string& host) {
  if (host.empty() || host.size() > kMaxHost) return false;
  const auto labels = split(host, '.');
  if (!std::all_of(labels.begin(), labels.end(), [](const std::string& label) { return is_label(label); }))
    return false;
  in_addr address{};
  return !ends_like_a_number(labels.back()) || inet_pton(AF_INET, host.c_str(), &address) == 1;
}

struct Authority {
  std::string host;
  std::optional<std::uint16_t> port;
};

Result<Authority> read_authority(std::string_view text) {
  Authority result;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    const auto address = end == std::string_view::npos ? std::nullopt : read_ipv6(std::string(text.substr(1, end - 1)));
    if (!address) return fail(ErrorKind::kInvalid, "URL: the IPv6 address is malformed");
    result.host = *address;
    rest = text.substr(end + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    result.host = lower(text.substr(0, colon));
    if (!is_host(result.host)) return fail(ErrorKind::kInvalid, "URL: the host is missing or malformed");
    rest = text.substr(colon);
  }
  if (rest.empty()) return result;
  result.port = rest.starts_with(':') ? read_port(rest.substr(1)) : std::nullopt;
  if (!result.port) return fail(ErrorKind::kInvalid, "URL: the port is malformed");
  return result;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kMaxUrl) return fail(ErrorKind::kInvalid, "URL: longer than 8 KiB");
  Url url;
  const auto colon = text.find("://");
  url.scheme = lower(text.substr(0, std::min(colon, std::size_t{8})));
  if (colon == std::string_view::npos || (url.scheme != "https" && url.scheme != "http")) {
    return fail(ErrorKind::kInvalid, "URL: it does not begin with https:// or http://");
  }
  text.remove_prefix(colon + 3);
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  if (text.substr(0, end).find('@') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "URL: user information is not accepted");
  }
  EDGETRUST_TRY_ASSIGN(auto authority, read_authority(text.substr(0, end)));
  url.host = std::move(authority.host);
  url.port = authority.port.value_or(default_port(url.scheme));
  const std::string_view target = text.substr(end);
  if (target.find('#') != std::string_view::npos) return fail(ErrorKind::kInvalid, "URL: fragments are not accepted");
  if (!is_target(target))
    return fail(ErrorKind::kInvalid, "URL: the path or query has a character that must be encoded");
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return url;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == default_port(scheme) ? name : name + ":" + std::to_string(port);
}

std::string Url::origin() const { return scheme + "://" + authority(); }

std::string Url::to_string() const { return origin() + target; }

Url Url::with_target(std::string other) const {
  Url result = *this;
  result.target = other.starts_with('/') ? std::move(other) : "/" + other;
  return result;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      result += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      result += {'%', kHex[octet >> 4U], kHex[octet & 0xFU]};
    }
  }
  return result;
}

std::string query_string(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::string result;
  for (const auto& [name, value] : pairs) {
    if (!result.empty()) result += '&';
    result += percent_encode(name) + "=" + percent_encode(value);
  }
  return result;
}

}  // namespace edgetrust::http
