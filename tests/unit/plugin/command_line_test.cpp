#include "edgetrust/plugin/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>

namespace edgetrust::plugin {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

ParsedCommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "kubectl-edgetrust");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}
CommandLine line(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  EXPECT_FALSE(parsed.exit) << parsed.err;
  return parsed.line;
}

TEST(CommandLine, FlagsOfKubectlStandAnywhereAfterThePluginsName) {
  for (const auto& words :
       std::vector<std::vector<const char*>>{{"-n", "voice", "--context", "prod", "status", "edge01"},
                                             {"status", "edge01", "--namespace=voice", "--context", "prod"},
                                             {"status", "-n", "voice", "edge01", "--context", "prod"}}) {
    const CommandLine read = line(words);
    EXPECT_EQ(read.command, Command::kStatus);
    EXPECT_EQ(read.name, "edge01");
    EXPECT_EQ(read.ns, "voice");
    EXPECT_EQ(read.context, "prod");
  }
}

TEST(CommandLine, EachCommandHasItsOptions) {
  EXPECT_EQ(line({"list", "-A", "-o", "wide", "-w"}).output, "wide");
  EXPECT_TRUE(line({"list", "-A", "-w"}).watch);
  EXPECT_EQ(line({"approve", "a", "--change", "CHG1", "--revision", "7"}).revision, 7);
  EXPECT_EQ(line({"hold", "a", "--until", "3d", "--reason", "vendor call"}).reason, "vendor call");
  EXPECT_TRUE(line({"hold", "a", "--release"}).end);
  EXPECT_EQ(line({"resume", "--policy", "prod"}).policy, "prod");
  EXPECT_EQ(line({"plan", "--until", "30d", "-o", "ics"}).output, "ics");
  EXPECT_EQ(line({"inspect", "secret", "a-tls"}).command, Command::kInspectSecret);
  EXPECT_EQ(line({"inspect", "secret", "a-tls", "-o", "yaml", "-n", "voice"}).output, "yaml");
  EXPECT_EQ(line({"report", "--from", "30d", "--to", "1d", "-o", "csv"}).from, "30d");
  EXPECT_EQ(line({"completion", "zsh"}).name, "zsh");
  EXPECT_EQ(line({"doctor"}).service_account, "edgetrust");
}

TEST(CommandLine, MistakesAreToldOnStderr) {
  for (const auto& words : std::vector<std::vector<const char*>>{{},
                                                                 {"lits"},
                                                                 {"approve"},
                                                                 {"approve", "a", "--revision", "0"},
                                                                 {"list", "-o", "ics"},
                                                                 {"completion", "tcsh"},
                                                                 {"status", "a", "b"}}) {
    const auto parsed = parse(words);
    EXPECT_TRUE(parsed.exit);
    EXPECT_EQ(parsed.status, EX_USAGE);
    EXPECT_NE(parsed.err, "");
    EXPECT_EQ(parsed.out, "");
  }
}

TEST(CommandLine, AWordThatIsNoCommandIsNamed) {
  EXPECT_THAT(parse({"lits"}).err, HasSubstr("not expected: lits"));
  EXPECT_THAT(parse({"inspect", "screts", "a"}).err, HasSubstr("screts"));
  EXPECT_THAT(parse({"--nope"}).err, HasSubstr("not expected: --nope"));
  EXPECT_THAT(parse({}).err, HasSubstr("subcommand is required"));
}

TEST(CommandLine, WhatARevisionIsIsToldToWhoNamesNone) {
  for (const char* text : {"0", "-7", "seven", "7th", "1.5", "99999999999999999999"}) {
    const auto parsed = parse({"approve", "a", (std::string("--revision=") + text).c_str()});
    EXPECT_EQ(parsed.status, EX_USAGE) << text;
    EXPECT_THAT(parsed.err, StartsWith("--revision: a revision is a number from 1\n")) << text;
  }
  EXPECT_EQ(line({"approve", "a", "--revision", "1"}).revision, 1);
}

TEST(CommandLine, HelpIsNoMistake) {
  const auto parsed = parse({"approve", "--help"});
  EXPECT_TRUE(parsed.exit);
  EXPECT_EQ(parsed.status, 0);
  EXPECT_THAT(parsed.out, HasSubstr("--change"));
  EXPECT_THAT(full_help(), HasSubstr("breakglass"));
}

TEST(Complete, CommandsFlagsAndTheirValues) {
  EXPECT_THAT(complete({"ro"}).words, ElementsAre("rotate", "rollback"));
  EXPECT_THAT(complete({"inspect", ""}).words, ElementsAre("secret"));
  EXPECT_THAT(complete({"hold", "a", "--un"}).words, ElementsAre("--until"));
  EXPECT_THAT(complete({"list", "-o", "w"}).words, ElementsAre("wide"));
  EXPECT_THAT(complete({"plan", "-o", ""}).words, Contains("ics"));
  EXPECT_THAT(complete({"list", "-o", ""}).words, Not(Contains("ics")));
  EXPECT_THAT(complete({"completion", ""}).words, ElementsAre("bash", "zsh", "fish"));
}

TEST(Complete, NamesOfObjectsAreWantedWhereACommandTakesOne) {
  EXPECT_EQ(complete({"status", ""}).kind, "EdgeCertificate");
  EXPECT_EQ(complete({"pins", "c"}).kind, "PinPolicy");
  EXPECT_EQ(complete({"resume", "--policy", ""}).kind, "RotationPolicy");
  EXPECT_EQ(complete({"status", "-n", ""}).kind, "Namespace");
  EXPECT_EQ(complete({"inspect", "secret", ""}).kind, "Secret");
  EXPECT_EQ(complete({"list", ""}).kind, "");
  EXPECT_EQ(complete({"status", "edge01", ""}).kind, "") << "it takes one";
}

TEST(Complete, ItIsAskedOfTheClusterThatWasTyped) {
  const auto done = complete({"-n", "voice", "status", "--context", "prod", "ed"});
  EXPECT_EQ(done.connection.ns, "voice");
  EXPECT_EQ(done.connection.context, "prod");
  EXPECT_EQ(done.kind, "EdgeCertificate");
}

TEST(Completion, ThereIsAScriptForThreeShells) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(completion_script(shell), HasSubstr("__complete")) << shell;
  EXPECT_EQ(completion_script("tcsh"), "");
}

}  // namespace
}  // namespace edgetrust::plugin
