#pragma once
// The TSIG record (RFC 8945 section 4.2) as plain data. Private to the room.
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace edgetrust::dns {

inline constexpr std::size_t kAdditionalCountAt = 10;  // of the header, RFC 1035 section 4.1.1

struct TsigRecord {
  std::string key_name;   // canonical text
  std::string algorithm;  // canonical text
  std::uint64_t time_signed = 0;
  std::uint16_t fudge = 0;
  std::string mac;
  std::uint16_t original_id = 0;
  std::uint16_t error = 0;
  std::string other;
};

// A name uncompressed, as it is signed.
Result<std::string> wire_name(const std::string& name);

// The record as it is appended to a message.
Result<std::string> to_wire(const TsigRecord& record);
// The octets that are signed beside the message (section 4.3.3).
Result<std::string> signed_variables(const TsigRecord& record);

// The last record of a message if it is a TSIG record, and the message as it was before it was signed.
struct Unsigned {
  std::string message;
  TsigRecord record;
};
Result<std::optional<Unsigned>> split_signature(const std::string& wire);

void append16(std::string& to, std::size_t value);
// An unsigned number of any length, most significant octet first.
std::uint64_t number_of(std::string_view octets);

}  // namespace edgetrust::dns
