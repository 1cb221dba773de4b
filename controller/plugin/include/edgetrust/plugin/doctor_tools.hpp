#pragma once
// What `doctor` reaches the world with, beside the API server. Plain values; what they point to must outlive them.
#include "edgetrust/http/transport.hpp"
#include "edgetrust/ports/dns_zone.hpp"
#include "edgetrust/ports/tls_probe.hpp"

#include <functional>
#include <memory>

namespace edgetrust::plugin {

struct DoctorTools {
  std::function<Result<std::shared_ptr<http::Transport>>(http::TlsOptions)> transport = http::make_transport;
  ports::TlsProbe* probe = nullptr;  // nullptr: no Edge is asked
  ports::DnsLookup* dns = nullptr;   // nullptr: no name server is asked
};

}  // namespace edgetrust::plugin
