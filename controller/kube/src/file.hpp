#pragma once
// Reading files whole, bounded. Errors: kNotFound, kInvalid (too large, not readable), with the path.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <string>

namespace edgetrust::kube {

Result<std::string> read_file(const std::string& path, std::size_t max_octets);
Result<Secret> read_secret_file(const std::string& path, std::size_t max_octets);

}  // namespace edgetrust::kube
