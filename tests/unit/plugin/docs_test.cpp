// What is written elsewhere and must agree: the how-to with the help, `breakglass` with what is run on Edges.
#include "edgetrust/plugin/breakglass.hpp"
#include "edgetrust/plugin/command_line.hpp"
#include "support/objects.hpp"

#include <fstream>
#include <iterator>

namespace edgetrust::plugin {
namespace {

using testing::HasSubstr;

std::string source(const std::string& path) {
  std::ifstream in(std::string(EDGETRUST_SOURCE) + "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(HowTo, HasTheHelpOfEveryCommand) {
  EXPECT_THAT(source("controller/docs/how-to/kubectl-edgetrust.md"), HasSubstr("```text\n" + full_help() + "```\n"))
      << "put what `kubectl-edgetrust --help-all` prints there";
}

TEST(BreakGlass, NamesWhatTheOperatorPutsOnAnEdge) {
  const std::string commands = source("controller/ssh/src/commands.cpp");
  const auto value = [&](const std::string& name) {
    const auto begin = commands.find("\n" + name + "=") + name.size() + 2;
    return commands.substr(begin, commands.find('\n', begin) - begin);
  };
  const std::string text = break_glass(
      {.edge = object<api::Edge>("edge01", R"({"connectionRef":{"name":"p"},"edgeId":"x","sip":{"host":"h"}})"),
       .certificate = {},
       .policies = {}},
      at("2026-11-29T00:00:00Z"));
  const std::string folder = value("folder");
  ASSERT_EQ(folder.front(), '/') << "the scripts name their folder otherwise now";
  EXPECT_THAT(text, HasSubstr(folder + "/" + value("file") + "\n"));
  EXPECT_THAT(text, HasSubstr(folder + "/" + value("previous") + " "));
  EXPECT_THAT(text, HasSubstr("systemctl start " + value("timer") + ".service\n"));
  EXPECT_THAT(text, HasSubstr("systemctl restart " + value("service") + "\n"));
}

}  // namespace
}  // namespace edgetrust::plugin
