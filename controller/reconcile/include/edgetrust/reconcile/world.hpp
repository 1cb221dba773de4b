#pragma once
// Everything outside that the engine reaches: ports by reference, made and joined by main/wiring.cpp, by the
// simulation, or by a test.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/ports/backends.hpp"
#include "edgetrust/ports/budget_slots.hpp"
#include "edgetrust/ports/cluster.hpp"
#include "edgetrust/ports/leadership.hpp"
#include "edgetrust/ports/pki.hpp"
#include "edgetrust/ports/tls_probe.hpp"
#include "edgetrust/ports/web_lookup.hpp"

namespace edgetrust::reconcile {

struct World {
  const Clock& clock;
  ports::Objects<api::EdgeCertificate>& certificates;
  ports::Objects<api::Edge>& edges;
  ports::Objects<api::RotationPolicy>& policies;
  ports::Objects<api::AcmeIssuer>& issuers;
  ports::Objects<api::GenesysConnection>& connections;
  ports::Secrets& secrets;
  ports::Events& events;
  ports::Backends& backends;
  ports::DnsLookup& lookup;
  ports::TlsProbe& probe;
  ports::Pki& pki;
  ports::BudgetSlots& slots;
  std::string version = {};                                // of this program
  const ports::Leadership* leadership = nullptr;           // absent: there is no other operator
  ports::WebLookup* web = nullptr;                         // absent: nobody here gives answers to http-01
  ports::Objects<api::PinPolicy>* pin_policies = nullptr;  // absent: no Edge's pin file is changed

  // Asked right before each change of what is outside the cluster, and of Secrets; a status is guarded by its
  // resourceVersion. Errors: kCancelled.
  [[nodiscard]] Status may_change(const std::stop_token& stop) const {
    if (stop.stop_requested()) return fail(ErrorKind::kCancelled, "shutting down");
    if (leadership != nullptr && !leadership->holds())
      return fail(ErrorKind::kCancelled, "another operator may lead by now");
    return {};
  }
};

}  // namespace edgetrust::reconcile
