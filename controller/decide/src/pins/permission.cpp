#include "edgetrust/decide/pins/permission.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/wave.hpp"

#include <algorithm>

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;

Permission wait(std::string why, std::optional<TimePoint> until = {}) {
  return {.waits_for = std::move(why), .slots = {}, .wake_at = until};
}

std::optional<Permission> wait_for_window(const PermissionSituation& s, const api::EffectiveRotation& rotation) {
  const api::Duration needed = kLongestChange + (s.is_drained ? 0s : rotation.drain_timeout.value_or(0s));
  if (const api::Freeze* freeze = freeze_at(rotation.freezes, s.now); freeze != nullptr)
    return wait("freeze " + freeze->name + (freeze->reason.empty() ? "" : " (" + freeze->reason + ")") +
                    " lasts until " + format_rfc3339(freeze->to),
                freeze->to);
  if (s.at_once || s.is_out) {
    const Slot gap = next_gap(s.now, kLongestChange, rotation.freezes);
    if (gap.opens <= s.now) return std::nullopt;
    return wait("a freeze is near: it may begin " + format_rfc3339(gap.opens), gap.opens);
  }
  const std::string zone = time_zone_of(s.edge, s.connection);
  if (zone.empty()) return wait("no time zone is known: set spec.timeZone there or on the GenesysConnection");
  const auto slot = next_slot(rotation.windows, zone, s.now, needed, rotation.freezes);
  if (!slot) return wait("RotationPolicy " + s.policy_name + ": " + slot.error().message());
  if (!*slot) return wait("no window is as long as a change may take (" + format_duration(needed) + ")");
  if ((*slot)->opens <= s.now) return std::nullopt;
  return wait("its window opens " + describe_start(**slot, zone), (*slot)->opens);
}

std::optional<TimePoint> offline_since(const api::Edge& edge) {
  const auto* online = api::find(edge.status.conditions, api::condition::kOnline);
  const bool is_offline = online != nullptr && online->status == api::Truth::kFalse;
  return is_offline ? std::optional(online->last_transition_time) : std::nullopt;
}

// What an Edge of an earlier wave has to say of the new file. One that neither answers nor is seen by the cloud can get
// none after a while. It is good for as long as it has the file and is seen by the cloud: what it is like otherwise may
// be the file's doing.
WaveEvidence evidence_of(const api::Edge& edge, const std::string& set, api::Duration soak, TimePoint now) {
  constexpr api::Duration kGoneAfter = 24h;
  const auto& pins = edge.status.pins;
  const auto offline = offline_since(edge);
  const bool is_gone = offline && pins && pins->state == api::EdgePinState::kUnreachable;
  const bool is_long_gone = is_gone && *offline + std::max(soak, kGoneAfter) <= now;
  const bool had_it = pins && pins->set == set && pins->applied_at;
  const bool is_well =
      pins && (pins->state == api::EdgePinState::kMatched || pins->state == api::EdgePinState::kUnreachable);
  const bool has_it = had_it && is_well && pins->file_sha256 == pins->matched_sha256;
  WaveEvidence evidence{.can_have = had_it || (edge.spec.ssh && !edge.meta.deleting() && !is_long_gone)};
  if (has_it && !(offline && *offline < *pins->applied_at + soak)) evidence.good = {*pins->applied_at};
  if (pins && pins->state == api::EdgePinState::kRolledBack) evidence.bad = pins->rolled_back_at;
  return evidence;
}

// What is new has to be in force on an Edge of each earlier wave for as long as that wave soaks.
std::optional<Permission> wait_for_wave(const PermissionSituation& s) {
  if (s.at_once || s.is_out || s.policy == nullptr || s.set.empty()) return std::nullopt;
  const auto& waves = s.policy->spec.waves;
  const std::size_t mine = wave_of(waves, s.edge);
  for (std::size_t wave = 0; wave < std::min(mine, waves.size()); ++wave) {
    std::vector<WaveEvidence> all;
    for (const auto& other : s.of_policy) {
      if (wave_of(waves, *other) == wave) all.push_back(evidence_of(*other, s.set, waves[wave].soak, s.now));
    }
    const WaveProof proof = proof_by(all, waves[wave].soak);
    if (proof.empty || (proof.soaked_at && *proof.soaked_at <= s.now)) continue;
    return wait("the new pins have to be in force in wave " + waves[wave].name + " for " +
                    format_duration(waves[wave].soak) + " first" + (proof.failed ? ", and were rolled back there" : ""),
                proof.soaked_at);
  }
  return std::nullopt;
}

std::optional<Permission> wait_for_edge(const PermissionSituation& s, const api::EffectiveRotation& rotation) {
  const auto& status = s.edge.status;
  const bool updates = status.software_update == "INIT" || status.software_update == "IN_PROGRESS";
  if (updates && rotation.software_update == api::SoftwareUpdateRule::kWait)
    return wait("the Edge updates its software (" + status.software_update + ")");
  if (!rotation.drain_timeout && !s.is_out && status.service_state == "OutOfService")
    return wait("the Edge is out of service: somebody has taken it out");
  return std::nullopt;
}

}  // namespace

Permission permission(const PermissionSituation& s) {
  const api::EffectiveRotation rotation = api::effective_rotation({}, s.policy != nullptr ? &s.policy->spec : nullptr);
  const Setbacks found = setbacks(s.policy_name, s.policy, s.fleet.members, s.now, s.fleet.pins);
  // A halt keeps what works as it is.
  if (found.halted && !s.is_out && !s.switches_off)
    return wait("RotationPolicy " + s.policy_name + " is halted after " + describe(found) +
                    ": find out why, then set its annotation " + std::string(api::kResumeRequestedAt) +
                    " to a new value",
                found.until);
  const auto& pins = s.edge.status.pins;
  if (!s.is_out && pins && pins->not_before && *pins->not_before > s.now)
    return wait("its calls did not end: it is tried again " + format_rfc3339(*pins->not_before), pins->not_before);
  if (auto window = wait_for_window(s, rotation)) return *window;
  if (auto wave = wait_for_wave(s)) return *wave;
  if (auto edge = wait_for_edge(s, rotation)) return *edge;
  if (s.has_turn) return {};
  Turn turn =
      s.is_out ? turn_of_site(s.edge, s.fleet) : turn_of_pins(s.edge, s.policy_name, s.fleet, rotation, s.before);
  if (turn.slots.empty()) {
    Permission later = wait(turn.why);
    later.its_turn = true;
    return later;
  }
  return {.waits_for = {}, .slots = std::move(turn.slots), .wake_at = {}};
}

TimePoint next_try(const api::Edge& edge, const api::GenesysConnection* connection,
                   const api::EffectiveRotation& rotation, TimePoint now) {
  constexpr auto kAtLeast = 10min;
  TimePoint at = now + 24h;
  const auto slot = next_slot(rotation.windows, time_zone_of(edge, connection), now, 1s, {});
  if (slot && *slot) at = std::min(at, (*slot)->opens <= now ? (*slot)->closes : (*slot)->opens);
  return std::chrono::floor<std::chrono::seconds>(std::max<TimePoint>(at, now + kAtLeast));
}

}  // namespace edgetrust::decide::pins
