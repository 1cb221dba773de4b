#include "targets.hpp"

#include "edgetrust/dns/name.hpp"
#include "edgetrust/dns/zone_cut.hpp"

namespace edgetrust::dns {
namespace {

constexpr std::uint16_t kDnsPort = 53;

bool cancelled(const Error& error) { return error.kind == ErrorKind::kCancelled; }

// Every address of a host as an endpoint. Any failure but a stop is the target's problem.
Result<Target> target_of(const net::Endpoint& server, const Resolver& resolver, const net::Wait& wait) {
  Target target{.label = server.to_string(), .endpoints = {}, .problem = {}};
  auto addresses = resolver.addresses(server.host, wait);
  if (!addresses) {
    if (cancelled(addresses.error())) return fail(std::move(addresses).error());
    target.problem = addresses.error().message();
    return target;
  }
  for (const std::string& address : prefer_routed(*std::move(addresses), server.port))
    target.endpoints.push_back({address, server.port});
  return target;
}

Result<std::vector<std::string>> name_servers(const std::string& name, const Resolver& resolver,
                                              const net::Wait& wait) {
  const auto ask = [&](const std::string& candidate) { return resolver.query(candidate, RecordType::kSoa, wait); };
  EDGETRUST_TRY_ASSIGN(const std::string zone, find_zone(name, ask));
  EDGETRUST_TRY_ASSIGN(const Message answer, resolver.query(zone, RecordType::kNs, wait));
  std::vector<std::string> servers;
  for (const Record& record : answer.answers) {
    if (record.type == RecordType::kNs && record.name == zone) servers.push_back(record.data);
  }
  std::sort(servers.begin(), servers.end());  // resolvers shuffle them
  if (servers.empty()) return fail(ErrorKind::kNotFound, "the zone " + zone + " names no name server");
  return servers;
}

// The first address of each server, then the second of each, and so on; each address once.
std::vector<Target> one_an_address(const std::vector<Target>& servers, std::size_t most) {
  std::vector<Target> targets;
  std::set<std::string> seen;
  for (std::size_t turn = 0, left = 1; left > 0 && targets.size() < most; ++turn) {
    left = 0;
    for (const Target& server : servers) {
      if (turn == 0 && server.endpoints.empty()) targets.push_back(server);
      if (turn >= server.endpoints.size()) continue;
      ++left;
      const net::Endpoint& endpoint = server.endpoints[turn];
      if (seen.insert(endpoint.to_string()).second) targets.push_back({endpoint.to_string(), {endpoint}, {}});
    }
  }
  targets.resize(std::min(targets.size(), most));
  return targets;
}

}  // namespace

Result<std::vector<Target>> given_targets(const std::vector<std::string>& servers, const Resolver& resolver,
                                          const net::Wait& wait) {
  std::vector<Target> targets;
  for (const std::string& text : servers) {
    const auto server = net::Endpoint::parse(text, kDnsPort);
    if (!server) {
      targets.push_back({.label = text, .endpoints = {}, .problem = server.error().what});
      continue;
    }
    EDGETRUST_TRY_ASSIGN(Target target, target_of(*server, resolver, wait));
    targets.push_back(std::move(target));
  }
  return targets;
}

Result<std::vector<Target>> authoritative_targets(const std::string& name, std::uint16_t port, std::size_t most,
                                                  const Resolver& resolver, const net::Wait& wait) {
  EDGETRUST_TRY_ASSIGN(const std::vector<std::string> hosts, name_servers(name, resolver, wait));
  std::vector<Target> servers;
  for (const std::string& host : hosts) {
    if (servers.size() == most) break;
    EDGETRUST_TRY_ASSIGN(Target target, target_of({host, port}, resolver, wait));
    servers.push_back(std::move(target));
  }
  return one_an_address(servers, most);
}

}  // namespace edgetrust::dns
