#pragma once
// libssh's objects, owned. Private to the room.
#include "edgetrust/base/freed.hpp"

#include <memory>

#include <libssh/libssh.h>

namespace edgetrust::ssh {

using KeyPtr = std::unique_ptr<ssh_key_struct, Freed<ssh_key_free>>;
using SessionPtr = std::unique_ptr<ssh_session_struct, Freed<ssh_free>>;
using ChannelPtr = std::unique_ptr<ssh_channel_struct, Freed<ssh_channel_free>>;

}  // namespace edgetrust::ssh
