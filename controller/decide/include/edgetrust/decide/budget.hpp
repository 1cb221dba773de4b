#pragma once
// How much of a fleet may be changed at a time: who is rotating under a policy, whose turn is next, and when too many
// were rolled back. Called by the rules of decide/certificate and by the engine of RotationPolicies, so that what a
// policy's status says is what holds. Pure. Errors: none.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/ports/budget_slots.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::decide {

// The RotationPolicy that serves whoever names none; its defaults hold also where no such object exists.
inline constexpr std::string_view kDefaultPolicy = "default";
const std::string& policy_name(const api::EdgeCertificate& certificate);

// The reasons of those that wait for nothing but their turn, or have it and look before they begin.
inline constexpr std::string_view kWaitingForTurn = "WaitingForTurn";
inline constexpr std::string_view kLookingAtEdge = "LookingAtEdge";

// An EdgeCertificate with its Edge, which may be unknown.
struct Member {
  std::shared_ptr<const api::EdgeCertificate> certificate;
  std::shared_ptr<const api::Edge> edge;
  bool stuck = false;                                       // nobody could work on it lately: it holds up no other
  std::shared_ptr<const api::AcmeIssuer> issuer = nullptr;  // that it names; may be unknown
};
// An Edge whose pin file is changed under a RotationPolicy too: it holds the same slots, and its rollbacks count.
struct PinWork {
  std::string uid;
  std::string name;
  std::string policy;  // the RotationPolicy
  std::vector<std::string> slots;
  std::optional<TimePoint> rolled_back_at;
};
// The fleet of a namespace.
struct Fleet {
  std::vector<Member> members;
  std::vector<ports::BudgetSlot> slots;
  std::vector<PinWork> pins = {};
};

// A budget as its Leases are named: `limit` slots, one name each. Edges whose site is not known ("") share one:
// nobody knows that they are apart.
struct Pool {
  std::string name;  // for people: "RotationPolicy prod", "site new-york"
  std::string slot_prefix;
  int limit = 1;
  [[nodiscard]] std::string slot(int index) const { return slot_prefix + std::to_string(index); }
};
Pool policy_pool(const std::string& policy, int limit);
bool is_policy_slot(const std::string& slot_name);
Pool site_pool(const std::string& connection, const std::string& site, int limit);

// A delivery has begun and is not over.
bool is_rotating(const api::EdgeCertificate& certificate);
// It waits for nothing but its turn.
bool waits_for_turn(const api::EdgeCertificate& certificate, TimePoint now);

// The slots that `me` may take now, by name: one of its policy, one of its site. Empty: it is not its turn. `why` says
// what is waited for, in the same words as long as the budget is the same. Of those that wait, what expires first goes
// first; one that could not start anyway holds up nobody.
struct Turn {
  std::vector<std::string> slots;
  std::string why;
};
Turn turn_of(const api::EdgeCertificate& me, const api::Edge& edge, const Fleet& fleet,
             const api::EffectiveRotation& rotation, TimePoint now);
// The same for the pin file of an Edge: one Edge of a site at a time. Those that go `before` it take their slots first.
Turn turn_of_pins(const api::Edge& edge, const std::string& policy, const Fleet& fleet,
                  const api::EffectiveRotation& rotation, const std::vector<std::shared_ptr<const api::Edge>>& before);
// Of an Edge that is locked out: its site alone, whatever the budget of its policy and whoever else waits.
Turn turn_of_site(const api::Edge& edge, const Fleet& fleet);

// The Edges under a policy with which a new certificate or pin file went wrong since it was last resumed, within the
// longer of its spread and a week: what went wrong in another season is no reason to stop. Rolled back, being rolled
// back, or beyond that; whoever asked for it. One Edge counts once, however often it is tried.
struct Setbacks {
  int count = 0;
  std::vector<std::string> names;  // of the EdgeCertificates; of pins, "Edge edge01"
  bool halted = false;
  std::optional<TimePoint> until;  // when the first of them is forgotten
};
std::string describe(const Setbacks& found);  // "2 rollbacks (edge01, edge07)"; a few names at the most
Setbacks setbacks(const std::string& policy_name, const api::RotationPolicy* policy, const std::vector<Member>& members,
                  TimePoint now, const std::vector<PinWork>& pins = {});

}  // namespace edgetrust::decide
