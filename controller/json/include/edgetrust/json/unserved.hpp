#pragma once
// Finds the fields that an object sets although they are marked `later` in its field list (or `later_value`, for one
// value of an enum).
#include "edgetrust/json/fields.hpp"

namespace edgetrust::json {

class UnservedFinder {
 public:
  UnservedFinder(std::string path, std::vector<std::string>& found) : path_(std::move(path)), found_(found) {}

  template <class T, class... Attributes>
  void operator()(std::string_view name, T& member, const Attributes&... attributes) {
    const std::string path = path_ + "." + std::string(name);
    if constexpr ((std::is_same_v<Attributes, Later> || ...)) {
      if (is_set(member)) found_.push_back(path);
    } else {
      (check_value(path, member, attributes), ...);
      descend(path, member);
    }
  }
  void rule(std::string_view /*cel*/, std::string_view /*message*/) {}

 private:
  template <class T>
  static bool is_set(const T& value) {
    if constexpr (IsOptional<T>::value) {
      return value.has_value();
    } else if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else {
      static_assert(
          requires { value.empty(); }, "a field marked `later` must be able to be absent");
      return !value.empty();
    }
  }
  template <class T, class Attribute>
  void check_value(const std::string& /*path*/, const T& /*member*/, const Attribute& /*attribute*/) {}
  template <class E>
  void check_value(const std::string& path, const E& member, const LaterValue<E>& attribute) {
    if (member == attribute.value) found_.push_back(path + ": " + std::string(enum_name(member)));
  }
  template <class E>
  void check_value(const std::string& path, const std::optional<E>& member, const LaterValue<E>& attribute) {
    if (member) check_value(path, *member, attribute);
  }
  template <class E>
  void check_value(const std::string& path, const std::vector<E>& members, const LaterValue<E>& attribute) {
    for (std::size_t i = 0; i < members.size(); ++i)
      check_value(path + "[" + std::to_string(i) + "]", members[i], attribute);
  }
  template <class T>
  void descend(const std::string& path, T& member) {
    if constexpr (IsOptional<T>::value) {
      if (member) descend(path, *member);
    } else if constexpr (IsVector<T>::value) {
      for (std::size_t i = 0; i < member.size(); ++i) descend(path + "[" + std::to_string(i) + "]", member[i]);
    } else if constexpr (!std::is_arithmetic_v<T> && !std::is_same_v<T, std::string> && !IsText<T> &&
                         !std::is_same_v<T, StringMap>) {
      UnservedFinder inner(path, found_);
      fields(inner, member);
    }
  }

  std::string path_;
  std::vector<std::string>& found_;
};

// The paths of the fields set, e.g. "spec.fallback"; empty when all are served.
template <class T>
std::vector<std::string> unserved_fields(const T& value, std::string path) {
  std::vector<std::string> found;
  UnservedFinder finder(std::move(path), found);
  fields(finder, const_cast<T&>(value));  // the finder only reads
  return found;
}

}  // namespace edgetrust::json
