#pragma once
// Names to addresses, and questions to a recursive resolver, without getaddrinfo(3): that one blocks beyond any
// deadline and knows no stop token. Host names are taken as complete: the hosts table first, then DNS; the search list
// of resolv.conf is not used, and a name of one label is found in the hosts table only.
// Called by: the lookup, the providers, and main (for probe/). Threads: any.
// Errors: kNotFound (no such name, no address), kUnavailable and kTimeout (no resolver answers), kCancelled.
#include "edgetrust/base/random.hpp"
#include "edgetrust/dns/message.hpp"
#include "edgetrust/net/endpoint.hpp"
#include "edgetrust/net/wait.hpp"

#include <map>

namespace edgetrust::dns {

// The `nameserver` lines of a resolv.conf(5), at most three, on port 53. What cannot be read is left out.
std::vector<net::Endpoint> parse_resolv_conf(std::string_view text);

// Addresses by name of a hosts(5) file. What cannot be read is left out.
using HostsTable = std::map<std::string, std::vector<std::string>>;
HostsTable parse_hosts(std::string_view text);

class Resolver {
 public:
  // The servers are addresses, asked in order until one gives an answer.
  Resolver(std::vector<net::Endpoint> servers, HostsTable hosts, Random& random)
      : servers_(std::move(servers)), hosts_(std::move(hosts)), random_(random) {}

  // With recursion. NXDOMAIN is an answer; SERVFAIL and REFUSED send it on to the next server.
  Result<Message> query(const std::string& name, RecordType type, const net::Wait& wait) const;

  // IPv4 addresses before IPv6 addresses; an address is its own answer. Never empty.
  Result<std::vector<std::string>> addresses(const std::string& host, const net::Wait& wait) const;

 private:
  std::vector<net::Endpoint> servers_;
  HostsTable hosts_;
  Random& random_;
};

// Those with a route from here, if there are any; else all. (Without this a machine that has no IPv6 would fail at
// every dual-stacked server.)
std::vector<std::string> prefer_routed(std::vector<std::string> addresses, std::uint16_t port);

}  // namespace edgetrust::dns
