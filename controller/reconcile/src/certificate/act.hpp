#pragma once
// Performs one effect.
#include "certificate/notebook.hpp"
#include "certificate/order_book.hpp"
#include "edgetrust/decide/certificate/decision.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>

namespace edgetrust::reconcile {

// `o` is what the decision was made on, its status as it was written then.
Result<decide::certificate::Learned> act(const World& world, const decide::certificate::Effect& effect,
                                         const decide::certificate::Observation& o, Notes& notes, OrderBook& orders,
                                         std::stop_token stop);

}  // namespace edgetrust::reconcile
