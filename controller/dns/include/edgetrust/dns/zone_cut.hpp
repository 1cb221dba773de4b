#pragma once
// In which zone does a name lie? Asked as RFC 2308 section 2 allows: the SOA record of the zone comes with the answer
// for its apex, and with every "no such name" below it; a server that leaves it out is asked again one label higher.
// Called by: the lookup (through a resolver), the providers (at the zone's own server). Threads: pure but for `ask`.
// Errors: those of `ask`; kUnavailable for SERVFAIL; kNotFound when no zone holds the name there.
#include "edgetrust/dns/message.hpp"

#include <functional>

namespace edgetrust::dns {

// Asks for the SOA record of a name.
using AskSoa = std::function<Result<Message>(const std::string& name)>;

// The zone's name. The root is never an answer: no challenge lies in it.
Result<std::string> find_zone(const std::string& name, const AskSoa& ask);
// The same at a server that must be authoritative: what it says without authority is no answer, and a referral to
// other servers is kNotFound and names the zone that is delegated away.
Result<std::string> find_own_zone(const std::string& name, const AskSoa& ask);

}  // namespace edgetrust::dns
