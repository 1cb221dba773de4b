#pragma once
// What an Edge's machine needs besides its pin file, before that is changed: time servers, for which an Edge that is
// out already does not wait, and the CAs of intermediaries. They have nothing to do with each other. Called by the
// engine of Edges. Pure. Errors: none.
#include "edgetrust/ports/edge_host.hpp"

#include <string>
#include <variant>
#include <vector>

namespace edgetrust::decide::pins {

namespace machine_effect {
struct SetTimeServers {
  std::vector<std::string> servers;
  bool operator==(const SetTimeServers&) const = default;
};
struct Trust {
  ports::CaCertificate certificate;
  bool operator==(const Trust&) const = default;
};
struct Distrust {
  std::string sha256;
  bool operator==(const Distrust&) const = default;
};
}  // namespace machine_effect
using MachineEffect =
    std::variant<std::monostate, machine_effect::SetTimeServers, machine_effect::Trust, machine_effect::Distrust>;

struct MachineDecision {
  MachineEffect effect;
  // Why neither the file may be changed nor the service restarted now; empty: they may.
  std::string hindered;
};

// Its time servers shall be these; none: those of ours go.
MachineDecision prepare_clock(const std::vector<std::string>& servers, const ports::HostState& host);
// Of the CAs that we put there these, and no others. One whose time is over goes first: what is trusted for too long is
// worse than what is not there yet.
MachineDecision prepare_anchors(const std::vector<ports::CaCertificate>& wanted, const ports::HostState& host);

// How clock.servers differ from the time servers that the vendor's API says the Edge's site has (ntpSettings): "; …",
// to be added to what is said of the clock. Empty where either names none, or both name the same in whatever order.
std::string other_servers(const std::vector<std::string>& wanted, const std::vector<std::string>& of_site);

}  // namespace edgetrust::decide::pins
