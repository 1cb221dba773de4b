#pragma once
// How a request reaches a server: the one seam between edgetrust and the HTTP library.
//
// Called by: the drivers (kube, acme, dns, genesys). Threads: every call may come from any thread and blocks that
// thread until the answer, the timeout or the stop token. A Transport serves any number of hosts and pools its
// connections per origin. Guarantees: a request is sent at most once, also when a pooled connection dies under it;
// redirects are not followed; TLS 1.2 or newer, the chain and the host name (DNS or IP SAN) are verified against the
// roots given and no others; a header or body beyond its bound is an error. Errors: kTimeout (maybe_executed set when
// the request had been sent), kUnavailable (no connection, or it broke: maybe_executed as above), kUnauthorized never
// (that is a status), kProtocol (TLS or HTTP broken, bound exceeded; a certificate that does not verify says so in
// `what`), kCancelled. Any HTTP status is a Response, not an error.
#include "edgetrust/base/secret.hpp"
#include "edgetrust/http/message.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace edgetrust::http {

class Transport {
 public:
  virtual ~Transport() = default;

  virtual Result<Response> send(const Request& request, std::stop_token stop) = 0;

  // For long answers (a Kubernetes watch): hands every line, without its newline, to `on_line` on the calling thread,
  // and stops when that returns false. The Response has status and headers; its body is filled only when the status is
  // not 2xx (bounded by request.max_body). `idle` is the longest silence before kTimeout; request.timeout bounds only
  // the time to the headers. A line beyond `max_line` is kProtocol. A slow `on_line` slows the sender down: nothing is
  // buffered without bound.
  virtual Result<Response> stream(const Request& request, std::chrono::milliseconds idle, std::size_t max_line,
                                  const std::function<bool(std::string_view line)>& on_line, std::stop_token stop) = 0;
};

// Whom to trust and who we are. Two transports with different options share no connection.
struct TlsOptions {
  bool public_roots = false;           // Debian's ca-certificates, parsed once in the process and shared
  std::string ca_pem;                  // further roots; with public_roots false, the only ones
  std::string client_certificate_pem;  // mutual TLS (a kubeconfig's user); empty for none
  Secret client_key_pem;
};

// The real transport (cpprestsdk). Errors: kInvalid when a PEM cannot be read.
Result<std::shared_ptr<Transport>> make_transport(TlsOptions options);

}  // namespace edgetrust::http
