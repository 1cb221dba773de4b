#pragma once
// Bytes as text: hex, base64 (RFC 4648 section 4) and base64url without padding (section 5). Decoders refuse anything
// not canonical.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <string>
#include <string_view>

namespace edgetrust {

std::string to_hex(std::string_view bytes);           // lower case
std::string to_colon_hex(std::string_view bytes);     // "1A:2B:…", upper case, as openssl prints fingerprints
Result<std::string> from_hex(std::string_view text);  // colons allowed between octets
std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);
std::string to_base64url(std::string_view bytes);
Result<std::string> from_base64url(std::string_view text);

// The same for secrets: no copy of the bytes is left behind.
Secret secret_to_base64(const Secret& bytes);
Result<Secret> secret_from_base64(std::string_view text);

}  // namespace edgetrust
