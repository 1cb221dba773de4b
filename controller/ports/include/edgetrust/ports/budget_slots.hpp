#pragma once
// The slots of a rotation budget: each is taken by one rotation at a time, whoever works on it. Implemented by kube/ as
// Leases. Threads: any.
//
// A slot that is held says who holds it and for which revision, and every claim writes it anew: a release that was
// delayed until its holder had come back for another rotation then meets another resourceVersion, and does nothing.
#include "edgetrust/api/object.hpp"
#include "edgetrust/base/result.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

struct SlotHolder {
  std::string uid;   // of an EdgeCertificate, or of an Edge whose pin file is changed
  int revision = 0;  // of an Edge: a number that tells one change from the next
  std::string name;  // of that object, for people and to look it up
  bool operator==(const SlotHolder&) const = default;
};

struct BudgetSlot {
  api::ObjectMeta meta;
  std::optional<SlotHolder> holder;
  int transitions = 0;  // how often it changed hands
};

class BudgetSlots {
 public:
  virtual ~BudgetSlots() = default;
  // From the watch cache: may be older than what was just written.
  [[nodiscard]] virtual std::vector<BudgetSlot> list(const std::string& ns) const = 0;
  // As it is now. kNotFound while nobody has ever held it.
  virtual Result<BudgetSlot> read(const api::ObjectKey& key, std::stop_token stop) = 0;
  // Holds one that nobody has ever held. kConflict when somebody was faster.
  virtual Status create(const api::ObjectKey& key, const SlotHolder& holder, std::stop_token stop) = 0;
  // Hands over what was read; without a holder it is free. kConflict when slot.meta.resource_version is not the newest.
  virtual Status update(const BudgetSlot& slot, const std::optional<SlotHolder>& holder, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
