#pragma once
// What somebody may have meant. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::plugin {

// At most three of `known` that are near to `wanted`, nearest first: those that contain it, and those that differ from
// it in no more than a third of its characters (Damerau's four slips of a typist).
std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string>& known);

// "there is no EdgeCertificate \"edge1\" in namespace voice; did you mean edge01 or edge11?"
std::string not_found(std::string_view kind, std::string_view wanted, std::string_view ns,
                      const std::vector<std::string>& known);

}  // namespace edgetrust::plugin
