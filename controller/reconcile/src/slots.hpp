#pragma once
// Taking and giving back slots of the rotation budget, one after the other; see ports/budget_slots.hpp. Called by the
// effects of an EdgeCertificate and of the pins of an Edge, whose status names the slots before they are claimed and
// until they are free.
#include "edgetrust/decide/budget.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>

namespace edgetrust::reconcile {

// Holds all of them for `claimant` and this revision, or fails; what it holds then is given back by release_slots. A
// slot whose holder is gone, or says no more that it holds it, is taken over. kConflict: somebody else has one.
Status claim_slots(const World& world, const api::ObjectMeta& claimant, const api::SlotsStatus& slots,
                   std::stop_token stop);
// Frees those that are still held for that revision. What is held by others, or for another revision, stays.
Status release_slots(const World& world, const api::ObjectMeta& claimant, const api::SlotsStatus& slots,
                     std::stop_token stop);

// What the pins of Edges hold and count under the RotationPolicies of a namespace; from the watch cache.
std::vector<decide::PinWork> pin_work(const World& world, const std::string& ns);

}  // namespace edgetrust::reconcile
