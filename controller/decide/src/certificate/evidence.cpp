#include "edgetrust/decide/certificate/evidence.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate {
namespace {

using ports::Trunk;
using ports::TrunkState;

constexpr std::size_t kMostTrunks = 32;
constexpr std::size_t kLongestName = 64;  // of a trunk, in the status

// What a witness says of something that worked before.
struct Statement {
  Answer still_works = Answer::kYes;
  std::string reason;
  bool of_certificate = false;
};

std::string name_in_status(const Trunk& trunk) { return printable(trunk.name, kLongestName); }

// RFC 3261 section 11: whoever answers is there, whatever the answer; but a server that fails, and a proxy that says
// that nobody answered it, are not.
Answer answers_options(const Evidence& evidence) {
  if (const auto& status = evidence.options_status)
    return *status == 408 || (*status >= 500 && *status < 600) ? Answer::kNo : Answer::kYes;
  return evidence.options_error ? Answer::kNo : Answer::kUnknown;
}

std::string why_no_answer(const Evidence& evidence) {
  if (evidence.options_status) return "it answers " + std::to_string(*evidence.options_status);
  return evidence.options_error ? evidence.options_error->message() : "they were not asked for";
}

Statement of_options(const Evidence& now) {
  const Answer answer = answers_options(now);
  const std::string what = answer == Answer::kNo ? "SIP OPTIONS are not answered any more: "
                                                 : "nobody can tell whether SIP OPTIONS are answered: ";
  return {.still_works = answer, .reason = what + why_no_answer(now)};
}

Statement of_peer(const PeerLook& peer) {
  const std::string what = peer.accepts == Answer::kNo
                               ? "peer " + peer.name + " cannot complete a handshake any more: "
                               : "nobody can tell whether peer " + peer.name + " can complete a handshake: ";
  return {.still_works = peer.accepts, .reason = what + peer.why, .of_certificate = true};
}

std::string title(const Trunk& trunk) {
  return "trunk " + name_in_status(trunk) + (trunk.peer.empty() ? "" : " to " + printable(trunk.peer, kLongestName));
}

// Of several with one name, one that is up is enough.
const Trunk* best_of(const std::vector<Trunk>& trunks, const std::string& name) {
  const Trunk* best = nullptr;
  for (const auto& trunk : trunks) {
    if (name_in_status(trunk) != name) continue;
    if (best == nullptr || trunk.state == TrunkState::kUp) best = &trunk;
  }
  return best;
}

Statement of_trunk(const Trunk& trunk, TimePoint since) {
  const std::string why = trunk.error.empty() ? "" : ": " + trunk.error;
  switch (trunk.state) {
    case TrunkState::kUp: return {};
    case TrunkState::kUnknown:
      return {.still_works = Answer::kUnknown, .reason = "nobody can tell whether " + title(trunk) + " is up" + why};
    case TrunkState::kDown: break;
  }
  if (!trunk.since)
    return {.still_works = Answer::kUnknown, .reason = title(trunk) + " is down, and not said since when" + why};
  // It was listed as up then: the listing was behind, or a clock is wrong. Only a change since the push is one of ours.
  if (*trunk.since < since)
    return {.still_works = Answer::kUnknown,
            .reason = title(trunk) + " is said to be down since before the push, when it was listed as up" + why};
  return {.still_works = Answer::kNo, .reason = title(trunk) + " went down" + why};
}

Statement of_trunk_named(const std::string& name, const std::vector<Trunk>& trunks, TimePoint since) {
  const Trunk* trunk = best_of(trunks, name);
  if (trunk == nullptr) return {.still_works = Answer::kUnknown, .reason = "trunk " + name + " is not listed any more"};
  return of_trunk(*trunk, since);
}

std::vector<Statement> statements(const Evidence& now, const api::Baseline& before, TimePoint since) {
  std::vector<Statement> all;
  if (before.options_answered) all.push_back(of_options(now));
  for (const auto& peer : now.peers) {
    if (std::ranges::find(before.peers, peer.name) != before.peers.end()) all.push_back(of_peer(peer));
  }
  if (!now.trunks && !before.trunks.empty()) {
    const std::string why = now.trunks_error ? now.trunks_error->message() : "they were not asked for";
    all.push_back({.still_works = Answer::kUnknown, .reason = "the trunks could not be listed: " + why});
  }
  for (const auto& name : now.trunks ? before.trunks : std::vector<std::string>{})
    all.push_back(of_trunk_named(name, *now.trunks, since));
  return all;
}

std::optional<Statement> first(Answer which, const std::vector<Statement>& all) {
  const auto found = std::ranges::find(all, which, &Statement::still_works);
  return found == all.end() ? std::nullopt : std::optional(*found);
}

// "2 up, 1 down (SBC ny)"
std::string counted(const std::vector<Trunk>& trunks) {
  int up = 0;
  int unknown = 0;
  std::vector<std::string> down;
  for (const auto& trunk : trunks) {
    up += trunk.state == TrunkState::kUp ? 1 : 0;
    unknown += trunk.state == TrunkState::kUnknown ? 1 : 0;
    if (trunk.state == TrunkState::kDown) down.push_back(name_in_status(trunk));
  }
  std::string text = std::to_string(up) + " up";
  if (!down.empty()) text += ", " + std::to_string(down.size()) + " down (" + join(down, ", ") + ")";
  return unknown == 0 ? text : text + ", " + std::to_string(unknown) + " unknown";
}

std::string counted(const std::vector<PeerLook>& peers) {
  const auto accepting = std::ranges::count(peers, Answer::kYes, &PeerLook::accepts);
  std::vector<std::string> refusing;
  std::vector<std::string> unknown;
  for (const auto& peer : peers) {
    if (peer.accepts == Answer::kNo) refusing.push_back(peer.name);
    if (peer.accepts == Answer::kUnknown) unknown.push_back(peer.name);
  }
  std::string text = std::to_string(accepting) + " accept";
  if (!refusing.empty()) text += ", refused by " + join(refusing, ", ");
  return unknown.empty() ? text : text + ", unknown: " + join(unknown, ", ");
}

}  // namespace

api::Baseline baseline_of(const Evidence& evidence) {
  api::Baseline found{.options_answered = answers_options(evidence) == Answer::kYes, .peers = {}, .trunks = {}};
  for (const auto& peer : evidence.peers) {
    if (peer.accepts == Answer::kYes) found.peers.push_back(peer.name);
  }
  for (const auto& trunk : evidence.trunks.value_or(std::vector<Trunk>{})) {
    const std::string name = name_in_status(trunk);
    const bool is_new = std::ranges::find(found.trunks, name) == found.trunks.end();
    if (trunk.state == TrunkState::kUp && is_new && found.trunks.size() < kMostTrunks) found.trunks.push_back(name);
  }
  return found;
}

std::optional<Loss> loss(const Evidence& now, const api::Baseline& before, TimePoint since) {
  auto found = first(Answer::kNo, statements(now, before, since));
  if (!found) return std::nullopt;
  return Loss{.reason = std::move(found->reason), .of_certificate = found->of_certificate};
}

std::optional<std::string> doubt(const Evidence& now, const api::Baseline& before, TimePoint since) {
  auto found = first(Answer::kUnknown, statements(now, before, since));
  return found ? std::optional(std::move(found->reason)) : std::nullopt;
}

std::string describe(const Evidence& evidence) {
  std::vector<std::string> parts;
  if (evidence.options_status) parts.push_back("OPTIONS " + std::to_string(*evidence.options_status));
  if (evidence.options_error) parts.emplace_back("OPTIONS unanswered");
  if (!evidence.peers.empty()) parts.push_back("peers: " + counted(evidence.peers));
  if (evidence.trunks && !evidence.trunks->empty()) parts.push_back("trunks: " + counted(*evidence.trunks));
  if (!evidence.trunks) parts.emplace_back("trunks not listed");
  return join(parts, "; ");
}

std::string those_who(Answer answer, const std::vector<PeerLook>& peers) {
  std::vector<std::string> found;
  for (const auto& peer : peers) {
    if (peer.accepts == answer) found.push_back(peer.name + ": " + peer.why);
  }
  return join(found, "; ");
}

}  // namespace edgetrust::decide::certificate
