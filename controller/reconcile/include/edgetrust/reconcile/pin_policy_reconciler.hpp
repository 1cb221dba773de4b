#pragma once
// The engine of PinPolicies: looks at what the endpoint presents, follows its changes as decide/pins says, counts the
// Edges, and tells the engine of their pins what is in force. It reaches no Edge itself. Called by the workers of
// runtime, one pass a key at a time. Threads: different keys at once.
#include "edgetrust/decide/pins/intermediary.hpp"
#include "edgetrust/decide/pins/override.hpp"
#include "edgetrust/decide/pins/pin_set.hpp"
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/ports/pin_announcements.hpp"
#include "edgetrust/reconcile/outcome.hpp"
#include "edgetrust/reconcile/pin_board.hpp"
#include "edgetrust/reconcile/retries.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <map>
#include <mutex>

namespace edgetrust::reconcile {

// What it reaches beside the World.
struct PinPorts {
  ports::Objects<api::PinPolicy>& policies;
  ports::ChainViewer& viewer;
  ports::PinAnnouncements& announcements;
};

struct Finding;
struct PinFleet;

class PinPolicyReconciler {
 public:
  PinPolicyReconciler(const World& world, const PinPorts& ports, PinBoard& board)
      : world_(world), ports_(ports), board_(board) {}
  Outcome reconcile(const api::ObjectKey& key, std::stop_token stop);

  // What it leans on outside of Edges and its own spec has changed (its roots): the next pass looks anew.
  void look_anew(const api::ObjectKey& key);

 private:
  struct Pass;
  // What the last look has left; may be lost at any time.
  struct Look {
    std::string uid;
    std::int64_t generation = 0;
    decide::pins::Sight sight;
    std::optional<decide::pins::Announcement> announced;
    std::optional<Error> error;               // why nothing was seen
    std::optional<Error> announcement_error;  // why nothing was announced
    std::vector<api::ObservedPin> presented;
    std::string leaf_pem;  // of a chain that validates
    Result<std::vector<decide::pins::IntermediaryCa>> intermediaries;
    TimePoint again;
  };

  Outcome let_go(const Pass& pass, const std::stop_token& stop);
  [[nodiscard]] std::optional<Finding> leaving(const api::PinPolicy& policy) const;
  [[nodiscard]] std::vector<decide::pins::Sight> witnesses(const Pass& pass,
                                                           const decide::pins::Sight& from_operator) const;
  static std::optional<decide::pins::OverrideView> describe_override(Pass& pass);
  static void describe_edges(Pass& pass, const PinFleet& fleet);
  Outcome serve(Pass& pass, const std::stop_token& stop);
  std::optional<Look> remembered(const Pass& pass);
  Look look(const Pass& pass, const std::stop_token& stop);
  void present(const Pass& pass, Look& look, const std::stop_token& stop);
  void ask(const Pass& pass, Look& look, const std::stop_token& stop);
  void forget(const api::ObjectKey& key);

  World world_;
  PinPorts ports_;
  PinBoard& board_;
  Retries retries_;
  std::mutex mutex_;
  std::map<api::ObjectKey, Look> looks_;
};

}  // namespace edgetrust::reconcile
