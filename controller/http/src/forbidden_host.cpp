#include "edgetrust/http/forbidden_host.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace edgetrust::http {
namespace {

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

}  // namespace

bool is_forbidden_host(const std::string& host) {
  std::array<unsigned char, 16> address{};
  if (inet_pton(AF_INET, host.c_str(), address.data()) == 1) return is_forbidden_v4(address.data());
  if (inet_pton(AF_INET6, host.c_str(), address.data()) == 1) return is_forbidden_v6(address);
  return host == "metadata.google.internal" || host == "metadata";
}

}  // namespace edgetrust::http
