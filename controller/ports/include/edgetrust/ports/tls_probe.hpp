#pragma once
// What does this host present now? Implemented by probe/. Threads: any.
#include "edgetrust/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace edgetrust::ports {

struct ProbeTarget {
  std::string host;
  std::uint16_t port = 5061;
  std::string server_name;  // SNI; empty: the host when it is a DNS name
  std::chrono::milliseconds timeout{10'000};
};

struct ServedChain {
  std::string chain_pem;    // as sent, leaf first, bounded
  std::string tls_version;  // "TLSv1.3"
};

class TlsProbe {
 public:
  virtual ~TlsProbe() = default;
  // Completes a handshake without judging the chain: judging is pki's work. kUnavailable when nothing answers,
  // kProtocol when it is no TLS.
  virtual Result<ServedChain> present(const ProbeTarget& target, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
