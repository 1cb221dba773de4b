#pragma once
// A zone that is written to behind an alias: cnameStrategy Follow. The value for `_acme-challenge.edge01.example.com`
// goes where the CNAME there points, so that the credential need not be one for example.com.
// Made by: main. Called by: reconcile, through ports::DnsZone. Threads: any. Errors: those of Delegation and of the
// zone.
#include "edgetrust/dns/delegation.hpp"
#include "edgetrust/ports/dns_zone.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace edgetrust::dns {

class AliasedZone final : public ports::DnsZone {
 public:
  // An alias may lead into `zones` only.
  AliasedZone(std::shared_ptr<ports::DnsZone> zone, Delegation delegation, std::vector<std::string> zones)
      : zone_(std::move(zone)), delegation_(std::move(delegation)), zones_(std::move(zones)) {}

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override;
  // Where this process has written it, if it has: the alias may have been changed since.
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override;
  Result<std::string> seen_at(const std::string& name, std::stop_token stop) override;

 private:
  using Record = std::pair<std::string, std::string>;  // name and value

  const std::shared_ptr<ports::DnsZone> zone_;
  const Delegation delegation_;
  const std::vector<std::string> zones_;
  std::mutex mutex_;
  std::map<Record, std::string> written_;
};

}  // namespace edgetrust::dns
