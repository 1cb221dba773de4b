#include "edgetrust/plugin/report.hpp"

#include "edgetrust/audit/chain.hpp"
#include "edgetrust/base/table.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/telemetry/trace.hpp"
#include "text.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace edgetrust::plugin {
namespace {

bool was_live(const api::HistoryEntry& entry) {
  return entry.result != api::RevisionResult::kRolledBack && entry.result != api::RevisionResult::kRejected;
}

// What was live before that entry; the history is newest first.
std::string serial_before(const std::vector<api::HistoryEntry>& history, std::size_t entry) {
  for (std::size_t i = entry + 1; i < history.size(); ++i) {
    if (was_live(history[i])) return history[i].serial_number;
  }
  return {};
}

const std::vector<std::string> kHead{"at",        "namespace", "kind",    "name",       "edge",
                                     "revision",  "result",    "change",  "approvedBy", "oldSerial",
                                     "newSerial", "evidence",  "message", "traceId"};

std::string revision_text(const ReportLine& line) { return line.revision ? std::to_string(*line.revision) : ""; }

std::vector<std::string> cells(const ReportLine& line) {
  return {format_rfc3339(line.at), line.object.ns, line.kind,    line.object.name, line.edge,
          revision_text(line),     line.result,    line.change,  line.approved_by, line.old_serial,
          line.new_serial,         line.evidence,  line.message, line.trace_id};
}

std::string csv_cell(const std::string& raw) {
  std::string text = printable(raw, std::string::npos);  // it is looked at in a terminal too
  if (const auto word = trim(text);
      !word.empty() && std::string_view("=+-@").find(word.front()) != std::string_view::npos)
    text.insert(0, "'");
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_line(std::vector<std::string> words) {
  std::ranges::transform(words, words.begin(), csv_cell);
  return join(words, ",") + "\r\n";
}

// Follows the chains of audit logs, line by line.
class ChainReader {
 public:
  // What comes is the first line of another log: it goes on with the chain, or begins one.
  void next_log() { may_begin_ = true; }

  // What is wrong with its place in the chain; empty: nothing. After a break the chain is followed from there on, so
  // that each break is told once.
  std::string read(std::string_view line) {
    const audit::Link beginning;  // a whole log begins with number 1
    auto next = link_ ? audit::follow(line, &*link_) : audit::follow(line, &beginning);
    if (!next && link_ && may_begin_) {
      if (auto begun = audit::follow(line, &beginning)) next = std::move(begun);
    }
    const auto anew = next ? next : audit::follow(line, nullptr);
    std::string trouble;
    if (!next)
      trouble = !link_ && anew ? "the log begins with number " + std::to_string(anew->sequence - 1) +
                                     ": what was before it is not here"
                               : next.error().message();
    if (anew) {
      link_ = *anew;
      may_begin_ = false;
    }
    return trouble;
  }

 private:
  std::optional<audit::Link> link_;  // empty: no record was read yet
  bool may_begin_ = true;
};

// Nothing for what has no time.
std::optional<ReportLine> report_line(json::View record) {
  constexpr std::int64_t kMostRevisions = 1'000'000'000;
  const auto at = parse_rfc3339(record["at"].string().value_or(""));
  if (!at) return std::nullopt;
  const auto text = [&](const char* member) { return record[member].string_or(""); };
  std::optional<int> revision;
  if (const auto number = record["revision"].integer())
    revision = static_cast<int>(std::clamp<std::int64_t>(*number, 0, kMostRevisions));
  return ReportLine{.at = *at,
                    .kind = text("kind"),
                    .object = {text("namespace"), text("name")},
                    .edge = text("edge"),
                    .revision = revision,
                    .result = text("action"),
                    .change = text("change"),
                    .approved_by = text("by"),
                    .old_serial = text("oldSerial"),
                    .new_serial = text("newSerial"),
                    .evidence = text("evidence"),
                    .message = text("message"),
                    .trace_id = text("traceId")};
}

}  // namespace

std::vector<ReportLine> report(const std::vector<api::EdgeCertificate>& certificates, TimePoint from, TimePoint to) {
  std::vector<ReportLine> lines;
  for (const auto& certificate : certificates) {
    const auto& history = certificate.status.history;
    for (std::size_t i = 0; i < history.size(); ++i) {
      const auto& entry = history[i];
      if (!entry.at || *entry.at < from || *entry.at >= to) continue;
      lines.push_back({.at = *entry.at,
                       .kind = std::string(api::kKind<api::EdgeCertificate>.kind),
                       .object = certificate.meta.key(),
                       .edge = certificate.spec.edge_ref.name,
                       .revision = entry.revision,
                       .result = std::string(api::to_string(entry.result)),
                       .change = entry.change,
                       .approved_by = entry.approved_by,
                       .old_serial = serial_before(history, i),
                       .new_serial = entry.serial_number,
                       .evidence = entry.evidence,
                       .message = entry.message,
                       .trace_id = telemetry::trace_id(certificate.meta.uid, std::to_string(entry.revision))});
    }
  }
  std::ranges::sort(lines, {}, [](const ReportLine& line) { return std::tuple(line.at, line.object, line.revision); });
  return lines;
}

AuditReport audit_report(const std::vector<AuditLog>& logs, TimePoint from, TimePoint to, std::string_view ns) {
  const auto is_wanted = [&](const ReportLine& line) {
    return line.at >= from && line.at < to && (ns.empty() || line.object.ns == ns);
  };
  AuditReport read;
  ChainReader chain;
  std::set<std::string_view> texts;
  for (const auto& log : logs) {
    if (!log.text.empty() && !texts.insert(log.text).second) {
      read.troubles.push_back(log.name + ": its records have been read already; name each file once");
      continue;
    }
    chain.next_log();
    std::size_t number = 0;
    bool is_empty = true;
    for (const auto& line : split(log.text, '\n')) {
      ++number;
      if (line.empty()) continue;
      if (const std::string trouble = chain.read(line); !trouble.empty())
        read.troubles.push_back(log.name + ", line " + std::to_string(number) + ": " + trouble);
      const auto document = json::Document::parse(line);
      if (!document) continue;
      is_empty = false;
      auto told = report_line(document->root());
      if (told && is_wanted(*told)) read.lines.push_back(std::move(*told));
    }
    if (is_empty) read.troubles.push_back(log.name + ": it holds no record");
  }
  return read;
}

Result<TimePoint> parse_since(const std::string& text, TimePoint now) {
  constexpr int kMostDays = 36500;
  if (const auto moment = parse_rfc3339(text)) return *moment;
  if (const auto day = parse_rfc3339(text + "T00:00:00Z")) return *day;
  if (const auto span = parse_duration(text)) return now - *span;
  const bool is_days = text.size() > 1 && text.size() < 7 && text.ends_with('d') &&
                       std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
  if (is_days && std::stoi(text) <= kMostDays) return now - std::chrono::days{std::stoi(text)};
  return fail(ErrorKind::kInvalid,
              "\"" + printable(text, 64) +
                  "\" is no time: write 2026-11-01, a moment like 2026-11-01T00:00:00Z, or so long ago: 30d, 36h");
}

std::string nothing_in_histories() { return "Nothing was changed in that time, as far as the histories go back."; }
std::string nothing_in_logs(std::string_view ns) {
  if (ns.empty()) return "No record is of that time.";
  return "No record is of that time and namespace " + std::string(ns) + "; -A shows those of all namespaces.";
}

std::string as_table(const std::vector<ReportLine>& lines, std::string_view nothing) {
  std::string out;
  if (lines.empty()) {
    append_line(out, {nothing});
    return out;
  }
  std::vector<Row> rows;
  rows.reserve(lines.size());
  for (const auto& line : lines) {
    rows.push_back({format_rfc3339(line.at), line.object.ns, line.kind, line.object.name, or_dash(line.edge),
                    or_dash(revision_text(line)), line.result, or_dash(line.change), or_dash(line.approved_by),
                    or_dash(line.old_serial), or_dash(line.new_serial)});
  }
  append_table(out,
               {"AT (UTC)", "NAMESPACE", "KIND", "NAME", "EDGE", "REVISION", "RESULT", "CHANGE", "APPROVED BY",
                "OLD SERIAL", "NEW SERIAL"},
               rows);
  return out;
}

std::string as_csv(const std::vector<ReportLine>& lines) {
  std::string out = csv_line(kHead);
  for (const auto& line : lines) out += csv_line(cells(line));
  return out;
}

json::Value as_value(const std::vector<ReportLine>& lines) {
  json::Value items = json::Value::array();
  for (const auto& line : lines) {
    const auto values = cells(line);
    json::Value one = json::Value::object();
    for (std::size_t i = 0; i < kHead.size(); ++i) one[kHead[i]] = values[i];
    if (line.revision)
      one["revision"] = *line.revision;
    else
      one.erase("revision");
    items.push_back(std::move(one));
  }
  return {{"changes", std::move(items)}};
}

}  // namespace edgetrust::plugin
