#include "edgetrust/plugin/document.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>
#include <array>

#include <yaml-cpp/yaml.h>

namespace edgetrust::plugin {
namespace {

// Words, and names with dots, dashes and slashes. All else, whatever begins with a digit included, stands in quotes.
bool is_plain(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto fits = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/' || c == '_';
  };
  if (text.empty() || !is_letter(text.front()) || !std::ranges::all_of(text, fits)) return false;
  return std::ranges::find(kWords, lower(text)) == kWords.end();
}

void emit_text(YAML::Emitter& out, const std::string& text) {
  if (!is_plain(text)) out << YAML::DoubleQuoted;
  out << text;
}

void emit(YAML::Emitter& out, const json::Value& value) {
  if (value.is_object()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, member] : value.items()) {
      out << YAML::Key;
      emit_text(out, key);
      out << YAML::Value;
      emit(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& element : value) emit(out, element);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    emit_text(out, value.get<std::string>());
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << json::dump(value);  // true, 7
  }
}

// Whether it holds what a terminal would obey, beside line breaks.
bool gives_orders(std::string text) {
  std::erase(text, '\n');
  return printable(text, std::string::npos) != text;
}

std::string json_of(const json::Value& value, bool in_ascii) {
  return value.dump(4, ' ', in_ascii, json::Value::error_handler_t::replace) + "\n";
}

std::string yaml_of(const json::Value& value, bool in_ascii) {
  YAML::Emitter out;
  if (in_ascii) out.SetOutputCharset(YAML::EscapeNonAscii);
  emit(out, value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace

std::string as_json(const json::Value& value) {
  std::string text = json_of(value, false);
  return gives_orders(text) ? json_of(value, true) : text;
}

std::string as_yaml(const json::Value& value) {
  std::string text = yaml_of(value, false);
  return gives_orders(text) ? yaml_of(value, true) : text;
}

}  // namespace edgetrust::plugin
