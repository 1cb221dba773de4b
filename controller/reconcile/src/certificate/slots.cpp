#include "certificate/slots.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

// Whether the holder still says that it has the slot: asked of the API server, for it is about to lose it.
Result<bool> is_alive(const World& world, const ports::BudgetSlot& slot, std::stop_token stop) {
  const auto holder = world.certificates.read({slot.meta.ns, slot.holder->name}, std::move(stop));
  if (!holder && holder.error().kind == ErrorKind::kNotFound) return false;
  if (!holder) return tl::unexpected(holder.error());
  const auto& named = holder->status.slots;
  return holder->meta.uid == slot.holder->uid && named && std::ranges::count(named->names, slot.meta.name) > 0;
}

Status claim(const World& world, const api::ObjectKey& key, const ports::SlotHolder& me, std::stop_token stop) {
  const auto slot = world.slots.read(key, stop);
  if (!slot && slot.error().kind == ErrorKind::kNotFound) return world.slots.create(key, me, stop);
  if (!slot) return tl::unexpected(slot.error());
  if (slot->holder && slot->holder->uid != me.uid) {
    EDGETRUST_TRY_ASSIGN(const bool alive, is_alive(world, *slot, stop));
    if (alive) return fail(ErrorKind::kConflict, "EdgeCertificate " + slot->holder->name + " was faster");
  }
  return world.slots.update(*slot, me, stop);
}

}  // namespace

Status claim_slots(const World& world, const api::EdgeCertificate& object, const api::SlotsStatus& slots,
                   std::stop_token stop) {
  const ports::SlotHolder me{.uid = object.meta.uid, .revision = slots.revision, .name = object.meta.name};
  for (const auto& name : slots.names) EDGETRUST_TRY(claim(world, {object.meta.ns, name}, me, stop));
  return {};
}

Status release_slots(const World& world, const api::EdgeCertificate& object, const api::SlotsStatus& slots,
                     std::stop_token stop) {
  for (const auto& name : slots.names) {
    const auto slot = world.slots.read({object.meta.ns, name}, stop);
    if (!slot && slot.error().kind == ErrorKind::kNotFound) continue;
    if (!slot) return tl::unexpected(slot.error());
    const bool mine = slot->holder && slot->holder->uid == object.meta.uid && slot->holder->revision == slots.revision;
    if (mine) EDGETRUST_TRY(world.slots.update(*slot, std::nullopt, stop));
  }
  return {};
}

}  // namespace edgetrust::reconcile
