#pragma once
// From an Edge to the machine behind it: reads the private key that spec.ssh names, makes the driver, keeps it until
// the Edge or that Secret changes. Implemented by main/. Threads: any. Errors: kNotFound and kInvalid name what of
// spec.ssh is missing or cannot be read.
#include "edgetrust/api/edge.hpp"
#include "edgetrust/ports/edge_host.hpp"

#include <memory>

namespace edgetrust::ports {

class EdgeHosts {
 public:
  virtual ~EdgeHosts() = default;
  // Only where spec.ssh is set.
  virtual Result<std::shared_ptr<EdgeHost>> host(const api::Edge& edge, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
