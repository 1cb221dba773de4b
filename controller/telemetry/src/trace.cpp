#include "edgetrust/telemetry/trace.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/crypto/digest.hpp"

namespace edgetrust::telemetry {

std::string trace_id(std::string_view uid, std::string_view change) {
  constexpr std::size_t kOctets = 16;
  if (uid.empty() || change.empty()) return {};
  std::string about(uid);
  about += '\0';
  about += change;
  return to_hex(std::string_view(crypto::sha256(about)).substr(0, kOctets));
}

std::string span_id(Random& random) {
  std::uint64_t number = 0;
  while (number == 0) number = random.next();
  std::string octets;
  for (int shift = 56; shift >= 0; shift -= 8) octets += static_cast<char>(number >> shift);
  return to_hex(octets);
}

}  // namespace edgetrust::telemetry
