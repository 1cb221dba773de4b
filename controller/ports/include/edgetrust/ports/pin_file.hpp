#pragma once
// The pin file of an Edge, as the vendor's guide has it, with the list of accepted pins that the guide wants and has no
// place for. Implemented by pinfile/. Pure. Threads: any.
#include "edgetrust/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::ports {

inline constexpr std::size_t kLargestPinFile = std::size_t{64} * 1024;  // octets

struct FilePin {
  bool is_public_key = false;  // else of the whole certificate
  std::string sha256;          // lower-case hex
  bool operator==(const FilePin&) const = default;
};

// What of the file is ours. Every other key in it is somebody else's and kept.
struct PinFile {
  bool enabled = true;
  bool allow_rotation = true;
  bool log_validation_failures = true;
  std::string fingerprint;        // of the endpoint's leaf: the certificate's hash, lower-case hex
  std::vector<FilePin> accepted;  // all pins, that of the leaf among them; at least one
  std::string min_version;        // "TLS1.2"
  std::vector<std::string> cipher_suites;
  bool strict_validation = true;
};

struct PinDocument {
  std::string text;
  std::string sha256;  // of the text, lower-case hex
};

class PinFiles {
 public:
  virtual ~PinFiles() = default;
  // `existing` with what is ours put right; where it says so already, it comes back octet for octet, however it is laid
  // out. Empty: there is none yet. Errors: kInvalid when `existing` is no JSON object, is larger than kLargestPinFile,
  // or has something else where our keys go: that is a person's to look at; and when a pin is not 64 hex digits.
  virtual Result<PinDocument> render(const PinFile& wanted, std::string_view existing) = 0;
  // What a file says of ours; empty: it does not pin, be it that there is none, that it is switched off, or that it
  // names no pin that can be read. Errors: kInvalid as above.
  virtual Result<std::optional<PinFile>> read(std::string_view existing) = 0;
  // Whether it says that it pins, also where it names no pin that can be read: then nobody knows what its reader does.
  // Errors: kInvalid as above.
  virtual Result<bool> is_switched_on(std::string_view existing) = 0;
  // `existing` for an Edge that shall no longer pin: `enabled` becomes false, and nothing else changes.
  virtual Result<PinDocument> switched_off(std::string_view existing) = 0;
};

}  // namespace edgetrust::ports
