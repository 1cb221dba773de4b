#pragma once
// DNS as dns-01 needs it. Implemented by dns/: one folder a provider for DnsZone, one resolver for DnsLookup. Threads:
// any.
#include "edgetrust/base/result.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

// Where TXT records are written. Both calls are idempotent and touch no other value at the same name.
class DnsZone {
 public:
  virtual ~DnsZone() = default;
  // Adds one TXT value at `name` (no trailing dot).
  virtual Status present(const std::string& name, const std::string& value, std::stop_token stop) = 0;
  // Removes that one value; success when it is not there.
  virtual Status remove(const std::string& name, const std::string& value, std::stop_token stop) = 0;
  // The name that holds a value written for `name`, and that is to be looked at: another one where an alias (CNAME) is
  // followed. Errors: kInvalid when the alias there is not what the zone needs.
  virtual Result<std::string> seen_at(const std::string& name, std::stop_token /*stop*/) { return name; }
};

struct ServerAnswer {
  std::string server;  // "192.0.2.1:53"
  bool has_value = false;
  std::string problem;  // why it did not answer properly; empty when it did
};

// Asks servers directly, past any cache.
class DnsLookup {
 public:
  virtual ~DnsLookup() = default;
  // Every authoritative server of the zone that holds `name` (or exactly `servers`, "host:port", when not empty) is
  // asked for the TXT value. One answer a server, in order; a server that fails is in the list with its problem. Error
  // only when the servers cannot be found at all.
  virtual Result<std::vector<ServerAnswer>> find_txt(const std::string& name, const std::string& value,
                                                     const std::vector<std::string>& servers, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
