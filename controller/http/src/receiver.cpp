#include "receiver.hpp"

namespace edgetrust::http {
namespace {

tl::unexpected<Error> beyond(const Url& origin, const std::string& what, std::size_t limit) {
  Error error = fail(ErrorKind::kProtocol,
                     origin.origin() + " sent a " + what + " of more than " + std::to_string(limit) + " octets")
                    .value();
  error.maybe_executed = true;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

tl::unexpected<Error> BodyReceiver::too_long() const { return beyond(origin_, "body", max_body_); }

Status BodyReceiver::head(const Response& head) {
  const auto length = head.headers.get("Content-Length");
  std::uint64_t announced = 0;
  if (length) std::from_chars(length->data(), length->data() + length->size(), announced);
  if (announced > max_body_) return too_long();
  return {};
}

Status BodyReceiver::piece(std::string_view octets) {
  if (octets.size() > max_body_ - body_.size()) return too_long();
  body_ += octets;
  return {};
}

Result<bool> LineReceiver::piece(std::string_view octets) {
  while (!octets.empty()) {
    const auto end = octets.find('\n');
    const auto rest = octets.substr(0, end);
    if (rest.size() > max_line_ - begun_.size()) return beyond(origin_, "line", max_line_);
    if (end == std::string_view::npos) {
      begun_ += rest;
      return true;
    }
    octets.remove_prefix(end + 1);
    const std::string whole = begun_.empty() ? std::string() : std::exchange(begun_, {}).append(rest);
    if (!on_line_(whole.empty() ? rest : std::string_view(whole))) return false;
  }
  return true;
}

void LineReceiver::end() {
  if (!begun_.empty()) on_line_(begun_);
}

}  // namespace edgetrust::http
