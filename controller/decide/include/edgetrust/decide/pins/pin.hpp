#pragma once
// A pin: the SHA-256 hash of a certificate or of its public key, and how people write it. Called by the rules of pins
// and by the engine. Pure.
#include "edgetrust/api/pin_policy.hpp"
#include "edgetrust/base/result.hpp"

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::decide::pins {

struct Pin {
  api::PinType type = api::PinType::kCertificate;
  std::string sha256;  // lower-case hex, 64 digits
  auto operator<=>(const Pin&) const = default;
};

// 32 octets as colon hex or base64; what comes back is lower-case hex. Errors: kInvalid, which calls a hash of the
// length of MD5 or SHA-1 by its name: the vendor's guide shows one of 20 octets and calls it SHA256.
Result<std::string> parse_hash(std::string_view text);
// "1A:2B:…", as openssl prints it. `sha256` is hex.
std::string colon_hex(std::string_view sha256);

// The public keys of the five roots of Amazon Trust Services (https://www.amazontrust.com/repository/), computed from
// the certificates in Debian's ca-certificates.
const std::vector<Pin>& amazon_trust_services();

}  // namespace edgetrust::decide::pins
