#pragma once
// Whose machine it is. One Edge object at a time writes to a machine, and one that has put a file that pins on a
// machine does not turn to another before somebody has seen to that file: nobody would follow the endpoint for it.
// Called by the engine of Edges. Pure. Errors: none.
#include "edgetrust/api/edge.hpp"
#include "edgetrust/ports/edge_host.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace edgetrust::decide::pins {

// Host and port of spec.ssh, "10.0.0.5:22"; empty without it.
std::string machine_of(const api::Edge& edge);

// The other Edge object, "voice/edge01", that goes first on the machine of this one: that which has a pin file there,
// else the older. Empty: this one does. `writes`: whether an Edge is about to write to its machine.
std::string goes_first(const api::Edge& edge, const std::vector<std::shared_ptr<const api::Edge>>& all,
                       const std::function<bool(const api::Edge&)>& writes);

// A file that pins is on another machine than the one that spec.ssh names.
bool has_moved(const api::Edge& edge);
// Whether the machine that spec.ssh names now is that one under another address: it has the very file.
bool is_the_same(const api::EdgePins& known, const ports::HostState& now);
// Whether a person has said by annotation that the file on the machine it has left is seen to.
bool is_forgotten(const api::Edge& edge);

}  // namespace edgetrust::decide::pins
