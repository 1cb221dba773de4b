#pragma once
// One TLS handshake over a connected socket, and what is asked over it then. Private to the room.
#include "edgetrust/base/freed.hpp"
#include "edgetrust/net/socket.hpp"
#include "edgetrust/ports/tls_probe.hpp"

#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

namespace edgetrust::probe {

using ContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

// A client that accepts everything it can read. Null when OpenSSL cannot make it.
ContextPtr make_context();

struct Greeting {
  std::string server_name;  // may be empty: no SNI
  ports::TlsVersion oldest = ports::TlsVersion::kTls12;
  std::vector<std::string> cipher_suites;  // as those of ProbeTarget
  std::string sip_options;                 // the request that follows the handshake; empty: none
};
Result<ports::ServedChain> served_chain(SSL_CTX* context, const net::Socket& socket, const Greeting& greeting,
                                        const net::Wait& wait);

}  // namespace edgetrust::probe
