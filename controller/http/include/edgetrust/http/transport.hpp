#pragma once
// How a request reaches a server: the one seam between edgetrust and the HTTP library.
//
// Called by: the drivers (kube, acme, dns, genesys). Threads: every call may come from any thread and blocks that
// thread until the answer, the timeout or the stop token. A Transport serves any number of hosts and pools its
// connections per origin.
//
// Guarantees:
// - Every request but GET and HEAD is sent at most once, also when a pooled connection dies under it (those two may be
//   sent a second time). A connection found closed before anything was sent is replaced silently.
// - Redirects are not followed.
// - TLS 1.2 or newer; the chain and the host name (DNS or IP SAN, never the common name) are verified against the roots
//   given and no others.
// - Plain http is carried too: what may be plain is the caller's to say.
// - Bounded while reading: a body by `max_body`, a line by `max_line`; a header by 64 KiB, which over https is enforced
//   while it arrives together with the body's bound, over plain http only when it is complete (the library has no bound
//   there, nor on a single chunk; `timeout` ends it).
// - It sets Host, Content-Length, Connection and their like itself, and User-Agent when the request has none.
//
// Errors: kTimeout (maybe_executed set when the request may have been sent), kUnavailable (no connection, or it broke:
// maybe_executed as above), kUnauthorized never (that is a status), kProtocol (TLS or HTTP broken, bound exceeded; a
// certificate that does not verify says so and why in `what`), kCancelled, kInvalid (a request that cannot be sent as
// it is), kUnsupported (an IPv6 address in the URL; a name that has one is fine). maybe_executed is exact over https
// and with a body; over plain http without a body it may be set though nothing was sent. Any HTTP status from 200 to
// 599 is a Response, not an error.
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
  // not 2xx (bounded by request.max_body). `idle` is the longest silence before kTimeout, not counting the time spent
  // in `on_line`; request.timeout bounds only the time to the headers. A line beyond `max_line` is kProtocol. A last
  // line without a newline is a line when the answer ends properly. A slow `on_line` slows the sender down: nothing is
  // buffered without bound.
  virtual Result<Response> stream(const Request& request, std::chrono::milliseconds idle, std::size_t max_line,
                                  const std::function<bool(std::string_view line)>& on_line, std::stop_token stop) = 0;
};

// Whom to trust and who we are. Two transports with different options share no connection.
struct TlsOptions {
  bool public_roots = false;  // Debian's ca-certificates, parsed once and shared by all transports
  std::string ca_pem = {};    // further roots; with public_roots false, the only ones. An intermediate may be one
  std::string client_certificate_pem = {};  // mutual TLS (a kubeconfig's user), leaf first; empty for none
  Secret client_key_pem = {};
  std::string public_roots_file = "/etc/ssl/certs/ca-certificates.crt";
};

// Prepares the process: the HTTP library's one thread, and SSL_CERT_FILE and SSL_CERT_DIR set to nothing, or the
// library would parse the system's roots again for every connection (22 ms). The first thing main does, for setting the
// environment is safe only while there is one thread. Idempotent; make_transport() calls it too.
void initialize();

// The real transport (cpprestsdk). It must end before main returns: never keep one in a static. Its destructor waits
// for what the library has not let go of, which is nothing but a name lookup that was given up. Errors: kInvalid when a
// PEM cannot be read.
Result<std::shared_ptr<Transport>> make_transport(TlsOptions options);

}  // namespace edgetrust::http
