#include "edgetrust/decide/pins/pin.hpp"

#include "edgetrust/base/encoding.hpp"

namespace edgetrust::decide::pins {
namespace {

constexpr std::size_t kOctets = 32;

Result<std::string> octets_of(std::string_view text) {
  const bool has_colons = text.find(':') != std::string_view::npos;
  // Bare hexadecimal is base64 too: it is taken for what its length says, so that a hash by another tool is named.
  if (has_colons || text.size() == 32 || text.size() == 40) {
    if (auto octets = from_hex(text)) return octets;
  }
  return from_base64(text);
}

}  // namespace

Result<std::string> parse_hash(std::string_view text) {
  const auto octets = octets_of(text);
  if (octets && octets->size() == 16)
    return fail(ErrorKind::kInvalid, "a pin of 16 octets is an MD5 hash: a pin is a SHA-256 hash, 32 octets");
  if (octets && octets->size() == 20)
    return fail(
        ErrorKind::kInvalid,
        "a pin of 20 octets is a SHA-1 hash, also where it is called SHA256: a pin is a SHA-256 hash, 32 octets");
  if (!octets || octets->size() != kOctets)
    return fail(ErrorKind::kInvalid, "a pin is 32 octets, as colon hex (1A:2B:…) or base64");
  return to_hex(*octets);
}

std::string colon_hex(std::string_view sha256) {
  const auto octets = from_hex(sha256);
  return octets ? to_colon_hex(*octets) : std::string{};
}

const std::vector<Pin>& amazon_trust_services() {
  static const std::vector<Pin> kRoots = [] {
    std::vector<Pin> roots;
    for (const std::string_view root : {
             "++MBgDH5WGvL9Bcn5Be30cRcL0f5O+NyoXuWtQdX1aI=",  // Amazon Root CA 1
             "f0KW/FtqTjs108NpYj42SrGvOB2PpxIVM8nWxjPqJGE=",  // Amazon Root CA 2
             "NqvDJlas/GRcYbcWE8S/IceH9cq77kg0jVhZeAPXq8k=",  // Amazon Root CA 3
             "9+ze1cZgR9KO1kZrVDxA4HQ6voHRCSVNz4RdTCx4U8U=",  // Amazon Root CA 4
             "KwccWaCgrnaw6tsrrSO61FgLacNgG2MMLq8GE6+oP5I=",  // Starfield Services Root Certificate Authority - G2
         })
      roots.push_back({api::PinType::kPublicKey, parse_hash(root).value()});
    return roots;
  }();
  return kRoots;
}

}  // namespace edgetrust::decide::pins
