#include "slots.hpp"

#include "edgetrust/decide/pins/goal.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

// Whether the holder still says that it has the slot: asked of the API server, for it is about to lose it. An Edge and
// its EdgeCertificate may have one name; the uid tells which of them it is.
Result<bool> is_alive(const World& world, const ports::BudgetSlot& slot, std::stop_token stop) {
  const api::ObjectKey key{slot.meta.ns, slot.holder->name};
  const auto names_it = [&](const std::optional<api::SlotsStatus>& slots) {
    return slots && std::ranges::count(slots->names, slot.meta.name) > 0;
  };
  const auto certificate = world.certificates.read(key, stop);
  if (!certificate && certificate.error().kind != ErrorKind::kNotFound) return tl::unexpected(certificate.error());
  if (certificate && certificate->meta.uid == slot.holder->uid) return names_it(certificate->status.slots);
  const auto edge = world.edges.read(key, std::move(stop));
  if (!edge && edge.error().kind != ErrorKind::kNotFound) return tl::unexpected(edge.error());
  return edge && edge->meta.uid == slot.holder->uid && edge->status.pins && names_it(edge->status.pins->slots);
}

Status claim(const World& world, const api::ObjectKey& key, const ports::SlotHolder& me, std::stop_token stop) {
  const auto slot = world.slots.read(key, stop);
  if (!slot && slot.error().kind == ErrorKind::kNotFound) return world.slots.create(key, me, stop);
  if (!slot) return tl::unexpected(slot.error());
  if (slot->holder && slot->holder->uid != me.uid) {
    EDGETRUST_TRY_ASSIGN(const bool alive, is_alive(world, *slot, stop));
    if (alive) return fail(ErrorKind::kConflict, slot->holder->name + " was faster");
  }
  return world.slots.update(*slot, me, stop);
}

}  // namespace

Status claim_slots(const World& world, const api::ObjectMeta& claimant, const api::SlotsStatus& slots,
                   std::stop_token stop) {
  const ports::SlotHolder me{.uid = claimant.uid, .revision = slots.revision, .name = claimant.name};
  for (const auto& name : slots.names) EDGETRUST_TRY(claim(world, {claimant.ns, name}, me, stop));
  return {};
}

Status release_slots(const World& world, const api::ObjectMeta& claimant, const api::SlotsStatus& slots,
                     std::stop_token stop) {
  for (const auto& name : slots.names) {
    const auto slot = world.slots.read({claimant.ns, name}, stop);
    if (!slot && slot.error().kind == ErrorKind::kNotFound) continue;
    if (!slot) return tl::unexpected(slot.error());
    const bool mine = slot->holder && slot->holder->uid == claimant.uid && slot->holder->revision == slots.revision;
    if (mine) EDGETRUST_TRY(world.slots.update(*slot, std::nullopt, stop));
  }
  return {};
}

std::vector<decide::PinWork> pin_work(const World& world, const std::string& ns) {
  std::vector<decide::PinWork> all;
  if (world.pin_policies == nullptr) return all;
  for (const auto& edge : world.edges.list(ns)) {
    const auto& pins = edge->status.pins;
    if (!pins || (!pins->slots && !pins->rolled_back_at)) continue;
    const auto policy = world.pin_policies->get({ns, pins->policy});
    all.push_back({.uid = edge->meta.uid,
                   .name = edge->meta.name,
                   .policy = decide::pins::rotation_policy_of(policy.get()),
                   .slots = pins->slots ? pins->slots->names : std::vector<std::string>{},
                   .rolled_back_at = pins->rolled_back_at});
  }
  return all;
}

}  // namespace edgetrust::reconcile
