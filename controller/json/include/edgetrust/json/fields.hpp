#pragma once
// One list of fields a type, from which reading, writing and the schema follow.
//
//   template <class Visitor>
//   void fields(Visitor& v, EdgeSip& sip) {
//     v("host", sip.host, required, max_length(253), doc("Where the Edge answers SIP over TLS."));
//     v("port", sip.port, minimum(1), maximum(65535), preset("5061"), doc("…"));
//     v.rule("self.port != 5060", "5060 is not TLS");
//   }
//
// decode.hpp, encode.hpp and schema.hpp are the visitors. Include this one where a `fields` function is written: the
// room's .cpp or private headers.
#include "edgetrust/base/id.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/time_text.hpp"

#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::json {

// What a field list says of one field besides its name and place. The schema shows all of it; reading uses `required`
// only, since the API server has checked the rest, and what no API server has checked is checked by the room that reads
// it.
struct FieldInfo {
  struct Rule {
    std::string_view cel;
    std::string_view message;
  };
  std::string_view doc;
  bool required = false;
  std::optional<std::string_view> pattern;
  std::optional<std::int64_t> min_length, max_length, minimum, maximum, min_items, max_items;
  std::optional<std::string_view> item_pattern;  // of the strings in a list
  std::optional<std::int64_t> item_max_length;
  std::optional<std::string_view> preset;   // JSON text of the schema's default
  std::optional<std::string_view> map_key;  // x-kubernetes-list-type: map with this key
  std::vector<Rule> rules;
};

// Attributes of a field, in the order a reader wants them.
struct Doc {
  std::string_view text;
  void apply(FieldInfo& f) const { f.doc = text; }
};
struct Required {
  void apply(FieldInfo& f) const { f.required = true; }
};
struct Pattern {
  std::string_view regex;
  void apply(FieldInfo& f) const { f.pattern = regex; }
};
struct MinLength {
  std::int64_t n;
  void apply(FieldInfo& f) const { f.min_length = n; }
};
struct MaxLength {
  std::int64_t n;
  void apply(FieldInfo& f) const { f.max_length = n; }
};
struct Minimum {
  std::int64_t n;
  void apply(FieldInfo& f) const { f.minimum = n; }
};
struct Maximum {
  std::int64_t n;
  void apply(FieldInfo& f) const { f.maximum = n; }
};
struct MinItems {
  std::int64_t n;
  void apply(FieldInfo& f) const { f.min_items = n; }
};
struct MaxItems {
  std::int64_t n;
  void apply(FieldInfo& f) const { f.max_items = n; }
};
struct ItemPattern {
  std::string_view regex;
  void apply(FieldInfo& f) const { f.item_pattern = regex; }
};
struct ItemMaxLength {
  std::int64_t n;
  void apply(FieldInfo& f) const { f.item_max_length = n; }
};
struct Preset {
  std::string_view json;
  void apply(FieldInfo& f) const { f.preset = json; }
};
struct MapKey {
  std::string_view name;
  void apply(FieldInfo& f) const { f.map_key = name; }
};
struct Rule {
  std::string_view cel;
  std::string_view message;
  void apply(FieldInfo& f) const { f.rules.push_back({cel, message}); }
};

// NOLINTBEGIN(readability-identifier-naming): words of a field list, beside doc() and pattern().
inline constexpr Required required{};
// NOLINTEND(readability-identifier-naming)
constexpr Doc doc(std::string_view text) { return {text}; }
constexpr Pattern pattern(std::string_view regex) { return {regex}; }
constexpr MinLength min_length(std::int64_t n) { return {n}; }
constexpr MaxLength max_length(std::int64_t n) { return {n}; }
constexpr Minimum minimum(std::int64_t n) { return {n}; }
constexpr Maximum maximum(std::int64_t n) { return {n}; }
constexpr MinItems min_items(std::int64_t n) { return {n}; }
constexpr MaxItems max_items(std::int64_t n) { return {n}; }
constexpr ItemPattern item_pattern(std::string_view regex) { return {regex}; }
constexpr ItemMaxLength item_max_length(std::int64_t n) { return {n}; }
constexpr Preset preset(std::string_view json) { return {json}; }
constexpr MapKey map_key(std::string_view name) { return {name}; }
constexpr Rule rule(std::string_view cel, std::string_view message) { return {cel, message}; }
constexpr Rule immutable(std::string_view message) { return {"self == oldSelf", message}; }

template <class... Attributes>
FieldInfo field_info(const Attributes&... attributes) {
  FieldInfo info;
  (attributes.apply(info), ...);
  return info;
}

// Values that are one string in JSON. Specialise for a type: parse, print, and what the schema says of it.
template <class T>
struct Text;

// Enums: specialise `EnumNames<E>` with `static constexpr std::array<std::pair<E, std::string_view>, N> kNames`.
template <class E>
struct EnumNames;

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires {
  EnumNames<E>::kNames;
};

template <NamedEnum E>
constexpr std::string_view enum_name(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::kNames) {
    if (candidate == value) return name;
  }
  return {};
}

template <NamedEnum E>
struct Text<E> {
  static Result<E> parse(std::string_view text) {
    std::string names;
    for (const auto& [value, name] : EnumNames<E>::kNames) {
      if (name == text) return value;
      names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return fail(ErrorKind::kInvalid, "is none of " + names);
  }
  static std::string print(E value) { return std::string(enum_name(value)); }
};

template <>
struct Text<std::chrono::milliseconds> {
  // h, m, s and ms with optional fractions: what base/time_text reads. The digits are bounded so that no text of this
  // length is beyond its 100 years.
  static constexpr std::string_view kPattern =
      R"(^(0|([0-9]{1,5}(\.[0-9]+)?h|[0-9]{1,7}(\.[0-9]+)?m|[0-9]{1,9}(\.[0-9]+)?s|[0-9]{1,12}(\.[0-9]+)?ms)+)$)";
  static constexpr std::int64_t kMaxLength = 32;
  static Result<std::chrono::milliseconds> parse(std::string_view text) { return parse_duration(text); }
  static std::string print(std::chrono::milliseconds value) { return format_duration(value); }
};

template <>
struct Text<TimePoint> {
  static constexpr std::string_view kFormat = "date-time";
  static Result<TimePoint> parse(std::string_view text) { return parse_rfc3339(text); }
  static std::string print(TimePoint value) { return format_rfc3339(value); }
};

template <class Tag>
struct Text<Id<Tag>> {
  static Result<Id<Tag>> parse(std::string_view text) { return Id<Tag>{std::string(text)}; }
  static std::string print(const Id<Tag>& value) { return value.value; }
};

template <class T>
concept IsText = requires(std::string_view text, const T& value) {
  { Text<T>::parse(text) } -> std::same_as<Result<T>>;
  { Text<T>::print(value) } -> std::same_as<std::string>;
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

using StringMap = std::map<std::string, std::string>;

}  // namespace edgetrust::json
