#pragma once
// What does this host present now, and does SIP answer behind it? Implemented by probe/. Threads: any.
#include "edgetrust/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

enum class TlsVersion { kTls12, kTls13 };
struct ProbeTarget {
  std::string host;
  std::uint16_t port = 5061;
  std::string server_name;  // SNI; empty: the host when it is a DNS name
  std::chrono::milliseconds timeout{10'000};
  TlsVersion oldest = TlsVersion::kTls12;  // of those that are offered
  // By OpenSSL's names: of a version of TLS of which some are named those are offered and no others, of another one
  // what OpenSSL offers (SSL_CTX_set_cipher_list(3) keeps the two apart as well).
  std::vector<std::string> cipher_suites;
  bool ask_options = false;  // SIP OPTIONS (RFC 3261 section 11) once the handshake is over
};

struct ServedChain {
  std::string chain_pem;    // as sent, leaf first, bounded
  std::string tls_version;  // "TLSv1.3"
  // Where OPTIONS were asked for: the code of the final answer, or why there is none.
  std::optional<int> sip_status;
  std::optional<Error> sip_error;
};

class TlsProbe {
 public:
  virtual ~TlsProbe() = default;
  // Completes a handshake without judging the chain: judging is pki's work. kUnavailable when nothing answers,
  // kProtocol when it is no TLS, or takes none of what is offered; kInvalid when nothing is left to offer. A handshake
  // that is followed by no answer to OPTIONS is a success all the same.
  virtual Result<ServedChain> present(const ProbeTarget& target, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
