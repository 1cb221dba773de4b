#pragma once
// DNS messages (RFC 1035 section 4, RFC 2136 section 2) between bytes and plain data.
// Called by: exchange, the resolver, the lookup, and the providers that speak DNS. Threads: plain values and pure
// functions. Errors: compose kInvalid (a name or value that DNS cannot carry), parse kProtocol (anything malformed).
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::dns {

enum class RecordType : std::uint16_t { kA = 1, kNs = 2, kCname = 5, kSoa = 6, kTxt = 16, kAaaa = 28, kTsig = 250 };
enum class RecordClass : std::uint16_t { kIn = 1, kNone = 254, kAny = 255 };
enum class Opcode : std::uint8_t { kQuery = 0, kUpdate = 5 };
enum class Rcode : std::uint8_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kNotAuth = 9,
  kNotZone = 10,
};
std::string to_string(Rcode code);  // "REFUSED"; "RCODE 11" for one without a name here

struct Question {
  std::string name;  // as in name.hpp
  RecordType type = RecordType::kTxt;
  RecordClass klass = RecordClass::kIn;
  bool operator==(const Question&) const = default;
};

struct Record {
  std::string name;
  RecordType type = RecordType::kTxt;
  RecordClass klass = RecordClass::kIn;
  std::uint32_t ttl = 0;
  // TXT: the octets of all its character-strings, joined. A, AAAA: the address as text. NS, CNAME: the name. Any other
  // type: the rdata as it stands in the message.
  std::string data;
  bool operator==(const Record&) const = default;
};

// In an UPDATE the question is the zone, the answers are the prerequisites, the authority section holds the updates.
struct Message {
  std::uint16_t id = 0;
  Opcode opcode = Opcode::kQuery;
  bool is_response = false;
  bool authoritative = false;
  bool truncated = false;
  bool recursion_desired = false;
  Rcode rcode = Rcode::kNoError;
  std::optional<Question> question{};
  std::vector<Record> answers{};
  std::vector<Record> authority{};
  std::vector<Record> additional{};
  bool operator==(const Message&) const = default;
};

// A question of class IN.
Message query_of(std::uint16_t id, const std::string& name, RecordType type, bool recursion_desired);

inline constexpr std::size_t kLargestMessage = 65'535;

// TXT data longer than 255 octets is cut into character-strings of 255.
Result<std::string> compose(const Message& message);

// Refuses a message that does not end where its counts say, more than one question, names that run in a circle or past
// 255 octets, and rdata that its type does not allow. Memory: bounded by the message's 64 kB.
Result<Message> parse(std::string_view wire);

}  // namespace edgetrust::dns
