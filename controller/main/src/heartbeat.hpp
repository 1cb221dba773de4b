#pragma once
// A dead man's switch that is pinged by a GET of its URL (Dead Man's Snitch, Healthchecks and the like).
//
// Called by: the backends. Threads: any. Errors of ping(): kInvalid, kNotFound for an answer that says so,
// kUnavailable, kTimeout, kProtocol for another status than 2xx, kCancelled. The URL is a secret: errors say where it
// is kept, and nothing of what the transport or the other side says.
#include "edgetrust/base/secret.hpp"
#include "edgetrust/http/transport.hpp"
#include "edgetrust/ports/heartbeat.hpp"

#include <memory>
#include <string>

namespace edgetrust {

// `kept_in`: "Secret snitch key url". Errors: kInvalid unless it is an https URL to a host that may be asked.
Result<std::shared_ptr<ports::Heartbeat>> make_heartbeat(const Secret& url, std::string kept_in,
                                                         std::shared_ptr<http::Transport> transport);

}  // namespace edgetrust
