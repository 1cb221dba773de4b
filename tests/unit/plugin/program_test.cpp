// From a command line to what is printed, for what needs no cluster.
#include "edgetrust/plugin/program.hpp"

#include "edgetrust/audit/chain.hpp"
#include "edgetrust/json/value.hpp"
#include "support/fake_clock.hpp"
#include "support/objects.hpp"

#include <filesystem>
#include <fstream>

namespace edgetrust::plugin {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// `report --log` on a log of two namespaces, in each of which there is an edge01.
struct ReportOfLogTest : testing::Test {
  support::FakeClock clock{"2026-11-29T12:00:00Z"};
  std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) /
      (std::string("edgetrust_report_of_log_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string kubeconfig = (folder / "none").string();
  std::string out;
  std::string err;

  void SetUp() override {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    audit::Link link;
    std::string log;
    for (const audit::Record& record :
         {audit::Record{.action = "Push",
         .kind = "EdgeCertificate",
         .object = {"voice", "cert01"},
         .edge = "edge01",
         .revision = 4},
          audit::Record{.action = "PushPins", .kind = "Edge", .object = {"lab", "edge01"}, .edge = "edge01"},
          audit::Record{.action = "Halt", .kind = "RotationPolicy", .object = {"voice", "default"}}})
      log += audit::seal(record, clock.now() - std::chrono::hours{1}, "pod", link) + "\n";
    file("audit.log", log);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  }
  int report(CommandLine line) {
    line.command = Command::kReport;
    line.logs = {(folder / "audit.log").string()};
    out.clear();
    err.clear();
    return run(line, {.kubeconfig = kubeconfig,
                      .clock = clock,
                      .out = [this](std::string_view text) { out += text; },
                      .err = [this](std::string_view text) { err += text; }});
  }
};

TEST_F(ReportOfLogTest, IsOfOneNamespaceUnlessAllAreAskedFor) {
  EXPECT_EQ(report({.ns = "voice"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("cert01"));
  EXPECT_THAT(out, HasSubstr("Halt"));
  EXPECT_THAT(out, Not(HasSubstr("PushPins")));
  EXPECT_EQ(report({.ns = "lab", .output = "csv"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("PushPins"));
  EXPECT_THAT(out, Not(HasSubstr("voice")));
  EXPECT_EQ(report({.ns = "lab", .all_namespaces = true}), 0) << err;
  EXPECT_THAT(out, HasSubstr("cert01"));
  EXPECT_THAT(out, HasSubstr("PushPins"));
}

TEST_F(ReportOfLogTest, WithoutOneItIsThatOfTheContextForWhichNothingIsRun) {
  kubeconfig = file("kubeconfig",
                    "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: lab}}]\n"
                    "users: [{name: u, user: {exec: {command: /nowhere/login}}}]\n");
  EXPECT_EQ(report({}), 0) << err;
  EXPECT_THAT(out, HasSubstr("PushPins"));
  EXPECT_THAT(out, Not(HasSubstr("cert01")));
}

TEST_F(ReportOfLogTest, WhoHasNoContextIsAskedForANamespace) {
  EXPECT_EQ(report({}), 1);
  EXPECT_EQ(out, "");
  EXPECT_THAT(err, StartsWith("error: of which namespace? -n names one, -A is all: no kubeconfig at "));
  EXPECT_EQ(report({.all_namespaces = true}), 0) << "no cluster is needed";
}

TEST_F(ReportOfLogTest, SaysOfWhatKindAnObjectIsAndOfWhichNamespace) {
  ASSERT_EQ(report({.all_namespaces = true, .output = "csv"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("at,namespace,kind,name,edge,revision,result,"));
  EXPECT_THAT(out, HasSubstr(",voice,EdgeCertificate,cert01,edge01,4,Push,"));
  EXPECT_THAT(out, HasSubstr(",lab,Edge,edge01,edge01,,PushPins,")) << "it is about no revision";
  EXPECT_THAT(out, HasSubstr(",voice,RotationPolicy,default,,,Halt,"));
  ASSERT_EQ(report({.all_namespaces = true}), 0) << err;
  EXPECT_THAT(out, HasSubstr("   NAMESPACE   KIND              NAME      EDGE     REVISION   RESULT"));
  EXPECT_THAT(out, HasSubstr("   voice       EdgeCertificate   cert01    edge01   4          Push"));
  EXPECT_THAT(out, HasSubstr("   lab         Edge              edge01    edge01   -          PushPins"));
  EXPECT_THAT(out, HasSubstr("   voice       RotationPolicy    default   -        -          Halt"));
  ASSERT_EQ(report({.all_namespaces = true, .output = "json"}), 0) << err;
  const auto changes = json::Value::parse(out)["changes"];
  EXPECT_EQ(changes[0]["revision"], 4);
  EXPECT_EQ(changes[1].value("kind", ""), "Edge");
  EXPECT_FALSE(changes[1].contains("revision"));
}

TEST_F(ReportOfLogTest, WithoutARecordItSpeaksOfRecordsAndNotOfHistories) {
  EXPECT_EQ(report({.ns = "voice", .to = "2h"}), 0);
  EXPECT_EQ(out, "No record is of that time and namespace voice; -A shows those of all namespaces.\n");
  EXPECT_EQ(report({.all_namespaces = true, .to = "2h"}), 0);
  EXPECT_EQ(out, "No record is of that time.\n");
}

}  // namespace
}  // namespace edgetrust::plugin
