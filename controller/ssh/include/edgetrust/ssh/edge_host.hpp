#pragma once
// ports::EdgeHost over SSH (libssh). One call is one connection: nothing is kept open to an Edge.
//
// Made by: main, from an Edge's spec.ssh. Called by: reconcile. Threads: any number of calls at once; each blocks its
// caller until it is done, a deadline passes (10 s for each step, 60 s in all, unless told otherwise) or the stop.
// Errors: as the port says; kInvalid from create() for a host key or a private key that cannot be read or is too weak.
//
// The host is the one whose key is given: there is no trust on first use, and nothing of ours is sent, not even the
// user's name, before it has proved to hold that key. Key exchange, ciphers and signatures are a short list of today's.
// What runs on the Edge is a fixed table of scripts; their arguments are hexadecimal digits and numbers, and no text of
// a user is ever part of a command line.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/net/socket.hpp"
#include "edgetrust/net/wait.hpp"
#include "edgetrust/ports/edge_host.hpp"
#include "edgetrust/ssh/session_limit.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace edgetrust::ssh {

struct Patience {
  std::chrono::milliseconds step{10'000};
  std::chrono::milliseconds whole{60'000};
};

// The addresses of a host name, tried in order; dns::Resolver::addresses in production.
using ResolveHost = std::function<Result<std::vector<std::string>>(const std::string& host, const net::Wait& wait)>;

// A TLS handshake over a connection that is there already; probe::Probe::present_over in production.
using Handshake = std::function<Result<ports::ServedChain>(const net::Socket& socket, const ports::ProbeTarget& target,
                                                           const net::Wait& wait)>;

struct HostLogin {
  std::string host;
  std::uint16_t port = 22;
  std::string user;
  Secret private_key;                  // PEM or OpenSSH's form, not encrypted
  std::vector<std::string> host_keys;  // "ssh-ed25519 AAAA…": any of them
};

// Each call waits for a place in `limit`; that counts towards no deadline. `clock` and `limit` must outlive what is
// returned.
Result<std::unique_ptr<ports::EdgeHost>> make_edge_host(HostLogin login, ResolveHost resolve, Handshake handshake,
                                                        const Clock& clock, SessionLimit& limit,
                                                        Patience patience = {});

}  // namespace edgetrust::ssh
