#pragma once
// TSIG (RFC 8945): a DNS message signed with a secret that both ends hold, and the check of the answer's signature.
// Called by: Rfc2136Zone. Threads: pure functions. Errors: sign kInvalid (a key name that DNS cannot carry); verify
// kProtocol when a signature is there and is wrong: such an answer may come from anyone.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::dns {

// HMAC-SHA-1 and HMAC-MD5 are left out: RFC 8945 section 6 still lets a server offer the first, and no one needs it.
enum class TsigAlgorithm { kHmacSha256, kHmacSha384, kHmacSha512 };
std::string to_string(TsigAlgorithm algorithm);  // "hmac-sha256"

struct TsigKey {
  std::string name;
  TsigAlgorithm algorithm = TsigAlgorithm::kHmacSha256;
  Secret secret;  // the octets, not their base64
};

struct SignedMessage {
  std::string wire;
  std::string mac;  // the answer's signature covers it
};

// `message` is a whole DNS message without TSIG.
Result<SignedMessage> sign(const TsigKey& key, const std::string& message, TimePoint now);

enum class TsigError { kNone = 0, kBadSig = 16, kBadKey = 17, kBadTime = 18, kBadTrunc = 22 };
std::string to_string(TsigError error);

struct TsigVerdict {
  bool is_signed = false;                  // by the key, for this request, and within five minutes of our clock
  TsigError error = TsigError::kNone;      // what the server says of our signature (kBadSig, kBadKey: unsigned)
  std::optional<TimePoint> server_time{};  // told with kBadTime
};

// `answer` is a message that parse() accepts. A signature with fewer octets than the algorithm makes is wrong.
Result<TsigVerdict> verify(const TsigKey& key, const std::string& answer, std::string_view request_mac, TimePoint now);

}  // namespace edgetrust::dns
