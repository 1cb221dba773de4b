#pragma once
// What the engines of PinPolicies and of Edges tell each other of pins within one process: which set is in force, what
// each Edge is presented, who waits for a turn and who has taken one. All of it may be lost at any time: a policy is
// looked at before its Edges are changed, an Edge's word counts only while it is fresh, and a slot is whose claim
// comes first. Called by: both engines and wiring. Threads: any. Errors: none.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/decide/pins/intermediary.hpp"
#include "edgetrust/decide/pins/pin_set.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::reconcile {

// What a PinPolicy accepts, as its status has it.
struct PinsInForce {
  std::string uid;  // of the policy, and its generation
  std::int64_t generation = 0;
  std::vector<decide::pins::Pin> accepted;
  std::string leaf;  // hash of the endpoint's certificate, lower-case hex; empty: nobody has seen one that counts
  decide::pins::Sight seen;  // by the operator
  std::string objection;     // why none of it may be enforced; empty: it may
  std::string no_backup;     // why nobody begins to pin by it; empty: they may
  // Empty: they cannot be read.
  std::optional<std::vector<decide::pins::IntermediaryCa>> intermediaries;
};

class PinBoard {
 public:
  // Whether each Edge should look at what it says now.
  bool post(const api::ObjectKey& policy, PinsInForce pins);
  void forget_policy(const api::ObjectKey& policy);
  // Of the policy as it is: nothing while another form of it was looked at last.
  [[nodiscard]] std::optional<PinsInForce> in_force(const api::PinPolicy& policy) const;

  // What an Edge was presented, for that policy.
  void saw(const api::ObjectKey& edge, const api::ObjectKey& policy, decide::pins::Sight sight, TimePoint at);
  void forget_edge(const api::ObjectKey& edge);
  // What Edges were presented since then, by their names.
  [[nodiscard]] std::vector<decide::pins::Sight> sights(const api::ObjectKey& policy, TimePoint since) const;

  // An Edge that waits for nothing but its turn under a RotationPolicy, and those that come before it: by name, so that
  // each of them says the same.
  void line_up(const api::ObjectKey& edge, const std::string& rotation_policy);
  void leave_line(const api::ObjectKey& edge);
  [[nodiscard]] std::vector<api::ObjectKey> before(const api::ObjectKey& edge,
                                                   const std::string& rotation_policy) const;
  // Edges take their turns one after the other: each of them sees what the one before has taken, though no cache has it
  // yet. Held by whoever decides on a turn, until it is taken.
  [[nodiscard]] std::unique_lock<std::mutex> turns() const { return std::unique_lock(turns_); }
  // The slots of the budget that an Edge is about to claim, or has; and those of the others in its namespace.
  void take(const api::ObjectKey& edge, std::vector<std::string> slots);
  void give_back(const api::ObjectKey& edge);
  [[nodiscard]] std::vector<std::string> taken_by_others(const api::ObjectKey& edge) const;
  // The first of each line of a namespace.
  [[nodiscard]] std::vector<api::ObjectKey> first_in_line(const std::string& ns) const;

 private:
  struct Seen {
    api::ObjectKey policy;
    decide::pins::Sight sight;
    TimePoint at;
  };
  mutable std::mutex mutex_;
  std::map<api::ObjectKey, PinsInForce> in_force_;
  std::map<api::ObjectKey, Seen> seen_;                       // by Edge
  std::map<api::ObjectKey, std::string> waiting_;             // by Edge: the RotationPolicy
  std::map<api::ObjectKey, std::vector<std::string>> taken_;  // by Edge
  mutable std::mutex turns_;
};

}  // namespace edgetrust::reconcile
