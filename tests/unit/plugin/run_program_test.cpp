// Programs are what this part runs, so here are some, of the shell that every machine has.
#include "run_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::plugin {
namespace {

using testing::HasSubstr;

kube::CredentialProgram shell(const std::string& script) { return {.path = "/bin/sh", .arguments = {"-c", script}}; }

TEST(RunProgram, HearsWhatIsSaidOnStdout) {
  const auto said = run_program(shell("printf hello; printf ' there'"), {});
  ASSERT_TRUE(said.has_value()) << said.error().message();
  EXPECT_EQ(said->expose(), "hello there");
}

TEST(RunProgram, ItsVariablesTakeTheirPlaceInTheEnvironment) {
  auto program = shell("printf '%s %s' \"$A\" \"$B\"");
  program.variables = {{"A", "new"}};
  const auto said = run_program(program, {"A=old", "B=kept"});
  ASSERT_TRUE(said.has_value()) << said.error().message();
  EXPECT_EQ(said->expose(), "new kept");
}

TEST(RunProgram, ItIsAskedNothing) {
  const auto said = run_program(shell("cat; printf end"), {"PATH=/usr/bin:/bin"});
  ASSERT_TRUE(said.has_value()) << said.error().message();
  EXPECT_EQ(said->expose(), "end");
}

TEST(RunProgram, AFailureIsToldWithTheHintAndWithoutWhatItSaid) {
  auto program = shell("printf secret; exit 3");
  program.install_hint = "install it from there";
  const auto said = run_program(program, {});
  ASSERT_FALSE(said.has_value());
  EXPECT_EQ(said.error().kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(said.error().message(), "/bin/sh failed; install it from there");
  const auto missing = run_program({.path = "/nowhere/program"}, {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message(), HasSubstr("/nowhere/program cannot be run"));
}

TEST(RunProgram, TooMuchIsRefused) {
  const auto said = run_program(shell("head -c 3000000 /dev/zero"), {"PATH=/usr/bin:/bin"});
  ASSERT_FALSE(said.has_value());
  EXPECT_THAT(said.error().message(), HasSubstr("more than a mebibyte"));
}

}  // namespace
}  // namespace edgetrust::plugin
