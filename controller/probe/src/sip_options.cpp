#include "sip_options.hpp"

#include "edgetrust/base/text.hpp"

#include <charconv>

namespace edgetrust::probe {
namespace {

constexpr std::string_view kEndOfLine = "\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::string_view kVersion = "SIP/2.0 ";

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

// "SIP/2.0 200 OK" (RFC 3261 section 7.2); the words at its end may be missing.
std::optional<int> code_of(std::string_view line) {
  constexpr std::size_t kDigits = 3;
  if (!line.starts_with(kVersion)) return std::nullopt;
  line.remove_prefix(kVersion.size());
  if (line.size() > kDigits && line[kDigits] != ' ') return std::nullopt;
  const auto code = number(line.substr(0, kDigits));
  return code && *code >= 100 && *code < 700 ? std::optional(static_cast<int>(*code)) : std::nullopt;
}

// How much follows the head of a message; over a stream it must be said (RFC 3261 section 18.3), and none is nothing.
std::optional<std::size_t> body_after(std::string_view head) {
  for (const auto& line : split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name = lower(trim(std::string_view(line).substr(0, colon)));
    if (name == "content-length" || name == "l") return number(trim(std::string_view(line).substr(colon + 1)));
  }
  return 0;
}

tl::unexpected<Error> no_sip() {
  return fail(ErrorKind::kProtocol, "it answers OPTIONS with something that is no SIP");
}

}  // namespace

std::string sip_options(const net::Endpoint& edge, const std::string& id) {
  const std::string uri = "sip:" + edge.to_string() + ";transport=tls";
  return "OPTIONS " + uri +
         " SIP/2.0\r\n"
         "Via: SIP/2.0/TLS edgetrust.invalid;branch=z9hG4bK" +
         id +
         ";rport\r\n"
         "Max-Forwards: 70\r\n"
         "From: <sip:edgetrust@edgetrust.invalid>;tag=" +
         id + "\r\nTo: <" + uri + ">\r\nCall-ID: " + id +
         "@edgetrust.invalid\r\n"
         "CSeq: 1 OPTIONS\r\n"
         "Accept: application/sdp\r\n"
         "Content-Length: 0\r\n\r\n";
}

Result<std::optional<int>> SipReply::take(std::string_view piece) {
  taken_ += piece.size();
  if (taken_ > kMostSipOctets) return fail(ErrorKind::kProtocol, "it answers OPTIONS without end");
  unread_ += piece;
  for (;;) {
    // Empty lines between messages keep a connection alive (RFC 5626 section 3.5.1).
    unread_.erase(0, std::min(unread_.find_first_not_of(kEndOfLine), unread_.size()));
    const auto line_end = unread_.find(kEndOfLine);
    if (line_end == std::string::npos) {
      const auto begun = std::string_view(unread_).substr(0, kVersion.size());
      return kVersion.starts_with(begun) ? Result<std::optional<int>>(std::nullopt) : no_sip();
    }
    const auto code = code_of(std::string_view(unread_).substr(0, line_end));
    if (!code) return no_sip();
    if (*code >= 200) return code;
    const auto head_end = unread_.find(kEndOfHead);
    if (head_end == std::string::npos) return std::optional<int>{};
    const auto body = body_after(std::string_view(unread_).substr(0, head_end));
    if (!body || *body > kMostSipOctets) return no_sip();
    const std::size_t size = head_end + kEndOfHead.size() + *body;
    if (unread_.size() < size) return std::optional<int>{};
    unread_.erase(0, size);
  }
}

}  // namespace edgetrust::probe
