#pragma once
// TXT records in Azure DNS, by its REST API (2018-05-01).
// Made by: main, for AcmeIssuer.spec.solvers[].dns01.azureDns. Called by: reconcile, through ports::DnsZone. Threads:
// any.
//
// All values at a name are one resource there. It is read, changed and written under the condition that it has not
// changed meanwhile (its ETag), and read again when it has: nobody's value is lost. TTL and metadata of a set that
// exists stay.
// Errors: kInvalid (a name outside zoneName), kUnauthorized (the client is refused), kForbidden (what to grant is
// named), kNotFound (no such zone, group or subscription), kConflict (others write all the time), kRateLimited with
// Retry-After, kUnavailable, kTimeout, kCancelled, kProtocol. Error::code is Azure's own.
#include "edgetrust/dns/azuredns/login.hpp"
#include "edgetrust/dns/delegation.hpp"
#include "edgetrust/ports/dns_zone.hpp"

namespace edgetrust::dns {

// One of Azure's clouds.
struct AzureCloud {
  std::string login;       // "https://login.microsoftonline.com"
  std::string management;  // "https://management.azure.com"
};
// By the name that Azure gives it; empty is AzurePublicCloud. kInvalid for a name that is none.
Result<AzureCloud> azure_cloud(const std::string& name);

struct AzureDnsOptions {
  std::string management{};  // URL of the API
  std::string subscription{};
  std::string resource_group{};
  std::string zone{};  // empty: found by name
  AzureLoginOptions login{};
  std::string credential{};  // where the client's secret is kept, for messages
};

class AzureDnsZone final : public ports::DnsZone {
 public:
  // kInvalid when an option cannot be used. `clock` must outlive it.
  static Result<std::unique_ptr<AzureDnsZone>> create(AzureDnsOptions options,
                                                      std::shared_ptr<http::Transport> transport, FindZone find_zone,
                                                      const Clock& clock);

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override;
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override;

 private:
  enum class Change { kAdd, kRemove };

  AzureDnsZone(http::Url management, AzureDnsOptions options, Rest rest, std::unique_ptr<AzureLogin> login,
               FindZone find_zone)
      : management_(std::move(management)),
        options_(std::move(options)),
        rest_(std::move(rest)),
        login_(std::move(login)),
        find_zone_(std::move(find_zone)) {}

  [[nodiscard]] Status apply(Change change, const std::string& name, const std::string& value, std::stop_token stop);
  [[nodiscard]] Result<std::string> path_of(const std::string& name, const Until& until) const;
  // False when somebody else was faster.
  [[nodiscard]] Result<bool> try_once(Change change, const std::string& path, const std::string& value,
                                      const Until& until);
  [[nodiscard]] Result<http::Response> ask(http::Request request, const Until& until);
  [[nodiscard]] Error refusal(const http::Response& response) const;

  const http::Url management_;
  const AzureDnsOptions options_;
  const Rest rest_;
  const std::unique_ptr<AzureLogin> login_;
  const FindZone find_zone_;
};

}  // namespace edgetrust::dns
