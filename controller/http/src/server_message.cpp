// Between the server's plain data and Beast's messages.
#include "edgetrust/base/text.hpp"
#include "server_session.hpp"

namespace edgetrust::http {
namespace {

// What the server says itself, for it knows the length and what becomes of the connection.
bool is_framing(std::string_view name) {
  const std::string key = lower(name);
  return key == "content-length" || key == "transfer-encoding" || key == "connection";
}

bool is_one_line(std::string_view value) { return value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos; }

void add_fields(wire::fields& fields, const Response& response) {
  for (const auto& [name, value] : response.headers.fields()) {
    if (!is_framing(name) && is_one_line(name) && is_one_line(value)) fields.insert(name, value);
  }
}

}  // namespace

ServerRequest to_request(wire::request<wire::string_body>&& message) {
  ServerRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const auto mark = target.find('?');
  request.path = std::string(target.substr(0, mark));
  if (mark != std::string_view::npos) request.query = std::string(target.substr(mark + 1));
  for (const auto& field : message) request.headers.add(std::string(field.name_string()), std::string(field.value()));
  request.body = std::move(message.body());
  return request;
}

wire::response<wire::string_body> to_message(Response&& response, bool keep_alive, bool head) {
  wire::response<wire::string_body> message;
  message.version(11);
  message.result(static_cast<unsigned>(response.status));
  add_fields(message, response);
  message.keep_alive(keep_alive);
  // RFC 9110 sections 8.6 and 9.3.2: no length with 204 and 304; the length, but no content, to HEAD.
  if (response.status != 204 && response.status != 304) {
    message.content_length(response.body.size());
    if (!head) message.body() = std::move(response.body);
  }
  return message;
}

wire::response<wire::empty_body> to_stream_head(const Response& response) {
  wire::response<wire::empty_body> message;
  message.version(11);
  message.result(static_cast<unsigned>(response.status));
  add_fields(message, response);
  message.set(wire::field::content_type, "text/event-stream");
  message.set(wire::field::cache_control, "no-store");
  message.keep_alive(false);
  return message;
}

Answer call(const Handler& handler, const ServerRequest& request) noexcept {
  try {
    return handler(request);
  } catch (...) {
    return Response{.status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = "internal error\n"};
  }
}

int refusal_of(beast::error_code error) {
  if (error == wire::error::body_limit) return 413;
  if (error == wire::error::header_limit) return 431;
  if (error == wire::error::end_of_stream || error == wire::error::partial_message) return 0;
  return error.category() == make_error_code(wire::error::bad_method).category() ? 400 : 0;
}

}  // namespace edgetrust::http
