#pragma once
// `report`: what was changed on Edges in a stretch of time: who, under which change, the old serial number and the new,
// what was seen, how it ended. Pure. It reads the histories of the EdgeCertificates, of ten revisions each, or an audit
// log (audit/chain.hpp), which has each step.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/json/value_fwd.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::plugin {

struct ReportLine {
  TimePoint at;
  std::string kind;  // of the object; of a history EdgeCertificate
  api::ObjectKey object;
  std::string edge;
  std::optional<int> revision;  // empty: it is about none
  std::string result;           // Active, Superseded, RolledBack, Rejected, Adopted; of an audit log the action
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
// before it, or begins one, as the operator does in a new file. The lines are those of the namespace; empty: of all.
// Chains are followed whole, whatever time and namespace are asked for. What is missing at the end of one does not
// show.
AuditReport audit_report(const std::vector<AuditLog>& logs, TimePoint from, TimePoint to, std::string_view ns);

// A day ("2026-11-01", its beginning in UTC), a moment (RFC 3339), or so long ago ("30d", "36h"). Errors: kInvalid.
Result<TimePoint> parse_since(const std::string& text, TimePoint now);

// Where there is no line: what was not found, as a sentence.
std::string nothing_in_histories();
std::string nothing_in_logs(std::string_view ns);

std::string as_table(const std::vector<ReportLine>& lines, std::string_view nothing);
// RFC 4180, with a head. What a spreadsheet would take for a formula stands behind an apostrophe.
std::string as_csv(const std::vector<ReportLine>& lines);
json::Value as_value(const std::vector<ReportLine>& lines);

}  // namespace edgetrust::plugin
