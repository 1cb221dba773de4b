#include "wake.hpp"

#include "edgetrust/api/claim.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/budget.hpp"

#include <tuple>

namespace edgetrust {
namespace {

// What no status write of ours changes. Neither do our finalizers count: whoever sets one goes on by itself.
auto deeds(const api::ObjectMeta& meta) {
  return std::tie(meta.uid, meta.generation, meta.annotations, meta.deletion_time);
}

template <class Kind>
bool acted_on(const Kind* before, const Kind* after) {
  return before == nullptr || after == nullptr || deeds(before->meta) != deeds(after->meta);
}

template <class Kind>
bool is_ready(const Kind& object) {
  const auto* ready = api::find(object.status.conditions, api::condition::kReady);
  return ready != nullptr && ready->status == api::Truth::kTrue;
}

template <class Kind>
Wake of_keeper(const Kind* before, const Kind* after) {
  if (acted_on(before, after)) return {.itself = true, .dependants = Rouse::kForgive};
  if (!is_ready(*before) && is_ready(*after)) return {.itself = false, .dependants = Rouse::kForgive};
  return {};
}

// What EdgeCertificates read in the status of their Edge.
struct ReadByCertificates {
  std::string time_zone;
  std::string served;
  std::string conflict;
  std::string software_update;
  std::string service_state;
  std::string site;
  bool operator==(const ReadByCertificates&) const = default;
};
ReadByCertificates read_by_certificates(const api::EdgeStatus& status) {
  ReadByCertificates read{.time_zone = status.time_zone,
                          .served = {},
                          .conflict = {},
                          .software_update = status.software_update,
                          .service_state = status.service_state,
                          .site = status.site};
  if (status.served_certificate) read.served = status.served_certificate->fingerprint_sha256;
  const auto* stalled = api::find(status.conditions, api::condition::kStalled);
  if (stalled != nullptr && stalled->reason == "Conflict") read.conflict = stalled->message;
  return read;
}

// What a policy counts of an EdgeCertificate.
struct FleetFacts {
  std::string policy;
  bool rotating = false;
  bool rolling_back = false;
  std::string waits_for;                                   // a wave, with this variant
  std::vector<std::pair<int, api::RevisionResult>> ended;  // its history
  bool operator==(const FleetFacts&) const = default;
};
std::optional<FleetFacts> fleet_facts(const api::EdgeCertificate* certificate) {
  if (certificate == nullptr) return std::nullopt;
  const auto& status = certificate->status;
  FleetFacts found{.policy = decide::policy_name(*certificate),
                   .rotating = decide::is_rotating(*certificate),
                   .rolling_back = status.delivery && status.delivery->rolling_back_since,
                   .waits_for = status.variant,
                   .ended = {}};
  for (const auto& entry : status.history) found.ended.emplace_back(entry.revision, entry.result);
  return found;
}

// What an Edge says of its peers while they stop a push.
std::string_view stopped_by_peers(const api::EdgeCertificate* certificate) {
  const auto said = certificate != nullptr ? api::reason_said(certificate->status.conditions) : std::string_view{};
  return said == api::reason::kPeerDoesNotTrust || said == api::reason::kPeersNotJudged ? said : std::string_view{};
}

// What a connection reads of an Edge and of an EdgeCertificate.
auto counted(const api::Edge& edge) {
  return std::tuple(edge.meta.uid, edge.spec.connection_ref.name, edge.spec.edge_id, is_ready(edge));
}
auto counted(const api::EdgeCertificate& certificate) {
  const auto& status = certificate.status;
  const auto* stalled = api::find(status.conditions, api::condition::kStalled);
  return std::tuple(certificate.meta.uid, certificate.spec.edge_ref.name, certificate.meta.deletion_time, status.phase,
                    stalled != nullptr ? stalled->reason : std::string{}, status.not_after, status.renewal_time);
}
// What a PinPolicy reads of an Edge.
auto counted_for_pins(const api::Edge& edge) {
  const auto pins = edge.status.pins.value_or(api::EdgePins{});
  const auto* clock = api::find(edge.status.conditions, api::condition::kClockInSync);
  return std::tuple(edge.meta.uid, edge.meta.labels, pins.policy, pins.state, pins.message, pins.enforced,
                    pins.observed ? pins.observed->fingerprint + pins.observed->root : std::string{},
                    clock != nullptr ? clock->status : api::Truth::kUnknown);
}
template <class Kind>
bool counted_differ(const Kind* before, const Kind* after) {
  return before == nullptr || after == nullptr || counted(*before) != counted(*after);
}

}  // namespace

bool changes_fleet(const api::EdgeCertificate* before, const api::EdgeCertificate* after) {
  return fleet_facts(before) != fleet_facts(after);
}

bool leaves_turn(const api::EdgeCertificate* before, const api::EdgeCertificate* after) {
  const auto contends = [](const api::EdgeCertificate* one) {
    const auto said = one != nullptr ? api::reason_said(one->status.conditions) : std::string_view{};
    return said == decide::kWaitingForTurn || said == decide::kLookingAtEdge;
  };
  const bool begins = after != nullptr && decide::is_rotating(*after);  // then a slot wakes the others when it is free
  return contends(before) && !contends(after) && !begins;
}

Wake wake(const api::EdgeCertificate* before, const api::EdgeCertificate* after) {
  const bool makes_way = before != nullptr && (after == nullptr || api::claim_of(*before) != api::claim_of(*after));
  return {.itself = acted_on(before, after),
          .dependants = makes_way ? Rouse::kWake : Rouse::kNobody,
          .edge = stopped_by_peers(before) != stopped_by_peers(after)};
}

Wake wake(const api::Edge* before, const api::Edge* after) {
  if (acted_on(before, after)) return {.itself = true, .dependants = Rouse::kForgive};
  if (read_by_certificates(before->status) != read_by_certificates(after->status))
    return {.itself = false, .dependants = Rouse::kWake};
  return {};
}

Wake wake(const api::RotationPolicy* before, const api::RotationPolicy* after) {
  if (acted_on(before, after)) return {.itself = true, .dependants = Rouse::kForgive};
  const bool resumed = before->status.state == api::PolicyState::kHalted && before->status.state != after->status.state;
  const auto infeasible = [](const api::RotationPolicy& policy) {
    const auto* said = api::find(policy.status.conditions, api::condition::kInfeasible);
    return said == nullptr ? std::string{} : said->reason;
  };
  const bool moved = before->status.wave != after->status.wave || before->status.soaked != after->status.soaked ||
                     infeasible(*before) != infeasible(*after);
  return {.itself = false, .dependants = resumed || moved ? Rouse::kWake : Rouse::kNobody};
}

// What a CA has refused is written by whoever was refused, and taken back by the engine of issuers.
Wake wake(const api::AcmeIssuer* before, const api::AcmeIssuer* after) {
  Wake woken = of_keeper(before, after);
  const bool refused = before != nullptr && after != nullptr && after->status.last_refusal &&
                       before->status.last_refusal != after->status.last_refusal;
  woken.itself = woken.itself || refused;
  return woken;
}

Wake wake(const api::GenesysConnection* before, const api::GenesysConnection* after) {
  return of_keeper(before, after);
}

Wake wake(const api::PinPolicy* before, const api::PinPolicy* after) {
  if (acted_on(before, after)) return {.itself = true, .dependants = Rouse::kForgive};
  return {};
}

bool counts_for_pins(const api::Edge* before, const api::Edge* after) {
  return before == nullptr || after == nullptr || counted_for_pins(*before) != counted_for_pins(*after);
}
bool counts_anew(const api::Edge* before, const api::Edge* after) { return counted_differ(before, after); }
bool counts_anew(const api::EdgeCertificate* before, const api::EdgeCertificate* after) {
  return counted_differ(before, after);
}

}  // namespace edgetrust
