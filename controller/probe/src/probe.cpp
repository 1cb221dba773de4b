#include "edgetrust/probe/probe.hpp"

#include "handshake.hpp"
#include "sip_options.hpp"

namespace edgetrust::probe {
namespace {

// SNI carries DNS names only (RFC 6066 section 3).
Result<std::string> server_name_of(const ports::ProbeTarget& target, const net::Endpoint& host) {
  if (target.server_name.empty()) return host.is_address() ? std::string{} : host.host;
  EDGETRUST_TRY_ASSIGN(const net::Endpoint name, net::Endpoint::of(target.server_name, target.port));
  return name.is_address() ? std::string{} : name.host;
}

// `id` is of the request that may follow.
Result<Greeting> greeting_to(const net::Endpoint& host, const ports::ProbeTarget& target, const std::string& id) {
  EDGETRUST_TRY_ASSIGN(std::string server_name, server_name_of(target, host));
  Greeting greeting{.server_name = std::move(server_name),
                    .oldest = target.oldest,
                    .cipher_suites = target.cipher_suites,
                    .sip_options = {}};
  if (target.ask_options) greeting.sip_options = sip_options({host.host, target.port}, id);
  return greeting;
}

bool may_be_another_address(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout;
}

Result<ports::ServedChain> told(const ports::ProbeTarget& target, Result<ports::ServedChain> served) {
  if (served) return served;
  Error error = within("TLS at " + net::Endpoint{target.host, target.port}.to_string(), std::move(served).error());
  if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kUnavailable;  // a name without an address
  return fail(std::move(error));
}

}  // namespace

class Probe::Tls {
 public:
  explicit Tls(ContextPtr context) : context_(std::move(context)) {}
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  ContextPtr context_;
};

Probe::Probe(std::unique_ptr<Tls> tls, ResolveHost resolve, const Clock& clock)
    : tls_(std::move(tls)), resolve_(std::move(resolve)), clock_(clock) {}
Probe::~Probe() = default;

Result<std::unique_ptr<Probe>> Probe::create(ResolveHost resolve, const Clock& clock) {
  ContextPtr context = make_context();
  if (!context) return fail(ErrorKind::kInternal, "OpenSSL could not be set up");
  return std::unique_ptr<Probe>(new Probe(std::make_unique<Tls>(std::move(context)), std::move(resolve), clock));
}

// No two requests of this program bear the same (RFC 3261 section 8.1.1.7: a branch is unique in space and time).
std::string Probe::next_request() {
  return std::to_string(clock_.now().time_since_epoch().count()) + "-" + std::to_string(++requests_);
}

Result<ports::ServedChain> Probe::present(const ports::ProbeTarget& target, std::stop_token stop) {
  const net::Wait wait(clock_, target.timeout, std::move(stop));
  return told(target, [&]() -> Result<ports::ServedChain> {
    EDGETRUST_TRY_ASSIGN(const net::Endpoint host, net::Endpoint::of(target.host, target.port));
    EDGETRUST_TRY_ASSIGN(const Greeting greeting, greeting_to(host, target, next_request()));
    std::vector<std::string> addresses{host.host};
    if (!host.is_address()) {
      EDGETRUST_TRY_ASSIGN(addresses, resolve_(host.host, wait));
    }
    Result<net::Socket> socket = fail(ErrorKind::kUnavailable, "the host has no address");
    for (std::size_t i = 0; i < addresses.size() && !socket; ++i) {
      const auto share = wait.left() / static_cast<int>(addresses.size() - i);
      socket = net::connect_tcp({addresses[i], target.port}, wait.at_most(share));
      if (!socket && !may_be_another_address(socket.error())) break;
    }
    if (!socket) return fail(std::move(socket).error());
    return served_chain(tls_->get(), *socket, greeting, wait);
  }());
}

Result<ports::ServedChain> Probe::present_over(const net::Socket& socket, const ports::ProbeTarget& target,
                                               const net::Wait& wait) {
  return told(target, [&]() -> Result<ports::ServedChain> {
    EDGETRUST_TRY_ASSIGN(const net::Endpoint host, net::Endpoint::of(target.host, target.port));
    EDGETRUST_TRY_ASSIGN(const Greeting greeting, greeting_to(host, target, next_request()));
    return served_chain(tls_->get(), socket, greeting, wait);
  }());
}

}  // namespace edgetrust::probe
