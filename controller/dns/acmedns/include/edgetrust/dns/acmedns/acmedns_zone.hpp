#pragma once
// TXT values at an acme-dns server (github.com/joohoi/acme-dns), by accounts that were registered there once.
// Made by: main, for AcmeIssuer.spec.solvers[].dns01.acmeDns. Called by: reconcile, through ports::DnsZone. Threads:
// any.
//
// An account holds the two values that were written last, and nothing deletes one: `remove` does nothing, and a value
// goes when two others have come. Writing one twice would push out the other, so the server is looked at first and a
// value that is there is not written again.
// Errors: kInvalid (no account for the name; the name is no CNAME of the account's fulldomain: what to make is named),
// kUnauthorized (the account is refused), kRateLimited, kUnavailable, kTimeout, kCancelled, kProtocol; those of the
// lookup.
#include "edgetrust/dns/rest/rest.hpp"
#include "edgetrust/ports/dns_zone.hpp"

#include <functional>
#include <map>
#include <vector>

namespace edgetrust::dns {

struct AcmeDnsOptions {
  std::string host{};        // URL of the server, https
  Secret accounts{};         // what /register answers, or an object of those by the domain name that is proved
  std::string credential{};  // where they are kept, for messages
  std::vector<std::string> nameservers{};  // asked instead of the authoritative ones, "host:port"
};

class AcmeDnsZone final : public ports::DnsZone {
 public:
  // Where the aliases (CNAME) at a name end.
  using EndOfAliases = std::function<Result<std::string>(const std::string& name, std::stop_token stop)>;

  // kInvalid when an option cannot be used. `lookup` and `clock` must outlive it.
  static Result<std::unique_ptr<AcmeDnsZone>> create(AcmeDnsOptions options, std::shared_ptr<http::Transport> transport,
                                                     EndOfAliases end_of_aliases, ports::DnsLookup& lookup,
                                                     const Clock& clock);

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override;
  Status remove(const std::string& /*name*/, const std::string& /*value*/, std::stop_token /*stop*/) override {
    return {};
  }
  Result<std::string> seen_at(const std::string& name, std::stop_token stop) override;

 private:
  struct Account {
    std::string full_domain;
    std::string subdomain;
    Secret user;
    Secret key;
  };

  AcmeDnsZone(http::Url host, std::map<std::string, Account> accounts, std::vector<std::string> nameservers, Rest rest,
              EndOfAliases end_of_aliases, ports::DnsLookup& lookup)
      : host_(std::move(host)),
        accounts_(std::move(accounts)),
        nameservers_(std::move(nameservers)),
        rest_(std::move(rest)),
        end_of_aliases_(std::move(end_of_aliases)),
        lookup_(lookup) {}

  static Result<std::map<std::string, Account>> read(const Secret& text, const std::string& credential);
  [[nodiscard]] Result<const Account*> account_for(const std::string& name) const;
  [[nodiscard]] Status update(const Account& account, const std::string& value, std::stop_token stop) const;

  const http::Url host_;
  const std::map<std::string, Account> accounts_;  // by domain name; "" serves every name
  const std::vector<std::string> nameservers_;
  const Rest rest_;
  const EndOfAliases end_of_aliases_;
  ports::DnsLookup& lookup_;
};

}  // namespace edgetrust::dns
