#pragma once
// Runs a program that gives credentials. It reads nothing from us and is heard on stdout alone; its stderr is ours, so
// that it can tell a person what it needs. Errors: kUnauthorized.
#include "edgetrust/kube/config.hpp"

#include <string>
#include <vector>

namespace edgetrust::plugin {

Result<Secret> run_program(const kube::CredentialProgram& program, const std::vector<std::string>& environment);

}  // namespace edgetrust::plugin
