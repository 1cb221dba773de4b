#pragma once
// What certificate chain does a host present now? A TLS handshake that judges nothing: any chain, key, name, date. And
// does SIP answer behind it, where that is asked: one OPTIONS over the same connection, of whose answer the status line
// is all that is looked at.
// Made by: main. Called by: reconcile, through ports::TlsProbe. Threads: any number of calls at once; each blocks its
// caller until the handshake is over, the target's timeout or the stop.
//
// TLS 1.2 or newer, or 1.3 where the target says so. SNI is the target's server name, or its host, never an address.
// Who wants a client certificate gets none, and its chain is told all the same, if by then the host has proved that it
// holds the leaf's key. The connection is ended by close_notify. Bounds: 10 certificates, 95 kB of chain, 16 kB of
// answers to OPTIONS. Errors: kUnavailable (no address, refused, unreachable, closed or reset before the handshake was
// over), kTimeout, kCancelled, kProtocol (not TLS, too old, a bound exceeded, an alert: `what` has its text), kInvalid
// (a host or server name that is none).
#include "edgetrust/base/clock.hpp"
#include "edgetrust/net/socket.hpp"
#include "edgetrust/net/wait.hpp"
#include "edgetrust/ports/tls_probe.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace edgetrust::probe {

inline constexpr std::size_t kMostCertificates = 10;
inline constexpr std::size_t kLargestChain = 95'000;  // octets of DER, as sent

// The addresses of a host name, tried in order; dns::Resolver::addresses in production.
using ResolveHost = std::function<Result<std::vector<std::string>>(const std::string& host, const net::Wait& wait)>;

class Probe final : public ports::TlsProbe {
 public:
  // kInternal when OpenSSL cannot be set up.
  static Result<std::unique_ptr<Probe>> create(ResolveHost resolve, const Clock& clock);
  ~Probe() override;

  Result<ports::ServedChain> present(const ports::ProbeTarget& target, std::stop_token stop) override;
  // The same over a connection that is there already, in the time that `wait` leaves.
  Result<ports::ServedChain> present_over(const net::Socket& socket, const ports::ProbeTarget& target,
                                          const net::Wait& wait);

 private:
  class Tls;
  Probe(std::unique_ptr<Tls> tls, ResolveHost resolve, const Clock& clock);
  std::string next_request();

  std::unique_ptr<Tls> tls_;
  ResolveHost resolve_;
  const Clock& clock_;
  std::atomic<std::uint64_t> requests_ = 0;
};

}  // namespace edgetrust::probe
