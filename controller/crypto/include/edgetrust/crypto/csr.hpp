#pragma once
// Certificate requests (PKCS #10, RFC 2986), as ACME's finalize wants them (RFC 8555 section 7.4).
//
// Called by: pki. Threads: any. Errors: kInvalid names the name that cannot be asked for.
#include "edgetrust/crypto/key.hpp"

#include <string>
#include <vector>

namespace edgetrust::crypto {

struct RequestedNames {
  std::string common_name;  // empty for none; else one of the names below, at most 64 octets (RFC 5280 appendix A.1)
  std::vector<std::string> dns_names;  // "edge01.example.com", "*.example.com"; A-labels
  std::vector<std::string> ip_addresses;
};

inline constexpr std::size_t kMaxRequestedNames = 100;

// DER. The subject is empty without a common name, and the alternative names are critical then (RFC 5280 section
// 4.2.1.6).
Result<std::string> make_csr(const PrivateKey& key, const RequestedNames& names);

}  // namespace edgetrust::crypto
