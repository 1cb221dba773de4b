#include "edgetrust/plugin/fleet.hpp"

#include "edgetrust/api/codec.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/view/document.hpp"
#include "text.hpp"

#include <algorithm>
#include <tuple>

namespace edgetrust::plugin {
namespace {

using api::Phase;

Tone phase_tone(const FleetRow& row) {
  if (row.stalled || row.ready == api::Truth::kFalse) return Tone::kBad;
  if (row.phase == to_string(Phase::kReady)) return Tone::kGood;
  return row.phase == to_string(Phase::kRolledBack) ? Tone::kBad : Tone::kWarn;
}

Cell life(const FleetRow& row, TimePoint now, Style style) {
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
    const auto edge = std::ranges::find_if(edges, [&](const api::Edge& one) {
      return one.meta.ns == certificate.meta.ns && one.meta.name == certificate.spec.edge_ref.name;
    });
    rows.push_back(view::row_of(certificate, edge == edges.end() ? nullptr : &*edge));
  }
  std::ranges::sort(rows, {}, [](const FleetRow& row) {
    return std::tuple(row.not_after.value_or(TimePoint::min()), row.certificate);
  });
  return rows;
}

std::string print(const std::vector<FleetRow>& rows, const FleetTable& table, TimePoint now, Style style) {
  if (rows.empty()) return "No EdgeCertificates found.\n";
  const auto with = [&](Row cells, const Row& wide, const std::string& ns) {
    if (table.with_namespace) cells.insert(cells.begin(), ns);
    return widened(std::move(cells), table.wide, wide);
  };
  std::vector<Row> lines;
  lines.reserve(rows.size());
  for (const FleetRow& row : rows) {
    lines.push_back(with(
        {row.certificate.name, row.edge, api::to_string(row.ready), style.paint(phase_tone(row), or_dash(row.phase)),
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
    json::Value one = view::as_value(row);
    if (row.not_after) {
      one["secondsLeft"] = std::chrono::floor<std::chrono::seconds>(*row.not_after - now).count();
    }
    items.push_back(std::move(one));
  }
  return {{"time", format_rfc3339(now)}, {"certificates", std::move(items)}};
}

}  // namespace edgetrust::plugin
