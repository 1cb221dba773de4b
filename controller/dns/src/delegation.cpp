#include "edgetrust/dns/delegation.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/name.hpp"
#include "edgetrust/dns/zone_cut.hpp"
#include "targets.hpp"

#include <set>

namespace edgetrust::dns {
namespace {

std::optional<std::string> alias_in(const Message& answer, const std::string& name) {
  for (const Record& record : answer.answers) {
    if (record.type == RecordType::kCname && record.name == name) return record.data;
  }
  return std::nullopt;
}

Status may_lead_into(const std::vector<std::string>& zones, const std::string& name, const std::string& target) {
  const bool allowed =
      std::ranges::any_of(zones, [&](const auto& zone) { return is_within(target, canonical_name(zone)); });
  if (allowed) return {};
  return fail(ErrorKind::kInvalid, name + " is an alias of " + shown(target) +
                                       ", which is in none of delegationZones (" + join(zones, ", ") +
                                       "): add its zone there, or change the CNAME");
}

}  // namespace

// Calls `ask` with a resolver over the servers that are to be asked, and the time that there is.
Result<std::string> Delegation::ask_with(const Ask& ask, std::stop_token stop) const {
  const net::Wait wait(clock_, options_.timeout, std::move(stop));
  if (options_.nameservers.empty()) return ask(resolver_, wait);
  EDGETRUST_TRY_ASSIGN(const auto targets,
                       given_targets(options_.nameservers, resolver_, wait.at_most(options_.timeout / 2)));
  std::vector<net::Endpoint> servers;
  std::string problem;
  for (const Target& target : targets) {
    servers.insert(servers.end(), target.endpoints.begin(), target.endpoints.end());
    if (problem.empty()) problem = target.problem;
  }
  if (servers.empty()) return fail(ErrorKind::kUnavailable, "none of propagation.nameservers can be asked: " + problem);
  return ask(Resolver(std::move(servers), {}, random_), wait);
}

Result<std::string> Delegation::zone_of(const std::string& name, std::stop_token stop) const {
  const auto find = [&](const Resolver& resolver, const net::Wait& wait) {
    return find_zone(name,
                     [&](const std::string& candidate) { return resolver.query(candidate, RecordType::kSoa, wait); });
  };
  return ask_with(find, std::move(stop));
}

Result<std::string> Delegation::follow(const std::string& name, const std::vector<std::string>* zones,
                                       std::stop_token stop) const {
  const auto walk = [&](const Resolver& resolver, const net::Wait& wait) -> Result<std::string> {
    std::string at = canonical_name(name);
    std::set<std::string> seen{at};
    for (int hop = 0; hop <= kMostAliases; ++hop) {
      EDGETRUST_TRY_ASSIGN(const Message answer, resolver.query(at, RecordType::kCname, wait));
      const auto target = alias_in(answer, at);
      if (!target) return at;
      if (zones != nullptr) EDGETRUST_TRY(may_lead_into(*zones, at, *target));
      if (!seen.insert(*target).second)
        return fail(ErrorKind::kInvalid, "the aliases at " + shown(*target) + " lead round in a circle");
      at = *target;
    }
    return fail(ErrorKind::kInvalid, "more than " + std::to_string(kMostAliases) + " aliases, one behind another");
  };
  return ask_with(walk, std::move(stop)).map_error([&](Error error) {
    return within("the alias at " + shown(canonical_name(name)), std::move(error));
  });
}

Result<std::string> Delegation::end_of_aliases(const std::string& name, std::stop_token stop) const {
  return follow(name, nullptr, std::move(stop));
}
Result<std::string> Delegation::end_of_aliases(const std::string& name, const std::vector<std::string>& zones,
                                               std::stop_token stop) const {
  return follow(name, &zones, std::move(stop));
}

}  // namespace edgetrust::dns
