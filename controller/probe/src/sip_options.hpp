#pragma once
// SIP OPTIONS as text: the request, and of what comes back the code of the final answer. Private to the room.
#include "edgetrust/base/result.hpp"
#include "edgetrust/net/endpoint.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::probe {

inline constexpr std::size_t kMostSipOctets = 16'384;  // of all answers to one request

// `id` makes branch, tag and Call-ID unique.
std::string sip_options(const net::Endpoint& edge, const std::string& id);

// Reads what comes over the stream, piece by piece.
class SipReply {
 public:
  // The code of the final answer (200 to 699), once its status line is there; empty: go on. kProtocol: that is no SIP,
  // or more than is read.
  Result<std::optional<int>> take(std::string_view piece);

 private:
  std::string unread_;
  std::size_t taken_ = 0;
};

}  // namespace edgetrust::probe
