#pragma once
// Answers of AWS as trees. Private to the room.
#include "edgetrust/base/result.hpp"

#include <string_view>

#include <pugixml.hpp>

namespace edgetrust::dns {

// Neither DTD nor external entities are read. Errors: kProtocol.
inline Status parse_xml(std::string_view text, pugi::xml_document& into) {
  const auto parsed = into.load_buffer(text.data(), text.size(), pugi::parse_minimal | pugi::parse_escapes);
  if (parsed) return {};
  return fail(ErrorKind::kProtocol, std::string("no XML: ") + parsed.description());
}

inline bool is(const pugi::xml_node& node, std::string_view name) { return node.name() == name; }

// The text at the end of a path of element names; empty when there is none.
inline std::string text_at(const pugi::xml_node& node, const char* path) {
  return node.first_element_by_path(path).text().get();
}

}  // namespace edgetrust::dns
