#pragma once
// JSON text as YAML text that people can read in a diff. Called by crdgen.
//
// Block style, no aliases, members in their order, one line a scalar. A string stands unquoted only where YAML 1.1 and
// 1.2 both read it as that string: "true", "1", "5061" and "02:00" are quoted, "2h" need not be.
// Errors: kInvalid when the text is no JSON that yaml-cpp can read.
#include "edgetrust/base/result.hpp"

#include <string>
#include <string_view>

namespace edgetrust::crdgen {

Result<std::string> yaml_of(const std::string& json);

// Whether an unquoted scalar with this text would be read as a string, and as this one, by every YAML reader.
bool is_plain_string(std::string_view text);

}  // namespace edgetrust::crdgen
