#pragma once
// One question to one server, and its answer. Called by: the resolver, the lookup, the providers that speak DNS.
// Threads: any number of exchanges at once; each blocks its caller until the answer, the deadline or the stop.
//
// An answer counts only if it comes from the server's address and port, has the id and the opcode asked with, and
// repeats the question (a failure, or the answer to an UPDATE, may leave the question out: RFC 2136 section 3.8). Over
// UDP anything else is ignored, for anyone can send it; over TCP it ends the exchange.
// Errors: kTimeout, kCancelled, kUnavailable (nothing there, or the connection broke), kProtocol (only answers that do
// not count). maybe_executed is set once an UPDATE was sent. Any RCODE is an answer, not an error.
#include "edgetrust/dns/message.hpp"
#include "edgetrust/net/endpoint.hpp"
#include "edgetrust/net/wait.hpp"

namespace edgetrust::dns {

struct Reply {
  std::string wire;  // as it came, for whoever verifies a signature
  Message message;
};

enum class First {
  kUdp,  // at most three sends in at most half of the time; then TCP, also when the answer was cut short (TC)
  kTcp,  // no stranger can answer; UDP only when no connection comes about in half of the time
};

// `query` is a whole message as compose() makes it; `server` is an address, not a name.
Result<Reply> exchange(const net::Endpoint& server, const std::string& query, First first, const net::Wait& wait);

}  // namespace edgetrust::dns
