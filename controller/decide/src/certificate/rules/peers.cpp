// Who dials in must accept what the Edge will present: each peer is emulated on the stored chain before the push.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;

constexpr auto kAskAgainAfter = 60s;  // ConfigMaps are not watched

// Whether what the peers said is about this revision, and about the peers that the Edge names now.
bool is_about(const std::optional<PeersLook>& told, const Observation& o, int revision) {
  return told && told->revision == revision && told->edge_generation == o.edge->meta.generation && told->at <= o.now;
}

std::string chain_of(int revision) { return "the chain of revision " + std::to_string(revision); }

Draft waiting(const Observation& o, std::string_view reason, std::string message) {
  Draft draft(o);
  draft.phase(Phase::kWaiting, std::string(reason), std::move(message)).next("waits for the peers");
  return draft;
}

// Why nothing is pushed, as far as the peers are concerned; empty: all of them would go on.
std::optional<Draft> objection(const Observation& o, int revision) {
  const auto& peers = o.peers->peers;
  if (const std::string refusing = those_who(Answer::kNo, peers); !refusing.empty()) {
    Draft draft =
        waiting(o, api::reason::kPeerDoesNotTrust,
                "nothing is pushed while a peer of Edge " + o.edge->meta.name + " would refuse " + chain_of(revision) +
                    ": " + refusing + "; load what is missing into the peer, then into its trustBundleRef");
    draft.stalled();
    return draft;
  }
  if (const std::string unknown = those_who(Answer::kUnknown, peers); !unknown.empty()) {
    return waiting(o, api::reason::kPeersNotJudged,
                   "nothing is pushed while nobody can tell whether the peers of Edge " + o.edge->meta.name +
                       " would accept " + chain_of(revision) + ": " + unknown);
  }
  return std::nullopt;
}

// What was said of the peers stays until they have answered anew.
Draft asking(const Observation& o, std::string message) {
  const auto said = api::reason_said(o.object.status.conditions);
  if (said != api::reason::kPeerDoesNotTrust && said != api::reason::kPeersNotJudged)
    return waiting(o, "AskingPeers", std::move(message));
  Draft draft(o);
  draft.unchanged();
  return draft;
}

Decision ask(const Observation& o, int revision, Draft draft) {
  if (const auto wait = wait_for(o, {effect::AskPeers::kName})) {
    return draft.phase(Phase::kWaiting, reason_of(*wait->failure), wait->failure->error.message())
        .wake(wait->until)
        .finish();
  }
  return draft.effect(effect::AskPeers{revision}).finish();
}

}  // namespace

Verdict wait_for_peers(const Observation& o, int revision, bool right_before) {
  if (o.edge->spec.sip.peers.empty()) return std::nullopt;
  if (!is_about(o.peers, o, revision)) {
    return ask(o, revision, asking(o, "asking whether the peers would accept " + chain_of(revision)));
  }
  if (const std::string refusing = those_who(Answer::kNo, o.peers->peers); !refusing.empty()) {
    if (auto given_up = fallback_not_trusted(o, revision, refusing)) return given_up;
  }
  const TimePoint again = o.peers->at + kAskAgainAfter;
  auto objected = objection(o, revision);
  if (objected && o.now < again) return objected->wake(again).finish();
  if (objected) return ask(o, revision, std::move(*objected));
  if (!right_before || o.now < again) return std::nullopt;
  return ask(o, revision, asking(o, "asking the peers once more before the push"));
}

}  // namespace edgetrust::decide::certificate::rules
