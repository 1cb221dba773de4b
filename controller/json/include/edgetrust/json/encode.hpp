#pragma once
// Writes a described type as a Value. Absent optionals, empty strings, lists and maps are left out, unless the field is
// required.
#include "edgetrust/json/fields.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::json {

template <class T>
Value encode(const T& value);

class Encoder {
 public:
  template <class T, class... Attributes>
  void operator()(std::string_view name, T& member, const Attributes&... /*attributes*/) {
    constexpr bool kRequired = (std::is_same_v<Attributes, Required> || ...);
    if (kRequired || !is_empty(member)) object_[std::string(name)] = write(member);
  }
  void rule(std::string_view /*cel*/, std::string_view /*message*/) {}
  Value take() { return std::move(object_); }

 private:
  template <class T>
  static bool is_empty(const T& value) {
    if constexpr (IsOptional<T>::value) {
      return !value.has_value();
    } else if constexpr (std::is_same_v<T, std::string> || IsVector<T>::value || std::is_same_v<T, StringMap>) {
      return value.empty();
    } else if constexpr (std::is_arithmetic_v<T> || IsText<T>) {
      return false;
    } else {
      return encode(value).empty();
    }
  }
  template <class T>
  static Value write(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, StringMap>) {
      return value;
    } else if constexpr (IsText<T>) {
      return Text<T>::print(value);
    } else if constexpr (IsOptional<T>::value) {
      return value ? write(*value) : Value(nullptr);
    } else if constexpr (IsVector<T>::value) {
      Value list = Value::array();
      for (const auto& item : value) list.push_back(write(item));
      return list;
    } else {
      return encode(value);
    }
  }

  Value object_ = Value::object();
};

template <class T>
Value encode(const T& value) {
  Encoder encoder;
  fields(encoder, const_cast<T&>(value));  // one field list serves reading and writing; Encoder only reads
  return encoder.take();
}

}  // namespace edgetrust::json
