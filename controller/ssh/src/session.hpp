#pragma once
// One SSH connection, from the key exchange to its end. Private to the room. Threads: belongs to one.
#include "edgetrust/net/socket.hpp"
#include "edgetrust/ssh/edge_host.hpp"
#include "edgetrust/ssh/session_limit.hpp"
#include "handles.hpp"
#include "keys.hpp"
#include "watchdog.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace edgetrust::ssh {

inline constexpr std::size_t kMostOutput = 100'000;  // octets of a command
inline constexpr std::size_t kMostComplaint = 2'000;

struct Output {
  int status = 0;
  std::string text;
  std::string complaint;  // what it said on stderr, made printable
};

class Session {
 public:
  // Over a connected socket. Logs in once the host has proved to be one of `known`. In `place` it says whether it was
  // slow: a step ran out of time, or the way to the login took a large part of what a step may take.
  static Result<std::unique_ptr<Session>> open(net::Socket socket, SessionLimit::Place place, const HostKeys& known,
                                               const std::string& user, ssh_key key, const Clock& clock,
                                               Patience patience, std::stop_token stop);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs one of the lines of commands.hpp, which may read `input`. kProtocol when it says more than kMostOutput.
  Result<Output> run(const std::string& command, std::string_view input = {});
  // Has the host dial (RFC 4254 section 7.2, "direct-tcpip"), and hands a socket that leads there to `talk`, on a
  // thread of its own; returns when that is done with it. Success says only that the host had its connection all the
  // while. kForbidden with code kForwardingRefused, kUnavailable with code kEndpointUnreached: as
  // ports::EdgeHost::present().
  Status dial(const net::Endpoint& to, const std::function<void(const net::Socket& socket)>& talk);

 private:
  Session(net::Socket socket, SessionLimit::Place place, const Clock& clock, Patience patience, std::stop_token stop);
  void wait_at_most(std::chrono::microseconds patience);
  Status set_up(const HostKeys& known, const std::string& user);
  Status meet(const HostKeys& known);
  Status log_in(ssh_key key);
  Status carry(ssh_channel channel, const net::Socket& near);
  // The failure of the step under way.
  tl::unexpected<Error> failed(std::string_view doing) const;
  tl::unexpected<Error> not_dialled(const net::Endpoint& to) const;

  SessionLimit::Place place_;  // given up last
  const Patience patience_;
  net::Socket socket_;
  SessionPtr session_;
  Watchdog watchdog_;
};

}  // namespace edgetrust::ssh
