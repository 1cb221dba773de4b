#include "url_policy.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <arpa/inet.h>

namespace edgetrust::acme {
namespace {

constexpr std::size_t kMaxHosts = 32;

bool is_forbidden_v4(const unsigned char* a) {
  const bool link_local = a[0] == 169 && a[1] == 254;  // RFC 3927; most clouds' metadata service
  const bool this_host = a[0] == 0;                    // RFC 1122 section 3.2.1.3
  const bool multicast = a[0] >= 224;                  // and what is above it
  const bool alibaba = a[0] == 100 && a[1] == 100 && a[2] == 100 && a[3] == 200;
  const bool azure = a[0] == 168 && a[1] == 63 && a[2] == 129 && a[3] == 16;
  return link_local || this_host || multicast || alibaba || azure;
}

bool is_forbidden_v6(const std::array<unsigned char, 16>& a) {
  constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  constexpr std::array<unsigned char, 12> kNat64 = {0, 0x64, 0xFF, 0x9B};  // RFC 6052
  if (std::equal(kMapped.begin(), kMapped.end(), a.begin())) return is_forbidden_v4(a.data() + 12);
  if (std::equal(kNat64.begin(), kNat64.end(), a.begin())) return is_forbidden_v4(a.data() + 12);
  const bool unspecified = std::all_of(a.begin(), a.end(), [](unsigned char c) { return c == 0; });
  const bool link_local = a[0] == 0xFE && (a[1] & 0xC0U) == 0x80;
  const bool multicast = a[0] == 0xFF;
  const bool amazon = a[0] == 0xFD && a[1] == 0x00 && a[2] == 0x0E && a[3] == 0xC2;
  const bool google = a[0] == 0xFD && a[1] == 0x20 && a[2] == 0x00 && a[3] == 0xCE;
  return unspecified || link_local || multicast || amazon || google;
}

// Addresses that no CA lives at, but a cloud's metadata service may. Names are the resolver's side of this.
bool is_forbidden(const std::string& host) {
  std::array<unsigned char, 16> address{};
  if (inet_pton(AF_INET, host.c_str(), address.data()) == 1) return is_forbidden_v4(address.data());
  if (inet_pton(AF_INET6, host.c_str(), address.data()) == 1) return is_forbidden_v6(address);
  return host == "metadata.google.internal" || host == "metadata";
}

// One of `allowed_hosts` in the form that a URL has it. Empty when it is no host.
std::optional<std::string> host_of(const std::string& text) {
  const bool address = text.find(':') != std::string::npos && !text.starts_with('[');
  const auto url = http::Url::parse("https://" + (address ? "[" + text + "]" : text));
  if (!url || url->target != "/" || url->port != 443 || text.ends_with('/')) return std::nullopt;
  return url->host;
}

}  // namespace

Result<UrlPolicy> UrlPolicy::create(std::string_view directory_url, const std::vector<std::string>& allowed_hosts) {
  auto directory = http::Url::parse(directory_url);
  if (!directory) return fail(within("the ACME server's directory", std::move(directory).error()));
  if (!directory->is_https()) return fail(ErrorKind::kInvalid, "the ACME server's directory must be an https URL");
  if (allowed_hosts.size() > kMaxHosts) return fail(ErrorKind::kInvalid, "more than 32 allowed hosts");
  UrlPolicy policy;
  policy.hosts_.insert(directory->host);
  for (const auto& text : allowed_hosts) {
    const auto host = host_of(text);
    if (!host) return fail(ErrorKind::kInvalid, "not a host name or address: \"" + printable(text, 260) + "\"");
    policy.hosts_.insert(*host);
  }
  for (const auto& host : policy.hosts_) {
    if (is_forbidden(host)) {
      return fail(ErrorKind::kInvalid, host + " is a link-local or metadata address: no ACME server may be there");
    }
  }
  policy.directory_ = std::move(*directory);
  return policy;
}

Result<http::Url> UrlPolicy::check(std::string_view text) const {
  auto url = http::Url::parse(text);
  if (!url) return fail(ErrorKind::kProtocol, "the ACME server named an unusable URL: " + url.error().what);
  if (!url->is_https())
    return fail(ErrorKind::kProtocol, "the ACME server named a URL that is not https, at " + url->host);
  if (!hosts_.contains(url->host)) {
    return fail(ErrorKind::kProtocol,
                "the ACME server named a URL on " + url->host + ", which is neither its own host nor an allowed one");
  }
  return std::move(*url);
}

}  // namespace edgetrust::acme
