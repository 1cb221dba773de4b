#pragma once
// Which certificate issued which, and whether a chain holds. Nothing is ever fetched.
//
// Called by: pki. Threads: any. Errors: kInvalid; the message names the certificate at fault and, where one is missing,
// its issuer.
#include "edgetrust/crypto/certificate.hpp"
#include "edgetrust/crypto/trust_store.hpp"

#include <optional>
#include <span>
#include <vector>

namespace edgetrust::crypto {

// The name, the key identifiers and the signature say so.
bool issued_by(const Certificate& certificate, const Certificate& issuer);

struct Arranged {
  std::vector<Certificate> chain;   // the leaf, then each issuer after what it issued; no root
  std::optional<Certificate> root;  // the self-signed certificate above the last one, when it was among those given
  std::vector<Certificate>
      left_over;  // given, but no part of this; doubles of a part (a cross-sign of it) are not here
};
// Sorts what was given in any order. A CA that was given with two issuers (a cross-sign) stands with the one from which
// `roots` can be reached. Errors: no leaf, or several.
Result<Arranged> arrange(const std::vector<Certificate>& given, std::span<const TrustStore* const> roots);

// Does a known root stand above the last certificate, or above an earlier one (a chain may go on beyond a root that we
// know)? The error says whose issuer is missing.
Status reaches_root(const std::vector<Certificate>& chain, std::span<const TrustStore* const> roots);

struct ChainUse {
  bool server_auth = true;
  bool client_auth = false;
  TimePoint at;  // not_before <= at < not_after must hold for every certificate
};
// Signatures, dates, CA flags, path lengths, name constraints, usages, and strength (RSA of 2048 bits, SHA-2; OpenSSL's
// security level 2). `chain` must be leaf first.
Status verify_to_root(const std::vector<Certificate>& chain, std::span<const TrustStore* const> roots,
                      const ChainUse& use);
// The way that it found: the leaf, what is above it, and the root, which is one of `roots`.
Result<std::vector<Certificate>> validated_chain(const std::vector<Certificate>& chain,
                                                 std::span<const TrustStore* const> roots, const ChainUse& use);
// As verify_to_root, believing the last certificate without asking who issued it.
Status verify_to_last(const std::vector<Certificate>& chain, const ChainUse& use);

}  // namespace edgetrust::crypto
