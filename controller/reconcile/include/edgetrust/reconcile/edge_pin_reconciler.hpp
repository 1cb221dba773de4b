#pragma once
// The engine of the pins of one Edge: looks at its machine, compares, writes Edge.status.pins, and in Enforce makes the
// change that decide/pins says: one effect a pass, and what is about to be done is written before it is done. Its key
// is the Edge. Called by workers of its own (each pass may hang for as long as the deadlines of SSH let it), one pass a
// key at a time. Threads: different keys at once.
//
// An Edge that leaves Enforce, however it does, is switched off first: it and its PinPolicy have a finalizer for as
// long.
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/ports/edge_hosts.hpp"
#include "edgetrust/ports/pin_file.hpp"
#include "edgetrust/reconcile/outcome.hpp"
#include "edgetrust/reconcile/pin_board.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::reconcile {

// What it reaches beside the World.
struct EdgePinPorts {
  ports::Objects<api::PinPolicy>& policies;
  ports::ChainViewer& viewer;
  ports::EdgeHosts& hosts;
  ports::PinFiles& files;
  std::vector<std::string> namespaces;  // those that are watched
};

// How a pass over an Edge's pins stands to those over other Edges, as its status says.
runtime::Rank rank_of(const api::Edge& edge);

class EdgePinReconciler {
 public:
  EdgePinReconciler(const World& world, const EdgePinPorts& ports, PinBoard& board);
  ~EdgePinReconciler();
  EdgePinReconciler(const EdgePinReconciler&) = delete;
  EdgePinReconciler& operator=(const EdgePinReconciler&) = delete;

  Outcome reconcile(const api::ObjectKey& edge, std::stop_token stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgetrust::reconcile
