#pragma once
// The SIP-TLS ports of all Edges, and the peer (an SBC) that looks at them. Real sockets on loopback, real handshakes.
//
// Threads: one of its own carries everything; public calls come from any other thread, and the events are called on its
// own. add_edge and catch_up wait for that thread: call them without a lock that an event takes.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace edgetrust::sim {

// How an Edge treats its peers' OPTIONS.
enum class OptionsMode { kAnswer, kFail, kFlap };  // kFlap: every second one fails

// What the SBC saw when it connected, verified the chain (against its own store, fetching nothing) and sent OPTIONS.
struct SbcView {
  bool up = false;
  std::string cause;    // why not
  bool silent = false;  // because nothing was heard at all, rather than something bad
};

struct SipEdge {
  std::string id;
  std::string host;         // for SNI on a port that several Edges share
  std::string server_name;  // what the SBC verifies
  std::uint16_t port = 0;   // 0: any free one
  bool shared = false;      // may share the port with other such Edges
};

class SipPlant {
 public:
  struct Events {
    std::function<void(const std::string& edge)> serves;  // a restart is over
    std::function<void(const std::string& edge, const SbcView& view)> seen;
  };
  static constexpr int kEdgesPerSharedPort = 100;

  // Every Edge is looked at once an interval, one at a time and never more than 20 a second, and after each change; one
  // that should answer and is silent, twice a second.
  static Result<std::unique_ptr<SipPlant>> start(std::chrono::milliseconds interval, const std::string& trust_pem,
                                                 Events events);
  virtual ~SipPlant() = default;

  // Reserves its port; nothing listens yet: a connection is refused. Gives the port.
  virtual Result<std::uint16_t> add_edge(SipEdge edge) = 0;
  virtual void remove_edge(const std::string& edge) = 0;
  // Drops all connections of the Edge, refuses new ones for that long, then serves this chain. A key that does not fit
  // makes a port that hangs up on everyone.
  virtual void serve(const std::string& edge, std::string chain_pem, Secret key_pem, OptionsMode mode,
                     std::chrono::milliseconds restart) = 0;
  virtual void stop_serving(const std::string& edge) = 0;
  virtual void set_mode(const std::string& edge, OptionsMode mode) = 0;
  // Returns when every change so far can be seen on the wire: whoever is told of one then finds no port as it was
  // before.
  virtual void catch_up() = 0;
  // Errors: kInvalid; the old store stays.
  virtual Status set_trust(const std::string& trust_pem) = 0;
};

}  // namespace edgetrust::sim
