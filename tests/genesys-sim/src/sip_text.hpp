#pragma once
// As much of SIP (RFC 3261) as an OPTIONS ping needs, on both sides. Pure.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::sim {

inline constexpr std::size_t kMaxSipMessage = 8192;

enum class OptionsReply { kOk, kUnavailable };

struct SipStep {
  enum class Kind { kMore, kGarbage, kReply, kSilent };
  Kind kind = Kind::kMore;
  std::size_t consumed = 0;  // of the input
  std::string reply;
};
// What an Edge does with what it has received so far: waits for more, hangs up on garbage, replies, or (ACK) stays
// silent. OPTIONS gets what `options` says (asked once for each), other requests 405.
SipStep sip_answer(std::string_view input, const std::function<OptionsReply()>& options);

// A peer's ping of `host`.
std::string sip_options(std::string_view host, std::uint64_t number);

// The status code of the first complete response in `input`; 0 when it is no response, empty when more is needed.
std::optional<int> sip_status(std::string_view input);

}  // namespace edgetrust::sim
