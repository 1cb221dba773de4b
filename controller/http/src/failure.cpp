#include "failure.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace edgetrust::http {
namespace {

Error error_of(ErrorKind kind, std::string what, bool maybe_executed) {
  Error error = fail(kind, std::move(what)).value();
  error.maybe_executed = maybe_executed;
  return error;
}

bool is_tls_error(int code) { return ERR_GET_LIB(static_cast<unsigned>(code)) == ERR_LIB_SSL; }

std::string tls_reason(int code) {
  const char* reason = ERR_reason_error_string(static_cast<unsigned>(code));
  return reason == nullptr ? "unknown reason" : reason;
}

// Alerts by which a server refuses the client's certificate, or the lack of one. In TLS 1.3 they arrive after the
// request has left (RFC 8446 section 4.4.2.4); nothing above TLS has seen it.
bool refuses_client(int code) {
  if (!is_tls_error(code)) return false;
  switch (ERR_GET_REASON(static_cast<unsigned>(code))) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED: return true;
    default: return false;
  }
}

// The library's messages are the only thing that tells how far it came.
bool is_any_of(std::string_view what, std::initializer_list<std::string_view> messages) {
  for (const auto message : messages) {
    if (what.starts_with(message)) return true;
  }
  return false;
}
bool is_lookup(std::string_view what) {
  return is_any_of(what, {"Error resolving address", "Failed to resolve address"});
}
bool is_connect(std::string_view what) { return is_any_of(what, {"Failed to connect to any resolved endpoint"}); }
bool is_handshake(std::string_view what) { return is_any_of(what, {"Error in SSL handshake"}); }
bool is_grammar(std::string_view what) {
  return is_any_of(what, {"Invalid HTTP status line", "Invalid chunked response header"});
}

Error explain_handshake(const Broken& broken, const std::string& refusal, const std::string& who) {
  if (!refusal.empty()) {
    return error_of(ErrorKind::kProtocol, "the certificate of " + who + " does not verify: " + refusal, false);
  }
  if (is_tls_error(broken.code)) {
    return error_of(ErrorKind::kProtocol, "no TLS with " + who + ": " + tls_reason(broken.code), false);
  }
  return error_of(ErrorKind::kUnavailable, "the connection to " + who + " broke in the TLS handshake", false);
}

}  // namespace

Error explain_broken(const Broken& broken, Client& client, const Url& origin) {
  const std::string who = origin.origin();
  const bool sent = client.link().sent;
  if (client.link().overrun) return error_of(ErrorKind::kProtocol, who + " sent more than is accepted", sent);
  if (!sent && is_lookup(broken.what)) {
    return error_of(ErrorKind::kUnavailable, "the name '" + origin.host + "' cannot be resolved", false);
  }
  if (!sent && is_connect(broken.what)) return error_of(ErrorKind::kUnavailable, "cannot connect to " + who, false);
  if (!sent && is_handshake(broken.what)) return explain_handshake(broken, client.link().refusal(), who);
  if (refuses_client(broken.code)) {
    return error_of(ErrorKind::kProtocol,
                    who + " does not accept our client certificate, or the lack of one: " + tls_reason(broken.code),
                    false);
  }
  if (is_tls_error(broken.code)) {
    return error_of(ErrorKind::kProtocol, "TLS with " + who + " broke: " + tls_reason(broken.code),
                    client.may_have_sent());
  }
  if (is_grammar(broken.what)) {
    return error_of(ErrorKind::kProtocol, "the answer of " + who + " is not HTTP", client.may_have_sent());
  }
  return error_of(ErrorKind::kUnavailable, "the connection to " + who + " broke before the whole answer was there",
                  client.may_have_sent());
}

Error explain_timeout(const Client& client, const Url& origin, std::chrono::milliseconds limit, bool silence) {
  const std::string time = format_duration(limit);
  if (silence) return error_of(ErrorKind::kTimeout, origin.origin() + " was silent for " + time, true);
  const bool sent = client.may_have_sent();
  return error_of(ErrorKind::kTimeout,
                  (sent ? "no answer from " : "no connection to ") + origin.origin() + " within " + time, sent);
}

}  // namespace edgetrust::http
