#include "crd_yaml.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <array>

#include <yaml-cpp/yaml.h>

namespace edgetrust::crdgen {
namespace {

// Words that a YAML 1.1 reader takes for a boolean or null (yaml.org/type/bool.html, null.html), in lower case.
constexpr std::array<std::string_view, 10> kWords = {"y", "yes", "n", "no", "true", "false", "on", "off", "null", "~"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Numbers, times and sexagesimals begin with a digit, a sign or a point; what begins with another letter is none of
// them. ".spec.server" is no number either: only ".inf" and ".nan" have a letter behind the point.
bool begins_like_text(std::string_view text) {
  if (is_letter(text.front())) return true;
  const std::string folded = lower(text.substr(0, 4));
  return text.front() == '.' && text.size() > 1 && is_letter(text[1]) && folded != ".inf" && folded != ".nan";
}

// "2h": digits and then letters alone, without an exponent, a hexadecimal or octal prefix.
bool is_short_duration(std::string_view text) {
  const auto first_letter = std::ranges::find_if_not(text, is_digit);
  const std::string_view unit = text.substr(static_cast<std::size_t>(first_letter - text.begin()));
  return first_letter != text.begin() && (unit == "h" || unit == "m" || unit == "s" || unit == "ms");
}

// Single quotes leave a regular expression and a JSONPath as they are; they have no way to write a control character.
YAML::EMITTER_MANIP quotes_for(std::string_view text) {
  const bool would_be_escaped = text.find_first_of("\"\\") != std::string_view::npos;
  const bool has_control = std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  return would_be_escaped && !has_control ? YAML::SingleQuoted : YAML::DoubleQuoted;
}

void write(YAML::Emitter& out, const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      if (node.size() == 0) {
        out << YAML::Flow << YAML::BeginMap << YAML::EndMap;  // {}
        return;
      }
      out << YAML::BeginMap;
      for (const auto& member : node) {
        out << YAML::Key;
        write(out, member.first);
        out << YAML::Value;
        write(out, member.second);
      }
      out << YAML::EndMap;
      return;
    case YAML::NodeType::Sequence:
      if (node.size() == 0) {
        out << YAML::Flow << YAML::BeginSeq << YAML::EndSeq;  // []
        return;
      }
      out << YAML::BeginSeq;
      for (const auto& item : node) write(out, item);
      out << YAML::EndSeq;
      return;
    case YAML::NodeType::Scalar:
      // yaml-cpp marks what was quoted, which in JSON is every string, with the tag "!".
      if (node.Tag() == "!" && !is_plain_string(node.Scalar())) out << quotes_for(node.Scalar());
      out << node.Scalar();
      return;
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined: out << YAML::Null; return;
  }
}

}  // namespace

bool is_plain_string(std::string_view text) {
  if (text.empty() || text.back() == ' ' || text.back() == ':') return false;
  if (std::ranges::any_of(text, [](char c) { return c == '\n' || c == '\t' || c == '"' || c == '\\'; })) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  if (std::ranges::find(kWords, lower(text)) != kWords.end()) return false;
  return begins_like_text(text) || is_short_duration(text);
}

Result<std::string> yaml_of(const std::string& json) {
  try {
    YAML::Emitter out;
    write(out, YAML::Load(json));
    if (!out.good()) return fail(ErrorKind::kInvalid, "cannot be written as YAML: " + out.GetLastError());
    return std::string(out.c_str()) + "\n";
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::kInvalid, std::string("cannot be read as YAML: ") + error.what());
  }
}

}  // namespace edgetrust::crdgen
