#pragma once
// A dead man's switch at somebody else's: it raises the alarm when nobody pings it. Implemented by main/. Threads: any.
#include "edgetrust/base/result.hpp"

#include <stop_token>

namespace edgetrust::ports {

class Heartbeat {
 public:
  virtual ~Heartbeat() = default;
  // One GET. Its URL is a secret, so no error names it.
  virtual Status ping(std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
