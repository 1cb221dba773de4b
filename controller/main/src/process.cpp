#include "process.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace edgetrust {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

std::string file(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace edgetrust
