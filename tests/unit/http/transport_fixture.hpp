#pragma once
// What the transport's tests share: requests to loopback, a CA, and errors in a form that EXPECT prints.
#include "edgetrust/http/server.hpp"
#include "edgetrust/http/transport.hpp"
#include "support/raw_socket.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::http {

inline Request request_to(std::uint16_t port, Method method = Method::kGet, const std::string& path = "/",
                          std::string body = {}) {
  Request request;
  request.method = method;
  request.url = Url::parse("http://127.0.0.1:" + std::to_string(port) + path).value();
  request.body = std::move(body);
  return request;
}

inline Request secure_request_to(const std::string& host, std::uint16_t port, Method method = Method::kGet,
                                 std::string body = {}) {
  Request request = request_to(port, method, "/", std::move(body));
  request.url = Url::parse("https://" + host + ":" + std::to_string(port) + "/").value();
  return request;
}

inline std::shared_ptr<Transport> trusting(const std::string& ca_pem = {}) {
  TlsOptions options;
  options.ca_pem = ca_pem;
  return make_transport(std::move(options)).value();
}

inline Result<Response> send(Transport& transport, const Request& request) { return transport.send(request, {}); }

inline std::string answer(std::string_view body, std::string_view more_headers = {},
                          std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace edgetrust::http
