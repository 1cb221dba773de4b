#pragma once
// What a cloud endpoint says of its certificates (the guide's GET /api/v1/security/status). Implemented by main/.
// Threads: any.
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace edgetrust::ports {

struct PinAnnouncement {
  std::string certificate_sha256;  // lower-case hex
  std::optional<std::string> next_certificate_sha256;
};

struct AnnouncementQuestion {
  std::string host;
  std::uint16_t port = 443;
  std::string leaf_pem;  // whoever answers must show exactly this certificate, and hold its key
};

class PinAnnouncements {
 public:
  virtual ~PinAnnouncements() = default;
  // Empty: the endpoint has no such call, as the real one has none. Errors: kProtocol for an answer without a SHA-256
  // hash ("null", one of 20 octets); nothing is ever read into such a one.
  virtual Result<std::optional<PinAnnouncement>> ask(const AnnouncementQuestion& question, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
