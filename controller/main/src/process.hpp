#pragma once
// What a program is given by its surroundings. Called by: the entries of both programs. Errors: none; what is not there
// is empty.
#include <string>

namespace edgetrust {

std::string variable(const char* name);  // of the environment
std::string file(const char* path);      // all of it

}  // namespace edgetrust
