#pragma once
// Which of several EdgeCertificates may work on an Edge. Asked by reconcile before each decision and by main, which
// wakes those that wait when a claim changes. Pure.
#include "edgetrust/api/edge_certificate.hpp"

#include <compare>
#include <optional>
#include <string>

namespace edgetrust::api {

// A claim on an Edge; of several the smallest holds it.
struct EdgeClaim {
  std::string edge;      // by name, in the same namespace
  bool waiting = false;  // it has begun nothing on the Edge: one that has goes first, whatever its age
  TimePoint made;        // the older goes first
  std::string uid;       // and of two made in one second, the one with the smaller uid
  auto operator<=>(const EdgeClaim&) const = default;
};

// Empty for one that cannot be read, and for one that is being deleted when what it has begun on the Edge is over.
inline std::optional<EdgeClaim> claim_of(const EdgeCertificate& certificate) {
  const bool at_work = certificate.status.delivery || certificate.status.drain;
  if (certificate.broken || (certificate.meta.deleting() && !at_work)) return std::nullopt;
  return EdgeClaim{certificate.spec.edge_ref.name, !at_work, certificate.meta.creation_time.value_or(TimePoint{}),
                   certificate.meta.uid};
}

}  // namespace edgetrust::api
