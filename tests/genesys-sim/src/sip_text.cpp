#include "sip_text.hpp"

#include "edgetrust/base/text.hpp"

#include <charconv>

namespace edgetrust::sim {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::string_view kVersion = "SIP/2.0";

struct Message {
  std::string start_line;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, long form

  [[nodiscard]] std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

std::string long_form(std::string name) {  // RFC 3261 section 7.3.3
  if (name == "v") return "via";
  if (name == "f") return "from";
  if (name == "t") return "to";
  if (name == "i") return "call-id";
  if (name == "l") return "content-length";
  return name;
}

std::optional<Message> parse_head(std::string_view head) {
  const std::vector<std::string> lines = split(head, '\n');
  Message message;
  message.start_line = trim(lines.front());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    if (colon == std::string::npos) return std::nullopt;
    const std::string_view line = lines[i];
    message.headers.emplace_back(long_form(lower(trim(line.substr(0, colon)))), trim(line.substr(colon + 1)));
  }
  return message;
}

bool is_request_line(std::string_view line) {
  const auto parts = split(line, ' ');
  return parts.size() == 3 && !parts[0].empty() && !parts[1].empty() && parts[2] == kVersion;
}

std::size_t length_of(const Message& message) {
  const std::string_view text = message.header("content-length");
  std::size_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

std::string response(const Message& request, std::string_view status) {
  std::string reply = std::string(kVersion) + " " + std::string(status) + "\r\n";
  for (const auto& [name, value] : request.headers) {
    if (name == "via") reply += "Via: " + value + "\r\n";
  }
  std::string to(request.header("to"));
  if (to.find(";tag=") == std::string::npos) to += ";tag=edge";
  reply += "From: " + std::string(request.header("from")) + "\r\nTo: " + to +
           "\r\nCall-ID: " + std::string(request.header("call-id")) +
           "\r\nCSeq: " + std::string(request.header("cseq")) + "\r\n";
  return reply + "Allow: ACK, OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

SipStep answer_to(const Message& request, const std::function<OptionsReply()>& options) {
  const std::string method = split(request.start_line, ' ').front();
  if (method == "ACK") return {.kind = SipStep::Kind::kSilent, .consumed = 0, .reply = {}};
  const bool complete = !request.header("via").empty() && !request.header("from").empty() &&
                        !request.header("to").empty() && !request.header("call-id").empty() &&
                        !request.header("cseq").empty();
  std::string_view status = complete ? "405 Method Not Allowed" : "400 Bad Request";
  if (complete && method == "OPTIONS") status = options() == OptionsReply::kOk ? "200 OK" : "503 Service Unavailable";
  return {.kind = SipStep::Kind::kReply, .consumed = 0, .reply = response(request, status)};
}

}  // namespace

SipStep sip_answer(std::string_view input, const std::function<OptionsReply()>& options) {
  const SipStep garbage{.kind = SipStep::Kind::kGarbage, .consumed = 0, .reply = {}};
  const auto start = input.find_first_not_of("\r\n");  // keep-alives (RFC 5626 section 3.5.1)
  if (start == std::string_view::npos) return input.size() > kMaxSipMessage ? garbage : SipStep{};
  const std::string_view rest = input.substr(start);
  const auto line_end = rest.find('\n');
  if (line_end != std::string_view::npos && !is_request_line(trim(rest.substr(0, line_end)))) return garbage;
  const auto head_end = rest.find(kEnd);
  if (head_end == std::string_view::npos) return rest.size() > kMaxSipMessage ? garbage : SipStep{};
  const auto message = parse_head(rest.substr(0, head_end));
  if (!message) return garbage;
  const std::size_t body = length_of(*message);
  if (body > kMaxSipMessage) return garbage;
  const std::size_t size = head_end + kEnd.size() + body;
  if (rest.size() < size) return {};
  SipStep step = answer_to(*message, options);
  step.consumed = start + size;
  return step;
}

std::string sip_options(std::string_view host, std::uint64_t number) {
  const std::string n = std::to_string(number);
  const std::string uri = "sip:edge@" + std::string(host) + ";transport=tls";
  return "OPTIONS " + uri + " SIP/2.0\r\nVia: SIP/2.0/TLS sbc.invalid;branch=z9hG4bK" + n +
         ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:sbc@sbc.invalid>;tag=" + n + "\r\nTo: <" + uri +
         ">\r\nCall-ID: ping-" + n + "@sbc.invalid\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

std::optional<int> sip_status(std::string_view input) {
  if (input.find(kEnd) == std::string_view::npos) {
    return input.size() > kMaxSipMessage ? std::optional<int>(0) : std::nullopt;
  }
  const auto parts = split(input.substr(0, input.find('\r')), ' ');
  if (parts.size() < 2 || parts[0] != kVersion) return 0;
  int code = 0;
  std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), code);
  return code;
}

}  // namespace edgetrust::sim
