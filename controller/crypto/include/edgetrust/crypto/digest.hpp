#pragma once
// Hashes and message authentication codes, as raw octets. Threads: any. Called by: acme, dns (TSIG, signed requests),
// probe.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <string>
#include <string_view>

namespace edgetrust::crypto {

enum class Hash { kSha256, kSha384, kSha512 };

std::string sha256(std::string_view bytes);
// RFC 2104. Errors: kInternal when OpenSSL fails.
Result<std::string> hmac(Hash hash, const Secret& key, std::string_view bytes);

}  // namespace edgetrust::crypto
