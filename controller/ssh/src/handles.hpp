#pragma once
// libssh's objects, owned. Private to the room.
#include <memory>

#include <libssh/libssh.h>
#include <libssh/sftp.h>

namespace edgetrust::ssh {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPtr = std::unique_ptr<ssh_key_struct, Freed<ssh_key_free>>;
using SessionPtr = std::unique_ptr<ssh_session_struct, Freed<ssh_free>>;
using ChannelPtr = std::unique_ptr<ssh_channel_struct, Freed<ssh_channel_free>>;
using SftpPtr = std::unique_ptr<sftp_session_struct, Freed<sftp_free>>;

}  // namespace edgetrust::ssh
