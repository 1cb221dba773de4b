#pragma once
// Which of the kinds of keys that we know a key is.
#include "edgetrust/crypto/key.hpp"

#include <optional>

namespace edgetrust::crypto {

// Empty for anything else. Keys of certificates may be weaker or stronger than ours: `any_size` takes RSA of any size
// and P-521 too.
std::optional<KeyKind> kind_of(const evp_pkey_st* key, bool any_size = false);

}  // namespace edgetrust::crypto
