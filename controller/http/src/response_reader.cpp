#include "edgetrust/http/response_reader.hpp"

#include <array>
#include <limits>
#include <optional>
#include <utility>  // before asio, which on g++ 12 uses std::exchange without including it

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace edgetrust::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;

constexpr std::uint32_t kMaxHeader = 16 * 1024;
constexpr std::size_t kMaxInAll = 64 * 1024;

tl::unexpected<Error> no_response(const std::string& why) {
  return fail(ErrorKind::kProtocol, "the answer is no HTTP: " + why);
}

}  // namespace

// The body is counted here: the library's limit holds for no response with a Content-Length (Boost 1.74), and it would
// reserve what that says.
struct ResponseReader::Parser {
  beast::flat_buffer unread;
  std::optional<wire::response_parser<wire::buffer_body>> of;
  std::string body;

  void begin() {
    of.emplace();
    of->eager(true);
    of->header_limit(kMaxHeader);
    of->body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  // One step of reading; what is left of `unread` waits for more, or for the next step.
  beast::error_code step() {
    std::array<char, 1024> piece{};
    auto& there = of->get().body();
    there.data = piece.data();
    there.size = piece.size();
    there.more = true;
    beast::error_code error;
    unread.consume(of->put(unread.data(), error));
    body.append(piece.data(), piece.size() - there.size);
    there.data = nullptr;
    there.size = 0;
    return error == wire::error::need_buffer ? beast::error_code{} : error;
  }
};

ResponseReader::ResponseReader(std::size_t max_body) : parser_(std::make_unique<Parser>()), max_body_(max_body) {
  parser_->begin();
}
ResponseReader::~ResponseReader() = default;

Result<bool> ResponseReader::take(std::string_view octets) {
  if (octets.size() > kMaxInAll - taken_) return no_response("it has more than 64 KiB");
  taken_ += octets.size();
  auto& unread = parser_->unread;
  unread.commit(asio::buffer_copy(unread.prepare(octets.size()), asio::buffer(octets.data(), octets.size())));
  while (!parser_->of->is_done() && unread.size() > 0) {
    const beast::error_code error = parser_->step();
    cut_ = parser_->body.size() > max_body_;
    if (cut_) return true;
    if (error == wire::error::need_more) return false;
    if (error) return no_response(error.message());
    // An interim response comes before the one that counts (RFC 9110 section 15.2).
    if (parser_->of->is_done() && parser_->of->get().result_int() < 200) parser_->begin();
  }
  return parser_->of->is_done();
}

Status ResponseReader::end() {
  if (cut_ || parser_->of->is_done()) return {};
  beast::error_code error;
  if (parser_->of->got_some()) parser_->of->put_eof(error);
  if (error || !parser_->of->is_done()) return no_response("it ends before it is whole");
  return {};
}

Response ResponseReader::response() const {
  const auto& message = parser_->of->get();
  Response response{.status = static_cast<int>(message.result_int())};
  for (const auto& field : message) response.headers.add(std::string(field.name_string()), std::string(field.value()));
  if (!cut_) response.body = parser_->body;
  return response;
}

}  // namespace edgetrust::http
