#pragma once
// What the CA makes an order wait for, asked of an observation: it has said so itself, or one of its limits is used up.
// Pure.
#include "edgetrust/decide/certificate/observation.hpp"

namespace edgetrust::decide::certificate {

// The order of a revision as it will be recorded, but for its time.
OrderRecord order_of(const Observation& o, int revision);
// Why the next order has to wait; empty: it may be made now, or nothing is known that holds it up. Of those that wait
// for the same server, what expires first goes first.
std::optional<OrderWait> wait_for_ca(const Observation& o);

}  // namespace edgetrust::decide::certificate
