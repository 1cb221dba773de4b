#pragma once
// Reads a described type from a View. Unknown members are ignored, null counts as absent, an error names the path and
// what was expected.
#include "edgetrust/json/fields.hpp"
#include "edgetrust/json/view.hpp"

namespace edgetrust::json {

class Decoder {
 public:
  explicit Decoder(View object, std::string path = {}) : object_(object), path_(std::move(path)) {}

  template <class T, class... Attributes>
  void operator()(std::string_view name, T& member, const Attributes&... /*attributes*/) {
    if (error_) return;
    const View value = object_[name];
    if (value.present()) {
      read(value, join(name), member);
    } else if constexpr ((std::is_same_v<Attributes, Required> || ...)) {
      refuse(join(name), "is required");
    }
  }
  void rule(std::string_view /*cel*/, std::string_view /*message*/) {}

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  template <class T>
  void read(View value, const std::string& path, T& into) {
    if constexpr (std::is_same_v<T, bool>) {
      take(value.boolean(), path, "a boolean", value, into);
    } else if constexpr (std::is_integral_v<T>) {
      const auto number = value.integer();
      if (number && std::in_range<T>(*number)) {
        into = static_cast<T>(*number);
      } else {
        refuse(path, "must be an integer in range, not " + std::string(to_string(value.kind())));
      }
    } else if constexpr (std::is_same_v<T, std::string>) {
      take(value.string(), path, "a string", value, into);
    } else if constexpr (IsText<T>) {
      const auto text = value.string();
      if (!text) return refuse(path, "must be a string, not " + std::string(to_string(value.kind())));
      auto parsed = Text<T>::parse(*text);
      if (!parsed) return refuse(path, parsed.error().what);
      into = std::move(*parsed);
    } else if constexpr (IsOptional<T>::value) {
      read(value, path, into.emplace());
    } else if constexpr (IsVector<T>::value) {
      if (value.kind() != Kind::kArray)
        return refuse(path, "must be a list, not " + std::string(to_string(value.kind())));
      into.clear();
      value.for_each_element([&](View item) {
        const std::string place = path + "[" + std::to_string(into.size()) + "]";
        read(item, place, into.emplace_back());
        return !error_;
      });
    } else if constexpr (std::is_same_v<T, StringMap>) {
      if (value.kind() != Kind::kObject)
        return refuse(path, "must be an object, not " + std::string(to_string(value.kind())));
      into.clear();
      value.for_each_member([&](std::string_view key, View item) {
        read(item, path + "." + std::string(key), into[std::string(key)]);
        return !error_;
      });
    } else {
      if (value.kind() != Kind::kObject)
        return refuse(path, "must be an object, not " + std::string(to_string(value.kind())));
      Decoder inner(value, path);
      fields(inner, into);
      if (inner.error_) error_ = std::move(inner.error_);
    }
  }

 private:
  template <class Found, class T>
  void take(const std::optional<Found>& found, const std::string& path, std::string_view wanted, View value, T& into) {
    if (found) {
      into = T(*found);
    } else {
      refuse(path, "must be " + std::string(wanted) + ", not " + std::string(to_string(value.kind())));
    }
  }
  void refuse(const std::string& path, std::string what) {
    error_ = Error{.kind = ErrorKind::kInvalid, .what = path + ": " + std::move(what)};
  }
  [[nodiscard]] std::string join(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }

  View object_;
  std::string path_;
  std::optional<Error> error_;
};

template <class T>
Result<T> decode(View view, std::string path = {}) {
  T value{};
  Decoder decoder(view);
  decoder.read(view, path, value);
  if (decoder.error()) return fail(*decoder.error());
  return value;
}

}  // namespace edgetrust::json
