#pragma once
// What a fleet meets outside of the operator, as far as a forecast needs it: CA, upload, Edge. As it stands all goes
// well and nothing changes by itself; who wants to see what happens otherwise overrides it.
#include "edgetrust/base/result.hpp"
#include "edgetrust/decide/certificate/decision.hpp"
#include "edgetrust/decide/certificate/observation.hpp"

namespace edgetrust::forecast {

class Outside {
 public:
  using Observation = decide::certificate::Observation;

  Outside() = default;
  virtual ~Outside() = default;
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

  // An order is asked for. When its certificate will be there, or why there is no order.
  virtual Result<TimePoint> order(const Observation& o, const ports::OrderRequest& request);
  // The certificate of a revision, issued now: like the one before it, its lifetime too; without one, 90 days under an
  // unknown root. Names, key, serial number and fingerprint are filled in by whoever asks.
  virtual ports::ChainFacts certificate(const Observation& o);
  // The Edge is taken out of service. When its last call ends.
  virtual TimePoint calls_end(const Observation& o);
  // The Edge installs it with this, or does not.
  virtual Status upload(const Observation& o, const ports::ChainFacts& chain);
  // The status call while this leaf is installed; nullptr: none is known. As the Edge's object says it was seen last.
  virtual Result<ports::EdgeHealth> health(const Observation& o, const ports::ChainFacts* installed);
};

}  // namespace edgetrust::forecast
