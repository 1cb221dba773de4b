#pragma once
// What Genesys lists of all Edges of a connection, asked once for everybody: a quiet Edge costs no request of its own.
// A listing is fresh for a minute, or for 6 s for each request that it took where that is longer: the two kinds
// together cost 20 requests a minute at most, however many Edges there are. One that failed is fresh for 10 s. While
// the budget of requests is used up the last good one will do for ten minutes.
//
// Called by: the reconcilers of Edges and connections. Threads: any; who needs the same listing waits for the one that
// asks. Errors: in the listing.
#include "edgetrust/reconcile/world.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>

namespace edgetrust::reconcile {

class FleetListings {
 public:
  template <class Content>
  struct Listing {
    std::string version;  // of the connection: uid and generation
    SteadyPoint at;       // when it was begun to be asked for: it tells nothing of what came later
    std::chrono::milliseconds fresh{0};
    Result<Content> content;
  };
  using Edges = Listing<std::vector<ports::EdgeInfo>>;
  using Trunks = Listing<std::map<ports::EdgeId, std::vector<ports::Trunk>>>;  // by id in lower case

  explicit FleetListings(const World& world) : world_(world) {}

  // `old_enough`: one of that age will do, although it is no longer fresh.
  std::shared_ptr<const Edges> edges(const api::GenesysConnection& connection, std::chrono::milliseconds old_enough,
                                     std::stop_token stop);
  std::shared_ptr<const Trunks> trunks(const api::GenesysConnection& connection, std::stop_token stop);
  // The API answers this connection now: what failed until then is asked anew.
  void forgive(const api::ObjectKey& connection);
  // The connection is gone.
  void forget(const api::ObjectKey& connection);

 private:
  template <class Kept>
  struct Slot {
    std::mutex asking;
    // Guarded by `asking`.
    std::shared_ptr<const Kept> good;
    std::shared_ptr<const Kept> failed;  // since then
    std::optional<SteadyPoint> begun;    // what the budget has stopped half-way
  };
  struct Shelf {
    Slot<Edges> edges;
    Slot<Trunks> trunks;
    SteadyPoint forgiven{};  // guarded by mutex_
  };
  SteadyPoint forgiven_at(const Shelf& shelf);
  std::shared_ptr<Shelf> shelf_of(const api::ObjectKey& connection);
  template <class Kept, class Ask>
  std::shared_ptr<const Kept> get(Shelf& shelf, Slot<Kept>& slot, const api::GenesysConnection& connection,
                                  std::chrono::milliseconds old_enough, const std::stop_token& stop, const Ask& ask);

  World world_;
  std::mutex mutex_;
  std::map<api::ObjectKey, std::shared_ptr<Shelf>> shelves_;  // by connection
};

}  // namespace edgetrust::reconcile
