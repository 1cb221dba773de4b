#include "edgetrust/decide/pins/machine.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <set>

namespace edgetrust::decide::pins {

using ports::TimeService;

// Where ntpd runs its own servers keep the clock, and what it says of it is judged like chrony's word.
MachineDecision prepare_clock(const std::vector<std::string>& servers, const ports::HostState& host) {
  if (host.time_servers != servers && (servers.empty() || host.time_servers_trouble.empty()))
    return {machine_effect::SetTimeServers{servers}, "the time servers are put into chrony"};
  if (servers.empty()) return {};
  if (host.time_service == TimeService::kNtpd)
    return {{}, host.clock_synchronised ? "" : "ntpd, which runs there instead of chrony, is not in sync"};
  if (!host.time_servers_trouble.empty()) return {{}, "clock.servers cannot be served: " + host.time_servers_trouble};
  return {{}, host.clock_synchronised ? "" : "chrony is not in sync with clock.servers yet"};
}

MachineDecision prepare_anchors(const std::vector<ports::CaCertificate>& wanted, const ports::HostState& host) {
  const auto is_wanted = [&](const ports::HostAnchor& anchor) {
    return std::ranges::find(wanted, anchor.sha256, &ports::CaCertificate::sha256) != wanted.end();
  };
  const auto surplus = std::ranges::find_if_not(host.anchors, is_wanted);
  if (surplus != host.anchors.end())
    return {machine_effect::Distrust{surplus->sha256}, "a CA whose time is over is taken out of the trust store"};
  for (const auto& certificate : wanted) {
    const ports::HostAnchor there{.sha256 = certificate.sha256, .in_force = true};
    if (std::ranges::find(host.anchors, there) != host.anchors.end()) continue;
    if (!host.anchors_trouble.empty()) return {{}, "trustedIntermediaries cannot be served: " + host.anchors_trouble};
    return {machine_effect::Trust{certificate}, "the CA of a trusted intermediary is put into the trust store"};
  }
  return {};
}

std::string other_servers(const std::vector<std::string>& wanted, const std::vector<std::string>& of_site) {
  const auto names = [](const std::vector<std::string>& servers) {
    std::set<std::string> all;
    for (const auto& server : servers) all.insert(lower(server));
    return all;
  };
  if (wanted.empty() || of_site.empty() || names(wanted) == names(of_site)) return {};
  return "; clock.servers are " + join(wanted, ", ") + ", and ntpSettings of its site in Genesys " +
         join(of_site, ", ");
}

}  // namespace edgetrust::decide::pins
