#pragma once
// From an object to the driver that serves it: reads the Secrets that the object names, makes the driver, keeps it
// until one of them changes. Implemented by main/. Threads: any. Errors: kNotFound and kInvalid name the Secret and key
// that are missing or unreadable.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/ports/certificate_authority.hpp"
#include "edgetrust/ports/dns_zone.hpp"
#include "edgetrust/ports/edge_fleet.hpp"
#include "edgetrust/ports/heartbeat.hpp"

#include <memory>

namespace edgetrust::ports {

// What a CA's external account is bound by (RFC 8555 section 7.3.4).
struct ExternalBinding {
  std::string key_id;
  Secret hmac_key;  // base64url text
};

class Backends {
 public:
  virtual ~Backends() = default;
  virtual Result<std::shared_ptr<CertificateAuthority>> authority(const api::AcmeIssuer& issuer,
                                                                  std::stop_token stop) = 0;
  // A new binding from ZeroSSL, by the API key of externalAccountBinding.zeroSslApiKeyRef. Each call makes one.
  virtual Result<ExternalBinding> zero_ssl_binding(const api::AcmeIssuer& issuer, std::stop_token stop) = 0;
  // The zone that the issuer's solver for `dns_name` writes to.
  virtual Result<std::shared_ptr<DnsZone>> zone(const api::AcmeIssuer& issuer, const std::string& dns_name,
                                                std::stop_token stop) = 0;
  virtual Result<std::shared_ptr<EdgeFleet>> fleet(const api::GenesysConnection& connection, std::stop_token stop) = 0;
  // Only where spec.heartbeat is set.
  virtual Result<std::shared_ptr<Heartbeat>> heartbeat(const api::GenesysConnection& connection,
                                                       std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
