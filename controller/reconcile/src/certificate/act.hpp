#pragma once
// Performs one effect and puts what came of it into the notes.
#include "certificate/notebook.hpp"
#include "edgetrust/decide/certificate/decision.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>

namespace edgetrust::reconcile {

// `o` is what the decision was made on; `object` the same with the status as it was just written.
Status act(const World& world, const decide::certificate::Effect& effect, const decide::certificate::Observation& o,
           std::shared_ptr<const api::EdgeCertificate> object, Notes& notes, std::stop_token stop);

}  // namespace edgetrust::reconcile
