#pragma once
// JSON Web Signatures in flattened form (RFC 7515 section 7.2.2), as ACME wants them (RFC 8555 section 6.2), and public
// keys as JWK (RFC 7517, RFC 7518 section 6).
//
// Called by: acme. Threads: any. Errors: kInternal when OpenSSL fails.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/crypto/key.hpp"

#include <string>
#include <string_view>

namespace edgetrust::crypto {

// What a protected header must say for this key: "RS256", "ES256" or "ES384" (RFC 7518 section 3.1).
std::string_view jws_algorithm(const PrivateKey& key);

// The public half, minified with its members in the order that RFC 7638 section 3.3 wants.
Result<std::string> public_jwk(const PrivateKey& key);
// base64url(SHA-256(public_jwk)), RFC 7638.
Result<std::string> jwk_thumbprint(const PrivateKey& key);

// {"protected":…,"payload":…,"signature":…}; `protected_header` is JSON text that names the algorithm itself.
Result<std::string> sign_jws(const PrivateKey& key, std::string_view protected_header, std::string_view payload);
// The same with HS256, HS384 or HS512 (RFC 7518 section 3.2): an external account binding (RFC 8555 section 7.3.4).
Result<std::string> sign_jws(Hash hash, const Secret& mac_key, std::string_view protected_header,
                             std::string_view payload);

}  // namespace edgetrust::crypto
