#pragma once
// What an Edge's machine needs besides its pin file, before that is changed: time servers, for which an Edge that is
// out already does not wait, and the CAs of intermediaries. At most one effect a pass. Called by the engine of Edges.
// Pure. Errors: none.
#include "edgetrust/ports/edge_host.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace edgetrust::decide::pins {

// What is empty is left alone.
struct MachineWish {
  std::optional<std::vector<std::string>> time_servers;
  std::optional<std::vector<ports::CaCertificate>> anchors;  // these of ours and no others
};

namespace machine_effect {
struct SetTimeServers {
  std::vector<std::string> servers;
};
struct Trust {
  ports::CaCertificate certificate;
};
struct Distrust {
  std::string sha256;
};
}  // namespace machine_effect
using MachineEffect =
    std::variant<std::monostate, machine_effect::SetTimeServers, machine_effect::Trust, machine_effect::Distrust>;

struct MachineDecision {
  MachineEffect effect;
  // Why neither the file may be changed nor the service restarted now; empty: they may.
  std::string hindered;
};

MachineDecision prepare(const MachineWish& wish, const ports::HostState& host);

// How clock.servers differ from the time servers that the vendor's API says the Edge's site has (ntpSettings): "; …",
// to be added to what is said of the clock. Empty where either names none, or both name the same in whatever order.
std::string other_servers(const std::vector<std::string>& wanted, const std::vector<std::string>& of_site);

}  // namespace edgetrust::decide::pins
