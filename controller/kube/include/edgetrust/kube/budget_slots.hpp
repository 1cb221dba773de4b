#pragma once
// The slots of a rotation budget as Leases: label edgetrust.io/slot, spec.holderIdentity "<uid>/<revision>", and the
// holder's name as an annotation. Called by: Cluster. Threads: any. Errors: ApiClient's.
#include "edgetrust/kube/client.hpp"
#include "edgetrust/ports/budget_slots.hpp"

namespace edgetrust::kube {

// What a watch of the slots of one namespace selects.
Selection slot_leases(std::string ns);
// Store<ports::BudgetSlot>'s decoder. A holder that cannot be read is none of ours: the slot is as good as free.
ports::BudgetSlot decode_slot(const api::ObjectMeta& meta, const Result<json::View>& lease);

class SlotClient {
 public:
  SlotClient(ApiClient& client, const Clock& clock) : client_(client), clock_(clock) {}

  Result<ports::BudgetSlot> read(const api::ObjectKey& key, const Call& call);
  Status create(const api::ObjectKey& key, const ports::SlotHolder& holder, const Call& call);
  Status update(const ports::BudgetSlot& slot, const std::optional<ports::SlotHolder>& holder, const Call& call);

 private:
  ApiClient& client_;
  const Clock& clock_;
};

}  // namespace edgetrust::kube
