#pragma once
// The engine of EdgeCertificates: look, decide, write down, act once.
//
// One pass: gather an Observation, ask decide(), write the status if it changed, then perform the one effect. Intention
// before effect: what a crashed operator must know is in the status before anything outside changes. Right before an
// effect that a stale cache must not cause, the object is read anew from the API server.
//
// Called by the workers of runtime, one pass a key at a time. Threads: different keys at once. Errors: an effect that
// fails is remembered and told to the rules in the next pass; only a pass that cannot even read or write the object
// reports Outcome.error.
#include "edgetrust/api/object.hpp"
#include "edgetrust/reconcile/outcome.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <memory>
#include <stop_token>

namespace edgetrust::reconcile {

class CertificateReconciler {
 public:
  explicit CertificateReconciler(const World& world);
  ~CertificateReconciler();
  CertificateReconciler(const CertificateReconciler&) = delete;
  CertificateReconciler& operator=(const CertificateReconciler&) = delete;

  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

  // Something that this object leans on changed (a Secret, its issuer, its Edge): what failed before is tried again
  // without waiting.
  void forgive(const api::ObjectKey& key);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgetrust::reconcile
