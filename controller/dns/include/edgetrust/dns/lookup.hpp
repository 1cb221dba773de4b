#pragma once
// Do the name servers of a zone give this TXT value? What the certificate authority will ask, asked before it does.
// Called by: reconcile, through ports::DnsLookup. Threads: any; a call asks its servers side by side, on at most 16
// threads that it joins before it returns. Errors: see ports::DnsLookup; kCancelled.
//
// Found servers are asked without recursion at every address that has a route from here, and must answer with
// authority. Servers named by the caller are asked with recursion desired and may be recursive ones; one answer each.
// A name that is an alias (CNAME) is not followed: that is that server's problem.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/dns/resolver.hpp"
#include "edgetrust/ports/dns_zone.hpp"

namespace edgetrust::dns {

inline constexpr std::size_t kMostServersAsked = 16;  // of a zone with more addresses, each server's first come first

class Lookup final : public ports::DnsLookup {
 public:
  struct Options {
    std::chrono::milliseconds timeout{10'000};  // of the whole call; finding the servers takes at most half of it
    std::uint16_t port = 53;                    // of the servers that are found
  };
  Lookup(const Resolver& resolver, const Clock& clock, Random& random, Options options)
      : resolver_(resolver), clock_(clock), random_(random), options_(options) {}

  Result<std::vector<ports::ServerAnswer>> find_txt(const std::string& name, const std::string& value,
                                                    const std::vector<std::string>& servers,
                                                    std::stop_token stop) override;

 private:
  const Resolver& resolver_;
  const Clock& clock_;
  Random& random_;
  Options options_;
};

}  // namespace edgetrust::dns
