#pragma once
// Which servers a lookup asks. Private to the room.
#include "edgetrust/dns/resolver.hpp"

namespace edgetrust::dns {

struct Target {
  std::string label;                     // what the answer is filed under
  std::vector<net::Endpoint> endpoints;  // asked in turn until one answers
  std::string problem;                   // why there is none
};

// One target a text, in order.
Result<std::vector<Target>> given_targets(const std::vector<std::string>& servers, const Resolver& resolver,
                                          const net::Wait& wait);
// One target an address of the zone's name servers; a server without an address is a target with a problem.
Result<std::vector<Target>> authoritative_targets(const std::string& name, std::uint16_t port, std::size_t most,
                                                  const Resolver& resolver, const net::Wait& wait);

}  // namespace edgetrust::dns
