#pragma once
// Where the blocks of a PEM text are (RFC 7468). What is in them is OpenSSL's to read.
#include "edgetrust/base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::crypto {

struct PemBlock {
  std::string_view label;  // "CERTIFICATE"
  std::string_view text;   // with both marker lines
};
struct PemText {
  std::vector<PemBlock> blocks;
  bool other_text = false;  // something beside the blocks and white space
};
// Views into `text`. Errors: kInvalid for a block without an end, or more of them than `max_blocks`. One pass.
Result<PemText> scan_pem(std::string_view text, std::size_t max_blocks);

// The octets of one block that has no headers.
Result<std::string> decode_pem(const PemBlock& block);

}  // namespace edgetrust::crypto
