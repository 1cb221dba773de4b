#include "edgetrust/reconcile/fleet_listings.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFresh = 60s;
constexpr std::chrono::milliseconds kFreshForEachRequest = 6s;
constexpr std::chrono::milliseconds kFailureIsFresh =
    10s;  // who asks together fails together; who is woken later, anew
constexpr std::chrono::milliseconds kLateIsGood = 10min;
constexpr std::size_t kPage = 100;

std::size_t entities_in(const std::vector<ports::EdgeInfo>& edges) { return edges.size(); }
std::size_t entities_in(const std::map<ports::EdgeId, std::vector<ports::Trunk>>& trunks) {
  std::size_t all = 0;
  for (const auto& [edge, its] : trunks) all += its.size();
  return all;
}

template <class Content>
std::chrono::milliseconds fresh_for(const Content& content) {
  const std::size_t requests = (entities_in(content) + kPage - 1) / kPage;
  return std::max(kFresh, kFreshForEachRequest * static_cast<int>(requests));
}

}  // namespace

std::shared_ptr<FleetListings::Shelf> FleetListings::shelf_of(const api::ObjectKey& connection) {
  const std::scoped_lock lock(mutex_);
  auto& shelf = shelves_[connection];
  if (!shelf) shelf = std::make_shared<Shelf>();
  return shelf;
}

template <class Kept, class Ask>
std::shared_ptr<const Kept> FleetListings::get(Shelf& shelf, Slot<Kept>& slot, const api::GenesysConnection& connection,
                                               std::chrono::milliseconds old_enough, const std::stop_token& stop,
                                               const Ask& ask) {
  const std::string version = connection.meta.uid + "/" + std::to_string(connection.meta.generation);
  const std::scoped_lock one_asks(slot.asking);
  const SteadyPoint now = world_.clock.steady();
  const auto younger_than = [&](const std::shared_ptr<const Kept>& kept, std::chrono::milliseconds age) {
    return kept && kept->version == version && now < kept->at + age;
  };
  const auto instead_of = [&](const std::shared_ptr<const Kept>& failed) {
    const bool only_late = failed->content.error().kind == ErrorKind::kRateLimited;
    return only_late && younger_than(slot.good, kLateIsGood) ? slot.good : failed;
  };
  if (slot.good && younger_than(slot.good, std::max(slot.good->fresh, old_enough))) return slot.good;
  const bool forgiven = slot.failed && slot.failed->at <= forgiven_at(shelf);
  if (!forgiven && younger_than(slot.failed, kFailureIsFresh)) return instead_of(slot.failed);

  const auto fleet = world_.backends.fleet(connection, stop);
  auto content = fleet ? ask(**fleet) : tl::unexpected(fleet.error());
  if (content) {
    const auto fresh = fresh_for(*content);
    slot.good = std::make_shared<const Kept>(Kept{version, slot.begun.value_or(now), fresh, std::move(content)});
    slot.failed.reset();
    slot.begun.reset();
    return slot.good;
  }
  const ErrorKind kind = content.error().kind;
  auto failed = std::make_shared<const Kept>(Kept{version, now, kFailureIsFresh, std::move(content)});
  if (kind == ErrorKind::kCancelled) return failed;  // who was stopped has learned nothing for the others
  slot.failed = failed;
  slot.begun = kind == ErrorKind::kRateLimited ? slot.begun.value_or(now) : std::optional<SteadyPoint>{};
  return instead_of(failed);
}

std::shared_ptr<const FleetListings::Edges> FleetListings::edges(const api::GenesysConnection& connection,
                                                                 std::chrono::milliseconds old_enough,
                                                                 std::stop_token stop) {
  const auto shelf = shelf_of(connection.meta.key());
  return get(*shelf, shelf->edges, connection, old_enough, stop,
             [&](ports::EdgeFleet& fleet) { return fleet.edges(stop); });
}

std::shared_ptr<const FleetListings::Trunks> FleetListings::trunks(const api::GenesysConnection& connection,
                                                                   std::stop_token stop) {
  const auto shelf = shelf_of(connection.meta.key());
  return get(*shelf, shelf->trunks, connection, {}, stop,
             [&](ports::EdgeFleet& fleet) { return fleet.all_trunks(stop); });
}

void FleetListings::forgive(const api::ObjectKey& connection) {
  const auto shelf = shelf_of(connection);
  const std::scoped_lock lock(mutex_);
  shelf->forgiven = world_.clock.steady();
}

SteadyPoint FleetListings::forgiven_at(const Shelf& shelf) {
  const std::scoped_lock lock(mutex_);
  return shelf.forgiven;
}

void FleetListings::forget(const api::ObjectKey& connection) {
  const std::scoped_lock lock(mutex_);
  shelves_.erase(connection);
}

}  // namespace edgetrust::reconcile
