#include "edgetrust/plugin/report.hpp"

#include "edgetrust/audit/chain.hpp"
#include "edgetrust/json/value.hpp"
#include "support/objects.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

using testing::HasSubstr;

const TimePoint kNow = at("2026-11-29T00:00:00Z");

api::EdgeCertificate rolled_back() {
  return certificate("a", R"({"phase":"RolledBack","revision":2,"history":[
    {"revision":3,"serialNumber":"03","result":"RolledBack","at":"2026-11-20T02:10:00Z","change":"CHG3","approvedBy":"ada","evidence":"status Critical, \"SIP_DOWN\"","message":"=the Edge was not well"},
    {"revision":2,"serialNumber":"02","result":"Active","at":"2026-10-20T02:10:00Z"},
    {"revision":1,"serialNumber":"01","result":"Superseded","at":"2026-09-20T02:10:00Z"}]})",
                     "", R"(,"uid":"u1")");
}

TEST(Report, TellsWhatEndedInThatTimeWithTheSerialBeforeIt) {
  const auto lines =
      report({rolled_back(), certificate("b", kQuiet)}, at("2026-10-20T02:10:00Z"), at("2026-11-20T02:10:01Z"));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].object.name, "a");
  EXPECT_EQ(lines[0].old_serial, "01");
  EXPECT_EQ(lines[0].new_serial, "02");
  EXPECT_EQ(lines[1].object.name, "b");
  EXPECT_EQ(lines[2].result, "RolledBack");
  EXPECT_EQ(lines[2].old_serial, "02");
  EXPECT_EQ(lines[2].approved_by, "ada");
  EXPECT_TRUE(report({rolled_back()}, at("2026-11-20T02:10:01Z"), kNow).empty()) << "the end is open";
}

TEST(Report, WhatWasRolledBackIsNotWhatWasLiveBefore) {
  const auto lines = report({certificate("a", R"({"history":[
    {"revision":4,"serialNumber":"04","result":"Active","at":"2026-11-21T00:00:00Z"},
    {"revision":3,"serialNumber":"03","result":"RolledBack","at":"2026-11-20T00:00:00Z"},
    {"revision":2,"serialNumber":"02","result":"Superseded","at":"2026-10-20T00:00:00Z"}]})")},
                            at("2026-11-21T00:00:00Z"), kNow);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].old_serial, "02");
}

TEST(Report, IsCsvThatASpreadsheetCanOpen) {
  EXPECT_EQ(
      as_csv(report({rolled_back()}, at("2026-11-01T00:00:00Z"), kNow)),
      "at,namespace,kind,name,edge,revision,result,change,approvedBy,oldSerial,newSerial,evidence,message,traceId\r\n"
      "2026-11-20T02:10:00Z,voice,EdgeCertificate,a,edge-of-a,3,RolledBack,CHG3,ada,02,03,\"status Critical, "
      "\"\"SIP_DOWN\"\"\",'=the Edge was not well,f1bb999edd5cbef2ddee5a308a79bd01\r\n");
  EXPECT_EQ(as_value(report({rolled_back()}, at("2026-11-01T00:00:00Z"), kNow))["changes"][0]["revision"], 3);
  EXPECT_THAT(as_table(report({rolled_back()}, at("2026-11-01T00:00:00Z"), kNow), ""),
              HasSubstr("RolledBack   CHG3     ada           02           03\n"));
  EXPECT_EQ(as_table({}, nothing_in_histories()),
            "Nothing was changed in that time, as far as the histories go back.\n");
}

TEST(AuditReport, ReadsALogAndFollowsItsChain) {
  audit::Link link;
  std::vector<std::string> lines;
  for (const char* action : {"Plan", "Approve", "Push"}) {
    const audit::Record record{.action = action,
                               .kind = "EdgeCertificate",
                               .object = {"voice", "a"},
                               .edge = "edge01",
                               .revision = 4,
                               .change = "CHG1"};
    lines.push_back(audit::seal(record, kNow + std::chrono::minutes{lines.size()}, "pod", link));
  }
  const auto log = [&] { return lines[0] + "\n" + lines[1] + "\n" + lines[2] + "\n"; };
  const auto whole = audit_report({{"audit.log", log()}}, kNow, kNow + std::chrono::minutes{2}, "");
  EXPECT_TRUE(whole.troubles.empty());
  ASSERT_EQ(whole.lines.size(), 2U) << "the end is open";
  EXPECT_EQ(whole.lines[1].result, "Approve");
  EXPECT_EQ(whole.lines[1].edge, "edge01");
  EXPECT_EQ(whole.lines[1].revision, 4);
  lines[1].replace(lines[1].find("CHG1"), 4, "CHG2");
  const auto forged = audit_report({{"audit.log", log()}}, kNow, kNow + std::chrono::hours{1}, "");
  EXPECT_THAT(forged.troubles, testing::ElementsAre(HasSubstr("audit.log, line 2: its hash is that of another text"),
                                                    HasSubstr("line 3: it does not follow")));
  EXPECT_EQ(forged.lines.size(), 3U);
  const auto elsewhere = audit_report({{"audit.log", log()}}, kNow, kNow + std::chrono::hours{1}, "lab");
  EXPECT_TRUE(elsewhere.lines.empty());
  EXPECT_EQ(elsewhere.troubles, forged.troubles) << "the chain is followed whole";
  const auto cut = audit_report({{"audit.log", lines[2] + "\n"}}, kNow, kNow + std::chrono::hours{1}, "");
  EXPECT_THAT(cut.troubles,
              testing::ElementsAre("audit.log, line 1: the log begins with number 3: what was before it is not here"));
  EXPECT_EQ(cut.lines.size(), 1U);
  const auto twice = audit_report({{"a.log", log()}, {"b.log", log()}}, kNow, kNow + std::chrono::hours{1}, "");
  EXPECT_EQ(twice.lines.size(), forged.lines.size());
  EXPECT_THAT(twice.troubles, testing::Contains("b.log: its records have been read already; name each file once"));
  const auto nothing = audit_report({{"audit.log", ""}}, kNow, kNow, "");
  EXPECT_TRUE(nothing.lines.empty());
  EXPECT_THAT(nothing.troubles, testing::ElementsAre("audit.log: it holds no record"));
}

// So many records of a chain, a line each.
std::string log_of(int records, audit::Link& link) {
  std::string log;
  for (int i = 0; i < records; ++i)
    log +=
        audit::seal({.action = "Push", .kind = "EdgeCertificate", .object = {"voice", "a"}}, kNow, "pod", link) + "\n";
  return log;
}
std::vector<std::string> troubles_of(const std::vector<AuditLog>& logs) {
  return audit_report(logs, kNow, kNow + std::chrono::hours{1}, "").troubles;
}

TEST(AuditReport, ReadsSeveralLogsInTheirOrder) {
  audit::Link old_link;
  audit::Link link;
  const AuditLog old{"2026.log", log_of(3, old_link)};
  const AuditLog begun{"audit.log", log_of(2, link)};
  const AuditLog going_on{"audit.log.2", log_of(2, link)};
  const auto all = audit_report({old, begun, going_on}, kNow, kNow + std::chrono::hours{1}, "");
  EXPECT_TRUE(all.troubles.empty()) << "a chain begins in a new file, or goes on in it";
  EXPECT_EQ(all.lines.size(), 7U);
  EXPECT_THAT(
      troubles_of({old, going_on}),
      testing::ElementsAre(HasSubstr("audit.log.2, line 1: it does not follow the record before it: number 4 is "
                                     "expected, and it is 3")));
  EXPECT_THAT(troubles_of({going_on, begun}),
              testing::ElementsAre("audit.log.2, line 1: the log begins with number 3: what was before it is not here"))
      << "each gap is told";
  EXPECT_THAT(troubles_of({{"audit.log", begun.text + old.text}}),
              testing::ElementsAre(HasSubstr("audit.log, line 3: ")))
      << "no chain begins within a file";
  EXPECT_THAT(troubles_of({old, {"empty.log", ""}, begun}), testing::ElementsAre("empty.log: it holds no record"));
}

TEST(AuditReport, WhatALogHoldsBesidesGivesTheTerminalNoOrders) {
  audit::Link link;
  const audit::Record record{.action = "Prove",
                             .kind = "EdgeCertificate",
                             .object = {"voice", "a"},
                             .revision = 4,
                             .change = "CHG1\x1b[2J\n2026-11-20T02:10:00Z   b",
                             .by = "\t=cmd()",
                             .evidence = "\u009b2J\u202e"};
  const auto read =
      audit_report({{"audit.log", audit::seal(record, kNow, "pod", link)}}, kNow, kNow + std::chrono::hours{1}, "");
  EXPECT_TRUE(read.troubles.empty());
  const std::string table = as_table(read.lines, "");
  EXPECT_EQ(std::ranges::count(table, '\n'), 2);
  const std::string csv = as_csv(read.lines);
  EXPECT_EQ(std::ranges::count(csv, '\n'), 2);
  EXPECT_THAT(csv, HasSubstr(",CHG1 [2J 2026-11-20T02:10:00Z   b,' =cmd(),"));
  for (const std::string& text : {table, csv}) {
    for (const char* order : {"\x1b", "\u009b", "\u202e"}) EXPECT_THAT(text, testing::Not(HasSubstr(order)));
  }
}

TEST(Since, DaysMomentsAndSpansAreUnderstood) {
  EXPECT_EQ(parse_since("2026-11-01", kNow), at("2026-11-01T00:00:00Z"));
  EXPECT_EQ(parse_since("2026-11-01T12:00:00Z", kNow), at("2026-11-01T12:00:00Z"));
  EXPECT_EQ(parse_since("30d", kNow), at("2026-10-30T00:00:00Z"));
  EXPECT_EQ(parse_since("36h", kNow), at("2026-11-27T12:00:00Z"));
  for (const char* text : {"", "d", "soon", "-1d", "2026-13-01", "999999999d"})
    EXPECT_FALSE(parse_since(text, kNow).has_value()) << text;
}

}  // namespace
}  // namespace edgetrust::plugin
