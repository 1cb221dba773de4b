#include "edgetrust/plugin/fleet.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/table.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"
#include "text.hpp"

#include <algorithm>
#include <tuple>

namespace edgetrust::plugin {
namespace {

using api::Phase;

bool is_true(const api::EdgeCertificate& certificate, std::string_view type) {
  const api::Condition* found = api::find(certificate.status.conditions, type);
  return found != nullptr && found->status == api::Truth::kTrue;
}

FleetRow row_of(const api::EdgeCertificate& certificate) {
  const auto& status = certificate.status;
  FleetRow row{.certificate = certificate.meta.key(), .edge = certificate.spec.edge_ref.name};
  if (status.phase) row.phase = to_string(*status.phase);
  if (const api::Condition* ready = api::find(status.conditions, api::condition::kReady)) row.ready = ready->status;
  row.stalled = is_true(certificate, api::condition::kStalled);
  row.revision = status.revision;
  row.serial_number = status.serial_number;
  row.issuer = status.issuer;
  row.not_before = status.not_before;
  row.not_after = status.not_after;
  row.renewal = status.renewal_time;
  row.next = status.next;
  if (certificate.broken) {
    row.message = certificate.broken->message();
  } else if (const api::Condition* said = api::said(status.conditions)) {
    row.message = said->message;
  }
  return row;
}

Tone phase_tone(const FleetRow& row) {
  if (row.stalled || row.ready == api::Truth::kFalse) return Tone::kBad;
  if (row.phase == to_string(Phase::kReady)) return Tone::kGood;
  return row.phase == to_string(Phase::kRolledBack) ? Tone::kBad : Tone::kWarn;
}

std::string life(const FleetRow& row, TimePoint now, Style style) {
  if (!row.not_before || !row.not_after) return "-";
  const std::string text = now < *row.not_after ? describe_span(*row.not_after - now) : "expired";
  return style.paint(life_tone(*row.not_before, *row.not_after, row.renewal, now),
                     life_bar(*row.not_before, *row.not_after, now) + " " + text);
}

}  // namespace

std::vector<FleetRow> fleet(const std::vector<api::EdgeCertificate>& certificates,
                            const std::vector<api::Edge>& edges) {
  std::vector<FleetRow> rows;
  for (const auto& certificate : certificates) {
    FleetRow row = row_of(certificate);
    const auto edge = std::ranges::find_if(
        edges, [&](const api::Edge& one) { return one.meta.ns == row.certificate.ns && one.meta.name == row.edge; });
    if (edge != edges.end()) row.site = api::site_of(*edge);
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows, {}, [](const FleetRow& row) {
    return std::tuple(row.not_after.value_or(TimePoint::min()), row.certificate);
  });
  return rows;
}

std::string print(const std::vector<FleetRow>& rows, const FleetTable& table, TimePoint now, Style style) {
  if (rows.empty()) return "No EdgeCertificates found.\n";
  const auto with = [&](std::vector<std::string> cells, std::vector<std::string> wide, const std::string& ns) {
    if (table.with_namespace) cells.insert(cells.begin(), ns);
    if (table.wide) cells.insert(cells.end(), wide.begin(), wide.end());
    return cells;
  };
  std::vector<std::vector<std::string>> lines;
  for (const FleetRow& row : rows) {
    lines.push_back(with(
        {row.certificate.name, row.edge, to_text(row.ready), style.paint(phase_tone(row), or_dash(row.phase)),
         row.not_after ? format_rfc3339(*row.not_after).substr(0, 10) : "-", life(row, now, style), or_dash(row.next)},
        {or_dash(row.site), or_dash(row.issuer), or_dash(row.serial_number),
         row.revision ? std::to_string(*row.revision) : "-", or_dash(row.message)},
        row.certificate.ns));
  }
  std::string out;
  append_table(out,
               with({"NAME", "EDGE", "READY", "PHASE", "EXPIRES", "LEFT", "NEXT"},
                    {"SITE", "ISSUER", "SERIAL", "REVISION", "MESSAGE"}, "NAMESPACE"),
               lines);
  return out;
}

json::Value as_value(const std::vector<FleetRow>& rows, TimePoint now) {
  json::Value items = json::Value::array();
  for (const FleetRow& row : rows) {
    json::Value one{{"namespace", row.certificate.ns},
                    {"name", row.certificate.name},
                    {"edge", row.edge},
                    {"site", row.site},
                    {"phase", row.phase},
                    {"ready", to_text(row.ready)},
                    {"stalled", row.stalled},
                    {"serialNumber", row.serial_number},
                    {"issuer", row.issuer},
                    {"next", row.next},
                    {"message", row.message}};
    if (row.revision) one["revision"] = *row.revision;
    set_time(one, "notBefore", row.not_before);
    set_time(one, "notAfter", row.not_after);
    set_time(one, "renewalTime", row.renewal);
    if (row.not_after) {
      one["secondsLeft"] = std::chrono::floor<std::chrono::seconds>(*row.not_after - now).count();
    }
    items.push_back(std::move(one));
  }
  return {{"time", format_rfc3339(now)}, {"certificates", std::move(items)}};
}

}  // namespace edgetrust::plugin
