#pragma once
// `report`: what was changed on Edges in a stretch of time: who, under which change, the old serial number and the new,
// what was seen, how it ended. Pure. It reads the histories of the EdgeCertificates, of ten revisions each, or an audit
// log (audit/chain.hpp), which has each step.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/json/value_fwd.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::plugin {

struct ReportLine {
  TimePoint at;
  api::ObjectKey certificate;
  std::string edge;
  int revision = 0;
  std::string result;  // Active, Superseded, RolledBack, Rejected, Adopted; of an audit log the action
  std::string change;
  std::string approved_by;
  std::string old_serial;  // of the revision that was live before; empty: none is known
  std::string new_serial;
  std::string evidence;
  std::string message;
  std::string trace_id;  // as in the operator's log and in the Events; empty: of no rotation
};

// What ended in [from, to), in the order of time.
std::vector<ReportLine> report(const std::vector<api::EdgeCertificate>& certificates, TimePoint from, TimePoint to);

struct AuditLog {
  std::string name;
  std::string text;
};
struct AuditReport {
  std::vector<ReportLine> lines;
  std::vector<std::string> troubles;  // where a chain does not hold, or does not begin: "audit.log, line 3: …"
};
// The same of the texts of audit logs, in the order in which they were written: each goes on with the chain of the one
// before it, or begins one, as the operator does in a new file. Chains are followed whole, whatever the time asked for.
// What is missing at the end of one does not show.
AuditReport audit_report(const std::vector<AuditLog>& logs, TimePoint from, TimePoint to);

// A day ("2026-11-01", its beginning in UTC), a moment (RFC 3339), or so long ago ("30d", "36h"). Errors: kInvalid.
Result<TimePoint> parse_since(const std::string& text, TimePoint now);

std::string as_table(const std::vector<ReportLine>& lines);
// RFC 4180, with a head. What a spreadsheet would take for a formula stands behind an apostrophe.
std::string as_csv(const std::vector<ReportLine>& lines);
json::Value as_value(const std::vector<ReportLine>& lines);

}  // namespace edgetrust::plugin
