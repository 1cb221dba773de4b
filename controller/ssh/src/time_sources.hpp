#pragma once
// Time servers as a sources file of chrony's (chrony.conf(5), sourcedir), and back. Private to the room.
#include "edgetrust/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::ssh {

// Empty when there are none. kInvalid for a server that is no host name and no address.
Result<std::string> time_sources(const std::vector<std::string>& servers);
// Those of such a file; a line that is no server of ours stands for itself.
std::vector<std::string> read_time_sources(std::string_view text);

}  // namespace edgetrust::ssh
