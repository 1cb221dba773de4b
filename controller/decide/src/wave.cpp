#include "edgetrust/decide/wave.hpp"

#include "certificate/questions.hpp"
#include "edgetrust/api/conditions.hpp"

#include <algorithm>
#include <set>

namespace edgetrust::decide {
namespace {

using api::Phase;
using api::RevisionResult;

constexpr api::Duration kShortestRest = std::chrono::hours{24};  // between two early renewals, however short the soak
constexpr std::ptrdiff_t kMostSoaked = 32;                       // the oldest is forgotten: it soaks once more

bool was_good(RevisionResult result) {
  return result == RevisionResult::kActive || result == RevisionResult::kSuperseded;
}
bool was_bad(RevisionResult result) {
  return result == RevisionResult::kRolledBack || result == RevisionResult::kRejected;
}

bool belongs(const Member& member, const std::string& policy, const std::vector<api::Wave>& waves, std::size_t wave) {
  return member.edge && policy_name(*member.certificate) == policy && wave_of(waves, *member.edge) == wave;
}

bool has_soaked(const api::RotationPolicy& policy, const std::string& variant) {
  return std::ranges::count(policy.status.soaked, variant) > 0;
}

// The last time at which one of its revisions came to an end of this kind.
template <class Which>
std::optional<TimePoint> last(const api::EdgeCertificate& certificate, Which which) {
  std::optional<TimePoint> found;
  for (const auto& entry : certificate.status.history) {
    if (entry.at && which(entry) && (!found || *entry.at > *found)) found = entry.at;
  }
  return found;
}

// Something is being done about its certificate already, and goes on by itself.
bool is_on_its_way(const api::EdgeCertificate& certificate) {
  const auto& status = certificate.status;
  if (api::find(status.conditions, api::condition::kStalled) != nullptr) return false;
  switch (status.phase.value_or(Phase::kPending)) {
    case Phase::kIssuing:
    case Phase::kWaiting:
    case Phase::kAwaitingApproval:
    case Phase::kDraining:
    case Phase::kDelivering:
    case Phase::kObserving:
    case Phase::kRollingBack: return true;
    case Phase::kPending:
    case Phase::kReady:
    case Phase::kRolledBack:
    case Phase::kHeld:
    case Phase::kFailed: return false;
  }
  return false;
}

std::string key_text(const ports::KeySpec& key) {
  return (key.algorithm == ports::KeyAlgorithm::kRsa ? "RSA-" : "ECDSA-") + std::to_string(key.size);
}

// Whether its next certificate can be of this variant: the same issuer and the same kind of key. What somebody else
// renews comes when it comes; nobody can be made to wait for that.
bool can_have(const api::EdgeCertificateSpec& spec, const std::string& variant) {
  return spec.issuer_ref && variant.starts_with(spec.issuer_ref->name + "/") &&
         variant.find("/" + key_text(certificate::wanted_key(spec)) + "/") != std::string::npos;
}

// What those that wait for a wave wait for.
std::set<std::string> waited_for(const std::string& policy, const std::vector<Member>& members) {
  std::set<std::string> variants;
  for (const Member& member : members) {
    const auto& status = member.certificate->status;
    if (!status.variant.empty() && policy_name(*member.certificate) == policy) variants.insert(status.variant);
  }
  return variants;
}

}  // namespace

std::string variant_of(const api::EdgeCertificateSpec& spec, const ports::ChainFacts& chain,
                       const std::string& operator_version) {
  return (spec.issuer_ref ? spec.issuer_ref->name : "source") + "/" + (chain.root.empty() ? chain.issuer : chain.root) +
         "/" + key_text(chain.key) + "/" + operator_version;
}

std::size_t wave_of(const std::vector<api::Wave>& waves, const api::Edge& edge) {
  const auto found = std::ranges::find_if(
      waves, [&](const api::Wave& wave) { return api::fits(wave.edge_selector, edge.meta.labels); });
  return static_cast<std::size_t>(found - waves.begin());
}

WaveProof proof_by(const std::vector<WaveEvidence>& evidence, api::Duration soak) {
  WaveProof proof;
  std::optional<TimePoint> bad;
  for (const auto& one : evidence) {
    if (one.can_have) proof.empty = false;
    bad = std::max(bad, one.bad);
  }
  for (const auto& one : evidence) {
    for (const TimePoint since : one.good) {
      if (bad && since <= *bad) continue;
      proof.soaked_at = std::min(proof.soaked_at.value_or(since + soak), since + soak);
    }
  }
  proof.failed = bad && !proof.soaked_at;
  return proof;
}

WaveProof proof_of(const std::string& variant, const std::string& policy, const std::vector<api::Wave>& waves,
                   std::size_t wave, const std::vector<Member>& members) {
  std::vector<WaveEvidence> all;
  for (const Member& member : members) {
    if (!belongs(member, policy, waves, wave)) continue;
    WaveEvidence evidence{.can_have = can_have(member.certificate->spec, variant)};
    for (const auto& entry : member.certificate->status.history) {
      if (entry.variant != variant || !entry.at) continue;
      // What was never delivered, or only begun, is no proof.
      if (was_good(entry.result) && entry.live_since) evidence.good.push_back(*entry.live_since);
      if (was_bad(entry.result)) evidence.bad = std::max(evidence.bad.value_or(*entry.at), *entry.at);
    }
    evidence.can_have = evidence.can_have || !evidence.good.empty();
    all.push_back(std::move(evidence));
  }
  return proof_by(all, waves[wave].soak);
}

std::optional<WaveWait> wave_to_wait_for(const std::string& variant, std::size_t before,
                                         const api::RotationPolicy& policy, const std::vector<Member>& members,
                                         TimePoint now) {
  if (has_soaked(policy, variant)) return std::nullopt;
  const auto& waves = policy.spec.waves;
  for (std::size_t wave = 0; wave < std::min(before, waves.size()); ++wave) {
    const WaveProof proof = proof_of(variant, policy.meta.name, waves, wave, members);
    if (proof.empty || (proof.soaked_at && *proof.soaked_at <= now)) continue;
    return WaveWait{wave, proof.soaked_at};
  }
  return std::nullopt;
}

std::optional<std::string> wanted_early(const api::EdgeCertificate& me, const api::Edge& edge,
                                        const api::RotationPolicy& policy, const std::vector<Member>& members,
                                        TimePoint now) {
  const auto& waves = policy.spec.waves;
  const std::size_t mine = wave_of(waves, edge);
  if (mine >= waves.size() || me.status.phase != Phase::kReady || !me.status.renewal_time) return std::nullopt;
  const api::Duration soak = std::max<api::Duration>(waves[mine].soak, kShortestRest);
  for (const auto& variant : waited_for(policy.meta.name, members)) {
    const auto wait = wave_to_wait_for(variant, waves.size(), policy, members, now);
    if (!wait || wait->wave != mine) continue;
    const WaveProof proof = proof_of(variant, policy.meta.name, waves, mine, members);
    if (proof.soaked_at || proof.failed) continue;  // it soaks, or a person has to look
    const api::EdgeCertificate* first = nullptr;
    const bool comes_by_itself = std::ranges::any_of(members, [&](const Member& member) {
      if (!belongs(member, policy.meta.name, waves, mine)) return false;
      const auto& other = *member.certificate;
      if (!can_have(other.spec, variant)) return false;
      const auto& renewal = other.status.renewal_time;
      const auto ended = last(other, [](const auto& /*any*/) { return true; });
      if (is_on_its_way(other) || (renewal && *renewal <= now + soak)) return true;
      // What was renewed a moment ago and is of another variant would be so again.
      const bool may = renewal && other.status.phase == Phase::kReady && (!ended || *ended + soak <= now);
      const auto place = [](const api::EdgeCertificate& one) {
        return std::pair(*one.status.renewal_time, one.meta.uid);
      };
      if (may && (first == nullptr || place(other) < place(*first))) first = &other;
      return false;
    });
    if (!comes_by_itself && first != nullptr && first->meta.uid == me.meta.uid)
      return "the next wave waits for " + variant + " to soak in wave " + waves[mine].name;
  }
  return std::nullopt;
}

WaveReport report_waves(const api::RotationPolicy& policy, const std::vector<Member>& members, TimePoint now) {
  const auto& waves = policy.spec.waves;
  if (waves.empty()) return {};
  const std::set<std::string> waiting = waited_for(policy.meta.name, members);
  std::set<std::string> live;
  // The last wave guards only Edges that are in no wave at all.
  std::size_t guards = waves.size() - 1;
  for (const Member& member : members) {
    if (policy_name(*member.certificate) != policy.meta.name || !member.edge) continue;
    if (wave_of(waves, *member.edge) == waves.size()) guards = waves.size();
    for (const auto& entry : member.certificate->status.history) {
      if (was_good(entry.result) && entry.live_since && !entry.variant.empty()) live.insert(entry.variant);
    }
  }
  WaveReport report{.soaked = policy.status.soaked, .wave = {}, .next = {}};
  std::set<std::string> known = live;
  known.insert(waiting.begin(), waiting.end());
  std::size_t first = waves.size();
  for (const auto& variant : known) {
    if (has_soaked(policy, variant)) continue;
    const auto wait = wave_to_wait_for(variant, guards, policy, members, now);
    if (!wait && live.contains(variant)) report.soaked.push_back(variant);
    if (!wait) continue;
    if (wait->until) report.next = std::min(report.next.value_or(*wait->until), *wait->until);
    if (waiting.contains(variant)) first = std::min(first, wait->wave);
  }
  if (first < waves.size()) report.wave = waves[first].name;
  if (std::ssize(report.soaked) > kMostSoaked)
    report.soaked.erase(report.soaked.begin(), report.soaked.end() - kMostSoaked);
  return report;
}

}  // namespace edgetrust::decide
