// ldns could sign too, but reads the real clock, knows hmac-sha384 only misspelt, and on an answer checks neither the
// time nor the key's name nor the algorithm.
#include "edgetrust/dns/rfc2136/tsig.hpp"

#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/dns/name.hpp"
#include "tsig_record.hpp"

namespace edgetrust::dns {
namespace {

constexpr std::uint16_t kFudge = 300;  // seconds; recommended by RFC 8945 section 10

crypto::Hash hash_of(TsigAlgorithm algorithm) {
  switch (algorithm) {
    case TsigAlgorithm::kHmacSha256: return crypto::Hash::kSha256;
    case TsigAlgorithm::kHmacSha384: return crypto::Hash::kSha384;
    case TsigAlgorithm::kHmacSha512: return crypto::Hash::kSha512;
  }
  return crypto::Hash::kSha256;
}

std::uint64_t unix_seconds(TimePoint time) {
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

// In time that does not depend on where they differ.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

tl::unexpected<Error> not_believed(const std::string& why) {
  return fail(ErrorKind::kProtocol, "an answer that is not believed: " + why);
}

std::optional<TimePoint> time_at(std::uint64_t seconds) {
  constexpr std::uint64_t kYear9999 = 253'402'300'799;
  if (seconds > kYear9999) return std::nullopt;
  return TimePoint(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

Status check_mac(const TsigKey& key, const Unsigned& answer, std::string_view request_mac) {
  std::string covered;
  append16(covered, request_mac.size());
  covered += request_mac;
  EDGETRUST_TRY_ASSIGN(const std::string variables, signed_variables(answer.record));
  EDGETRUST_TRY_ASSIGN(const std::string mac,
                       crypto::hmac(hash_of(key.algorithm), key.secret, covered + answer.message + variables));
  if (!same(mac, answer.record.mac)) return not_believed("its signature is wrong");
  return {};
}

}  // namespace

std::string to_string(TsigAlgorithm algorithm) {
  switch (algorithm) {
    case TsigAlgorithm::kHmacSha256: return "hmac-sha256";
    case TsigAlgorithm::kHmacSha384: return "hmac-sha384";
    case TsigAlgorithm::kHmacSha512: return "hmac-sha512";
  }
  return "hmac-sha256";
}

std::string to_string(TsigError error) {
  switch (error) {
    case TsigError::kNone: return "NOERROR";
    case TsigError::kBadSig: return "BADSIG";
    case TsigError::kBadKey: return "BADKEY";
    case TsigError::kBadTime: return "BADTIME";
    case TsigError::kBadTrunc: return "BADTRUNC";
  }
  return "TSIG error " + std::to_string(static_cast<int>(error));
}

Result<SignedMessage> sign(const TsigKey& key, const std::string& message, TimePoint now) {
  if (message.size() < 12) return fail(ErrorKind::kInvalid, "no DNS message");
  const std::string_view octets = message;
  TsigRecord record;
  record.key_name = canonical_name(key.name);
  record.algorithm = to_string(key.algorithm);
  record.time_signed = unix_seconds(now);
  record.fudge = kFudge;
  record.original_id = static_cast<std::uint16_t>(number_of(octets.substr(0, 2)));
  EDGETRUST_TRY_ASSIGN(const std::string variables, signed_variables(record));
  EDGETRUST_TRY_ASSIGN(record.mac, crypto::hmac(hash_of(key.algorithm), key.secret, message + variables));
  EDGETRUST_TRY_ASSIGN(const std::string appended, to_wire(record));
  std::string count;
  append16(count, number_of(octets.substr(kAdditionalCountAt, 2)) + 1);
  std::string wire = message + appended;
  return SignedMessage{.wire = wire.replace(kAdditionalCountAt, 2, count), .mac = record.mac};
}

Result<TsigVerdict> verify(const TsigKey& key, const std::string& answer, std::string_view request_mac, TimePoint now) {
  EDGETRUST_TRY_ASSIGN(const std::optional<Unsigned> parts, split_signature(answer));
  if (!parts) return TsigVerdict{};
  const TsigRecord& record = parts->record;
  TsigVerdict verdict;
  verdict.error = static_cast<TsigError>(record.error);
  // Whoever does not know the key, or the signature, cannot sign the answer (section 5.3.2).
  const bool cannot_sign = verdict.error == TsigError::kBadKey || verdict.error == TsigError::kBadSig;
  if (cannot_sign && record.mac.empty()) return verdict;
  if (record.key_name != canonical_name(key.name)) return not_believed("it is signed with another key");
  if (record.algorithm != to_string(key.algorithm)) return not_believed("it is signed with another algorithm");
  EDGETRUST_TRY(check_mac(key, *parts, request_mac));
  // Section 5.2.3: with BADTIME the server sends its own time as other data.
  if (verdict.error == TsigError::kBadTime && record.other.size() == 6)
    verdict.server_time = time_at(number_of(record.other));
  const std::uint64_t ours = unix_seconds(now);
  const std::uint64_t apart = std::max(ours, record.time_signed) - std::min(ours, record.time_signed);
  if (apart > kFudge) {  // told as the server would tell it
    verdict.error = TsigError::kBadTime;
    verdict.server_time = time_at(record.time_signed);
    return verdict;
  }
  verdict.is_signed = true;
  return verdict;
}

}  // namespace edgetrust::dns
