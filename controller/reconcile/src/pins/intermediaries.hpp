#pragma once
// The CAs of spec.trustedIntermediaries, read.
#include "edgetrust/decide/pins/intermediary.hpp"
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>

namespace edgetrust::reconcile {

// Those whose date has not come. Errors: of the first that cannot be read; `what` names it.
Result<std::vector<decide::pins::IntermediaryCa>> read_intermediaries(const World& world, ports::ChainViewer& viewer,
                                                                      const api::PinPolicy& policy, TimePoint now,
                                                                      std::stop_token stop);

}  // namespace edgetrust::reconcile
