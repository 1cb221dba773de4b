#include "edgetrust/view/fleet.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/schedule.hpp"

namespace edgetrust::view {

bool is_true(const std::vector<api::Condition>& conditions, std::string_view type) {
  const api::Condition* found = api::find(conditions, type);
  return found != nullptr && found->status == api::Truth::kTrue;
}

FleetRow row_of(const api::EdgeCertificate& certificate, const api::Edge* edge) {
  const auto& status = certificate.status;
  FleetRow row{.certificate = certificate.meta.key(), .edge = certificate.spec.edge_ref.name};
  if (edge != nullptr) row.site = api::site_of(*edge);
  if (status.phase) row.phase = to_string(*status.phase);
  if (const api::Condition* ready = api::find(status.conditions, api::condition::kReady)) row.ready = ready->status;
  row.stalled = is_true(status.conditions, api::condition::kStalled);
  row.revision = status.revision;
  row.serial_number = status.serial_number;
  row.issuer = status.issuer;
  row.not_before = status.not_before;
  row.not_after = status.not_after;
  row.renewal = status.renewal_time;
  row.next = status.next;
  if (certificate.broken) {
    row.reason = "Invalid";
    row.message = certificate.broken->message();
  } else if (const api::Condition* said = api::said(status.conditions)) {
    row.reason = said->reason;
    row.message = said->message;
  }
  return row;
}

Life life(TimePoint not_before, TimePoint not_after, std::optional<TimePoint> renewal, TimePoint now) {
  if (now >= not_after) return Life::kExpired;
  const api::Duration before = api::effective_rotation({}, nullptr).urgent_before;
  if (now >= decide::urgent_time(not_before, not_after, before)) return Life::kUrgent;
  return renewal && now >= *renewal ? Life::kDue : Life::kGood;
}

}  // namespace edgetrust::view
