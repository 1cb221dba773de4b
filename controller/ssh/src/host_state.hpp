#pragma once
// What the script `look` says, as data. Private to the room.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/ports/edge_host.hpp"

#include <string_view>

namespace edgetrust::ssh {

// `asked` and `answered` are the times between which the Edge told its own. Errors: kProtocol.
Result<ports::HostState> read_state(std::string_view text, TimePoint asked, TimePoint answered);
// "absent", or one of systemd's; then empty, or that. Errors: kProtocol.
Result<std::string> read_invocation(std::string_view text);

}  // namespace edgetrust::ssh
