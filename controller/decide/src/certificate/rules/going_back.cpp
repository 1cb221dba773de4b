// A rollback that a person asks for while no delivery is under way. One that is, is watched by delivery.cpp.
#include "certificate/rules/rules.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using api::Phase;

Decision impossible(const Observation& o) {
  Draft draft(o);
  mark_handled(draft.status(), o, api::kRollbackRequestedAt);
  return draft
      .phase(o.object.status.phase.value_or(Phase::kPending), "RollbackImpossible",
             "a rollback was asked for, and no earlier certificate is stored that could be put back")
      .announce(true, "RollbackImpossible", "no earlier certificate is stored that could be put back")
      .wake(o.now)
      .finish();
}

}  // namespace

Verdict rollback_asked_for(const Observation& o) {
  if (!is_requested(o, api::kRollbackRequestedAt)) return std::nullopt;
  const auto serving = o.object.status.revision;
  const auto back = serving && o.connection->spec.certificate_upload ? previous(o, *serving) : std::nullopt;
  if (!back) return impossible(o);
  const TimePoint now = std::chrono::floor<std::chrono::seconds>(o.now);
  api::DeliveryStatus delivery{
      .revision = *serving, .port_answered = o.look && o.look->served, .started_at = now, .installed_at = now};
  // A look comes first: it proves that the Edge can be reached, and that this is still to be done.
  return going_back(o, std::move(delivery), *back, "asked for by annotation").effect(effect::LookAtEdge{}).finish();
}

Draft going_back(const Observation& o, api::DeliveryStatus delivery, int back, const std::string& why) {
  const std::string message = "putting revision " + std::to_string(back) + " back: " + why;
  delivery.fallback = back;
  delivery.rolling_back_since = std::chrono::floor<std::chrono::seconds>(o.now);
  delivery.verdict = why;
  Draft draft(o);
  draft.status().delivery = std::move(delivery);
  mark_handled(draft.status(), o, api::kRollbackRequestedAt);
  draft.phase(Phase::kRollingBack, "RollingBack", message)
      .next("puts revision " + std::to_string(back) + " back")
      .announce(true, "RollingBack", with_evidence(message, draft.status().delivery->evidence));
  return draft;
}

}  // namespace edgetrust::decide::certificate::rules
