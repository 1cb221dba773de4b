#include "edgetrust/page/fleet.hpp"

#include "edgetrust/api/codec.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace edgetrust::page {
namespace {

using api::Phase;
using api::Truth;

Tone tone_of(api::EdgePinState state) {
  switch (state) {
    case api::EdgePinState::kMatched: return Tone::kGood;
    case api::EdgePinState::kApplying:
    case api::EdgePinState::kRestarting: return Tone::kBusy;
    case api::EdgePinState::kDrifted:
    case api::EdgePinState::kRolledBack:
    case api::EdgePinState::kUnreachable:
    case api::EdgePinState::kIntercepted:
    case api::EdgePinState::kBlocked:
    case api::EdgePinState::kRefusing: return Tone::kBad;
    case api::EdgePinState::kNotObserved: return Tone::kUnknown;
  }
  return Tone::kUnknown;
}

bool asks_for_a_person(const api::EdgeCertificateStatus& status) {
  switch (status.phase.value_or(Phase::kPending)) {
    case Phase::kAwaitingApproval:
    case Phase::kRollingBack:
    case Phase::kRolledBack:
    case Phase::kHeld:
    case Phase::kFailed: return true;
    default: return view::is_true(status.conditions, api::condition::kInfeasible);
  }
}

bool is_under_way(const api::EdgeCertificateStatus& status) {
  switch (status.phase.value_or(Phase::kReady)) {
    case Phase::kPending:
    case Phase::kIssuing:
    case Phase::kDraining:
    case Phase::kDelivering:
    case Phase::kObserving: return true;
    default: return false;
  }
}

Urgency urgency_of(const api::EdgeCertificate& certificate, const Row& row) {
  const auto& status = certificate.status;
  const bool is_short = row.life == view::Life::kUrgent || row.life == view::Life::kExpired;
  if (certificate.broken || row.certificate.stalled || asks_for_a_person(status) || is_short ||
      row.pins.tone == Tone::kBad)
    return Urgency::kAttention;
  // The first certificate is not Ready before it is proved, and an Edge that takes one restarts.
  if (is_under_way(status)) return Urgency::kUnderWay;
  if (row.certificate.ready == Truth::kFalse || row.health.tone == Tone::kBad) return Urgency::kAttention;
  if (!status.phase || status.phase == Phase::kWaiting || row.life == view::Life::kDue) return Urgency::kWaiting;
  return Urgency::kWell;
}

Row row_of(const api::EdgeCertificate& certificate, const api::Edge* edge, TimePoint now) {
  Row row{.certificate = view::row_of(certificate, edge), .health = health_of(edge), .pins = pins_of(edge)};
  const auto& [begin, end] = std::tie(row.certificate.not_before, row.certificate.not_after);
  if (begin && end) row.life = view::life(*begin, *end, row.certificate.renewal, now);
  row.urgency = urgency_of(certificate, row);
  return row;
}

Row row_of(const api::Edge& edge) {
  Row row{.certificate = {.certificate = {edge.meta.ns, {}},
                          .edge = edge.meta.name,
                          .site = std::string(api::site_of(edge)),
                          .message = "no EdgeCertificate names it"},
          .health = health_of(&edge),
          .pins = pins_of(&edge)};
  if (row.health.tone == Tone::kBad || row.pins.tone == Tone::kBad) row.urgency = Urgency::kAttention;
  return row;
}

}  // namespace

Mark health_of(const api::Edge* edge) {
  if (edge == nullptr) return {Tone::kUnknown, "no Edge", "there is no Edge of this name"};
  if (edge->broken) return {Tone::kBad, "invalid", edge->broken->message()};
  std::vector<std::string> good;
  std::vector<std::string> bad;
  std::vector<std::string> why;
  const auto judge = [&](std::string_view type, const char* if_true, const char* if_false) {
    const api::Condition* condition = api::find(edge->status.conditions, type);
    if (condition == nullptr || condition->status == Truth::kUnknown) return;
    const bool is_good = condition->status == Truth::kTrue;
    if (*(is_good ? if_true : if_false) != '\0') (is_good ? good : bad).emplace_back(is_good ? if_true : if_false);
    if (!is_good) why.push_back(condition->message);
  };
  judge(api::condition::kOnline, "online", "offline");
  judge(api::condition::kSipHealthy, "SIP up", "SIP down");
  judge(api::condition::kPeersTrustChain, "", "a peer lacks trust");
  judge(api::condition::kClockInSync, "", "clock off");
  if (view::is_true(edge->status.conditions, api::condition::kStalled)) {
    const api::Condition* stalled = api::find(edge->status.conditions, api::condition::kStalled);
    bad.push_back(stalled->reason);
    why.push_back(stalled->message);
  }
  if (!bad.empty()) return {Tone::kBad, join(bad, ", "), join(why, "; ")};
  if (edge->status.service_state == "OutOfService")
    return {Tone::kBusy, "out of service", "the Edge takes no new calls"};
  if (good.empty()) return {Tone::kUnknown, "not known", "nobody has looked at it yet"};
  return {Tone::kGood, join(good, ", "), {}};
}

Mark pins_of(const api::Edge* edge) {
  if (edge == nullptr || !edge->status.pins) return {};
  const auto& pins = *edge->status.pins;
  return {tone_of(pins.state), std::string(api::to_string(pins.state)), pins.message};
}

std::vector<Row> rows(const Sight& sight, TimePoint now) {
  std::map<api::ObjectKey, const api::Edge*> edges;
  for (const auto& edge : sight.edges) edges.emplace(edge->meta.key(), edge.get());
  std::set<api::ObjectKey> named;
  std::vector<Row> all;
  for (const auto& certificate : sight.certificates) {
    const api::ObjectKey key{certificate->meta.ns, certificate->spec.edge_ref.name};
    const auto edge = edges.find(key);
    named.insert(key);
    all.push_back(row_of(*certificate, edge == edges.end() ? nullptr : edge->second, now));
  }
  for (const auto& [key, edge] : edges) {
    if (!named.contains(key)) all.push_back(row_of(*edge));
  }
  // Two EdgeCertificates may name one Edge.
  std::ranges::sort(all, {}, [](const Row& row) {
    const auto& of = row.certificate;
    return std::tuple(row.urgency, of.not_after.value_or(TimePoint::max()), of.certificate.ns, of.edge,
                      of.certificate.name);
  });
  return all;
}

}  // namespace edgetrust::page
