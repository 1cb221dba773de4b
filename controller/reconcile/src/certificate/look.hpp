#pragma once
// One look at an Edge in a rotation: the status call, the port, and on a close look what else bears witness.
#include "edgetrust/decide/certificate/observation.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>

namespace edgetrust::reconcile {

// Takes 35 s at most, whatever hangs: what there was no time for is unknown. Errors: kCancelled only; what could not be
// seen is in the look.
Result<decide::certificate::EdgeLook> look_at_edge(const World& world, const decide::certificate::Observation& o,
                                                   bool closely, std::stop_token stop);

}  // namespace edgetrust::reconcile
