#pragma once
// One EdgeCertificate of a run, with its Edge and its order as the model has them.
#include "edgetrust/forecast/run.hpp"

namespace edgetrust::forecast {

struct Model {
  struct Order {
    std::string url;
    TimePoint ready_at;
    bool finalized = false;
  };
  std::optional<ports::ChainFacts> installed;  // what the Edge serves
  bool in_service = true;
  TimePoint calls_end;                 // of an Edge that is out of service
  std::optional<Order> order;          // the newest
  std::map<int, ports::KeySpec> keys;  // by revision
};

// What the Edge of an observation serves at the beginning, as far as its objects tell.
std::optional<ports::ChainFacts> installed_at_first(const decide::certificate::Observation& o);

// What the members of a namespace share.
struct Shared {
  std::vector<ports::BudgetSlot> slots;
  std::map<std::string, decide::OrderLog> orders;  // by the CA's directory
};

// Does one effect to the model and to what would be observed of it.
Result<decide::certificate::Learned> act(const decide::certificate::Effect& effect, decide::certificate::Observation& o,
                                         Model& model, Shared& shared, Outside& outside);

}  // namespace edgetrust::forecast
