#include "edgetrust/reconcile/sighting.hpp"

#include "certificate/observe.hpp"
#include "certificate/order_book.hpp"

namespace edgetrust::reconcile {

using decide::certificate::Observation;

Sighting sight(const World& world, const std::string& ns, std::stop_token stop) {
  Sighting seen{.certificates = {}, .slots = world.slots.list(ns), .unseen = {}};
  OrderBook orders;
  const auto with_orders = [&](Observation o) -> Result<Observation> {
    if (!o.issuer || o.issuer->broken || !decide::limits_of(o.issuer->spec).any()) return o;
    EDGETRUST_TRY_ASSIGN(o.orders, orders.log(world, ns, o.issuer->spec.server, stop));
    return o;
  };
  for (const auto& object : world.certificates.list(ns)) {
    Notes notes;
    if (auto observation = observe(world, object, notes, stop).and_then(with_orders)) {
      seen.certificates.push_back(std::move(*observation));
    } else {
      seen.unseen.emplace_back(object->meta.key(), observation.error());
    }
  }
  return seen;
}

}  // namespace edgetrust::reconcile
